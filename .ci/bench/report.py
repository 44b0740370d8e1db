"""Writes what was found into docs/performance.md, between its marks, and draws docs/performance.svg."""
import math
import pathlib
import statistics

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
END = "<!-- to here -->\n"
OURS = "acme-modules"
# Requests that RFC 8555 makes unavoidable, one after the other, for any number of names and certificates: directory,
# newNonce, newAccount, newOrder, authorization, challenge, a look at the order, finalize, certificate.
UNAVOIDABLE = 9
COLOURS = {OURS: "#0b6e4f", "uacme": "#8d6a9f", "lego, waits at their least": "#c8553d", "lego": "#e29578",
           "certbot": "#3d5a80", "dehydrated": "#b08900"}


def median(client, what, figure):
    return statistics.median(run[figure] for run in client[what])


def title(scenario):
    certificates, names = scenario["certificates"], scenario["names"]
    return (f"{certificates} certificate{'s' * (certificates > 1)}"
            f"{'' if certificates > 1 else f' of {names} name' + 's' * (names > 1)}")


def seconds(value):
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def ratio(value, ours):
    return f"{value / ours:.1f}" if value / ours < 100 else f"{value / ours:.0f}"


def table(scenario):
    ours = scenario["clients"][OURS]
    rows = [f"\n### {title(scenario)}\n",
            "| | wall | ratio | processor | ratio | memory | requests | one after the other | CA 30 ms away | ratio "
            "| nothing to do | requests |", "|---" + "|---:" * 11 + "|"]
    for name, client in scenario["clients"].items():
        wall, processor = (median(client, "runs", figure) for figure in ("seconds", "processor"))
        rows.append(
            f"| {name} | {seconds(wall)} | {ratio(wall, median(ours, 'runs', 'seconds'))} "
            f"| {seconds(processor)} | {ratio(processor, median(ours, 'runs', 'processor'))} "
            f"| {median(client, 'runs', 'memory'):.0f} MiB | {client['requests']} | {client['chain']} "
            f"| {seconds(client['far'])} | {ratio(client['far'], ours['far'])} "
            f"| {seconds(median(client, 'again', 'seconds'))} | {client['again_requests']} |")
    return "\n".join(rows) + "\n"


def limits(scenarios, physics):
    """Beside what no client can do without, where the CA is a round trip of `delay` away."""
    rows = ["\n### The least that is possible\n",
            f"One request on an open connection takes {physics['round_trip'] * 1000:.2f} ms here, an EC P-256 key "
            f"{physics['key'] * 1000:.1f} ms. RFC 8555 wants {UNAVOIDABLE} requests one after the other, whatever the number of "
            f"names and certificates; of a CA {physics['delay'] * 1000:.0f} ms away:\n",
            "| | the least | ours | ratio |", "|---|---:|---:|---:|"]
    for scenario in scenarios:
        least = UNAVOIDABLE * (physics["delay"] + physics["round_trip"]) + scenario["certificates"] * physics["key"]
        ours = scenario["clients"][OURS]["far"]
        rows.append(f"| {title(scenario)} | {seconds(least)} | {seconds(ours)} | {ours / least:.2f} |")
    return "\n".join(rows) + "\n"


def write_peers(results):
    scenarios = results["scenarios"]
    picture = "![Time from nothing to the certificates, by client](performance.svg)\n"
    insert("peers", picture + "".join(map(table, scenarios)) + limits(scenarios, results["physics"]))
    (DOCS / "performance.svg").write_text(drawing(scenarios))


def write_fleet(sizes):
    rows = ["| hosts | | base.yaml | as many tasks that do nothing | ratio | tasks on hosts | longest plays |",
            "|---:|---|---:|---:|---:|---:|---|"]
    for size, kinds in sizes.items():
        for kind, what in (("renew", "all certificates are renewed"), ("nothing", "nothing is due")):
            row = kinds[kind]
            total = sum(row["shares"].values())
            longest = sorted(row["shares"].items(), key=lambda share: -share[1])[:3]
            shares = ", ".join(f"{name} {took / total:.0%}" for name, took in longest)
            rows.append(f"| {size} | {what} | {seconds(row['ours'])} | {seconds(row['idle'])} "
                        f"| {row['ours'] / row['idle']:.2f} | {row['tasks']} | {shares} |")
    insert("fleet", "\n".join(rows) + "\n")


def insert(part, text):
    """Puts the text between the part's marks."""
    begin = f"<!-- {part}: written by make bench -->\n"
    page = DOCS / "performance.md"
    before, rest = page.read_text().split(begin)
    page.write_text(before + begin + text + END + rest.split(END, 1)[1])
    print(text)


# The plot: wall time of each client in each scenario, on a logarithmic scale.

WIDTH, LABELS, BAR, GAP, TOP = 860, 190, 16, 22, 56


def position(value, least, most):
    share = (math.log10(value) - math.log10(least)) / (math.log10(most) - math.log10(least))
    return LABELS + share * (WIDTH - LABELS - 90)


def drawing(scenarios):
    walls = [median(client, "runs", "seconds") for scenario in scenarios for client in scenario["clients"].values()]
    least = 10 ** math.floor(math.log10(min(walls)))
    most = 10 ** math.ceil(math.log10(max(walls)))
    parts, height = [], TOP
    for scenario in scenarios:
        parts.append(f'<text x="12" y="{height + 12}" font-weight="bold">{title(scenario)}</text>')
        height += GAP
        for name, client in scenario["clients"].items():
            parts.append(bar(name, median(client, "runs", "seconds"), height, least, most))
            height += BAR + 4
        height += GAP
    lines = [line(10 ** power, height, least, most)
             for power in range(round(math.log10(least)), round(math.log10(most)) + 1)]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="12" role="img">',
        "<title>Time from nothing to the certificates, by client</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        '<text x="12" y="22" font-size="15">From nothing to the certificates: seconds, the scale is logarithmic</text>',
        *lines, *parts, "</svg>", ""])


def bar(name, value, top, least, most):
    end = position(value, least, most)
    return (f'<text x="{LABELS - 8}" y="{top + 12}" text-anchor="end">{name}</text>'
            f'<rect x="{LABELS}" y="{top}" width="{end - LABELS:.1f}" height="{BAR}" rx="2" fill="{COLOURS[name]}"/>'
            f'<text x="{end + 5:.1f}" y="{top + 12}">{seconds(value)}</text>')


def line(value, height, least, most):
    x = position(value, least, most)
    return (f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 10}" y2="{height - GAP}" stroke="#ddd"/>'
            f'<text x="{x:.1f}" y="{TOP - 14}" text-anchor="middle" fill="#555">{value:g} s</text>')
