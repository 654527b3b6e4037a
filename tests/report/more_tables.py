#!/usr/bin/python3
"""Tables of ablations, of top-5, of the authors' numbers beside ours, and of cost, against an independent twin.

    more_tables.py change DATABASE          makes one of derived_tables.py have something for each of these tables
    more_tables.py check PROGRAM DATABASE   compares; prints how many cells of each table agreed
"""
import csv, io, sqlite3, subprocess, sys
from statistics import mean, stdev

import tidy_tables as tidy

# As the paper prints them.
THEIRS = {("qat", "direct"): [72.5, 86.0, 87.5, 87.7, 87.7], ("qat", "truncated"): [72.6, 57.5, 84.9, 87.7, 87.7],
          ("truncquant", "truncated"): [72.1, 85.8, 87.6, 87.8, 87.8]}
WIDTHS = ["1", "2", "4", "8", "32"]


def change(path):
    db = sqlite3.connect(path)
    db.executescript("""
        UPDATE runs SET network = 'resnet20', dataset = 'cifar10', data_hash = 'c' WHERE network = 'net_a';
        UPDATE runs SET params = '{"align": 0.1}', scheme = 'qat' WHERE scheme = 'steady';
        UPDATE attempts SET classes = 100 WHERE run_id IN (SELECT run_id FROM runs WHERE dataset = 'cifar10');
        UPDATE attempts SET classes = 10 WHERE classes IS NULL;
        UPDATE evaluations SET correct5 = correct1 + (images - correct1) / 2 + evaluation % 7;
        UPDATE attempts SET cpu_seconds = 3600.0 + 90 * attempt, peak_bytes = 1000000 * (200 + attempt);
        INSERT INTO epochs SELECT attempt, epoch, bits, 1, 50, 0.1, 2.0 + epoch, 1000 FROM attempts,
            (SELECT 1 AS epoch UNION SELECT 2), (SELECT 2 AS bits UNION SELECT 8);""")
    db.commit()


def table(program, path, name, form="csv-wide"):
    text = subprocess.run([program, "export", name, "--db", path, "--format", form], check=True,
                          capture_output=True, text=True).stdout
    return list(csv.DictReader(line for line in io.StringIO(text) if not line.startswith("#")))


def raw(db, column):
    """{(network, scheme, align, bits, inference): {seed: per cent}}"""
    found = {}
    for *cell, seed, share in db.execute(
            f"SELECT network, scheme, coalesce(json_extract(params, '$.align'), 0), bits, inference, seed, 100.0 * {column} / e.images"
            " FROM evaluations e JOIN attempts USING (attempt) JOIN runs USING (run_id)"
            " WHERE split = 'test' AND calibration_batches = 0"):
        found.setdefault(tuple(cell), {})[seed] = share
    return found


def agree(where, text, value, tolerance=1e-4):
    if not tidy.near(text.replace("n/a", ""), value, tolerance):
        sys.exit(f"{where}: {text} instead of {value}")
    return value is not None


def align_of(row):
    return 0.1 if "align=0.1" in row["settings"] else 0


def check_top5(program, path, db):
    found, n = raw(db, "correct5"), 0
    for row in table(program, path, "top5"):
        if row["network"] != "resnet20":
            sys.exit(f"top5: {row}: that has 10 classes")
        for bits in WIDTHS:
            seeds = found.get((row["network"], row["scheme"], align_of(row), int(bits), row["inference"]), {})
            values = list(seeds.values())
            n += agree(row, row[bits], mean(values) if values else None)
            agree(row, row[bits + " sd"], stdev(values) if len(values) > 1 else None)
    return n


def check_authors(program, path, db):
    found, n = raw(db, "correct1"), 0
    for row in table(program, path, "authors"):
        theirs = dict(zip(WIDTHS, THEIRS[row["scheme"], row["inference"]]))
        for bits in WIDTHS:
            inference = "direct" if bits == "32" else row["inference"]
            seeds = found.get((row["network"], row["scheme"], align_of(row), int(bits), inference))
            ours = mean(seeds.values()) if seeds else None
            value = {"ours": ours, "theirs": theirs[bits] if seeds else None,
                     "difference": ours - theirs[bits] if seeds else None}[row["whose"]]
            n += agree(row, row[bits], value)
    return n


def check_ablations(program, path, db):
    found, n = raw(db, "correct1"), 0
    rows = table(program, path, "ablations", "csv")
    for row in rows:
        if row["against"] != "qat align=0" or row["settings"] != "align=0.1":
            sys.exit(f"ablations: {row}")
        cell = int(row["bits"]), row["inference"]
        mine, other = (found[row["network"], "qat", a, *cell] for a in (0.1, 0))
        both = mine.keys() & other.keys()
        value, sd, low, high = tidy.summary([mine[s] - other[s] for s in both])
        n += agree(row, row["difference"], value)
        agree(row, row["sd"], sd)
        agree(row, row["low"], low)
        agree(row, row["high"], high)
    return n


def check_cost(program, path, db):
    n = 0
    for row in table(program, path, "cost", "csv"):
        attempts, seconds, peak = db.execute(
            "SELECT count(*), sum(cpu_seconds), max(peak_bytes) FROM attempts JOIN runs USING (run_id)"
            " WHERE network = ? AND scheme = ?", (row["network"], row["scheme"])).fetchone()
        agree(row, row["attempts"], attempts)
        agree(row, row["core-hours"], seconds / 3600, 6e-3)
        agree(row, row["per run"], seconds / 3600 / attempts, 6e-4)  # of one attempt each
        agree(row, row["MB"], peak / 1e6, 0.6)
        agree(row, row["images/s"], 2000 / 7, 0.6)  # 1,000 images in 3 s, then in 4 s
        n += 1
    return n


def check(program, path):
    db = sqlite3.connect(path)
    for name, compare in (("top5", check_top5), ("authors", check_authors), ("ablations", check_ablations), ("cost", check_cost)):
        print(name, compare(program, path, db))


if __name__ == "__main__":
    change(sys.argv[2]) if sys.argv[1] == "change" else check(sys.argv[2], sys.argv[3])
