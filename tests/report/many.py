#!/usr/bin/python3
"""A database as years of work leave it, and how long it takes to ask for one grid of it.

    many.py make DATABASE EVALUATIONS SCHEMA...   grids of 90 runs each (five schemes, six recipes of them, three seeds) with
                                                  evaluations of every width, both inferences, calibrated and not, until
                                                  there are as many; every eighth run was computed twice
    many.py time PROGRAM DATABASE SECONDS [WORDS] what status, each table and each figure of one grid (or what the words ask
                                                  for of it) take of a processor; fails where that is more
"""
import hashlib, itertools, json, os, random, resource, sqlite3, subprocess, sys

SCHEMES = ["qat", "truncquant", "minmax", "adabits", "lsq"]
RECIPES = [{}, {"epochs": 30}, {"epochs": 30, "schedule": "cosine"}, {"widths": "1 2 4 8"}, {"align": 0.1}, {"act_bits": 8}]
NETWORKS = ["lenet", "resnet8", "resnet20"]
DATA = {"fashion-mnist": 10, "cifar10": 10, "cifar100": 100}
CELLS = [(bits, inference, calibration) for bits in [1, 2, 3, 4, 5, 6, 7, 8, 32] for inference in ["direct", "truncated"]
         for calibration in [0, 20] if bits < 32 or inference == "direct"]
COLUMNS = {
    "runs": "run_id config_id spec cfg grid scheme network dataset data_hash params seed widths epochs batch images act_bits"
            " stored_bits work recorded_at sequence",
    "grid_runs": "grid run_id current",
    "attempts": "attempt run_id engine precision threads isa libraries commit_id dirty host pid process_start command started_at"
                " heartbeat_at resumed_at progress ended_at outcome cpu_seconds peak_bytes classes",
    "epochs": "attempt epoch bits loss accuracy learning_rate seconds images",
    "epoch_evaluations": "attempt epoch split bits act_bits stored_bits bank inference precision images correct1 correct5 loss_sum",
    "evaluations": "attempt epoch split bits act_bits stored_bits bank inference calibration_batches precision images correct1"
                   " correct5 loss_sum",
    "layers": "attempt layer bits name quantization_error truncation_error codes_differ scale",
    "histograms": "attempt layer stage weights counts"}
LEVEL = json.dumps([36] * 256)


def open_new(path, files):
    db = sqlite3.connect(path)
    for file in files:
        db.executescript(open(file).read())
    newest = max(int(os.path.basename(file).split("-")[0]) for file in files if os.path.basename(file)[0].isdigit())
    db.execute(f"PRAGMA user_version = {newest}")
    return db


def add_run(rows, number, scheme, recipe, seed):
    """Of grid `number`, whose runs no other grid has."""
    grid, network, data = f"grid{number}", NETWORKS[number % 3], list(DATA)[number // 3 % 3]
    params = json.dumps({"range": "tanh", "rounder": "nearest", "dequantizer": "endpoint", "gamma": number + 1, **recipe})
    config = hashlib.sha256(f"{scheme} {network} {data} {params}".encode()).hexdigest()
    run = hashlib.sha256(f"{config} {seed}".encode()).hexdigest()
    place = len(rows["runs"]) + 1
    rows["runs"].append((run, config, "scheme = x", "[net]\n[convolutional]\nfilters=8\n" * 40, grid, scheme, network, data, data,
                         params, seed, recipe.get("widths", "1 2 4 8 32"), 2, 128, 1000, recipe.get("act_bits", 0), 8, 1e9,
                         place, place))
    rows["grid_runs"].append((grid, run, 1))
    return run, DATA[data]


def add_attempt(rows, draw, run, classes, act_bits):
    n = len(rows["attempts"]) + 1
    start = 1e9 + n
    rows["attempts"].append((n, run, "onednn", "fp32", 1, "avx2", "none", "abc1234", 0, "host", n, 7, "truncquant run", start,
                             start + 5, 0, 1, start + 5, "complete", 4.5, 1 << 28, classes))
    for epoch, bits in itertools.product([1, 2], [1, 2, 4, 8, 32]):
        rows["epochs"].append((n, epoch, bits, 1.5, 60.0, 1e-3, 2.0, 1000))
        rows["epoch_evaluations"].append((n, epoch, "val", bits, bits, 8, bits, "direct", "fp32", 1000, 500, 900, 1000.0))
    for layer, bits in itertools.product([1, 2], [2, 8]):
        rows["layers"].append((n, layer, bits, "conv", 0.5, 0.25, 0.1, 1.0))
    rows["histograms"] += [(n, 2, stage, 9216, LEVEL) for stage in ("start", "end")]
    for bits, inference, calibration in CELLS:
        rows["evaluations"].append((n, 2, "test", bits, act_bits or bits, 8, bits, inference, calibration, "fp32", 10000,
                                    draw.randrange(5000, 9000), 9900, 4321.5))


def make(path, wanted, files):
    db, draw, rows = open_new(path, files), random.Random(1), {table: [] for table in COLUMNS}
    for number, scheme, recipe, seed in ((n, *rest) for n in itertools.count() for rest in itertools.product(SCHEMES, RECIPES, [1, 2, 3])):
        if len(rows["evaluations"]) >= wanted:
            break
        run, classes = add_run(rows, number, scheme, recipe, seed)
        for _ in range(2 if len(rows["runs"]) % 8 == 0 else 1):
            add_attempt(rows, draw, run, classes, recipe.get("act_bits"))
    for table, columns in COLUMNS.items():
        columns = columns.split()
        db.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", rows[table])
    db.commit()


def seconds_of(command):
    """Of a processor, so that others' work is not counted. It may find nothing (status 3), but not fail."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    status = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if status not in (0, 3):
        sys.exit(f"{' '.join(command)}: status {status}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, status


def commands(program):
    names = lambda *command: subprocess.run([program, *command], check=True, capture_output=True, text=True).stdout.split()
    tables = ["accuracy", "differences", "drops", "reductions", "ablations", "top5", "authors"]
    rows = ["cost", "runs", "attempts", "epochs", "evaluations", "layers", "histograms", "curves"]
    return [["status", "--line"], ["status", "grid5"], ["export", "top5", "--grid", "grid8"],
            *(["export", "figure", name, "--grid", "grid5"] for name in names("export", "figures")),
            *(["export", name + twin, "--grid", "grid5"] for name in tables for twin in ("", "-calibrated")),
            *(["export", name, "--grid", "grid5"] for name in rows)]


def time(program, path, most, few):
    slow = False
    for command in [[*few, "--grid", "grid5"]] if few else commands(program):
        seconds, status = seconds_of([program, *command, "--db", path])
        slow |= seconds > most
        print(f"{seconds:.2f} s{' (nothing)' if status else ''}: {' '.join(command)}{', MORE THAN ' + str(most) if seconds > most else ''}")
    sys.exit(slow)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], int(sys.argv[3]), sys.argv[4:])
    else:
        time(sys.argv[2], sys.argv[3], float(sys.argv[4]), sys.argv[5:])
