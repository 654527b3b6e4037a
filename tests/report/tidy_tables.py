#!/usr/bin/python3
"""The rows of `truncquant export --format csv` against an independent twin, which computes them from a database's raw
tables (derived_tables.py makes one with holes).

    tidy_tables.py PROGRAM DATABASE    prints how many rows of each table agreed
"""
import csv, io, itertools, math, sqlite3, subprocess, sys
from statistics import mean, stdev

import derived_tables as twin

COLUMNS = ("grid scheme network dataset seed n bits act_bits inference calibrated split {} sd low high top5 loss images"
           " commit settings").split()
VALUES = {"accuracy": "top1", "differences": "difference", "drops": "drop", "reductions": "reduction"}


def exported(program, db, split, table):
    text = subprocess.run([program, "export", table, "--db", db, "--split", split, "--format", "csv"], check=True,
                          capture_output=True, text=True).stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    kind = table.removesuffix("-calibrated")
    wanted = [c.format(VALUES[kind]) for c in COLUMNS] + ["against"] * (kind in ("differences", "reductions"))
    if list(rows[0]) != wanted or any(None in row or None in row.values() for row in rows):
        sys.exit(f"{table}: columns {list(rows[0])}")
    return rows, VALUES[kind]


def near(text, value, tolerance=1e-4):
    return text == "" if value is None else text != "" and abs(float(text) - value) <= tolerance


def summary(values):
    ends = twin.interval(values) or (None, None)
    return mean(values), stdev(values) if len(values) > 1 else None, *ends


def raw(db, split, calibrated):
    """{(network, scheme, bits, inference): {seed: (top1, top5, loss, images)}}"""
    found = {}
    for network, scheme, seed, bits, inference, images, *sums in db.execute(
            "SELECT network, scheme, seed, bits, inference, e.images, correct1, correct5, loss_sum FROM evaluations e"
            " JOIN attempts USING (attempt) JOIN runs USING (run_id) WHERE split = ? AND calibration_batches > 0 = ?",
            (split, calibrated)):
        top1, top5, loss = (s / images for s in sums)
        found.setdefault((network, scheme, str(bits), inference), {})[seed] = 100 * top1, 100 * top5, loss, images
    return found


def expected_accuracy(db, split, calibrated):
    for cell, seeds in raw(db, split, calibrated).items():
        columns = list(zip(*seeds.values()))
        yield cell, dict(zip(("value", "sd", "low", "high"), summary(columns[0])), top5=mean(columns[1]), loss=mean(columns[2]),
                         seeds=set(seeds), images=min(columns[3]))


def expected_differences(db, split, calibrated):
    found = raw(db, split, calibrated)
    for (network, scheme, bits, inference), seeds in found.items():
        other = found.get((network, "qat", bits, inference), {})
        both = seeds.keys() & other.keys()
        if scheme != "qat" and both:
            values = summary([seeds[s][0] - other[s][0] for s in both])
            yield (network, scheme, bits, inference), dict(zip(("value", "sd", "low", "high"), values), seeds=both)


def expected_drops(db, split, calibrated):
    for (network, scheme, _, k), (value, _), n in twin.expected_drops(twin.read(db, split, calibrated), calibrated):
        yield (network, scheme, k, ""), dict(value=value, n=n)


def expected_reductions(db, split, calibrated):
    for (network, scheme, _, k), (value, _), n in twin.expected_reductions(twin.read(db, split, calibrated), calibrated):
        yield (network, scheme, k, ""), dict(value=value, n=n)


def check_row(table, row, value, want):
    where = f"{table} {row}: expected {want}"
    seeds = {int(s) for s in row["seed"].split()}
    if len(seeds) != int(row["n"]) or row["grid"] != "g" or row["dataset"] != "set" or row["commit"] != "c":
        sys.exit(where)
    if row["bits"] != "cross" and row["act_bits"] != row["bits"]:
        sys.exit(where)
    if "seeds" in want and seeds != want["seeds"] or "n" in want and len(seeds) != want["n"]:
        sys.exit(where)
    for name in want.keys() & {"value", "sd", "low", "high", "top5", "loss"}:
        text = row[value if name == "value" else name]
        if not near(text, want[name], 2e-3 if value == "reduction" else 1e-4):
            sys.exit(f"{name} of {where}")
    if value == "drop" and len(seeds) > 1:
        half = twin.T[len(seeds) - 1] * float(row["sd"]) / math.sqrt(len(seeds))
        if not near(row["low"], float(row[value]) - half, 1e-3) or not near(row["high"], float(row[value]) + half, 1e-3):
            sys.exit(f"interval of {where}")


def main(program, path):
    db = sqlite3.connect(path)
    kinds = {"accuracy": expected_accuracy, "differences": expected_differences, "drops": expected_drops,
             "reductions": expected_reductions}
    for split, (kind, expected), (calibrated, suffix) in itertools.product(
            ("test", "val"), kinds.items(), ((0, ""), (1, "-calibrated"))):
        wanted = dict(expected(db, split, calibrated))
        rows, value = exported(program, path, split, kind + suffix)
        for row in rows:
            cell = row["network"], row["scheme"], row["bits"], row["inference"]
            if cell not in wanted or (row["split"], row["calibrated"]) != (split, str(calibrated)):
                sys.exit(f"{split} {kind}{suffix}: no such cell {row}")
            check_row(kind, row, value, wanted.pop(cell))
        if wanted:
            sys.exit(f"{split} {kind}{suffix}: missing {sorted(wanted)}")
        print(f"{split} {kind}{suffix} {len(rows)}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
