#!/usr/bin/python3
"""A database as years of work leave it, for tests of how long queries take.

    many.py make DATABASE EVALUATIONS SCHEMA...   grids of 90 runs each (five schemes, six recipes of them, three seeds) with
                                                  evaluations of every width, both inferences, calibrated and not, until
                                                  there are as many; every eighth run was computed twice
"""
import itertools, os, random, sqlite3, sys

SCHEMES = ["qat", "truncquant", "minmax", "adabits", "lsq"]
RECIPES = [{}, {"epochs": 30}, {"epochs": 30, "schedule": "cosine"}, {"widths": "1 2 4 8"}, {"align": 0.1}, {"act_bits": 8}]
NETWORKS = ["lenet", "resnet8", "resnet20"]
DATA = ["fashion-mnist", "cifar10", "cifar100"]
CELLS = [(bits, inference, calibration) for bits in [1, 2, 3, 4, 5, 6, 7, 8, 32] for inference in ["direct", "truncated"]
         for calibration in [0, 20] if bits < 32 or inference == "direct"]


def schema_of(db, files):
    for file in files:
        db.executescript(open(file).read())
    newest = max(int(os.path.basename(file).split("-")[0]) for file in files if os.path.basename(file)[0].isdigit())
    db.execute(f"PRAGMA user_version = {newest}")


def runs():
    """Endless: (grid, scheme, network, data set, recipe, seed)"""
    for n in itertools.count():
        for scheme, recipe, seed in itertools.product(SCHEMES, RECIPES, [1, 2, 3]):
            yield f"grid{n}", scheme, NETWORKS[n % 3], DATA[n // 3 % 3], recipe, seed


def make(path, wanted, files):
    import hashlib, json
    db = sqlite3.connect(path)
    schema_of(db, files)
    draw = random.Random(1)
    done = attempt = 0
    tables = {"runs": [], "grid_runs": [], "attempts": [], "epochs": [], "evaluations": [], "layers": []}
    for grid, scheme, network, data, recipe, seed in runs():
        if done >= wanted:
            break
        params = json.dumps({"range": "tanh", "rounder": "nearest", "dequantizer": "endpoint", "gamma": int(grid[4:]) + 1, **recipe})
        config = hashlib.sha256(f"{scheme} {network} {data} {params}".encode()).hexdigest()
        run = hashlib.sha256(f"{config} {seed}".encode()).hexdigest()
        tables["runs"].append((run, config, "scheme = x", "[net]\n[convolutional]\nfilters=8\n" * 40, grid, scheme, network, data, data,
                               params, seed, recipe.get("widths", "1 2 4 8 32"), 2, 128, 1000,
                               recipe.get("act_bits", 0), 8, 1e9, attempt, attempt))
        tables["grid_runs"].append((grid, run, 1))
        for again in range(2 if attempt % 8 == 7 else 1):
            attempt += 1
            tables["attempts"].append((attempt, run, "onednn", "fp32", 1, "avx2", "none", "abc1234", 0, "host", attempt, 7, "truncquant run",
                                       1e9 + attempt, 1e9 + attempt + 5, 0, 1, 1e9 + attempt + 5, "complete", 4.5, 1 << 28,
                                       100 if data == "cifar100" else 10))
            for epoch, bits in itertools.product([1, 2], [1, 2, 4, 8, 32]):
                tables["epochs"].append((attempt, epoch, bits, 1.5, 60.0, 1e-3, 2.0, 1000))
            for layer, bits in itertools.product([1, 2], [2, 8]):
                tables["layers"].append((attempt, layer, bits, "conv", 0.5, 0.25, 0.1, 1.0))
            for bits, inference, calibration in CELLS:
                right = draw.randrange(5000, 9000)
                tables["evaluations"].append((attempt, 2, "test", bits, recipe.get("act_bits", bits), 8, bits, inference, calibration,
                                              "fp32", 10000, right, 9900, 4321.5))
            done += len(CELLS)
    columns = {
        "runs": "run_id, config_id, spec, cfg, grid, scheme, network, dataset, data_hash, params, seed, widths, epochs, batch, images,"
                " act_bits, stored_bits, work, recorded_at, sequence",
        "grid_runs": "grid, run_id, current",
        "attempts": "attempt, run_id, engine, precision, threads, isa, libraries, commit_id, dirty, host, pid, process_start, command,"
                    " started_at, heartbeat_at, resumed_at, progress, ended_at, outcome, cpu_seconds, peak_bytes, classes",
        "epochs": "attempt, epoch, bits, loss, accuracy, learning_rate, seconds, images",
        "evaluations": "attempt, epoch, split, bits, act_bits, stored_bits, bank, inference, calibration_batches, precision, images,"
                       " correct1, correct5, loss_sum",
        "layers": "attempt, layer, bits, name, quantization_error, truncation_error, codes_differ, scale"}
    for table, rows in tables.items():
        marks = ", ".join("?" * len(rows[0]))
        db.executemany(f"INSERT INTO {table} ({columns[table]}) VALUES ({marks})", rows)
    db.commit()


if __name__ == "__main__":
    make(sys.argv[2], int(sys.argv[3]), sys.argv[4:])
