#!/usr/bin/python3
"""Each verb with each file that it reads, damaged: flipped, cut, made longer, replaced by what is of another kind, huge, no
file at all, unreadable; and with outputs that cannot be written.

    tests/attack.py [--seconds N] [--seed N] [PROGRAM]

Every case is a copy of a small place with a finished run, one that was interrupted, a model file, data and images. Wrong are: a
signal, what a sanitizer finds, a minute without an end, a failure that says nothing or more than one line, and success whose
result is another one though the file has a checksum. Cases come in an order that the seed decides, until the time is over
(0: all). Prints what was wrong, then how many cases there were; exit status 1 when something was wrong."""
import argparse
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = "a.runs"
NOTE = re.compile(r"^truncquant: (note|not exported|not drawn)\b")


def spec(**settings):
    base = dict(scheme="truncquant", network="./tiny.cfg", dataset="fashion-mnist", seed=1, batch=16, widths="1 2", bits="1 2",
                calibration=0, epochs=1)
    return "".join(f"{key} = {value}\n" for key, value in (base | settings).items())


NETWORK = """[net]
[convolutional]
filters=4
size=3
stride=2
activation=relu
batch_normalize=1
[convolutional]
filters=8
size=3
stride=2
activation=relu
batch_normalize=1
[connected]
activation=linear
[softmax]
"""


class Place:
    """A folder with everything, that is made once and copied for each case."""

    def __init__(self, program, folder):
        self.program, self.whole = program, folder / "whole"
        self.whole.mkdir()
        w = self.whole
        (w / "tiny.cfg").write_text(NETWORK)
        (w / "a.spec").write_text(spec())
        (w / "cut.spec").write_text(spec(seed=2, epochs=3))
        (w / "init.spec").write_text(spec(seed=3, init="./init.weights"))
        (w / "own.spec").write_text(spec(dataset="./own"))
        (w / "my.grid").write_text("[grid]\nname = mine\nscheme = qat, truncquant\nnetwork = ./tiny.cfg\n"
                                   "dataset = fashion-mnist\nseed = 1 , 2\n[train]\nbatch = 16\nwidths = 1 2\n"
                                   "epochs = 1\n[evaluate]\nbits = 1 2\ncalibration = 0\n")
        subprocess.run([ROOT / "tests/tiny-data.sh", w / "data", "64", "32"], check=True)
        subprocess.run([ROOT / "tests/tiny-images.sh", w / "own", "12", "6", "8"], check=True)
        self.must(w, "run", "--spec", "a.spec", "--db", "a.db")
        self.run_id = self.only(w, "a.db")
        self.must(w, "run", "--spec", "a.spec", "--db", "b.db")
        self.interrupted = self.interrupt(w)
        self.must(w, "export", "weights", self.run_id, "--output", "init.weights", "--db", "a.db")
        self.must(w, "pack", self.run_id, "--output", "model.tqm", "--db", "a.db")
        self.cache = next(str(p.relative_to(w)) for p in (w / "cache").iterdir() if p.is_file())
        self.image = next(str(p.relative_to(w)) for p in sorted((w / "own/train").rglob("*.png")))

    def environment(self, folder):
        return os.environ | {"TRUNCQUANT_DATA": str(folder / "data"), "TRUNCQUANT_CACHE": str(folder / "cache"),
                             "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "TRUNCQUANT_BUSY_SECONDS": "2"}

    def call(self, folder, arguments, bound=False, **more):
        command = [str(self.program), *arguments]
        if bound and os.getuid() == 0:  # as one whom permissions bind
            caps = "-dac_override,-dac_read_search"
            command = ["setpriv", f"--bounding-set={caps}", f"--inh-caps={caps}", *command]
        return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                              env=self.environment(folder) | more, timeout=60)

    def must(self, folder, *arguments):
        done = self.call(folder, arguments)
        if done.returncode:
            sys.exit(f"attack.py: the whole place cannot be made: {arguments}: {done.stderr.decode()}")

    def only(self, folder, db):
        with sqlite3.connect(folder / db) as base:
            return base.execute("SELECT run_id FROM runs ORDER BY recorded_at DESC, rowid DESC").fetchone()[0]

    def interrupt(self, folder):
        witness = self.program.parent / "tests/preload/witness.so"
        asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        self.call(folder, ["run", "--spec", "cut.spec", "--db", "a.db"], LD_PRELOAD=str(witness), AT_FILE="/checkpoint",
                  AT_COMMAND="kill -TERM $PPID", ASAN_OPTIONS=asan.lstrip(":"))
        for checkpoint in (folder / RUNS).glob("*/checkpoint"):
            return checkpoint.parent.name
        return sys.exit("attack.py: no run left a checkpoint")


def evaluations(folder, db):
    try:
        with sqlite3.connect(f"file:{folder / db}?mode=ro", uri=True) as base:
            return base.execute("SELECT bits, inference, calibration_batches, correct1, correct5, loss_sum FROM evaluations"
                                " ORDER BY 1, 2, 3, 4, 6").fetchall()
    except sqlite3.Error:
        return None


def targets(place):
    """(name, arguments, files that it reads, those of them with a checksum, its results)"""
    one, two = place.run_id, place.interrupted
    frozen, checkpoint = f"{RUNS}/{one}/model.frozen", f"{RUNS}/{two}/checkpoint"
    idx = [f"data/fashion-mnist/{name}" for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                                      "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")]
    base = ["--db", "a.db"]
    new = ["--db", "new.db"]
    return [
        ("plan", ["plan", "my.grid", *new], ["my.grid", "tiny.cfg"], [], None),
        ("plan a.db", ["plan", "my.grid", *base], ["a.db"], [], None),
        ("run --spec", ["run", "--spec", "a.spec", *new], ["a.spec", "tiny.cfg", place.cache], [place.cache],
         lambda f: evaluations(f, "new.db")),
        ("run --spec init", ["run", "--spec", "init.spec", *new], ["init.weights"], [], None),
        ("run --spec own", ["run", "--spec", "own.spec", *new], [place.image], [], None),
        ("run ID", ["run", two, *base], [checkpoint, "a.db", place.cache], [checkpoint, place.cache],
         lambda f: evaluations(f, "a.db")),
        ("evaluate", ["evaluate", one, *base], [frozen, "a.db", place.cache],
         [frozen, place.cache], lambda f: evaluations(f, "a.db")),
        ("pack", ["pack", one, "--output", "out", *base], [frozen, "a.db"], [frozen], lambda f: (f / "out").read_bytes()),
        ("export weights", ["export", "weights", one, "--output", "out", *base], [frozen, "a.db"], [frozen],
         lambda f: (f / "out").read_bytes()),
        ("export codes", ["export", "codes", one, "--output", "out", *base], [frozen, "a.db"], [], None),
        ("export onnx", ["export", "onnx", one, "--output", "out", *base], [frozen, "a.db"], [], None),
        ("export accuracy", ["export", "accuracy", *base], ["a.db"], [], None),
        ("export figures", ["export", "figures", "--output", "out", *base], ["a.db"], [], None),
        ("export database", ["export", "database", "my.grid", "--output", "out", *base], ["a.db", "my.grid"], [], None),
        ("page", ["page", "--output", "out", *base], ["a.db"], [], None),
        ("status", ["status", *base], ["a.db"], [], None),
        ("exclude", ["exclude", one, "--reason", "x", *base], ["a.db"], [], None),
        ("retry", ["retry", "my.grid", *base], ["a.db"], [], None),
        ("clean", ["clean", *base], ["a.db", frozen, checkpoint], [], None),
        ("merge", ["merge", "b.db", *base], ["a.db", "b.db"], [], None),
        ("check", ["check", *base], ["a.db", place.cache], [], None),
        ("check --data", ["check", "--data", "fashion-mnist"], idx, [], None),
        ("info", ["info", "model.tqm"], ["model.tqm"], ["model.tqm"], None),
        ("infer", ["infer", "model.tqm", place.image], ["model.tqm", place.image], ["model.tqm"], None),
        ("latency", ["latency", "model.tqm", *base], ["model.tqm"], [], None),
    ]


def flip(part):
    def damage(path, place):
        data = bytearray(path.read_bytes())
        if data:
            data[min(int(len(data) * part), len(data) - 1)] ^= 0x10
        path.write_bytes(data)
    return damage


def cut(part, less=0):
    return lambda path, place: os.truncate(path, max(int(path.stat().st_size * part) - less, 0))


def append(data):
    return lambda path, place: path.write_bytes(path.read_bytes() + data)


def become(source):
    return lambda path, place: (path.unlink(), shutil.copy(source(place), path))


def instead(make):
    def damage(path, place):
        path.unlink()
        make(path)
    return damage


def same_size(path, place):
    path.write_bytes(random.Random(7).randbytes(path.stat().st_size))


DAMAGES = {
    **{f"flipped at {part}": flip(part) for part in (0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 1)},
    "empty": cut(0), "cut in half": cut(0.5), "without its last byte": cut(1, 1), "its first 3 bytes": cut(0, -3),
    "a byte more": append(b"\0"), "a page more": append(bytes(4096)),
    "a text": instead(lambda path: path.write_text("only words, and enough of them\n" * 40)),
    "other bytes": same_size,
    "an image": become(lambda p: p.whole / p.image), "a database": become(lambda p: p.whole / "b.db"),
    "a model file": become(lambda p: p.whole / "model.tqm"), "a checkpoint": become(
        lambda p: p.whole / RUNS / p.interrupted / "checkpoint"),
    "a frozen model": become(lambda p: p.whole / RUNS / p.run_id / "model.frozen"),
    "huge": lambda path, place: os.truncate(path, 64 << 30),
    "a folder": instead(lambda path: path.mkdir()), "a fifo": instead(os.mkfifo),
    "not there": instead(lambda path: None), "a link in a circle": instead(lambda path: path.symlink_to(path.name)),
    "a link to /dev/zero": instead(lambda path: path.symlink_to("/dev/zero")),
    "unreadable": lambda path, place: path.chmod(0),
}


OUTPUTS = {
    "/dev/full": lambda path: path.symlink_to("/dev/full"), "a folder": lambda path: (path / "x").mkdir(parents=True),
    "a fifo": os.mkfifo, "a link in a circle": lambda path: path.symlink_to(path.name),
    "a link to nowhere": lambda path: path.symlink_to("no/such/place"),
}


def faults(done):
    """What is wrong with how a call ended, whatever it was to do."""
    said = done.stderr.decode(errors="replace") + done.stdout.decode(errors="replace")
    if "AddressSanitizer" in said or "runtime error" in said or "LeakSanitizer" in said:
        return "a sanitizer: " + next(line for line in said.splitlines() if "Sanitizer" in line or "runtime error" in line)
    if done.returncode < 0 or done.returncode >= 128:
        return f"ended by a signal ({done.returncode})"
    errors = [line for line in done.stderr.decode(errors="replace").replace("\r", "\n").splitlines()
              if line.startswith("truncquant: ") and not NOTE.match(line)]
    if done.returncode == 0 or done.returncode == 3:
        return None
    if not errors:
        return f"status {done.returncode} without a word"
    # Of a file that a user writes, all mistakes are told, each with its line.
    places = {match.group(1) for match in (re.match(r"truncquant: (\S+):\d+: ", line) for line in errors) if match}
    return None if len(errors) == 1 or len(places) == 1 and len(errors) <= 10 else f"{len(errors)} lines: {errors}"


class Attack:
    def __init__(self, place, folder):
        self.place, self.folder = place, folder
        self.plain, self.wrong, self.count, self.failed = {}, [], 0, 0

    def fresh(self):
        here = self.folder / "here"
        if here.exists():
            subprocess.run(["chmod", "-R", "u+rwX", here], check=False, stderr=subprocess.DEVNULL)
            shutil.rmtree(here)
        shutil.copytree(self.place.whole, here, symlinks=True)
        return here

    def try_call(self, here, arguments, bound):
        try:
            done = self.place.call(here, arguments, bound)
        except subprocess.TimeoutExpired:
            return None, "no end within a minute"
        return done, faults(done)

    def result(self, here, done, result):
        try:
            return result(here) if result else done.stdout
        except OSError:
            return None

    def baseline(self, name, arguments, result):
        here = self.fresh()
        done = self.place.call(here, arguments)
        if done.returncode and name not in ("export database", "retry"):  # whose grid is not recorded
            sys.exit(f"attack.py: {name} fails as it is: {done.stderr.decode()}")
        self.plain[name] = self.result(here, done, result)

    def case(self, target, file, damage):
        name, arguments, _, sealed, result = target
        if name not in self.plain:
            self.baseline(name, arguments, result)
        here = self.fresh()
        DAMAGES[damage](here / file, self.place)
        done, fault = self.try_call(here, arguments, damage == "unreadable")
        if done and not fault and not done.returncode and file in sealed \
                and self.result(here, done, result) != self.plain[name]:
            fault = "success with another result"
        self.note(f"{name}: {Path(file).name} {damage}", done, fault)

    def output(self, target, kind):
        name, arguments = target[:2]
        here = self.fresh()
        OUTPUTS[kind](here / "out")
        done, fault = self.try_call(here, arguments, False)
        if done and not fault and not done.returncode and kind in ("/dev/full", "a fifo", "a link in a circle"):
            fault = "success, though nothing can be written there"
        self.note(f"{name}: output {kind}", done, fault)

    def note(self, what, done, fault):
        self.count += 1
        self.failed += bool(done and done.returncode)
        if fault:
            self.wrong.append(what)
            print(f"WRONG {what}: {fault}", flush=True)
            if done:
                print("    " + done.stderr.decode(errors="replace")[-600:].strip().replace("\n", "\n    "), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("program", nargs="?", default=ROOT / "build/truncquant", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Place(options.program.resolve(), Path(folder))
        attack = Attack(place, Path(folder))
        all_targets = targets(place)
        cases = [(attack.case, (target, file, damage)) for target in all_targets for file in target[2] for damage in DAMAGES]
        cases += [(attack.output, (target, kind)) for target in all_targets if "--output" in target[1] for kind in OUTPUTS]
        random.Random(options.seed).shuffle(cases)
        end = time.time() + options.seconds if options.seconds else float("inf")
        for case, arguments in cases:
            if time.time() > end:
                break
            case(*arguments)
        subprocess.run(["chmod", "-R", "u+rwX", folder], check=False, stderr=subprocess.DEVNULL)
    print(f"attack: {attack.count} of {len(cases)} cases, {attack.failed} refused, {len(attack.wrong)} wrong")
    return 1 if attack.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
