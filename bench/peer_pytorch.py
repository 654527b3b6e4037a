#!/usr/bin/python3
"""The peer: joint training of all bit-widths in PyTorch, as fast as PyTorch 1.13 can reasonably do it on a CPU.

It computes what the harness computes (weights quantized per width, quantized clips, a batch-norm bank per width,
recursive distillation, Adam), on networks read from the same cfg files. It has two uses: `speed` measures it beside
the harness, and crosscheck.py runs the same code in double precision as an oracle. It reads no data set and saves no
model.

What makes it fast: channels_last (oneDNN's convolutions on NCHW reorder; 10 % of a step and more), the clip's gradient
as one pass, additions and rounding in place, the optimizer's foreach form, norms folded into the convolution before
them for evaluation; a few per cent each, ATen's AVX-512 kernels and an allocator that keeps its memory instead of
having the kernel clear it anew for every large tensor. Three quarters of a training step are then oneDNN's
convolutions. TorchScript fuses nothing in a build without LLVM, which Debian's is.
"""
import argparse
import ctypes
import dataclasses
import fractions
import functools
import os
import statistics
import sys
import time

# Before PyTorch is loaded: it does not choose its AVX-512 kernels by itself. No effect where there is no AVX-512.
os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx512" if "avx512f" in open("/proc/cpuinfo").read() else "default")

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    sys.exit("PyTorch is not there; scripts/setup.sh --bench installs it (Debian's python3-torch)")

from peer_network import CfgError, Layout

SCHEMES = {  # range map, rounder, dequantizer
    "fp32": (None, None, None),
    "qat": ("tanh", "nearest", "endpoint"),
    "minmax": ("minmax", "nearest", "endpoint"),
    "truncquant": ("tanh", "floor", "endpoint"),
    "truncquant-minmax": ("minmax", "floor", "endpoint"),
    "adabits": ("tanh", "floor", "midpoint"),
    "adabits-floor": ("tanh", "floor", "low"),
    "matquant": ("tanh", "slice", "slice"),
    "lsq": ("steps", None, None),  # learned: one for each width
    "double-rounding": ("step", None, None),  # learned: one for all
}
SMALLEST = {"matquant": 2, "double-rounding": 2}
FLOAT = 32


@dataclasses.dataclass
class Options:
    """What can be asked of any scheme; the defaults are the harness's."""
    distill: str = "recursive"  # or labels, highest
    width_weight: tuple = ()  # by ascending width; (): all 1
    norm_bank: str = "per-width"  # or shared: one bank, weights corrected
    align: float = 0.0
    kurtosis: float = 0.0
    stored_bits: int = 8


aten = torch.ops.aten


# --- weights -----------------------------------------------------------------------------------------------------

def sliced(q, N, k):
    """The k upper bits of codes of N bits, rounded half up."""
    return q if k == N else ((q + 2 ** (N - k - 1)) / 2 ** (N - k)).floor_().clamp_(max=2 ** k - 1)


def code(rounder, u, k):
    """Codes of k bits; a number as rounder: slices of codes of so many."""
    if isinstance(rounder, int):
        return sliced(code("nearest", u, rounder), rounder, k)
    top = 2 ** k - 1
    return (u * (top + 1)).floor_().clamp_(max=top) if rounder == "floor" else (u * top).round_()


def in_codes(rounder, u, k):
    """u in units of codes, and how far below its number a code begins there."""
    if rounder == "floor":
        return u * 2 ** k, 0.0
    if rounder == "nearest" or rounder == k:
        return u * (2 ** k - 1), 0.5
    apart = 2 ** (rounder - k)
    return u * (2 ** rounder - 1) / apart, 0.5 + 0.5 / apart


def level(dequantizer, q, k):
    """2u^ - 1 of codes; a number as dequantizer: slices of codes of so many bits."""
    if isinstance(dequantizer, int):
        return 2 * q * (2 ** (dequantizer - k) / (2 ** dequantizer - 1)) - 1
    if dequantizer == "endpoint":
        return 2 * q / (2 ** k - 1) - 1
    return (2 * q + (1 if dequantizer == "midpoint" else 0)) / 2 ** k - 1


def tanh_slope(t):
    return 1 - t * t


def through_max(g, t, largest, scale):
    """dL/dt of the elements that attain M = max|t|, from all others; equal shares in a tie."""
    attains = (t.abs() == largest).to(t.dtype)
    share = scale * torch.dot(g.flatten(), t.flatten()) / (largest * largest * attains.sum())
    return attains * torch.sign(t) * share


class TanhQuantize(torch.autograd.Function):
    """u = tanh W / (2 max) + 1/2; W^ = mean|W| (2 u^ - 1)."""

    @staticmethod
    def forward(ctx, W, rounder, dequantizer, k, given):
        t = torch.tanh(W)
        largest, scale = t.abs().max(), W.abs().mean()
        ctx.save_for_backward(t, largest, scale)
        if k == FLOAT:
            return t * (scale / largest)
        u = t / (2 * largest) + 0.5
        q = code(rounder, u, k)
        q = given(q, *in_codes(rounder, u, k)) if given else q
        return level(dequantizer, q, k) * scale

    @staticmethod
    def backward(ctx, g):
        t, largest, scale = ctx.saved_tensors
        dt = g * (scale / largest) - through_max(g, t, largest, scale)
        return dt * tanh_slope(t), None, None, None, None


class MinmaxQuantize(torch.autograd.Function):
    """u = (W - lo) / (hi - lo); W^ = lo + (hi - lo) u^."""

    @staticmethod
    def forward(ctx, W, rounder, dequantizer, k, given):
        if k == FLOAT:
            return W.view_as(W)
        lo, hi = torch.aminmax(W)
        u = (W - lo) / (hi - lo)
        q = code(rounder, u, k)
        q = given(q, *in_codes(rounder, u, k)) if given else q
        return lo + (hi - lo) * ((level(dequantizer, q, k) + 1) / 2)

    @staticmethod
    def backward(ctx, g):
        return g, None, None, None, None


LEAST_STEP = 1e-8


def bounds(bits):
    """Of signed codes; one bit is -1 or 1."""
    return (-1, 1) if bits == 1 else (-2 ** (bits - 1), 2 ** (bits - 1) - 1)


def step_slope(multiple, v, inside):
    """dW^/dh."""
    return multiple - v * inside


def step_pace(n, bits):
    return (n * bounds(bits)[1]) ** -0.5


class StepQuantize(torch.autograd.Function):
    """W^ = c q h with a learned h: W / h rounded to codes of `bits` bits, and these to k, c = 2^(bits - k)."""

    @staticmethod
    def forward(ctx, W, h, bits, k, given):
        h = h.clamp(min=LEAST_STEP)
        v, (low, high), c = W / h, bounds(bits), 2 ** (bits - k)
        if bits == 1:  # the code is the sign bit, 0 or -1
            q, place, begins = -(W < 0).to(W.dtype), v, 0.0
        else:
            q = (v.round().clamp_(low, high) / c).round_().clamp_(*bounds(k))
            # What is half way goes to the even code.
            place, begins = v / c, 0.5 if c == 1 else lambda q: 0.5 + torch.where(q % 2 == 0, 0.5, -0.5) / c
        q = given(q, place, begins) if given else q
        multiple = 2 * q + 1 if bits == 1 else c * q
        inside = ((v >= low) & (v <= high)).to(W.dtype)
        ctx.save_for_backward(inside, multiple if bits == 1 else step_slope(multiple, v, inside))
        ctx.pace = step_pace(W.numel(), bits)
        return multiple * h

    @staticmethod
    def backward(ctx, g):
        inside, slope = ctx.saved_tensors
        return g * inside, (g * slope).sum() * ctx.pace, None, None, None


def correction_factor(t, W_hat):
    return (t - t.mean()).norm() / (W_hat - W_hat.mean()).norm()


def corrected(W, W_hat):
    """W^ with the mean and the norm about it of tanh W; all three constants in the gradient."""
    t, constant = torch.tanh(W.detach()), W_hat.detach()
    return (W_hat - constant.mean()) * correction_factor(t, constant) + t.mean()


# --- losses on the weights themselves ------------------------------------------------------------------------------

EDGE = 2 ** -11  # how far within the agreement set its aims lie


def agreement(widths, stored):
    """The intervals of u in which codes rounded to nearest at `stored` bits, cut, are those of every lower width."""
    cut = [k for k in widths if k < stored]
    places = sorted({fractions.Fraction(2 * i + 1, 2 * (2 ** k - 1)) for k in (*cut, stored) for i in range(2 ** k - 1)})
    intervals = []
    for lo, hi in zip([0, *places], [*places, 1]):
        def nearest(k, middle=(lo + hi) / fractions.Fraction(2)):
            return int((2 ** k - 1) * middle + fractions.Fraction(1, 2))
        if all(nearest(stored) >> (stored - k) == nearest(k) for k in cut):
            if intervals and intervals[-1][1] == lo:
                intervals[-1][1] = hi
            else:
                intervals.append([lo, hi])
    return [(float(lo), float(hi)) for lo, hi in intervals]


def aim(u, intervals):
    """u itself in the set, else the nearest point of the set shrunk by EDGE at each edge."""
    best = torch.full_like(u, float("inf"))
    for lo, hi in intervals:
        inner = (lo + (EDGE if lo > 0 else 0), hi - (EDGE if hi < 1 else 0))
        if inner[0] < inner[1]:
            point = u.clamp(*inner)
            best = torch.where((point - u).abs() < (best - u).abs(), point, best)
        best = torch.where((u >= lo) & (u <= hi), u, best)
    return best


def range_map(kind, W):
    if kind == "tanh":
        t = torch.tanh(W)
        return t / (2 * t.abs().amax()) + 0.5
    lo, hi = torch.aminmax(W.detach())
    return (W - lo) / (hi - lo)


def alignment(kind, W, intervals, given=None):
    u = range_map(kind, W)
    aims = aim(u.detach(), intervals)
    return ((u - (given(u.detach(), aims, intervals) if given else aims)) ** 2).mean()


def kurtosis_excess(W):
    """Above the uniform distribution's."""
    c = W - W.mean()
    return (c ** 4).mean() / (c ** 2).mean() ** 2 - 1.8


QUANTIZERS = {"tanh": TanhQuantize, "minmax": MinmaxQuantize}


# --- activations ---------------------------------------------------------------------------------------------------

def clip_gradient(g, x):
    """g where 0 <= x <= 1, else 0, in one pass. hardtanh_backward passes what lies strictly between its bounds: a
    hair wider than [0, 1]. It does not exist in bfloat16, where two one-sided passes stand for it."""
    tiny, above = torch.finfo(x.dtype).tiny, 1 + torch.finfo(x.dtype).eps
    if x.dtype == torch.bfloat16:
        return aten.threshold_backward(aten.threshold_backward(g, x, -tiny), -x, -above)
    return aten.hardtanh_backward(g, x, -tiny, above)


class Clip(torch.autograd.Function):
    """round((2^j - 1) clip(x, 0, 1)) / (2^j - 1), straight through where 0 <= x <= 1."""

    @staticmethod
    def forward(ctx, x, j, given):
        ctx.save_for_backward(x)
        top = 2 ** j - 1
        q = F.hardtanh(x, 0.0, 1.0).mul_(top).round_() if given is None else given
        return q.div_(top)

    @staticmethod
    def backward(ctx, g):
        return clip_gradient(g, ctx.saved_tensors[0]), None, None


class Forced(torch.autograd.Function):
    """Another value in a tensor's place, the gradient passed on: the oracle's way to follow the harness."""

    @staticmethod
    def forward(ctx, x, value):
        return value

    @staticmethod
    def backward(ctx, g):
        return g, None


# --- the network ---------------------------------------------------------------------------------------------------

class Network:
    """The parameters of a cfg, one batch-norm bank per width, and the passes through them.

    `watch`, if set, sees what is rounded and says how to go on: watch.codes(name, k, q, place, begins) returns the
    codes of weights, where code q begins at q - begins of place, watch.activation(node, x, k, j) what the activation
    reads and, where it rounds, the codes of that, watch.pooling(node, x, k) what the maximum is taken of,
    watch.aims(name, u, aims, intervals) where the alignment loss pulls u."""

    momentum, epsilon = 0.1, 1e-5

    def __init__(self, path, shape, classes, scheme, widths, precision="fp32", options=Options()):
        self.options = options
        self.layout = Layout(path, shape, classes)
        self.range, self.rounder, self.dequantizer = SCHEMES[scheme]
        if self.rounder == "slice":
            self.rounder = self.dequantizer = options.stored_bits
        self.learns_steps = self.range in ("step", "steps")
        self.widths = [k for k in widths if k >= SMALLEST.get(scheme, 1)] if self.range else [FLOAT]
        self.compute = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp64": torch.float64}[precision]
        self.store = torch.float64 if precision == "fp64" else torch.float32
        self.parameters, self.running, self.watch = {}, {}, None
        for node in self.layout.nodes:
            if node.op in ("conv", "linear"):
                self.add_weights(node)
            elif node.op == "norm":
                self.add_banks(node)

    def add(self, name, value):
        if value.dim() == 4:
            value = value.contiguous(memory_format=torch.channels_last)
        self.parameters[name] = value.requires_grad_()

    def add_weights(self, node):
        shape = node.options["weights"]
        bound = (shape[0] / torch.Size(shape).numel()) ** 0.5  # 1 / sqrt(fan in)
        self.add(f"{node.layer}.weights", torch.empty(shape, dtype=self.store).uniform_(-bound, bound))
        if node.options["bias"]:
            self.add(f"{node.layer}.bias", torch.empty(shape[0], dtype=self.store).uniform_(-bound, bound))
        if node.quantized and self.learns_steps:
            self.add_steps(node)

    def add_steps(self, node):
        """h from the start values of the weights."""
        W, N = self.parameters[f"{node.layer}.weights"].detach(), self.options.stored_bits
        if self.range == "step":
            h = [(W.mean().abs() + 3 * W.std(unbiased=False)) / 2 ** (N - 1)]
        else:
            h = [W.abs().mean() * (1 if k == 1 else 2 / bounds(k)[1] ** 0.5) for k in sorted(self.widths) if k != FLOAT]
        self.add(f"{node.layer}.quantizer", torch.stack(h))

    def add_banks(self, node):
        c = node.shape[0]
        for k in [None] if self.shares_bank else self.widths:
            self.add(self.bank_name(node, "scale", k), torch.ones(c, dtype=self.store))
            self.add(self.bank_name(node, "shift", k), torch.zeros(c, dtype=self.store))
            self.running[self.bank_name(node, "mean", k)] = torch.zeros(c, dtype=self.store)
            self.running[self.bank_name(node, "variance", k)] = torch.ones(c, dtype=self.store)

    @property
    def shares_bank(self):
        return bool(self.range) and self.options.norm_bank == "shared"

    def bank_name(self, node, what, k):
        return f"{node.layer}.{what}" + ("" if self.shares_bank else f".k{k}")

    def weights(self, node, k):
        name = f"{node.layer}.weights"
        W = self.parameters[name]
        if node.quantized and self.range:
            given = functools.partial(self.watch.codes, name, k) if self.watch else None
            W_hat = (self.stepped(node, W, k, given) if self.learns_steps else
                     QUANTIZERS[self.range].apply(W, self.rounder, self.dequantizer, k, given))
            W = corrected(W, W_hat) if self.shares_bank else W_hat
        return W.to(self.compute)

    def stepped(self, node, W, k, given):
        if k == FLOAT:
            return W.view_as(W)
        steps, of_width = self.parameters[f"{node.layer}.quantizer"], self.range == "steps"
        h = steps[sorted(self.widths).index(k) if of_width else 0]
        return StepQuantize.apply(W, h, k if of_width else self.options.stored_bits, k, given)

    def weights_loss(self):
        """Mean over the quantized layers of the losses on their weights; None where there are none."""
        o, names = self.options, [f"{n.layer}.weights" for n in self.layout.nodes if n.quantized]
        if not self.range or not names or not (o.align or o.kurtosis):
            return None
        intervals = agreement(self.widths, o.stored_bits) if o.align and self.rounder == "nearest" else [(0.0, 1.0)]
        total = 0
        for name in names:
            W, given = self.parameters[name], functools.partial(self.watch.aims, name) if self.watch and o.align else None
            total += o.align * alignment(self.range, W, intervals, given) + o.kurtosis * kurtosis_excess(W) ** 2
        return total / len(names)

    def bias(self, node):
        bias = self.parameters.get(f"{node.layer}.bias")
        return bias if bias is None else bias.to(self.compute)

    def bank(self, node, k):
        names = [self.bank_name(node, what, k) for what in ("mean", "variance", "scale", "shift")]
        return [self.running[n] for n in names[:2]] + [self.parameters[n] for n in names[2:]]

    def norm(self, node, x, k):
        mean, variance, scale, shift = self.bank(node, k)
        return F.batch_norm(x, mean, variance, scale, shift, True, self.momentum, self.epsilon)

    def act(self, node, x, k, j):
        codes = None
        if self.watch:
            value, codes = self.watch.activation(node, x, k, j)
            x = Forced.apply(x, value)
        if node.clips and j != FLOAT:
            return Clip.apply(x, j, codes)
        if node.options["six"]:
            return F.relu6(x)
        # Nobody needs what a norm wrote, so ReLU may write over it.
        return F.relu(x, inplace=not self.watch and self.layout.nodes[node.inputs[0]].op == "norm")

    def step(self, node, inputs, k, j):
        """One node of a training pass."""
        x = inputs[0]
        if node.op == "conv":
            o = node.options
            return F.conv2d(x, self.weights(node, k), self.bias(node), o["stride"], o["padding"], 1, o["groups"])
        if node.op == "linear":
            x = x.flatten(1) if x.shape[2:] == (1, 1) else x.contiguous().flatten(1)  # in the order c, h, w
            return F.linear(x, self.weights(node, k), self.bias(node))[:, :, None, None]
        if node.op == "norm":
            return self.norm(node, x, k)
        if node.op == "act":
            return self.act(node, x, k, j)
        if node.op == "maxpool":
            x = Forced.apply(x, self.watch.pooling(node, x, k)) if self.watch else x
            return F.max_pool2d(x, node.options["size"], node.options["stride"], node.options["padding"])
        if node.op == "avgpool":
            return x.mean((2, 3), keepdim=True)
        return x.add_(inputs[1])  # onto what a convolution or norm wrote, which neither needs again

    def forward(self, images, k, j):
        """Class scores at k bits and j activation bits, with batch statistics; the running ones move."""
        values = [images.to(self.compute)]
        for node in self.layout.nodes[1:]:
            values.append(self.step(node, [values[i] for i in node.inputs], k, j))
        return values[self.layout.logits].flatten(1).to(self.store)


class Evaluation:
    """A network at one width, its weights quantized and its running statistics folded in, for inference alone."""

    def __init__(self, network, k, j):
        self.layout, self.compute, self.j = network.layout, network.compute, j
        self.constants = {}
        self.folded = set()  # norms that the convolution before them does
        with torch.no_grad():
            for i, node in enumerate(self.layout.nodes):
                if node.op in ("conv", "linear"):
                    self.constants[i] = self.weights(network, i, node, k)
                elif node.op == "norm" and i not in self.folded:
                    mean, variance, scale, shift = network.bank(node, k)
                    factor = scale * torch.rsqrt(variance + network.epsilon)
                    ones = torch.ones_like(mean)
                    # Exactly what batch_norm computes from: mean 0, variance 1, one factor, one offset.
                    self.constants[i] = (ones * 0, ones, factor, shift - factor * mean)

    def weights(self, network, i, node, k):
        W, bias = network.weights(node, k).to(network.store), network.parameters.get(f"{node.layer}.bias")
        readers = self.layout.readers(i)
        if len(readers) == 1 and self.layout.nodes[readers[0]].op == "norm":
            mean, variance, scale, shift = network.bank(self.layout.nodes[readers[0]], k)
            factor = scale * torch.rsqrt(variance + network.epsilon)
            W = W * factor.view(-1, *[1] * (W.dim() - 1))
            bias = shift - factor * mean + (0 if bias is None else factor * bias)
            self.folded.add(readers[0])
        if W.dim() == 4:
            W = W.contiguous(memory_format=torch.channels_last)
        return W.to(self.compute), None if bias is None else bias.to(self.compute)

    def act(self, node, x):
        if not node.clips or self.j == FLOAT:
            return F.relu6(x, inplace=True) if node.options["six"] else x.relu_()
        top = 2 ** self.j - 1
        return F.hardtanh_(x, 0.0, 1.0).mul_(top).round_().div_(top)

    def step(self, i, node, inputs):
        x = inputs[0]
        if node.op == "conv":
            o = node.options
            return F.conv2d(x, *self.constants[i], o["stride"], o["padding"], 1, o["groups"])
        if node.op == "linear":
            x = x.flatten(1) if x.shape[2:] == (1, 1) else x.contiguous().flatten(1)
            return F.linear(x, *self.constants[i])[:, :, None, None]
        if node.op == "norm":
            return x if i in self.folded else F.batch_norm(x, *self.constants[i], False, 0.0, 0.0)
        if node.op == "act":
            return self.act(node, x)
        if node.op == "maxpool":
            return F.max_pool2d(x, node.options["size"], node.options["stride"], node.options["padding"])
        if node.op == "avgpool":
            return x.mean((2, 3), keepdim=True)
        return x.add_(inputs[1])

    def forward(self, images):
        with torch.inference_mode():
            values = [images.to(self.compute)]
            for i, node in enumerate(self.layout.nodes[1:], 1):
                values.append(self.step(i, node, [values[n] for n in node.inputs]))
            return values[self.layout.logits].flatten(1)


# --- training ------------------------------------------------------------------------------------------------------

def accumulate_gradients(network, images, labels, act_bits=None):
    """Forward and backward at every width, the highest first: gradients add up in the parameters. Returns by width the
    loss that it learns from, and the loss against the labels."""
    losses, teacher, o = {}, None, network.options
    factors = dict(zip(sorted(network.widths), o.width_weight))
    for k in sorted(network.widths, reverse=True):
        logits = network.forward(images, k, act_bits or k)
        log_p = F.log_softmax(logits, 1)
        against_labels = F.nll_loss(log_p, labels)
        loss = against_labels if teacher is None else -(teacher * log_p).sum() / len(images)
        (loss * factors.get(k, 1)).backward()
        if o.distill == "recursive" or (o.distill == "highest" and teacher is None):
            teacher = log_p.detach().exp()
        losses[k] = (loss.detach(), against_labels.detach())
    on_weights = network.weights_loss()
    if on_weights is not None:
        on_weights.backward()
    return losses


def keep_memory():
    """glibc's malloc: serve large tensors from its heap and return nothing to the kernel."""
    M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
    libc.mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)


def median_rate(batch, steps, work):
    """Images per second; the first call warms up."""
    seconds = []
    for _ in range(steps + 1):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return batch / statistics.median(seconds[1:])


def measure(args):
    torch.set_num_threads(args.threads)
    h, w, c = args.shape
    network = Network(args.network, (c, h, w), args.classes, args.scheme, args.widths, args.precision)
    optimizer = torch.optim.Adam(network.parameters.values(), lr=1e-3, foreach=True)
    images = torch.randn(args.batch, c, h, w).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(args.classes, (args.batch,))

    def train():
        optimizer.zero_grad(set_to_none=True)
        accumulate_gradients(network, images, labels)
        optimizer.step()

    if args.profile:
        return profile(train)
    rate = median_rate(args.batch, args.steps, train)
    evaluation = Evaluation(network, min(4, max(network.widths)), 4)
    # An evaluation is short: more of them give a median as sure.
    return rate, median_rate(args.batch, 3 * args.steps, lambda: evaluation.forward(images))


def profile(work):
    from torch.profiler import profile as record
    work()
    with record() as p:
        work()
    print(p.key_averages().table(sort_by="self_cpu_time_total", row_limit=20, max_name_column_width=40))


def shape(text):
    h, w, c = (int(n) for n in text.split("x"))
    return h, w, c


def main():
    parser = argparse.ArgumentParser(description="Images per second of the PyTorch peer, as CSV.")
    sub = parser.add_subparsers(dest="command", required=True)
    p = sub.add_parser("speed", help="train and evaluate on random images")
    p.add_argument("network", metavar="NETWORK.cfg")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--steps", type=int, default=7, help="median of so many, after one to warm up (default 7)")
    p.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    p.add_argument("--shape", type=shape, default=(32, 32, 3), help="HEIGHTxWIDTHxCHANNELS (default 32x32x3)")
    p.add_argument("--classes", type=int, default=10)
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--scheme", choices=SCHEMES, default="truncquant")
    p.add_argument("--widths", type=lambda s: [int(k) for k in s.split()], default=[1, 2, 4, 8, 32])
    p.add_argument("--profile", action="store_true", help="where a training step's time goes, instead")
    args = parser.parse_args()
    keep_memory()
    try:
        rates = measure(args)
    except (CfgError, OSError) as e:
        sys.exit(f"peer_pytorch: {e}")
    if rates:
        print("network,threads,precision,train,evaluate")
        print(f"{os.path.basename(args.network)},{args.threads},{args.precision},{rates[0]:.1f},{rates[1]:.1f}")


if __name__ == "__main__":
    main()
