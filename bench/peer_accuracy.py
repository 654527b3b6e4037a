#!/usr/bin/python3
"""A second opinion on what truncation costs: a scheme trained, cut and evaluated by the PyTorch peer alone.

    bench/peer_accuracy.py experiments/networks/resnet8.cfg --scheme qat --seeds 1 2 3

Nothing of the harness runs here: data, initial weights, order of the images, training, the codes of 8 bits, their shift,
calibration and evaluation are this program's, from the method's rules. So accuracies agree with the harness's of the
same settings as one seed agrees with another, no better; the crosscheck compares single steps to the last digits. A
surprise of a grid that shows up here too is not an error of one program.

Prints CSV: scheme, seed, bits, inference, calibration batches, images, top-1 accuracy in per cent.
"""
import argparse
import gzip
import math
import os
import sys

import peer_pytorch as peer
import numpy as np
import torch

STORED = 8


def idx(folder, name):
    """The array of an IDX file, plain or compressed."""
    path = os.path.join(folder, name)
    with gzip.open(path + ".gz") if os.path.exists(path + ".gz") else open(path, "rb") as file:
        data = file.read()
    rank = data[3]
    sizes = np.frombuffer(data, ">i4", rank, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(sizes)


class Data:
    """A set of the IDX family in memory, normalised by the training split."""

    def __init__(self, folder):
        train, test = idx(folder, "train-images-idx3-ubyte"), idx(folder, "t10k-images-idx3-ubyte")
        mean, deviation = train.mean() / 255, train.std() / 255
        self.train, self.test = (torch.from_numpy((x[:, None] / 255 - mean) / deviation).float() for x in (train, test))
        self.train_labels, self.test_labels = (
            torch.from_numpy(idx(folder, name).astype(np.int64))
            for name in ("train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"))


class Cut:
    """What a network asks for codes: those of 8 bits, shifted."""

    def __init__(self, network):
        self.rounder = network.rounder

    def codes(self, name, k, q, place, begins):
        del name, begins
        if k > STORED:
            return q
        u = place / (2 ** k if self.rounder == "floor" else 2 ** k - 1)
        return (peer.code(self.rounder, u, STORED) / 2 ** (STORED - k)).floor()

    @staticmethod
    def pooling(node, x, k):
        del node, k
        return x.detach()

    @staticmethod
    def activation(node, x, k, j):
        del node, k, j
        return x.detach(), None


def train(args, data, scheme):
    network = peer.Network(args.network, tuple(data.train.shape[1:]), 10, scheme, args.widths)
    optimizer = torch.optim.Adam(network.parameters.values(), lr=args.rate, foreach=True)
    kept = torch.randperm(len(data.train))[:args.images]
    steps, total = args.images // args.batch, args.images // args.batch * args.epochs
    for step in range(total):
        if step % steps == 0:
            order = kept[torch.randperm(len(kept))]
        at = order[step % steps * args.batch:][:args.batch]
        for group in optimizer.param_groups:
            group["lr"] = args.rate * (1 + math.cos(math.pi * step / total)) / 2
        optimizer.zero_grad(set_to_none=True)
        peer.accumulate_gradients(network, data.train[at], data.train_labels[at])
        optimizer.step()
    return network, kept


def calibrate(args, network, data, kept, k):
    """The running statistics of width k: the plain mean over batches."""
    with torch.no_grad():
        for i in range(args.calibration):
            at = kept[torch.randperm(len(kept))[:args.batch]]
            network.momentum = 1 / (i + 1)
            network.forward(data.train[at], k, k)


def accuracy(args, network, data, k):
    evaluation = peer.Evaluation(network, k, k)
    right = sum((evaluation.forward(images).argmax(1) == labels).sum().item() for images, labels in
                zip(data.test[:args.test_images].split(250), data.test_labels[:args.test_images].split(250)))
    return 100 * right / len(data.test[:args.test_images])


def evaluate(args, network, data, kept, scheme, seed):
    trained = {name: value.clone() for name, value in network.running.items()}
    for k in network.widths:
        for inference in ("direct", "truncated") if k <= STORED and network.range else ("direct",):
            network.watch = Cut(network) if inference == "truncated" else None
            for batches in (0, args.calibration):
                if batches:
                    calibrate(args, network, data, kept, k)
                top1 = accuracy(args, network, data, k)
                print(f"{scheme},{seed},{k},{inference},{batches},{len(data.test[:args.test_images])},{top1:.2f}", flush=True)
            for name, value in trained.items():
                network.running[name].copy_(value)


def parse():
    p = argparse.ArgumentParser(description="A scheme trained, cut and evaluated by the PyTorch peer alone, as CSV.")
    p.add_argument("network", metavar="NETWORK.cfg")
    p.add_argument("--data", default=os.path.join(os.environ.get("TRUNCQUANT_DATA") or "/usr/share/datasets", "fashion-mnist"),
                   help="folder of the four IDX files, plain or .gz (default: Fashion-MNIST as the harness finds it)")
    p.add_argument("--scheme", nargs="+", default=["qat"], choices=sorted(set(peer.SCHEMES) - {"matquant", "lsq", "double-rounding"}))
    p.add_argument("--seeds", type=int, nargs="+", default=[1])
    p.add_argument("--widths", type=int, nargs="+", default=[1, 2, 4, 8, 32])
    p.add_argument("--epochs", type=int, default=2)
    p.add_argument("--images", type=int, default=8192, help="of the training split (default 8192)")
    p.add_argument("--test-images", type=int, default=2000, help="default 2000")
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--rate", type=float, default=1e-3, help="of Adam, to 0 by a cosine (default 0.001)")
    p.add_argument("--calibration", type=int, default=10, help="batches (default 10)")
    p.add_argument("--threads", type=int, default=1)
    return p.parse_args()


def main():
    args = parse()
    peer.keep_memory()
    torch.set_num_threads(args.threads)
    print("scheme,seed,bits,inference,calibration,images,top1")
    try:
        data = Data(args.data)
        for scheme in args.scheme:
            for seed in args.seeds:
                torch.manual_seed(seed)
                network, kept = train(args, data, scheme)
                evaluate(args, network, data, kept, scheme, seed)
    except (peer.CfgError, OSError, ValueError) as e:
        sys.exit(f"peer_accuracy: {e}")


if __name__ == "__main__":
    main()
