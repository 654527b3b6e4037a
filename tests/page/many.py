#!/usr/bin/env python3
"""many.py DATABASE N: each run of the database N times, with other IDs and numbers a little off, as if trained so often."""
import random
import sqlite3
import sys

db = sqlite3.connect(sys.argv[1])
draw = random.Random(1)


def columns(table):
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})")]


def copy(table, rows, change):
    names = columns(table)
    marks = ", ".join("?" * len(names))
    quoted = ", ".join(f'"{name}"' for name in names)
    db.executemany(f"INSERT INTO {table} ({quoted}) VALUES ({marks})",
                   [list(change(dict(zip(names, row))).values()) for row in rows])


tables = {name: db.execute(f"SELECT * FROM {name}").fetchall()
          for name in ("runs", "grid_runs", "attempts", "epochs", "evaluations", "layers")}
last = {name: db.execute(f"SELECT max({key}) FROM {name}").fetchone()[0] for name, key in (("attempts", "attempt"), ("evaluations", "evaluation"))}
for n in range(1, int(sys.argv[2])):
    def another(run):
        return None if run is None else f"{n:02x}" + run[2:]

    def shifted(row, **values):
        return {**row, **values}

    def near(x):
        return None if x is None else x * (1 + draw.uniform(-0.01, 0.01))

    copy("runs", tables["runs"], lambda r: shifted(r, run_id=another(r["run_id"]), parent=another(r["parent"]), seed=r["seed"] + 100 * n))
    copy("grid_runs", tables["grid_runs"], lambda r: shifted(r, run_id=another(r["run_id"])))
    copy("attempts", tables["attempts"], lambda r: shifted(r, attempt=r["attempt"] + n * last["attempts"], run_id=another(r["run_id"])))
    copy("epochs", tables["epochs"], lambda r: shifted(r, attempt=r["attempt"] + n * last["attempts"], loss=near(r["loss"])))
    copy("evaluations", tables["evaluations"], lambda r: shifted(
        r, evaluation=r["evaluation"] + n * last["evaluations"], attempt=r["attempt"] + n * last["attempts"],
        correct1=max(0, r["correct1"] - draw.randrange(20)), loss_sum=near(r["loss_sum"])))
    copy("layers", tables["layers"], lambda r: shifted(
        r, attempt=r["attempt"] + n * last["attempts"], quantization_error=near(r["quantization_error"]), truncation_error=near(r["truncation_error"])))
db.commit()
