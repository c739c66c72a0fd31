"""Slow truth for layers, networks and penalties, from the paper: every number by its own loop, nothing shared with the package.

Liu et al. 2024, eqs. 2.5, 2.7 and 2.10-2.12: phi_ji(x) = w_base b(x) + w_spline sum_m coef_m B_m(x) on a active edge, y_j =
sum_i phi_ji(x_i), layers one after another. B-splines by the recursion of Cox and de Boor with 0/0 := 0; intervals
t_m <= x < t_{m+1}, the last non-empty one of a row closed; nothing outside the row.

Every sum takes `of`, which is applied to each summand: with `of=abs` the same loops give the sum of absolute terms,
the number against which rounding errors are to be held.
"""

import math

import numpy as np

EPS, OFFSET = 1e-4, 0.1  # of the penalties of pykan


def same(term):
    return term


# --- curves


def bspline(m, degree, row, x):
    """B_{m, degree}(x) of a knot vector."""
    if math.isnan(x):
        return x
    if degree == 0:
        closed = row[m] < row[m + 1] == row[-1]
        return 1.0 if row[m] <= x < row[m + 1] or (closed and x == row[-1]) else 0.0
    value = 0.0
    if row[m + degree] > row[m]:
        value += (x - row[m]) / (row[m + degree] - row[m]) * bspline(m, degree - 1, row, x)
    if row[m + degree + 1] > row[m + 1]:
        value += (row[m + degree + 1] - x) / (row[m + degree + 1] - row[m + 1]) * bspline(m + 1, degree - 1, row, x)
    return value


def bspline_slope(m, degree, row, x):
    """B'_{m, degree}(x), the derivative of the piece that owns x."""
    slope = 0.0
    if degree > 0 and row[m + degree] > row[m]:
        slope += degree / (row[m + degree] - row[m]) * bspline(m, degree - 1, row, x)
    if degree > 0 and row[m + degree + 1] > row[m + 1]:
        slope -= degree / (row[m + degree + 1] - row[m + 1]) * bspline(m + 1, degree - 1, row, x)
    return slope


def base_value(name, x):
    silu = 0.0 if x < -700.0 else x / (1.0 + math.exp(-x))  # beyond, exp overflows and silu underflows
    return {"silu": silu, "identity": x, "zero": 0.0}[name]


def base_slope(name, x):
    if name != "silu":
        return {"identity": 1.0, "zero": 0.0}[name]
    if abs(x) > 700.0:
        return 1.0 if x > 0.0 else 0.0
    s = 1.0 / (1.0 + math.exp(-x))
    return s + x * s * math.exp(-x) / (1.0 + math.exp(-x))


def edge_terms(layer, j, i, x, curve=bspline, base=base_value):
    """The summands of phi_ji(x); with the slopes of base and B-splines for `base` and `curve`, those of phi'_ji(x)."""
    if layer.mask[j, i] == 0:
        return []
    factor = float(layer.mask[j, i])
    row, w_spline, coef = (
        layer.knots[i].tolist(),
        factor * float(layer.w_spline[j, i]),
        layer.coef[j, i].tolist(),
    )
    spline_terms = [w_spline * coef[m] * curve(m, layer.degree, row, x) for m in range(len(coef))]
    return [factor * float(layer.w_base[j, i]) * base(layer.base, x), *spline_terms]


def slope_terms(layer, j, i, x):
    return edge_terms(layer, j, i, x, bspline_slope, base_slope)


def edge_curve(layer, j, i, points):
    """phi_ji at points (n,) of its own input."""
    return np.array([sum(edge_terms(layer, j, i, float(x))) for x in points])


# --- a layer


def layer_edges(layer, x, terms=edge_terms, of=same):
    """phi_ji(x_bi), or with `slope_terms` phi'_ji(x_bi): (batch, n_out, n_in)."""
    n_out, n_in, _ = layer.coef.shape
    edges = np.zeros((len(x), n_out, n_in))
    for b in range(len(x)):
        for j in range(n_out):
            for i in range(n_in):
                edges[b, j, i] = sum(of(term) for term in terms(layer, j, i, float(x[b, i])))
    return edges


def layer_values(layer, x, of=same):
    """y (batch, n_out)."""
    edges = layer_edges(layer, x, of=of)
    y = np.zeros(edges.shape[:2])
    for b in range(edges.shape[0]):
        for j in range(edges.shape[1]):
            for i in range(edges.shape[2]):
                y[b, j] += edges[b, j, i]
    return y


def layer_backward(layer, x, dy, d_edges=None, of=same):
    """dx and the gradients of coef, w_base, w_spline, each by its definition, sample by sample, edge by edge."""
    n_out, n_in, n_basis = layer.coef.shape
    dx, d_coef = np.zeros((len(x), n_in)), np.zeros(layer.coef.shape)
    d_w_base, d_w_spline = np.zeros((n_out, n_in)), np.zeros((n_out, n_in))
    for b in range(len(x)):
        for j in range(n_out):
            for i in range(n_in):
                if layer.mask[j, i] == 0:
                    continue
                point, row = float(x[b, i]), layer.knots[i].tolist()
                factor = float(layer.mask[j, i])
                upstream = [dy[b, j]] if d_edges is None else [dy[b, j], d_edges[b, j, i]]
                for d_phi in upstream:
                    d_w_base[j, i] += of(d_phi * factor * base_value(layer.base, point))
                    for m in range(n_basis):
                        value = factor * bspline(m, layer.degree, row, point)
                        d_coef[j, i, m] += of(d_phi * layer.w_spline[j, i] * value)
                        d_w_spline[j, i] += of(d_phi * layer.coef[j, i, m] * value)
                    for slope in slope_terms(layer, j, i, point):
                        dx[b, i] += of(d_phi * slope)
    return dx, d_coef, d_w_base, d_w_spline


# --- a network


def network_values(network, x):
    """y (batch, n_out) of layers one after another."""
    for layer in network.layers:
        x = layer_values(layer, x)
    return x


def network_backward(network, x, dy):
    """dx (batch, n_in) and d_theta (n_params,): layer by layer from the last to the first."""
    inputs = [x]
    for layer in network.layers:
        inputs.append(layer_values(layer, inputs[-1]))
    pieces = []
    for layer, at in zip(reversed(network.layers), reversed(inputs[:-1]), strict=True):
        dy, *gradients = layer_backward(layer, at, dy)
        pieces = gradients + pieces
    return dy, np.concatenate([piece.ravel() for piece in pieces])


def theta_by_hand(layers):
    """theta as the notation says: layer by layer; in each coef, w_base, w_spline, with the last index running fastest."""
    numbers = []
    for layer in layers:
        n_out, n_in, n_basis = layer.coef.shape
        numbers += [layer.coef[j, i, m] for j in range(n_out) for i in range(n_in) for m in range(n_basis)]
        numbers += [layer.w_base[j, i] for j in range(n_out) for i in range(n_in)]
        numbers += [layer.w_spline[j, i] for j in range(n_out) for i in range(n_in)]
    return np.array(numbers)


# --- penalties


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


def pykan(layer, x):
    """(P4), (P5): standard deviations of edges by those of their inputs; entropies of rows and of columns, averaged."""
    edges, n_out, n_in = layer_edges(layer, x), layer.n_out, layer.n_in
    a = [
        [deviation(edges[:, j, i].tolist()) / (deviation(x[:, i].tolist()) + OFFSET) for i in range(n_in)]
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


BY_KIND = {"paper": paper, "pykan": pykan}


def penalty(kind, network, x, l1_weight, entropy_weight):
    """mu_1 l1 + mu_2 entropy, summed over layers, each at its own inputs."""
    total = 0.0
    for layer in network.layers:
        l1, entropy = BY_KIND[kind](layer, x)
        total += l1_weight * l1 + entropy_weight * entropy
        x = layer_values(layer, x)
    return total
