"""usage: links.py PAGE...

Every relative link of these Markdown pages leads to a file below the working directory, and to a heading of it where
the link names one.
"""
import pathlib
import re
import sys

LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)", re.MULTILINE)
SCHEME = re.compile(r"[a-z]+:")
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def prose(page):
    return CODE_BLOCK.sub("", page.read_text(encoding="utf-8"))


def anchors(page):
    """What GitHub makes of headings: small letters and hyphens, without punctuation, links and marks."""
    headings = re.findall(r"^#+ +(.*)$", prose(page), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)).strip().lower().replace(" ", "-")
        for heading in headings
    }


def complaint(page, link):
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.is_relative_to(pathlib.Path.cwd()) or not target.exists():
        return f"{page} links to {link}, which is not there."
    if anchor and anchor not in anchors(target):
        return f"{page} links to {link}, and that page has no such heading."
    return None


def main():
    if len(sys.argv) == 1:
        sys.exit("no page was given")
    here = f"{pathlib.Path.cwd()}/"
    complaints = [
        complaint(page, link)
        for page in (pathlib.Path(name).resolve() for name in sys.argv[1:])
        for link in map("".join, LINK.findall(prose(page)))
        if not SCHEME.match(link)
    ]
    for words in filter(None, complaints):
        print(words.replace(here, ""), file=sys.stderr)
    sys.exit(any(complaints))


if __name__ == "__main__":
    main()
