#!/usr/bin/python3
"""The peers of bench/deploy.sh that come from PyTorch: a network of the harness with float weights, traced, frozen and
optimised, which computes when it is asked (the protocol of bench/deploy.c), or written as ONNX for another peer.

    deploy_pytorch.py serve NETWORK.cfg HxWxC BATCH
    deploy_pytorch.py onnx NETWORK.cfg HxWxC BATCH FILE.onnx
    deploy_pytorch.py nothing HxWxC BATCH FILE.onnx      a graph that only adds one number: what a call costs
"""
import os
import sys
import time

os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx512" if "avx512f" in open("/proc/cpuinfo").read() else "default")
import torch
from torch import nn

from peer_network import Layout


class Network(nn.Module):
    """Random weights; norms as they start, with the statistics of one batch."""

    def __init__(self, layout):
        super().__init__()
        self.nodes = layout.nodes
        self.last = layout.logits
        self.layers = nn.ModuleDict()
        for i, node in enumerate(self.nodes):
            o, c = node.options, node.shape[0]
            if node.op == "conv":
                self.layers[str(i)] = nn.Conv2d(o["weights"][1] * o["groups"], c, o["weights"][2], o["stride"], o["padding"],
                                                groups=o["groups"], bias=o["bias"])
            elif node.op == "linear":
                self.layers[str(i)] = nn.Linear(o["weights"][1], c, bias=o["bias"])
            elif node.op == "norm":
                self.layers[str(i)] = nn.BatchNorm2d(c)

    def compute(self, i, node, values):
        x = values[node.inputs[0]]
        if node.op == "linear":
            return self.layers[str(i)](x.flatten(1)).reshape(x.shape[0], -1, 1, 1)
        if node.op in ("conv", "norm"):
            return self.layers[str(i)](x)
        if node.op == "act":
            return nn.functional.relu6(x) if node.options["six"] else nn.functional.relu(x)
        if node.op == "add":
            return x + values[node.inputs[1]]
        if node.op == "maxpool":
            return nn.functional.max_pool2d(x, node.options["size"], node.options["stride"], node.options["padding"])
        return x.mean((2, 3), keepdim=True)

    def forward(self, x):
        values = [x]
        for i, node in enumerate(self.nodes[1:], 1):
            values.append(self.compute(i, node, values))
        return values[self.last].flatten(1)


def network_of(cfg, images):
    torch.manual_seed(1)
    network = Network(Layout(cfg, tuple(images.shape[1:]), 10))
    with torch.no_grad():
        network.train()
        network(torch.rand(max(2, images.shape[0]), *images.shape[1:]))
    return network.eval()


def images_of(shape, batch):
    h, w, c = (int(n) for n in shape.split("x"))
    return torch.rand(int(batch), c, h, w)


def serve(cfg, shape, batch):
    images = images_of(shape, batch)
    with torch.no_grad():
        traced = torch.jit.freeze(torch.jit.trace(network_of(cfg, images), images))
        optimised = torch.jit.optimize_for_inference(traced)
        for line in sys.stdin:
            times = []
            for _ in range(int(line)):
                start = time.perf_counter()
                optimised(images)
                times.append(f"{1e6 * (time.perf_counter() - start):.2f}")
            print(*times, flush=True)


def main():
    torch.set_num_threads(1)
    what = sys.argv[1]
    if what == "serve":
        serve(*sys.argv[2:])
    elif what == "onnx":
        cfg, shape, batch, file = sys.argv[2:]
        images = images_of(shape, batch)
        torch.onnx.export(network_of(cfg, images), images, file, opset_version=13)
    else:
        shape, batch, file = sys.argv[2:]

        class Nothing(nn.Module):
            def forward(self, x):
                return x[:, :1, :1, :1] + 1

        torch.onnx.export(Nothing(), images_of(shape, batch), file, opset_version=13)


main()
