"""Slow reference for derivatives with respect to the inputs, and for MLPs: value, gradient and Hessian, by loops.

The chain rule for h(x) = phi(g(x)):  d_p h = phi' d_p g,  d_p d_q h = phi'' d_p g d_q g + phi' d_p d_q g.  Derivatives of B-splines by the
recursion B^(r)_{m,d} = d (B^(r-1)_{m,d-1} / (t_{m+d} - t_m) - B^(r-1)_{m+1,d-1} / (t_{m+d+1} - t_{m+1})) with 0/0 := 0, that is
right limits, at the last knot left ones; those of silu and of the activations by SymPy.
"""

import math
from functools import cache

import numpy as np
import sympy
from oracles import exact_silu
from oracles_layer import bspline


def bspline_derivative(m, degree, row, x, order):
    """The derivative of some order of B_{m, degree} on the piece that contains x."""
    if order == 0:
        return bspline(m, degree, row, x)
    value = 0.0
    if degree > 0 and row[m + degree] > row[m]:
        value += degree / (row[m + degree] - row[m]) * bspline_derivative(m, degree - 1, row, x, order - 1)
    if degree > 0 and row[m + degree + 1] > row[m + 1]:
        value -= degree / (row[m + degree + 1] - row[m + 1]) * bspline_derivative(m + 1, degree - 1, row, x, order - 1)
    return value


def base_derivative(name, x, order):
    if name == "silu":
        return float(exact_silu(x, order))
    return {"identity": (x, 1.0, 0.0), "zero": (0.0, 0.0, 0.0)}[name][order]


def edge_derivative(layer, j, i, x, order):
    """phi^(order)_ji(x) of a spline edge, a symbolic edge or a masked edge."""
    for edge in layer.symbolic:
        if (edge.output, edge.input) == (j, i):
            a, b, c, d = layer.affine[edge.row].tolist()
            f = (edge.function.f, edge.function.d1, edge.function.d2)[order]
            return c * a**order * float(f(np.array([a * x + b]))[0]) + (d if order == 0 else 0.0)
    if layer.mask[j, i] == 0.0:
        return 0.0
    row, coef = layer.knots[i].tolist(), layer.coef[j, i].tolist()
    spline = sum(c * bspline_derivative(m, layer.degree, row, x, order) for m, c in enumerate(coef))
    return layer.w_base[j, i] * base_derivative(layer.base, x, order) + layer.w_spline[j, i] * spline


def through(derivatives, value, gradient, hessian):
    """Value, gradient, Hessian of phi(g) from phi, phi', phi'' at g and those of g."""
    zeroth, first, second = derivatives
    n, found = len(gradient), np.zeros((len(gradient), len(gradient)))
    for p in range(n):
        for q in range(n):
            found[p, q] = second * gradient[p] * gradient[q] + first * hessian[p, q]
    return zeroth, np.array([first * gradient[p] for p in range(n)]), found


def seeds_of(point):
    """Value, gradient and Hessian of each coordinate."""
    n = len(point)
    return [(float(point[i]), np.eye(n)[i], np.zeros((n, n))) for i in range(n)]


def stacked(rows):
    """[[(value, gradient, Hessian) of each output] of each sample] as three arrays (batch, n_out, ...)."""
    return tuple(np.array([[node[part] for node in nodes] for nodes in rows]) for part in range(3))


def network_derivatives(network, x):
    """Values (batch, n_out), gradients (batch, n_out, n_in), Hessians (batch, n_out, n_in, n_in)."""
    rows = []
    for point in x:
        nodes = seeds_of(point)
        for layer in network.layers:
            sums = []
            for j in range(layer.n_out):
                terms = [
                    through(
                        [edge_derivative(layer, j, i, value, order) for order in range(3)],
                        value,
                        gradient,
                        hessian,
                    )
                    for i, (value, gradient, hessian) in enumerate(nodes)
                ]
                sums.append(tuple(sum(term[part] for term in terms) for part in range(3)))
            nodes = sums
        rows.append(nodes)
    return stacked(rows)


@cache
def activation_derivative(name, order):
    """A derivative of an activation as a function of a float, by SymPy."""
    z = sympy.Symbol("z", real=True)
    s = {"tanh": sympy.tanh(z), "silu": z / (1 + sympy.exp(-z)), "sine": sympy.sin(z)}[name]
    return sympy.lambdify(z, sympy.diff(s, z, order), modules="mpmath")


def activation_value(name, z, order):
    if name == "relu":
        return (max(z, 0.0), float(z > 0.0), 0.0, 0.0)[order]
    return float(activation_derivative(name, order)(z))


def perceptron_derivatives(mlp, x):
    """The same for an MLP."""
    rows = []
    for point in x:
        nodes = seeds_of(point)
        for number, (weight, bias) in enumerate(zip(mlp.weights, mlp.biases, strict=True)):
            sums = []
            for j in range(len(bias)):
                z = tuple(sum(weight[j, i] * node[part] for i, node in enumerate(nodes)) for part in range(3))
                z = (z[0] + bias[j], *z[1:])
                last = number == len(mlp.biases) - 1
                sums.append(
                    z if last else through([activation_value(mlp.activation, z[0], order) for order in range(3)], *z)
                )
            nodes = sums
        rows.append(nodes)
    return stacked(rows)


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
