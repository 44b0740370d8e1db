"""usage: role_tables.py [--check]

Writes the table of variables in the README of each role, between two marks, from its meta/argument_specs.yml. With
--check nothing is written, and it fails where a README is not what it would write.
"""
import pathlib
import re
import sys

import yaml

BEGIN, END = "<!-- variables, written by `make docs` -->", "<!-- end of variables -->"
ROLES = pathlib.Path(__file__).resolve().parent.parent / "roles"
MARKUP = [
    (re.compile(r"[CVO]\((.*?)\)"), r"`\1`"),
    (re.compile(r"M\((.*?)\)"), r"`\1`"),
    (re.compile(r"B\((.*?)\)"), r"**\1**"),
]


def cell(text):
    """Text of a specification as the cell of a table."""
    for markup, replacement in MARKUP:
        text = markup.sub(replacement, text)
    return " ".join(text.replace("|", "\\|").split())


def value(option):
    """The default of an option, as YAML."""
    if option.get("required"):
        return "required"
    if "default" not in option:
        return ""
    default = option["default"]
    if default == "":
        return '`""`'
    return f"`{yaml.safe_dump(default, default_flow_style=True, width=1000).removesuffix('...' + chr(10)).strip()}`"


def row(name, option):
    description = option["description"]
    sentences = [description] if isinstance(description, str) else list(description)
    if "choices" in option:
        sentences.append("One of " + ", ".join(f"C({choice})" for choice in option["choices"]) + ".")
    kind = option["type"] + (f" of {option['elements']}" if "elements" in option else "")
    return f"| `{name}` | {kind} | {value(option)} | {cell(' '.join(sentences))} |"


def tables(specs):
    """The variables of each entry point that has any, with a heading where it is not the role's usual one."""
    for entry, spec in specs.items():
        if not spec.get("options"):
            continue
        if entry != "main":
            yield f"With `tasks_from: {entry}.yaml`:\n"
        yield "| variable | type | default | |\n|---|---|---|---|"
        yield "\n".join(row(name, option) for name, option in spec["options"].items()) + "\n"


def written(role):
    """The README of a role with its table as it has to be."""
    text = (role / "README.md").read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"{role.name}/README.md needs each of these lines once:\n{BEGIN}\n{END}")
    before, rest = text.split(BEGIN)
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]
    return before + BEGIN + "\n" + "\n".join(tables(specs)) + END + rest.split(END)[1]


def main():
    stale = []
    for role in sorted(path.parent.parent for path in ROLES.glob("*/meta/argument_specs.yml")):
        readme, text = role / "README.md", written(role)
        if readme.read_text() == text:
            continue
        stale.append(role.name)
        if "--check" not in sys.argv[1:]:
            readme.write_text(text)
    if stale and "--check" in sys.argv[1:]:
        raise SystemExit(f"Not what meta/argument_specs.yml says, run make docs: {', '.join(stale)}")


if __name__ == "__main__":
    main()
