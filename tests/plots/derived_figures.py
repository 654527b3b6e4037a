#!/usr/bin/python3
"""An independent twin of the figures of cells: reads a database's raw tables (one finished attempt at each run, nothing
excluded), computes their numbers from the definitions, and compares them with `truncquant export figure`.

    derived_figures.py PROGRAM DATABASE       compares; prints how many rows of each figure agreed
"""
import csv, math, sqlite3, subprocess, sys
from collections import defaultdict
from statistics import mean, stdev

T = {1: 12.70620474, 2: 4.30265273, 3: 3.182446305} # Student's t, two-sided 95 %, by degrees of freedom


def cells(db, calibrated):
    """{(panel, config, bits): {inference: {seed: top1}}}, with the trained widths of each config."""
    found, widths = defaultdict(lambda: defaultdict(dict)), {}
    for config, *panel, trained, seed, bits, inference, right, images in db.execute(
            "SELECT r.config_id, r.dataset, r.network, r.widths, r.seed, e.bits, e.inference, e.correct1, e.images"
            " FROM runs r JOIN attempts a ON a.run_id = r.run_id AND a.outcome = 'complete'"
            " JOIN evaluations e ON e.attempt = a.attempt"
            " WHERE e.split = 'test' AND (e.calibration_batches > 0) = ? AND e.bits < 32"
            " AND e.act_bits = CASE r.act_bits WHEN 0 THEN e.bits ELSE r.act_bits END", (calibrated,)):
        assert seed not in found[*panel, config, bits][inference], "two evaluations of one cell"
        found[*panel, config, bits][inference][seed] = 100 * right / images
        widths[config] = [int(k) for k in trained.split()]
    return found, widths


def widths_of(db):
    """The trained widths of each configuration: of `dedicated`, those of all its models."""
    found = defaultdict(set)
    for config, widths in db.execute("SELECT config_id, widths FROM runs"):
        found[config] |= {int(k) for k in widths.split()}
    return found


def dots(found, _):
    there = {key[3] for key in found}
    shown = [k for k in (2, 3, 4, 8, 1, 6, 5, 7) if k in there][:4]
    for (dataset, network, _, bits), by in found.items():
        for inference, of in by.items():
            if bits in shown:
                n, top1 = len(of), list(of.values())
                half = T[n - 1] * stdev(top1) / math.sqrt(n) if n > 1 else None
                yield (dataset, network, bits, inference), (mean(top1), half)


def gap(found, widths, calibrated):
    for (dataset, network, config, bits), by in found.items():
        both = by["direct"].keys() & by["truncated"].keys()
        if both and (calibrated or bits in widths[config]):
            direct, cut = (mean(by[i][seed] for seed in both) for i in ("direct", "truncated"))
            yield (dataset, network, bits), (direct, cut, direct - cut)


def storage(found, widths, calibrated):
    """Cut: the planes of one code; direct: the sum of the trained widths up to k, of all models of a configuration."""
    for (dataset, network, config, bits), by in found.items():
        trained = [k for k in widths[config] if k < 32]
        for inference, of in by.items():
            cut = inference == "truncated"
            if (bits in trained or cut and (calibrated or not trained)) and of:
                stored = bits if cut else sum(k for k in trained if k <= bits)
                yield (dataset, network, bits, inference), (mean(of.values()), stored)


def calibration(trained, calibrated):
    shown = sorted({key[3] for key, by in trained.items() if by["truncated"].keys() & calibrated[key]["truncated"].keys()},
                   key=lambda k: "23481657".index(str(k)))[:4]
    for (*key, bits), by in trained.items():
        again = calibrated[*key, bits]
        both = by["truncated"].keys() & again["truncated"].keys()
        marks = {"trained": by["truncated"], "calibrated": again["truncated"], "direct": again["direct"]}
        for mark, of in marks.items():
            top1 = [of[seed] for seed in both if seed in of]
            if bits in shown and top1:
                half = T[len(top1) - 1] * stdev(top1) / math.sqrt(len(top1)) if len(top1) > 1 else None
                yield (key[0], key[1], bits, mark), (mean(top1), half)


def ablation(db, calibrated):
    """All cells of schemes with several configurations on a network and data set."""
    configs, found = defaultdict(set), defaultdict(list)
    for config, scheme, network, dataset, bits, inference, right, images in db.execute(
            "SELECT r.config_id, r.scheme, r.network, r.dataset, e.bits, e.inference, e.correct1, e.images"
            " FROM runs r JOIN attempts a ON a.run_id = r.run_id AND a.outcome = 'complete'"
            " JOIN evaluations e ON e.attempt = a.attempt"
            " WHERE e.split = 'test' AND (e.calibration_batches > 0) = ?"
            " AND e.act_bits = CASE r.act_bits WHEN 0 THEN e.bits ELSE r.act_bits END", (calibrated,)):
        found[dataset, network, scheme, bits, inference, config].append(100 * right / images)
    for config, scheme, network, dataset in db.execute("SELECT config_id, scheme, network, dataset FROM runs"):
        configs[dataset, network, scheme].add(config)
    for (*key, bits, inference, config), top1 in found.items():
        if len(configs[tuple(key)]) > 1:
            yield (*key, bits, inference), (mean(top1),)


def layers(db):
    found = defaultdict(list)
    for config, network, dataset, layer, bits, error in db.execute(
            "SELECT r.config_id, r.network, r.dataset, l.layer, l.bits, l.truncation_error"
            " FROM runs r JOIN attempts a ON a.run_id = r.run_id AND a.outcome = 'complete' JOIN layers l USING (attempt)"
            " WHERE l.bits < r.stored_bits AND l.truncation_error IS NOT NULL"):
        found[dataset, network, config, layer, bits].append(error)
    for (dataset, network, _, layer, bits), errors in found.items():
        error = mean(errors)
        yield (dataset, network, layer, bits), (error, max(math.log10(error), -5) if error > 0 else None)


def exported(program, db, name, keys, values):
    text = subprocess.run([program, "export", "figure", name, "--db", db], check=True, capture_output=True, text=True).stdout
    for row in csv.DictReader(text.splitlines()):
        yield (tuple(int(row[k]) if k in ("bits", "layer") else row[k] for k in keys),
               tuple(float(row[v]) if row[v] else None for v in values))


def sorted_rows(rows):
    return sorted(rows, key=lambda r: (r[0], [-1 if v is None else round(v, 3) for v in r[1]]))


def compare(name, theirs, ours):
    theirs, ours = sorted_rows(theirs), sorted_rows(ours)
    assert [t[0] for t in theirs] == [o[0] for o in ours], f"{name}: other rows"
    for (key, a), (_, b) in zip(theirs, ours):
        same = all(x == y if None in (x, y) else abs(x - y) < max(1e-3, 1e-5 * abs(y)) for x, y in zip(a, b))
        assert same, f"{name}: {key}: {a} is {b}"
    print(name, len(ours))


def main(program, path):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    for calibrated in 0, 1:
        name = "dots" + "-calibrated" * calibrated
        compare(name, exported(program, path, name, ("dataset", "network", "bits", "inference"), ("top1", "half")),
                dots(*cells(db, calibrated)))
    for calibrated in 0, 1:
        name = "gap" + "-calibrated" * calibrated
        compare(name, exported(program, path, name, ("dataset", "network", "bits"), ("direct", "truncated", "lost")),
                gap(*cells(db, calibrated), calibrated))
    for calibrated in 0, 1:
        name = "storage" + "-calibrated" * calibrated
        found, _ = cells(db, calibrated)
        compare(name, exported(program, path, name, ("dataset", "network", "bits", "inference"), ("top1", "stored")),
                storage(found, widths_of(db), calibrated))
    compare("calibration", exported(program, path, "calibration", ("dataset", "network", "bits", "mark"), ("top1", "half")),
            calibration(cells(db, 0)[0], cells(db, 1)[0]))
    for calibrated in 0, 1:
        name = "ablation" + "-calibrated" * calibrated
        compare(name, exported(program, path, name, ("dataset", "network", "scheme", "bits", "inference"), ("top1",)),
                ablation(db, calibrated))
    compare("layers", exported(program, path, "layers", ("dataset", "network", "layer", "bits"), ("error", "shade")), layers(db))


main(*sys.argv[1:])
