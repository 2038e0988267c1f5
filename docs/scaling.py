#!/usr/bin/env python3
"""Computes the tables of scaling.md, and that of performance.md, from measured figures and named assumptions.

    docs/scaling.py                     write the tables into the pages
    docs/scaling.py --check             exit 1 if the pages do not hold exactly what is computed
    docs/scaling.py --take RESULTS.json take measured figures over from a run of `make bench`, then write

What is measured and what is assumed lies in scaling-figures.json, with the date and the machine. Change an assumption there and
run the script again. Needs nothing but Python's standard library.
"""

import argparse
import datetime
import json
import math
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIGURES = HERE / "scaling-figures.json"

# Figures of the benchmark that the tables are computed from, and what they are.
TAKEN = {
    "append_64_writers": "appended events a second, 64 writers",
    "catch_up": "projected events a second, one process",
    "rebuild": "rebuilt events a second, one process",
    "visible_p99_ms": "ms from an acknowledged append to its row, p99 at 500 commands a second",
    "sweep_10000_tenants": "ms to find who of 10,000 tenants is behind, with nobody writing, mean of 60 sweeps",
    "size_log": "bytes an event in the log, indexes included",
    "size_keys": "bytes an event in wrapped keys",
    "size_read_models": "bytes an event in read models, indexes included",
    "size_wal": "bytes an event in the write-ahead log",
    "archive_generation_objects": "objects of a generation with one event",
    "archive_generation_bytes": "bytes of a generation with one event, on average over a tile",
}
# What performance.md shows of each figure.
SHOWN = "name ratio ratio_spread reach is_less_better is_reached ours against unit against_what".split()
SWEPT_TENANTS = 10_000
DAY = 86_400
YEAR = 365


class Model:
    """Everything that follows from measured figures (m) and assumptions (a)."""

    def __init__(self, figures):
        self.a = figures["assumptions"]
        missing = [name for name in TAKEN if name not in figures["measured"].get("figures", {})]
        if missing:
            sys.exit(f"{FIGURES.name}: measured figures are missing: {', '.join(missing)}")
        self.m = {name: figure["value"] for name, figure in figures["measured"]["figures"].items()}
        if not math.isclose(sum(self.a["region_shares"].values()), 1):
            sys.exit(f"{FIGURES.name}: region_shares: takes shares that add up to 1")
        if not math.isclose(sum(c["share_of_tenants"] for c in self.a["size_classes"].values()), 1):
            sys.exit(f"{FIGURES.name}: size_classes: takes shares that add up to 1")

    # --- one tenant, on average

    def events_per_day(self):
        return sum(c["share_of_tenants"] * c["events_per_day"] for c in self.a["size_classes"].values())

    def peak(self):
        """Events a second in the busiest hour."""
        return self.events_per_day() / DAY * self.a["peak_over_mean"]

    def stored_bytes(self):
        """What an event leaves in Postgres for as long as it is kept."""
        return self.m["size_log"] + self.m["size_keys"] + self.m["size_read_models"]

    def database_bytes(self):
        return self.events_per_day() * YEAR * self.a["years_kept"] * self.stored_bytes()

    def generations_per_day(self):
        """A command is archived with what else came within the rest after the last generation."""
        most = DAY / self.a["archive_rest_seconds"]
        of_class = lambda c: min(c["events_per_day"] / self.a["events_per_command"], most)
        return sum(c["share_of_tenants"] * of_class(c) for c in self.a["size_classes"].values())

    # --- one region with so many tenants

    def region(self, tenants):
        a, m = self.a, self.m
        peak = tenants * self.peak()
        database = tenants * self.database_bytes()
        wal = tenants * self.events_per_day() * m["size_wal"] * a["wal_days_kept"]
        bucket = tenants * self.generations_per_day() * YEAR * a["years_kept"] * m["archive_generation_bytes"]
        topic = peak * m["size_log"] * a["kafka_replicas"]
        # One process of the projector reads one partition at a time; the more there are, the further it can be spread.
        consumers = math.ceil(peak / (m["catch_up"] * a["utilisation_at_peak"]))
        databases = self.databases(tenants)
        per_database = peak / databases
        cores = max(
            a["database_cores_min"],
            math.ceil(per_database / self.events_per_core()),
            math.ceil(database / databases / a["database_bytes_per_core"]),
        )
        return {
            "tenants": tenants,
            "events_per_day": tenants * self.events_per_day(),
            "events_mean": tenants * self.events_per_day() / DAY,
            "events_peak": peak,
            "commands_peak": peak / a["events_per_command"],
            "database_bytes": database,
            "wal_bytes": wal,
            "bucket_bytes": bucket,
            "objects_per_day": tenants * self.generations_per_day() * m["archive_generation_objects"],
            "partitions": max(a["kafka_partitions_min"], consumers * a["kafka_partitions_spare"]),
            "projectors": consumers,
            "brokers": max(a["kafka_replicas"], math.ceil(topic / a["kafka_bytes_per_second_per_broker"])),
            "databases": databases,
            "cores": cores,
        }

    def events_per_core(self):
        """Half of what the measured machine appends with the appender on the same cores is taken for a core's worth."""
        return self.m["append_64_writers"] / self.a["measured_cores"] * self.a["utilisation_at_peak"]

    def limits(self):
        """For how many tenants one Postgres is enough, by what ends first."""
        a, m = self.a, self.m
        sweep_ms = m["sweep_10000_tenants"] / SWEPT_TENANTS
        return sorted(
            [
                (
                    a["database_bytes_max"] / self.database_bytes(),
                    "disk of one database",
                    f"{bytes_(a['database_bytes_max'])} / ({bytes_(self.stored_bytes())} an event x "
                    f"{number(self.events_per_day())} events a day x {a['years_kept']} years)",
                ),
                (
                    a["restore_bytes_per_second"] * a["restore_hours_max"] * 3600 / self.database_bytes(),
                    f"restore within {a['restore_hours_max']} hours",
                    f"{bytes_(a['restore_bytes_per_second'])}/s x {a['restore_hours_max']} h / bytes of a tenant",
                ),
                (
                    a["sweep_share_of_second_max"] * 1000 / sweep_ms,
                    "the sweep of a projector",
                    f"{a['sweep_share_of_second_max']} s a second / {sweep_ms * 1000:.1f} us a tenant",
                ),
                (
                    m["append_64_writers"] * a["utilisation_at_peak"] / self.peak(),
                    "appends, on the measured machine",
                    f"{number(m['append_64_writers'])} events/s x {a['utilisation_at_peak']} / "
                    f"{self.peak():.4f} events/s of a tenant at peak",
                ),
                (
                    a["wal_bytes_per_second_max"] * a["utilisation_at_peak"] / (self.peak() * m["size_wal"]),
                    "write-ahead log",
                    f"{bytes_(a['wal_bytes_per_second_max'])}/s x {a['utilisation_at_peak']} / "
                    f"({self.peak():.4f} events/s x {bytes_(m['size_wal'])})",
                ),
                (
                    2**31 / a["vacuum_days_min"] / (self.events_per_day() / a["events_per_command"] * a["xids_per_command"]),
                    f"transaction ids, with {a['vacuum_days_min']} days for a vacuum",
                    f"2^31 / {a['vacuum_days_min']} days / ({number(self.events_per_day() / a['events_per_command'])} "
                    f"commands a day x {a['xids_per_command']} ids)",
                ),
            ]
        )

    def databases(self, tenants):
        return max(1, math.ceil(tenants / self.limits()[0][0]))

    def costs(self, region):
        a = self.a
        gb = 1e9
        projectors = max(a["worker_cores_min"], region["projectors"] + region["databases"])
        desks = math.ceil(region["commands_peak"] / a["commands_per_desk_core"])
        return {
            "Postgres, cores": region["databases"] * region["cores"] * a["database_copies"] * a["usd_per_database_core_month"],
            "Postgres, disk": (region["database_bytes"] + region["wal_bytes"]) / gb * a["database_copies"] * a["usd_per_disk_gb_month"],
            "bucket, bytes": region["bucket_bytes"] / gb * a["usd_per_object_gb_month"],
            "bucket, writes": region["objects_per_day"] * 30 / 1e6 * a["usd_per_million_objects_written"],
            "desks and workers": (projectors + desks) * a["usd_per_worker_core_month"],
            "Kafka": region["brokers"] * a["usd_per_broker_month"] if region["databases"] > 1 or region["projectors"] > 1 else 0,
        }


def number(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value < 1 else f"{value:.1f}"


def bytes_(value):
    for unit in ["B", "kB", "MB", "GB", "TB", "PB"]:
        if value < 1000 or unit == "PB":
            return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1000


def table(head, rows):
    is_number = lambda column: all(re.match(r"[*\d]|$", row[column]) and not row[column].endswith(")") for row in rows)
    lines = [head, ["--:" if is_number(column) else "---" for column in range(len(head))]] + rows
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" for cells in lines)


def measured(figures, _):
    taken = figures["measured"]
    rows = [[f"`{name}`", number(taken["figures"][name]["value"]), what] for name, what in TAKEN.items()]
    head = table(["figure", "measured", "what it is"], rows)
    return f"Measured {taken['date']} on {taken['machine']}.\n\n{head}"


def assumptions(figures, model):
    a = figures["assumptions"]
    rows = [
        [name, f"{c['share_of_tenants']:.1%}", number(c["events_per_day"])] for name, c in a["size_classes"].items()
    ] + [["on average", "", number(model.events_per_day())]]
    classes = table(["tenant", "share of tenants", "events a day"], rows)
    skipped = ("size_classes", "region_shares", "tenants_in_all")
    others = table(
        ["assumption", "value"],
        [[f"`{name}`", f"{value:,}"] for name, value in a.items() if name not in skipped],
    )
    shares = ", ".join(f"{region} {share:.0%}" for region, share in a["region_shares"].items())
    return f"{classes}\n\nRegions hold these shares of all tenants: {shares}.\n\n{others}"


def sizes(figures, model):
    """The largest region, at each number of tenants, and what all regions cost."""
    shares = figures["assumptions"]["region_shares"]
    largest = max(shares, key=shares.get)
    in_all = figures["assumptions"]["tenants_in_all"]
    regions = [model.region(count * shares[largest]) for count in in_all]
    row = lambda label, show: [label] + [show(region) for region in regions]
    rows = [
        row(f"tenants in `{largest}`, the largest region", lambda r: number(r["tenants"])),
        row("events a day", lambda r: number(r["events_per_day"])),
        row("events a second, mean and peak", lambda r: f"{number(r['events_mean'])}, {number(r['events_peak'])}"),
        row("commands a second at peak", lambda r: number(r["commands_peak"])),
        row(f"in Postgres after {figures['assumptions']['years_kept']} years", lambda r: bytes_(r["database_bytes"])),
        row(f"write-ahead log kept {figures['assumptions']['wal_days_kept']} days", lambda r: bytes_(r["wal_bytes"])),
        row("in the bucket", lambda r: bytes_(r["bucket_bytes"])),
        row("objects written a day", lambda r: number(r["objects_per_day"])),
        row("databases (shards)", lambda r: str(r["databases"])),
        row("cores of each, and as many of its standby", lambda r: str(r["cores"])),
        row("projector processes", lambda r: str(r["projectors"])),
        row("partitions of the topic", lambda r: str(r["partitions"])),
    ]
    return table(["tenants in all regions"] + [number(count) for count in in_all], rows)


def costs(figures, model):
    shares, in_all = figures["assumptions"]["region_shares"], figures["assumptions"]["tenants_in_all"]
    sums = []
    for count in in_all:
        total = {}
        for share in shares.values():
            for part, usd in model.costs(model.region(count * share)).items():
                total[part] = total.get(part, 0) + usd
        sums.append(total)
    rows = [[part] + [number(total[part]) for total in sums] for part in sums[0]]
    rows.append(["**all**"] + [f"**{number(sum(total.values()))}**" for total in sums])
    each = [sum(total.values()) / count for total, count in zip(sums, in_all)]
    rows.append(["a tenant"] + [f"{value:.2f}" for value in each])
    return table(["USD a month, all regions"] + [number(count) for count in in_all], rows)


def limits(_, model):
    rows = [[f"{tenants:,.0f}", what, how] for tenants, what, how in model.limits()]
    return table(["tenants", "what ends there", "arithmetic"], rows)


def shards(figures, model):
    first, what, _ = model.limits()[0]
    shares = figures["assumptions"]["region_shares"]
    largest = max(shares, key=shares.get)
    needed = [(count, model.databases(count * shares[largest])) for count in figures["assumptions"]["tenants_in_all"]]
    said = ", ".join(f"{databases} at {number(count)}" for count, databases in needed)
    return (
        f"One Postgres ends at about {first:,.0f} tenants of these sizes: *{what}* comes first. "
        f"Region `{largest}` therefore needs so many databases, by tenants in all regions: {said}."
    )


def results(figures, _):
    """Every figure of the run."""
    taken = figures["measured"]
    rows = [
        [
            f"`{row['name']}`",
            row["date"],
            f"{row['ratio']:.3g}",
            " .. ".join(f"{end:.3g}" for end in row["ratio_spread"]),
            f"{'<=' if row['is_less_better'] else '>='} {row['reach']:g}",
            "yes" if row["is_reached"] else "**no**",
            number(row["ours"]),
            number(row["against"]),
            f"{row['unit']}; {row['against_what']}",
        ]
        for row in taken["rows"]
    ]
    head = ["figure", "measured", "ratio", "of turns", "reach", "reached", "ours", "against", "unit; against what"]
    return f"Measured on {taken['machine']}.\n\n{table(head, rows)}"


PAGES = {
    HERE / "scaling.md": {
        "measured": measured,
        "assumptions": assumptions,
        "sizes": sizes,
        "costs": costs,
        "limits": limits,
        "shards": shards,
    },
    HERE / "performance.md": {"results": results},
}


def computed(page, text, figures):
    """The page with every block computed anew."""
    model, blocks = Model(figures), PAGES[page]
    marks = re.findall(r"<!-- computed: (\w+) -->", text)
    if sorted(marks) != sorted(blocks):
        sys.exit(f"{page.name}: takes each of these blocks once: {', '.join(blocks)}")
    block = lambda match: f"<!-- computed: {match[1]} -->\n{blocks[match[1]](figures, model)}\n<!-- end -->"
    return re.sub(r"<!-- computed: (\w+) -->\n.*?<!-- end -->", block, text, flags=re.DOTALL)


def check(page, text, figures):
    """Exits if the page's blocks are not what is computed."""
    holds = lambda text: text == computed(page, text, figures)
    if not holds(text):
        sys.exit(f"{page.name} does not hold what {FIGURES.name} gives: run docs/scaling.py")
    # A check that cannot fail is a defect: one digit of a table that is another must be noticed.
    digit = re.search(r"\| (\d)", text)
    if holds(text[: digit.start(1)] + str(9 - int(digit[1])) + text[digit.end(1) :]):
        sys.exit(f"{page.name}: the check does not see a changed digit")


def rounded(value):
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def take(results, figures):
    """Replaces the measured figures by those of a run; of figures that the run left out, the older ones stay."""
    rows = {row["name"]: row for row in json.loads(Path(results).read_text())}
    shown = {row["name"]: row for row in figures["measured"].get("rows", [])}
    today = datetime.date.today().isoformat()
    for name, row in rows.items():
        shown[name] = {"date": today} | {key: rounded(row[key]) for key in SHOWN}
    known = dict(figures["measured"].get("figures", {}))
    for name in TAKEN:
        if name in rows:
            known[name] = {"value": rounded(rows[name]["ours"]), "unit": rows[name]["unit"]}
    machine = next(iter(rows.values()))["machine"]
    if "QUICK" in machine:
        sys.exit(f"{results}: takes figures of a whole run, not of QUICK=1")
    figures["measured"] = {"date": today, "machine": machine, "figures": known, "rows": list(shown.values())}
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only compare")
    parser.add_argument("--take", metavar="RESULTS", help="results.json of a run of `make bench`")
    arguments = parser.parse_args()
    figures = json.loads(FIGURES.read_text())
    if arguments.take:
        take(arguments.take, figures)
    for page in PAGES:
        text = page.read_text()
        if arguments.check:
            check(page, text, figures)
        else:
            page.write_text(computed(page, text, figures))


if __name__ == "__main__":
    main()
