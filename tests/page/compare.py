#!/usr/bin/env python3
"""compare.py PAGE DATABASE: the cells of a page beside what is counted here from the tables alone, without the views of
the program: the evaluations of the one complete attempt of each run. (Published databases have one attempt for each.)"""
import base64
import gzip
import json
import re
import sqlite3
import sys

text = open(sys.argv[1], encoding="utf-8").read()
data = json.loads(gzip.decompress(base64.b64decode(re.search(r'id="data">\n(.*?)</script>', text, re.S).group(1))))


def rows(name):
    table = data[name]
    return [dict(zip(table["columns"], values)) for values in zip(*table["data"])]


runs = rows("runs")
shown = {}
for cell in rows("cells"):
    key = (runs[cell["number"]]["run"], cell["bits"], cell["act_bits"], cell["inference"], cell["norms"], cell["split"])
    assert key not in shown, key
    shown[key] = cell

db = sqlite3.connect(f"file:{sys.argv[2]}?immutable=1", uri=True)
counted = db.execute(
    """SELECT r.run_id, e.bits, e.act_bits, e.inference, e.calibration_batches, e.split, e.images, e.correct1, e.correct5, e.loss_sum
       FROM runs r JOIN attempts a ON a.run_id = r.run_id JOIN evaluations e ON e.attempt = a.attempt
       WHERE a.outcome = 'complete'""").fetchall()
for run, bits, act_bits, inference, batches, split, images, correct1, correct5, loss in counted:
    cell = shown.pop((run[:12], bits, act_bits, inference, "calibrated" if batches else "as trained", split))
    assert cell["images"] == images
    assert abs(cell["top1"] - 100 * correct1 / images) < 1e-7
    assert abs(cell["top5"] - 100 * correct5 / images) < 1e-7
    assert abs(cell["loss"] - loss / images) <= 0.5001e-4
assert not shown, shown
for run in runs:
    spec = db.execute("SELECT scheme, network, dataset, seed, epochs FROM runs WHERE run_id LIKE ? || '%'", (run["run"],)).fetchone()
    assert spec == (run["scheme"], run["network"], run["data_set"], run["seed"], run["epochs"])
print(f"{len(runs)} runs, {len(counted)} cells are equal")
