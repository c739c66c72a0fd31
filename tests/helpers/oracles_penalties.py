"""Slow truth about penalties and perceptrons: loops over samples, outputs and inputs, written from the formulas alone."""

import math

import numpy as np
from oracles_layer import layer_edges, layer_values

EPS, OFFSET = 1e-4, 0.1


def deviation(values):
    """Standard deviation of a list, N - 1 in the denominator; 0 for one value, and exactly 0 where all are equal."""
    if len(values) == 1 or min(values) == max(values):
        return 0.0
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))


def mean_magnitude(edges, j, i):
    """(1/N) sum_b |phi_ji(x_bi)|."""
    return sum(abs(edges[b, j, i]) for b in range(len(edges))) / len(edges)


def paper(layer, x):
    """(l1, entropy) of the paper: |Phi|_1 and the entropy of the shares, in nats, 0 log 0 = 0."""
    edges = layer_edges(layer, x)
    scores = [mean_magnitude(edges, j, i) for j in range(layer.n_out) for i in range(layer.n_in)]
    total = sum(scores)
    return total, -sum(s / total * math.log(s / total) for s in scores if s > 0.0)


def pykan_first(layer, x):
    """(P6): scores divided by the width of the grid plus 1e-4, logarithm to base 2 with 1e-4 in it."""
    edges = layer_edges(layer, x)
    strengths = []
    for j in range(layer.n_out):
        for i in range(layer.n_in):
            row = layer.knots[i].tolist()
            width = row[len(row) - 1 - layer.degree] - row[layer.degree]
            strengths.append(mean_magnitude(edges, j, i) / (width + EPS))
    total = sum(strengths)
    shares = [s / total for s in strengths if total > 0.0]
    return total, -sum(q * math.log2(q + EPS) for q in shares)


def pykan(layer, x):
    """(P4), (P5): standard deviations of edges by those of their inputs; entropies of rows and of columns, averaged."""
    edges, n_out, n_in = layer_edges(layer, x), layer.n_out, layer.n_in
    a = [
        [
            deviation(edges[:, j, i].tolist()) / (deviation(x[:, i].tolist()) + OFFSET)
            for i in range(n_in)
        ]
        for j in range(n_out)
    ]
    rows, columns = 0.0, 0.0
    for j in range(n_out):
        for i in range(n_in):
            r = a[j][i] / (sum(a[j]) + 1.0)
            c = a[j][i] / (sum(a[other][i] for other in range(n_out)) + 1.0)
            rows -= r * math.log2(r + EPS) / n_out
            columns -= c * math.log2(c + EPS) / n_in
    return sum(map(sum, a)), rows + columns


def coefficients(layer, x):
    """(P7): mean size of the coefficients and mean size of their steps, over active edges."""
    size, steps = 0.0, 0.0
    for j in range(layer.n_out):
        for i in range(layer.n_in):
            if layer.mask[j, i]:
                c = layer.coef[j, i].tolist()
                size += sum(abs(v) for v in c) / len(c)
                steps += sum(abs(c[m + 1] - c[m]) for m in range(len(c) - 1)) / max(1, len(c) - 1)
    return size, steps


BY_KIND = {"paper": paper, "pykan": pykan, "pykan-0.0": pykan_first, "coef": coefficients}


def penalty(kind, network, x, l1_weight, entropy_weight):
    """mu_1 l1 + mu_2 entropy, summed over layers, each at its own inputs."""
    total = 0.0
    for layer in network.layers:
        l1, entropy = BY_KIND[kind](layer, x)
        total += l1_weight * l1 + entropy_weight * entropy
        x = layer_values(layer, x)
    return total


# --- perceptrons


def activation(name, z):
    silu = z / (1.0 + math.exp(-z)) if z > -700.0 else 0.0
    return {"tanh": math.tanh(z), "relu": max(z, 0.0), "silu": silu, "sine": math.sin(z)}[name]


def perceptron(weights, biases, name, x):
    """Outputs, one sample, one node, one weight at a time."""
    y = []
    for sample in x:
        values = [float(v) for v in sample]
        for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            sums = []
            for j in range(len(bias)):
                z = float(bias[j])
                for i in range(len(values)):
                    z += float(weight[j, i]) * values[i]
                sums.append(z if number == len(weights) - 1 else activation(name, z))
            values = sums
        y.append(values)
    return np.array(y)
