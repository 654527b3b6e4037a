"""A network of the harness read a second time: a Darknet cfg as a list of nodes in the order of computation.

Written from the cfg's grammar and the rules of the method (which layers are quantized, which activations
become the quantized clip), not from the harness's code, so that the crosscheck compares two readings. It knows
what the networks in experiments/networks use and refuses everything else; it computes nothing.
"""
from dataclasses import dataclass, field

KNOWN = {
    "convolutional": {"filters", "size", "stride", "pad", "padding", "groups", "batch_normalize", "bias", "projection",
                      "quantize", "init", "activation"},
    "connected": {"output", "batch_normalize", "quantize", "init", "activation"},
    "batchnorm": set(),
    "activation": {"activation"},
    "maxpool": {"size", "stride", "padding"},
    "avgpool": set(),
    "shortcut": {"from", "activation"},
    "route": {"layers"},
    "softmax": set(),
}


class CfgError(Exception):
    """What is wrong with the cfg, with file and line."""


@dataclass
class Section:
    kind: str
    line: int
    options: dict


@dataclass
class Node:
    op: str  # input, conv, linear, norm, act, maxpool, avgpool, add
    layer: int  # number of its section, [net] not counted; -1 for the input
    inputs: list
    shape: tuple  # of its output, per image: (c, h, w)
    options: dict = field(default_factory=dict)
    quantized: bool = False  # conv, linear
    clips: bool = False  # act: quantized clip where j < 32


def read_sections(path):
    sections = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if not line or line[0] in "#;":
                continue
            if line.startswith("["):
                sections.append(Section(line.strip("[]"), number, {}))
            else:
                key, _, value = line.partition("=")
                sections[-1].options[key.strip()] = value.strip()
    if not sections or sections[0].kind != "net":
        raise CfgError(f"{path}:1: a network starts with [net]")
    for s in sections[1:]:
        unknown = set(s.options) - KNOWN[s.kind] if s.kind in KNOWN else {"this layer"}
        if unknown or s.options.get("activation", "linear") not in ("linear", "relu", "relu6"):
            raise CfgError(f"{path}:{s.line}: [{s.kind}]: the peer knows no {', '.join(sorted(unknown)) or 'such activation'}")
    return sections[1:]


class Layout:
    """The nodes of a cfg, for images of `shape` (c, h, w) in `classes` classes."""

    def __init__(self, path, shape, classes):
        self.nodes = [Node("input", -1, [], tuple(shape))]
        self.last = []  # node whose output is that of a layer
        sections = read_sections(path)
        for layer, s in enumerate(sections):
            getattr(self, "add_" + s.kind)(layer, s.options, classes)
            self.last.append(self.previous)
        self.logits = self.previous
        self.choose_quantized()

    previous = property(lambda self: len(self.nodes) - 1 if not self.alias else self.alias)
    alias = 0  # set by a route to one layer: another name for its output, until the next node

    def add(self, op, layer, inputs, shape, options=None):
        self.alias = 0
        self.nodes.append(Node(op, layer, inputs, shape, options or {}))

    def add_tail(self, layer, options):
        shape = self.nodes[self.previous].shape
        if options.get("batch_normalize") == "1":
            self.add("norm", layer, [self.previous], shape)
        if options.get("activation", "linear") != "linear":
            self.add("act", layer, [self.previous], shape, {"six": options["activation"] == "relu6"})

    def add_convolutional(self, layer, o, classes):
        del classes
        c, h, w = self.nodes[self.previous].shape
        size, stride, filters = int(o.get("size", 1)), int(o.get("stride", 1)), int(o["filters"])
        padding = size // 2 if o.get("pad") == "1" else int(o.get("padding", 0))
        groups = int(o.get("groups", 1))
        shape = (filters, (h + 2 * padding - size) // stride + 1, (w + 2 * padding - size) // stride + 1)
        self.add("conv", layer, [self.previous], shape, {
            "weights": (filters, c // groups, size, size), "stride": stride, "padding": padding, "groups": groups,
            "bias": o.get("bias", "1") == "1" and o.get("batch_normalize") != "1",
            "projection": o.get("projection") == "1", "quantize": o.get("quantize")})
        self.add_tail(layer, o)

    def add_connected(self, layer, o, classes):
        c, h, w = self.nodes[self.previous].shape
        out = int(o.get("output", classes))
        self.add("linear", layer, [self.previous], (out, 1, 1), {
            "weights": (out, c * h * w), "bias": o.get("batch_normalize") != "1", "projection": False,
            "quantize": o.get("quantize")})
        self.add_tail(layer, o)

    def add_batchnorm(self, layer, o, classes):
        del o, classes
        self.add("norm", layer, [self.previous], self.nodes[self.previous].shape)

    def add_activation(self, layer, o, classes):
        del classes
        self.add_tail(layer, o)

    def add_maxpool(self, layer, o, classes):
        del classes
        c, h, w = self.nodes[self.previous].shape
        size, stride = int(o.get("size", 1)), int(o.get("stride", 1))
        padding = int(o.get("padding", size - 1))  # of both sides together
        if padding % 2:
            raise CfgError(f"layer {layer}: [maxpool]: the peer wants an even padding")
        shape = (c, (h + padding - size) // stride + 1, (w + padding - size) // stride + 1)
        self.add("maxpool", layer, [self.previous], shape, {"size": size, "stride": stride, "padding": padding // 2})

    def add_avgpool(self, layer, o, classes):
        del o, classes
        self.add("avgpool", layer, [self.previous], (self.nodes[self.previous].shape[0], 1, 1))

    def layer_number(self, layer, text):
        n = int(text)
        return layer + n if n < 0 else n

    def add_shortcut(self, layer, o, classes):
        del classes
        other = self.last[self.layer_number(layer, o["from"])]
        self.add("add", layer, [self.previous, other], self.nodes[self.previous].shape)
        self.add_tail(layer, o)

    def add_route(self, layer, o, classes):
        del classes
        if "," in o["layers"]:
            raise CfgError(f"layer {layer}: [route]: the peer joins no layers")
        self.alias = self.last[self.layer_number(layer, o["layers"])]

    def add_softmax(self, layer, o, classes):
        """The loss is the trainer's."""

    def choose_quantized(self):
        """All layers with weights but the first, the last and projections; `quantize` overrides. The activations
        that feed one become the quantized clip: seen through pooling, which only moves values."""
        weighted = [n for n in self.nodes if n.op in ("conv", "linear")]
        for n in weighted:
            said = n.options["quantize"]
            n.quantized = said == "1" if said is not None else (
                n is not weighted[0] and n is not weighted[-1] and not n.options["projection"])
        for n in weighted:
            source = self.nodes[n.inputs[0]]
            while n.quantized and source.op in ("maxpool", "avgpool"):
                source = self.nodes[source.inputs[0]]
            if n.quantized and source.op == "act":
                source.clips = True

    def readers(self, node):
        return [i for i, n in enumerate(self.nodes) if node in n.inputs]
