#!/usr/bin/python3
"""An independent twin of the derived tables: reads a database's raw tables, computes differences, drops and
reductions from their definitions, and compares them with what `truncquant export --format csv-wide` says.

    derived_tables.py make DATABASE SCHEMA...      a database with holes: seeds, widths and schemes are missing at random,
                                                   others on the held-out images (val)
    derived_tables.py check PROGRAM DATABASE       compares; prints how many cells of each table agreed
"""
import csv, itertools, math, os, random, sqlite3, subprocess, sys
from statistics import mean, stdev

STORED = 8


def make(path, schema):
    db = sqlite3.connect(path)
    for file in schema:
        db.executescript(open(file).read())
    newest = max(int(name.split("-")[0]) for name in map(os.path.basename, schema) if name[0].isdigit())
    db.execute(f"PRAGMA user_version = {newest}")
    draw, held_out = random.Random(1), random.Random(2)
    schemes = {"qat": 6, "truncquant": 5, "minmax": 4, "lone": 1, "steady": 6}
    for network, (scheme, seeds) in itertools.product(["net_a", "net_b"], schemes.items()):
        for seed in range(1, seeds + 1):
            if draw.random() < 0.15:
                continue
            run(db, draw, held_out, network, scheme, seed + draw.choice([0, 0, 0, 1]) * (seed == seeds))
    db.commit()


def run(db, draw, held_out, network, scheme, seed):
    ids = (f"{network}{scheme}{seed}".encode().hex().ljust(64, "0"), f"{network}{scheme}".encode().hex().ljust(64, "0"))
    db.execute("INSERT INTO runs (run_id, config_id, spec, cfg, grid, scheme, network, dataset, data_hash, params, seed,"
               " widths, epochs, batch, images, act_bits, stored_bits, work)"
               " VALUES (?, ?, '', '', 'g', ?, ?, 'set', 'h', '{}', ?, '1 2 4 8 32', 1, 128, 1000, 0, 8, 1)",
               (*ids, scheme, network, seed))
    db.execute("INSERT INTO grid_runs (grid, run_id) VALUES ('g', ?)", (ids[0],))
    attempt = db.execute(
        "INSERT INTO attempts (run_id, engine, precision, threads, isa, libraries, commit_id, dirty, host, pid,"
        " process_start, command, started_at, heartbeat_at, resumed_at, progress, ended_at, outcome)"
        " VALUES (?, 'e', 'fp32', 1, 'i', 'l', 'c', 0, 'h', 1, 0, 'x', 1, 2, 0, 1, 2, 'complete')", (ids[0],)).lastrowid
    for bits, inference, calibration in itertools.product([1, 2, 3, 4, 6, 8, 32], ["direct", "truncated"], [0, 5]):
        if draw.random() < 0.04 or (bits == 32 and inference == "truncated"):
            continue
        lost = 0 if inference == "direct" else {"qat": 40, "minmax": 30, "steady": 0}.get(scheme, 3) / bits
        top1 = round(9000 - 500 / bits - 100 * lost + 60 * draw.gauss(0, 1))
        db.execute("INSERT INTO evaluations (attempt, epoch, split, bits, act_bits, stored_bits, bank, inference,"
                   " calibration_batches, precision, images, correct1, correct5, loss_sum)"
                   " VALUES (?, 1, 'test', ?, ?, 8, ?, ?, ?, 'fp32', 10000, ?, 10000, 1)",
                   (attempt, bits, bits, bits, inference, calibration, top1))
    hold_out(db, held_out, attempt)


def hold_out(db, draw, attempt):
    """Results of the same run on other images, with holes of their own."""
    if draw.random() < 0.1:
        return
    for bits, inference, calibration, top1 in db.execute(
            "SELECT bits, inference, calibration_batches, correct1 FROM evaluations WHERE attempt = ?", (attempt,)).fetchall():
        if draw.random() >= 0.08:
            db.execute("INSERT INTO evaluations (attempt, epoch, split, bits, act_bits, stored_bits, bank, inference,"
                       " calibration_batches, precision, images, correct1, correct5, loss_sum)"
                       " VALUES (?, 1, 'val', ?, ?, 8, ?, ?, ?, 'fp32', 2000, ?, 2000, 1)",
                       (attempt, bits, bits, bits, inference, calibration, round(top1 / 5 - 40 + 30 * draw.gauss(0, 1))))


def t_quantile(df):
    """Where the density of Student's t, integrated by Simpson's rule, reaches .475 from 0; by bisection."""
    scale = math.gamma((df + 1) / 2) / math.gamma(df / 2) / math.sqrt(df * math.pi)

    def half(x, n=2000):
        density = lambda t: scale * (1 + t * t / df) ** (-(df + 1) / 2)
        h = x / n
        return h / 3 * sum(density(i * h) * (1 if i in (0, n) else 4 if i % 2 else 2) for i in range(n + 1))

    lo, hi = 0.0, 20.0
    for _ in range(50):
        middle = (lo + hi) / 2
        lo, hi = (middle, hi) if half(middle) < 0.475 else (lo, middle)
    return lo


T = {df: t_quantile(df) for df in range(1, 7)}


def interval(values):
    if len(values) < 2:
        return None
    half = T[len(values) - 1] * stdev(values) / math.sqrt(len(values))
    return mean(values) - half, mean(values) + half


def read(db, split, calibrated):
    """{(network, scheme): {seed: {(bits, inference): top1}}}"""
    found = {}
    for network, scheme, seed, bits, inference, top1 in db.execute(
            "SELECT network, scheme, seed, bits, inference, 100.0 * correct1 / e.images FROM evaluations e"
            " JOIN attempts USING (attempt) JOIN runs USING (run_id) WHERE split = ? AND calibration_batches > 0 = ?",
            (split, calibrated)):
        found.setdefault((network, scheme), {}).setdefault(seed, {})[bits, inference] = top1
    return found


def drops_of(cells, calibrated):
    """{k: (drop, cross or None)} of one run"""
    out = {}
    for k in range(1, STORED):
        if not calibrated and k not in (1, 2, 4):
            continue
        if (k, "direct") in cells and (k, "truncated") in cells:
            stored = cells.get((STORED, "truncated"))
            cross = None if stored is None else stored - cells[k, "truncated"]
            out[k] = cells[k, "direct"] - cells[k, "truncated"], cross
    return out


def cross_of(runs, others=None):
    """{seed: (cross, other's cross)} over the widths that all of them have"""
    others = others or runs
    seeds = [s for s in runs if s in others and set(runs[s]) & set(others[s])]
    shared = [k for k in range(1, STORED) if seeds and all(
        k in r[s] and r[s][k][1] is not None for s in seeds for r in (runs, others))]
    if not shared:
        return {}
    return {s: tuple(mean(r[s][k][1] for k in shared) for r in (runs, others)) for s in seeds}


def expected_differences(found, _):
    for (network, scheme), runs in found.items():
        other = found.get((network, "qat"), {})
        for cell in {c for r in runs.values() for c in r}:
            pairs = [runs[s][cell] - other[s][cell] for s in runs if s in other and cell in runs[s] and cell in other[s]]
            if scheme != "qat" and pairs:
                yield (network, scheme, cell[1], str(cell[0])), (mean(pairs), interval(pairs)), len(pairs)


def expected_drops(found, calibrated):
    for (network, scheme), runs in found.items():
        drops = {s: d for s, r in runs.items() if (d := drops_of(r, calibrated))}
        for k in range(1, STORED):
            values = [d[k][0] for d in drops.values() if k in d]
            if values:
                yield (network, scheme, "", str(k)), (mean(values), stdev(values) if len(values) > 1 else None), len(values)
        cross = [c[0] for c in cross_of(drops).values()]
        if cross:
            yield (network, scheme, "", "cross"), (mean(cross), stdev(cross) if len(cross) > 1 else None), len(cross)


def reduction(pairs):
    own = interval([r for _, r in pairs])
    if own is None or own[0] <= 0:
        return None, None
    resamples = sorted(1 - sum(p for p, _ in c) / sum(r for _, r in c)
                       for c in itertools.product(pairs, repeat=len(pairs)))
    at = lambda share: 100 * resamples[min(len(resamples) - 1, int(share * len(resamples)))]
    ends = (at(0.02), at(0.03)), (at(0.97), at(0.98))  # 10,000 resamples are near all of them
    return 100 * (1 - mean(p for p, _ in pairs) / mean(r for _, r in pairs)), ends


def expected_reductions(found, calibrated):
    for (network, scheme), runs in found.items():
        if scheme == "qat":
            continue
        drops = {s: d for s, r in runs.items() if (d := drops_of(r, calibrated))}
        other = {s: d for s, r in found.get((network, "qat"), {}).items() if (d := drops_of(r, calibrated))}
        for k in range(1, STORED):
            pairs = [(drops[s][k][0], other[s][k][0]) for s in drops if s in other and k in drops[s] and k in other[s]]
            if pairs:
                yield (network, scheme, "", str(k)), reduction(pairs), len(pairs)
        pairs = list(cross_of(drops, other).values())
        if pairs:
            yield (network, scheme, "", "cross"), reduction(pairs), len(pairs)


def exported(program, db, split, table):
    text = subprocess.run([program, "export", table, "--db", db, "--split", split, "--format", "csv-wide"], check=True,
                          capture_output=True, text=True).stdout
    for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")):
        if row.get("split", "test") != split:
            sys.exit(f"{table}: a row of {row.get('split')} among those of {split}")
        for column in row:
            if column.isdigit() or column == "cross":
                spread = [row.get(f"{column} {s}") for s in ("sd", "lo", "hi")]
                yield (row["network"], row["scheme"], row.get("inference", ""), column), row[column], spread, row["n"]


def near(text, value, tolerance=2e-4):
    return text == "n/a" if value is None else text != "n/a" and abs(float(text) - value) <= tolerance


def within(text, ends):
    return text == "n/a" if ends is None else text != "n/a" and ends[0] - 2e-3 <= float(text) <= ends[1] + 2e-3


def check(program, path):
    db = sqlite3.connect(path)
    for split, (calibrated, suffix) in itertools.product(["test", "val"], [(0, ""), (1, "-calibrated")]):
        found = read(db, split, calibrated)
        for name, expected in ("differences", expected_differences), ("drops", expected_drops), \
                              ("reductions", expected_reductions):
            wanted = {cell: (value, n) for cell, value, n in expected(found, calibrated)}
            agreed = 0
            for cell, text, (sd, lo, hi), n in exported(program, path, split, name + suffix):
                (value, spread), seeds = wanted.pop(cell, ((None, None), None))
                if name == "reductions":
                    good = near(text, value, 2e-3) and all(
                        within(t, spread and spread[i]) for i, t in enumerate((lo, hi)))
                elif name == "drops":
                    good = near(text, value) and near(sd, spread)
                else:
                    good = near(text, value) and all(near(t, spread and spread[i]) for i, t in enumerate((lo, hi)))
                least, most = (n + "-" + n).split("-")[:2] if "-" not in n else n.split("-")
                if not good or (seeds and not int(least) <= seeds <= int(most)):
                    sys.exit(f"{split} {name}{suffix} {cell}: {text} {sd} {lo} {hi} n={n}, expected {value} {spread} n={seeds}")
                agreed += value is not None
            if wanted:
                sys.exit(f"{split} {name}{suffix}: missing {sorted(wanted)}")
            print(f"{split} {name}{suffix} {agreed}")


if __name__ == "__main__":
    make(sys.argv[2], sys.argv[3:]) if sys.argv[1] == "make" else check(sys.argv[2], sys.argv[3])
