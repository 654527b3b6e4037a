#!/usr/bin/python3
"""The crosscheck: every training step of the harness computed a second time, by the PyTorch peer in double precision.

Teacher-forced: free-running losses drift apart by themselves, since one code that rounds the other way changes all
that follows. So before each step the peer takes over the harness's parameters, moments, running statistics and batch;
inside a step it goes on from the harness's weight codes, from what the harness put into each activation and pooling,
and from where its alignment loss pulls weights, after having compared them with its own. Compared are:

  weight codes      equal, or (a flip, counted) neighbours with the weight at the boundary between them
  weights           W^ of every quantized layer and width
  into activations  what every activation and maximum pooling of every width reads, so that each stretch between two
                    is checked, and both decide alike on what lies on a bend or takes part in a draw
  activations       what comes out: the codes exactly
  losses            of every width, against what it learns from and against the labels (the one the harness records)
  gradients         of every parameter, summed over the widths: the norm of the difference over the norm, to which a
                    hundredth of the norm of all gradients is added
  running           means and variances: the step's contribution, not what was there before
  optimizer         moments, from the harness's own gradients; parameters, from its own moments (Adam would magnify
                    the rounding of either)

The other side is bench/crosscheck.c. With --mutate the peer computes one rule wrongly, and the crosscheck has to fail.
"""
import argparse
import math
import os
import subprocess
import sys

import peer_pytorch as peer
import numpy as np
import torch

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
PROGRAM = os.path.join(ROOT, os.environ.get("BUILD", "build"), "bench", "crosscheck")
LIMITS = {
    "weight codes flipped": 1e-4,  # share of all; a float u is right to 6e-8, and 256 boundaries lie in [0, 1]
    "aims flipped": 1e-4,
    "weights": 1e-6, "into activations": 1e-5, "activations": 1e-6, "losses": 1e-5, "gradients": 1e-4, "running": 1.0,
    "optimizer": 1.0,
}
TYPES = {"f32": np.float32, "f64": np.float64, "u8": np.uint8, "i16": np.int16}


class Mismatch(Exception):
    """The two sides disagree."""


class Report:
    """The worst value of each check, and the counts of what flipped."""

    def __init__(self):
        self.worst = {check: (0.0, "") for check in LIMITS}
        self.counts = {"weight codes": [0, 0], "activation codes": [0, 0], "largest of pooling": [0, 0],
                       "aims": [0, 0]}

    def check(self, check, value, where):
        value = float(value)
        if not value <= LIMITS[check]:
            raise Mismatch(f"{check}: {where}: {value:.3g}, allowed {LIMITS[check]:g}")
        if value >= self.worst[check][0]:
            self.worst[check] = (value, where)

    def count(self, what, flipped, of):
        self.counts[what][0] += int(flipped)
        self.counts[what][1] += of

    def text(self):
        flips = ", ".join(f"{f} of {n} {what} flipped" for what, (f, n) in self.counts.items() if n) or "nothing to flip"
        worst = ", ".join(f"{c} {v:.1e} ({LIMITS[c]:g})" for c, (v, _) in self.worst.items() if c in
                          ("weights", "into activations", "losses", "gradients", "running", "optimizer"))
        return f"{flips}; worst (allowed): {worst}"


def relative(a, b):
    """The norm of the difference over the norm; both zero is 0."""
    norm, apart = b.norm(), (a - b).norm()
    return apart / norm if norm > 0 else (0.0 if apart == 0 else math.inf)


# --- what the harness says -----------------------------------------------------------------------------------------

def read_step(stream):
    """The frames of one step by name, or None at the end."""
    frames = {}
    while True:
        line = stream.readline()
        if not line:
            return None
        name, kind, count = line.decode().split()
        if name == "end":
            return frames
        size = int(count) * np.dtype(TYPES[kind]).itemsize
        frames[name] = np.frombuffer(stream.read(size), TYPES[kind])


def specification(args, scheme):
    lines = {"scheme": scheme, "network": args.network, "dataset": "random", "batch": args.batch, "epochs": 1,
             "optimizer": args.optimizer, "schedule": args.schedule, "learning_rate": args.rate, "decay": args.decay}
    if args.optimizer == "sgd":
        lines["momentum"] = args.momentum
    for key in ("distill", "norm_bank", "align", "kurtosis"):
        lines[key] = getattr(args, key)
    if args.step_rate != 1:
        lines["step_rate"] = args.step_rate
    if args.width_weight:
        lines["width_weight"] = " ".join(str(w) for w in args.width_weight)
    if scheme != "fp32":
        lines["widths"] = " ".join(str(k) for k in args.widths if k >= peer.SMALLEST.get(scheme, 1))
    return "".join(f"{key} = {value}\n" for key, value in lines.items())


class Harness:
    """The program on the other side, as an iterator of steps."""

    def __init__(self, args, engine, scheme):
        h, w, c = args.shape
        command = [PROGRAM, engine, str(args.threads), str(args.steps), f"{h}x{w}x{c}"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1 << 20)
        self.process.stdin.write(specification(args, scheme).encode())
        self.process.stdin.close()

    def __iter__(self):
        while (frames := read_step(self.process.stdout)) is not None:
            yield frames

    def end(self, stop=False):
        """Its exit status; `stop`: it is not to finish."""
        if stop:
            self.process.kill()
        self.process.stdout.close()
        return self.process.wait()


# --- the oracle ----------------------------------------------------------------------------------------------------

class Oracle(peer.Network):
    """The peer's network in double precision, following one step of the harness after another."""

    def __init__(self, args, scheme, report):
        h, w, c = args.shape
        super().__init__(args.network, (c, h, w), 10, scheme, args.widths, "fp64",
                         peer.Options(args.distill, tuple(args.width_weight), args.norm_bank, args.align, args.kurtosis))
        self.report, self.frames, self.watch = report, None, self

    def frame(self, name, like=None):
        values = torch.from_numpy(self.frames[name].copy())
        return values if like is None else values.to(like.dtype).view(like.shape)

    def load(self, frames):
        self.frames = frames
        for name, value in {**self.parameters, **self.running}.items():
            value.data.copy_(self.frame("before." + name, value))
            value.grad = None

    def weights(self, node, k):
        W = super().weights(node, k)
        if node.quantized and self.range:
            name = f"hat.{node.layer}.weights.k{k}"
            self.report.check("weights", relative(self.frame(name, W), W.detach()), name)
        return W

    # As its own watch (peer.Network says when these are called).

    def codes(self, weights, k, q, place, begins):
        name = f"codes.{weights}.k{k}"
        theirs = self.frame(name, q)
        if self.learns_steps:  # two's complement
            theirs -= 256 * (theirs > 127)
        flipped = theirs != q
        self.report.count("weight codes", flipped.sum(), q.numel())
        if not flipped.any():
            return theirs
        upper = torch.maximum(q, theirs)
        between = upper - (begins(upper) if callable(begins) else begins)
        apart = (place - between).abs()[flipped].max().item()
        if apart > 2 ** k * 4e-7 or (q - theirs).abs().max() > 1:
            raise Mismatch(f"weight codes: {name}: {int(flipped.sum())} differ, up to {apart:.3g} codes away from a boundary")
        return theirs

    def aims(self, name, u, ours, intervals):
        theirs = self.frame("aims." + name, u)
        flipped = (theirs - ours).abs() > 1e-6  # a float u is right to 6e-8; aims lie 2^-11 and more apart
        self.report.count("aims", flipped.sum(), u.numel())
        if not flipped.any():
            return ours
        # At the end of an interval, where only one of the two sees it left, or half way between two. Nothing lies
        # beyond 0 and 1.
        ends = [(lo, 1) for lo, _ in intervals if lo > 0] + [(hi, -1) for _, hi in intervals if hi < 1]
        places = torch.tensor([end for end, _ in ends], dtype=u.dtype)
        inside = torch.tensor([end + side * peer.EDGE for end, side in ends], dtype=u.dtype)
        from_end = (u[flipped][:, None] - places).abs().amin(1)
        from_middle = ((u - theirs).abs() - (u - ours).abs()).abs()[flipped]
        apart = torch.minimum(from_end, from_middle).max().item()
        off = torch.minimum((theirs[flipped][:, None] - inside).abs().amin(1), (theirs - u).abs()[flipped]).max().item()
        if apart > 4e-7 or off > 4e-7:
            raise Mismatch(f"aims: {name}: {int(flipped.sum())} differ, up to {apart:.3g} from where they change, "
                           f"and lie up to {off:.3g} beside what could be aimed at")
        return torch.where(flipped, torch.where((theirs - u).abs() < 1e-6, u, theirs), ours)

    def into(self, where, x):
        value = self.frame("in." + where, x).contiguous(memory_format=torch.channels_last)
        self.report.check("into activations", relative(value, x.detach()), "layer " + where)
        return value

    def pooling(self, node, x, k):
        value, o = self.into(f"{node.layer}.k{k}", x), node.options
        theirs, ours = (peer.F.max_pool2d(v, o["size"], o["stride"], o["padding"], return_indices=True)[1]
                        for v in (value, x.detach()))
        self.report.count("largest of pooling", (theirs != ours).sum(), ours.numel())
        return value

    def activation(self, node, x, k, j):
        where = f"{node.layer}.k{k}"
        theirs, out = (torch.from_numpy(self.frames[f"{side}.{where}"].copy()).view(x.shape) for side in ("in", "out"))
        value = self.into(where, x)
        if not node.clips or j == peer.FLOAT:
            own = theirs.clamp(0, 6 if node.options["six"] else None)
            self.report.check("activations", (out - own).abs().max(), "layer " + where)
            return value, None
        top = 2 ** j - 1
        codes = (theirs.clamp(0, 1) * top).round()  # in single precision, where a product may round to a tie
        if not torch.equal((out * top).round(), codes):
            raise Mismatch(f"activations: layer {where}: codes that are not those of their inputs")
        self.report.check("activations", (out - codes / top).abs().max(), "layer " + where)
        own = (x.detach().clamp(0, 1) * top).round()
        self.report.count("activation codes", (own != codes).sum(), codes.numel())
        return value, codes.to(x.dtype).contiguous(memory_format=torch.channels_last)

    def check_losses(self, losses):
        for k, both in losses.items():
            labels, learns = self.frames[f"loss.k{k}"] / len(self.frames["labels"])
            for ours, theirs, what in ((both[0], learns, "learned"), (both[1], labels, "of the labels")):
                self.report.check("losses", abs(theirs / ours.item() - 1), f"{what}, {k} bits")

    def check_gradients(self):
        # Some gradients are 0 but for rounding: the shift of a norm whose sum is normed again. A hundredth of the
        # allowance on the gradient of all parameters together is theirs.
        whole = torch.stack([value.grad.norm() for value in self.parameters.values()]).norm()
        for name, value in self.parameters.items():
            apart = (self.frame("grad." + name, value) - value.grad).norm()
            self.report.check("gradients", apart / (value.grad.norm() + 0.01 * whole), name)

    def check_running(self):
        keep = (1 - self.momentum) ** (len(self.widths) if self.shares_bank else 1)  # of what was there before
        for name, value in self.running.items():
            before, after = self.frame("before." + name, value), self.frame("after." + name, value)
            # The batch's deviation is the unit of its mean.
            of = name.replace(".mean", ".variance")
            entered = self.running[of] - keep * self.frame("before." + of, self.running[of])
            unit = (self.momentum * entered).clamp(min=0).sqrt() if ".mean" in name else entered.abs()
            allowed = 2e-7 * torch.maximum(before.abs(), after.abs()) + 1e-5 * unit
            self.report.check("running", ((after - value).abs() / allowed).max(), name)

    def check_optimizer(self, optimizer):
        for name, value in self.parameters.items():
            before, after = self.frame("before." + name, value), self.frame("after." + name, value)
            g = self.frame("grad." + name, value) + optimizer.decay * before
            old, new = ([self.frame(f"{when}.{m}.{name}", value) for m in optimizer.moments] for when in ("before", "after"))
            for theirs, ours, was, term in zip(new, optimizer.next_moments(g, *old), old, (g, g * g)):
                # What is added may cancel, so its terms are the unit.
                unit = was.abs() + term.abs() + (optimizer.decay * before).abs()
                self.report.check("optimizer", ((theirs - ours).abs() / (1e-6 * unit + 1e-30)).max(), "moments of " + name)
            update = optimizer.update(*new) * (optimizer.args.step_rate if name.endswith(".quantizer") else 1)
            allowed = 2e-7 * torch.maximum(before.abs(), after.abs()) + 5e-6 * update.abs() + 1e-30
            self.report.check("optimizer", ((after - (before - update)).abs() / allowed).max(), name)


class Optimizer:
    """The step and the learning rate by the method's formulas."""

    def __init__(self, args):
        self.args, self.decay = args, args.decay
        self.moments = ["first", "second"] if args.optimizer == "adam" else ["first"]
        self.step, self.of = 0, args.steps + 1  # the harness is stopped one step before the end

    def rate(self):
        if self.args.schedule == "cosine":
            return self.args.rate * (1 + math.cos(math.pi * self.step / self.of)) / 2
        return self.args.rate * 0.1 ** sum(self.step >= m * self.of for m in (0.5, 0.75, 0.9))

    def next_moments(self, g, first, second=None):
        if second is None:
            return [self.args.momentum * first + g]
        return [0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g * g]

    def update(self, first, second=None):
        """What is taken from the parameter."""
        if second is None:
            return self.rate() * first
        t = self.step + 1
        return self.rate() * (first / (1 - 0.9 ** t)) / ((second / (1 - 0.999 ** t)).sqrt() + 1e-8)


def follow(args, engine, scheme):
    """All steps of one run; Mismatch where the two sides part."""
    report = Report()
    oracle, optimizer, harness = Oracle(args, scheme, report), Optimizer(args), Harness(args, engine, scheme)
    h, w, c = args.shape
    try:
        for frames in harness:
            oracle.load(frames)
            images = oracle.frame("images").double().view(-1, c, h, w).contiguous(memory_format=torch.channels_last)
            losses = peer.accumulate_gradients(oracle, images, oracle.frame("labels").long())
            oracle.check_losses(losses)
            oracle.check_gradients()
            oracle.check_running()
            oracle.check_optimizer(optimizer)
            optimizer.step += 1
        for what in ("weight codes", "aims"):
            flipped, of = report.counts[what]
            report.check(what + " flipped", flipped / max(1, of), "all steps")
    except Mismatch as e:
        harness.end(stop=True)
        raise Mismatch(f"step {optimizer.step + 1}: {e}") from None
    if harness.end() or optimizer.step != args.steps:
        sys.exit(f"crosscheck: the harness ended after {optimizer.step} of {args.steps} steps")
    return report


# --- rules computed wrongly ----------------------------------------------------------------------------------------

def unbiased_normalisation(self, node, x, k):
    mean, variance, scale, shift = self.bank(node, k)
    n = x.numel() / x.shape[1]
    batch = x.detach().var((0, 2, 3), unbiased=False)
    wrong = torch.sqrt((batch + self.epsilon) / (batch * n / (n - 1) + self.epsilon))
    return peer.F.batch_norm(x, mean, variance, scale * wrong, shift, True, self.momentum, self.epsilon)


def biased_running(self, node, x, k):
    mean, variance, scale, shift = self.bank(node, k)
    moved = variance.clone()
    y = peer.F.batch_norm(x, mean, moved, scale, shift, True, self.momentum, self.epsilon)
    n = x.numel() / x.shape[1]
    variance.copy_(moved - self.momentum * x.detach().var((0, 2, 3)) / n)
    return y


def swapped_rounder(rounder, u, k, right=peer.code):
    return right("nearest" if rounder == "floor" else "floor", u, k)


def other_dequantizer(dequantizer, q, k, right=peer.level):
    return right("low" if dequantizer == "midpoint" else "midpoint", q, k)


def normal_excess(W, right=peer.kurtosis_excess):
    return right(W) - 1.2


ALIGN = 20.0  # a tenth of the gradient or so

MUTATIONS = {  # rule: (scheme that has it, what to replace, by what[, options that need it])
    "max-constant": ("truncquant", peer, "through_max", lambda g, t, largest, scale: torch.zeros_like(t)),
    "no-tanh-derivative": ("truncquant", peer, "tanh_slope", torch.ones_like),
    "unbiased-normalisation": ("truncquant", peer.Network, "norm", unbiased_normalisation),
    "biased-running": ("truncquant", peer.Network, "norm", biased_running),
    "clip-open-top": ("truncquant", peer, "clip_gradient", lambda g, x: g * (x >= 0)),
    "clip-from-minus-one": ("truncquant", peer, "clip_gradient", lambda g, x: g * (x.abs() <= 1)),
    "other-rounder": ("truncquant", peer, "code", swapped_rounder),
    "other-slice": ("matquant", peer, "sliced", lambda q, N, k: (q / 2 ** (N - k)).floor_()),
    "step-without-pace": ("lsq", peer, "step_pace", lambda n, bits: 1.0),
    "step-code-alone": ("double-rounding", peer, "step_slope", lambda multiple, v, inside: multiple),
    "step-never-clips": ("lsq", peer, "step_slope", lambda multiple, v, inside: multiple - v),
    "other-dequantizer": ("adabits", peer, "level", other_dequantizer),
    "no-correction-factor": ("qat", peer, "correction_factor", lambda t, W_hat: 1.0, {"norm_bank": "shared"}),
    "agreement-edge": ("qat", peer, "EDGE", 2 ** -10, {"align": ALIGN}),
    "kurtosis-of-normal": ("qat", peer, "kurtosis_excess", normal_excess, {"kurtosis": 0.1}),
}


def follow_mutated(args, engine, rule):
    """What noticed it, or None."""
    scheme, where, name, wrong, *options = MUTATIONS[rule]
    args = argparse.Namespace(**{**vars(args), **(options[0] if options else {})})
    right = getattr(where, name)
    setattr(where, name, wrong)
    try:
        follow(args, engine, scheme)
    except Mismatch as e:
        return str(e)
    finally:
        setattr(where, name, right)
    return None


# --- the command ---------------------------------------------------------------------------------------------------

def parse():
    p = argparse.ArgumentParser(description="Compare every training step of the harness with the PyTorch peer.")
    p.add_argument("--scheme", choices=peer.SCHEMES, action="append", help="default: all")
    p.add_argument("--engine", action="append", help="default: all")
    p.add_argument("--mutate", choices=[*MUTATIONS, "all"],
                   help="compute this rule wrongly: succeeds when that is noticed")
    p.add_argument("--network", default=os.path.join(ROOT, "experiments/networks/resnet8.cfg"))
    p.add_argument("--shape", type=peer.shape, default=(28, 28, 1))
    p.add_argument("--widths", type=lambda s: [int(k) for k in s.split()], default=[1, 2, 4, 8, 32])
    p.add_argument("--steps", type=int, default=50)
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--optimizer", choices=("adam", "sgd"), default="adam")
    p.add_argument("--schedule", choices=("step", "cosine"), default="step")
    p.add_argument("--rate", type=float, default=0.001)
    p.add_argument("--momentum", type=float, default=0.9)
    p.add_argument("--decay", type=float, default=0.0)
    p.add_argument("--distill", choices=("recursive", "labels", "highest"), default="recursive")
    p.add_argument("--width-weight", type=lambda s: [float(w) for w in s.split()], default=[])
    p.add_argument("--norm-bank", choices=("per-width", "shared"), default="per-width")
    p.add_argument("--align", type=float, default=0.0)
    p.add_argument("--step-rate", type=float, default=1.0)
    p.add_argument("--kurtosis", type=float, default=0.0)
    return p.parse_args()


def check_schemes(args, engine):
    """How many failed."""
    failed = 0
    for scheme in args.scheme or peer.SCHEMES:
        title = f"{engine}, {os.path.basename(args.network)}, {scheme}, {args.optimizer}, {args.steps} steps"
        try:
            print(f"ok: {title}: {follow(args, engine, scheme).text()}", flush=True)
        except Mismatch as e:
            print(f"DIFFERS: {title}: {e}", flush=True)
            failed += 1
    return failed


def check_mutations(args, engine):
    """How many went unnoticed."""
    unnoticed = 0
    for rule in MUTATIONS if args.mutate == "all" else [args.mutate]:
        noticed = follow_mutated(args, engine, rule)
        print(f"ok: {engine}: wrong rule {rule} noticed: {noticed}" if noticed else
              f"UNNOTICED: {engine}: wrong rule {rule}", flush=True)
        unnoticed += not noticed
    return unnoticed


def main():
    args = parse()
    torch.set_num_threads(args.threads)
    peer.keep_memory()
    if not os.access(PROGRAM, os.X_OK):
        sys.exit(f"crosscheck: {PROGRAM} is not there; make crosscheck builds it")
    engines = args.engine or subprocess.run([PROGRAM, "engines"], capture_output=True, text=True, check=True).stdout.split()
    check = check_mutations if args.mutate else check_schemes
    sys.exit(1 if sum(check(args, engine) for engine in engines) else 0)


if __name__ == "__main__":
    main()
