"""Random knot vectors, layers, networks and batches of every awkward kind: uneven and repeated knots, dead edges, silent splines.

Networks are drawn from a numpy.random.Generator; the strategies of Hypothesis draw shapes, kinds and its seed, and knot vectors with points
where conventions matter. Networks of formulas alone are made by hand or at random. Objectives are made as `fit` and `value_and_grad` make
them.
"""

import contextlib
import math
import os
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import strategies as st

from kan_ref.functions.library import LIBRARY
from kan_ref.network.initialization import init_network
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network
from kan_ref.network.symbolic_edges import SymbolicEdge
from kan_ref.training.losses import LOSSES
from kan_ref.training.objective import Objective, trainable_places
from kan_ref.training.terms import DataTerm, SmoothTerm

KNOT_KINDS = ("uniform", "clamped", "uneven", "wild", "repeated")
SMOOTH_KINDS = ("uniform", "clamped", "uneven")
LARGEST_DEGREE = 7

# the share of the random cases that tests draw by themselves, by profile (tests/conftest.py)
SHARE = {"few": 0.2, "dev": 0.4, "ci": 1.0, "explore": 1.0}[os.environ.get("HYPOTHESIS_PROFILE", "dev")]


class Frame(np.ndarray):
    """Numbers with headers: what the package reads of a table of pandas."""

    @classmethod
    def of(cls, headers, x):
        frame = np.asarray(x).view(cls)
        frame.columns = list(headers)
        return frame


def draws(n):
    """Return the seeds of a test that draws at most n cases by itself, without Hypothesis."""
    return range(math.ceil(SHARE * n))


def degrees(low=0, high=LARGEST_DEGREE):
    return st.integers(low, high)


def _gaps(kind, n_intervals, degree):
    """Lists of the distances from knot to knot of one row: `degree` outer ones, the inner ones, `degree` outer ones."""
    outer = {"clamped": st.just(0.0), "repeated": st.sampled_from([0.0, 0.25, 1.0])}
    inner = {
        "uneven": st.floats(0.05, 1.0),
        "clamped": st.floats(0.05, 1.0),
        "wild": st.floats(-7.0, 1.0).map(lambda power: 10.0**power),
        "repeated": st.one_of(st.just(0.0), st.floats(0.1, 1.0)),
    }
    if kind == "uniform":
        return st.floats(0.05, 1.0).map(lambda gap: [gap] * (n_intervals + 2 * degree))
    sides = st.lists(outer.get(kind, inner[kind]), min_size=degree, max_size=degree)
    middle = st.lists(inner[kind], min_size=n_intervals, max_size=n_intervals)
    return st.tuples(sides, middle, sides).map(lambda parts: [gap for part in parts for gap in part])


@st.composite
def knot_rows(draw, degree, n_intervals=None, kinds=KNOT_KINDS):
    """One legal knot vector (n_intervals + 2 degree + 1,): uniform, with clamped ends, uneven, wildly uneven, or with repeats.

    Repeats (inner and outer ones) may exceed the degree, so that curves jump there. Sizes range from 1e-3 to 1e3.
    """
    kind = draw(st.sampled_from(kinds))
    n = draw(st.integers(1, 6)) if n_intervals is None else n_intervals
    scale = draw(st.sampled_from([1.0, 1.0, 1e-3, 1e3]))
    start = draw(st.sampled_from([0.0, -1.0, 0.3, -2.7]))
    row = scale * (start + np.concatenate([[0.0], np.cumsum(draw(_gaps(kind, n, degree)))]))
    assume(row[degree] < row[len(row) - 1 - degree])
    return row


@st.composite
def knot_arrays(draw, degree, kinds=KNOT_KINDS, n_intervals=None, largest_n_in=3):
    """Knot vectors (n_in, n_intervals + 2 degree + 1), each of a kind of its own."""
    n = draw(st.integers(1, 6)) if n_intervals is None else n_intervals
    return np.array(draw(st.lists(knot_rows(degree, n, kinds), min_size=1, max_size=largest_n_in)))


def grid_ends(row, degree):
    return float(row[degree]), float(row[len(row) - 1 - degree])


@st.composite
def points_in_grid(draw, row, degree, size=5):
    """`size` points of [a, b), some at its knots and one ulp beside them."""
    a, b = grid_ends(row, degree)
    inner = st.sampled_from([float(t) for t in row if a <= t < b])
    near = st.builds(math.nextafter, inner, st.sampled_from([-math.inf, math.inf]))
    between = st.floats(0.0, 1.0).map(lambda share: a + share * (b - a))
    inside = st.one_of(between, between, inner, near).filter(lambda x: a <= x < b)
    return np.array(draw(st.lists(inside, min_size=size, max_size=size)))


@st.composite
def points_anywhere(draw, row, size=6):
    """`size` points on and off a row: inside, at knots, one ulp beside, at both ends, outside and very far outside."""
    first, last = float(row[0]), float(row[-1])
    knot = st.sampled_from([float(t) for t in row])
    near = st.builds(math.nextafter, knot, st.sampled_from([-math.inf, math.inf]))
    between = st.floats(-0.1, 1.1).map(lambda share: first + share * (last - first))
    ends = st.sampled_from([first, last])
    far = st.sampled_from([1e300, -1e300, 1.7e308, first - 1.0, last + 1.0, 5e-324])
    return np.array(draw(st.lists(st.one_of(between, between, knot, near, ends, far), min_size=size, max_size=size)))


def coefficients(shape):
    """Arrays of numbers of size one, from a seed."""
    return st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).normal(size=shape))


# --- layers and networks


KINDS = ("uniform", "uneven", "repeated", "clamped")
BASES = ("silu", "identity", "zero")
SPLINE_ARRAYS = ("coef", "w_base", "w_spline")


def random_row(rng, n_intervals, degree, kind):
    """One knot vector (n_intervals + 2 degree + 1,) about 2 wide, not centred on 0; distances are 0 or not below some 0.05."""
    n_gaps = n_intervals + 2 * degree
    gaps = np.ones(n_gaps) if kind == "uniform" else rng.uniform(0.2, 1.0, n_gaps)
    if kind == "repeated":
        gaps[rng.random(n_gaps) < 0.3] = 0.0
    elif kind == "clamped":
        gaps[:degree], gaps[n_gaps - degree :] = 0.0, 0.0
    gaps[degree + rng.integers(n_intervals)] = 1.0  # [a, b] needs some width
    row = np.concatenate([[0.0], np.cumsum(gaps)])
    return 2.0 / gaps[degree : degree + n_intervals].sum() * (row - row[degree]) + rng.uniform(-1.3, -0.7)


def random_layer(rng, n_in, n_out, *, degree, n_intervals, kind=None, base=None, dead=0.2, silent=0.2):
    """A layer with all weights of size one, a share `dead` of edges masked and a share `silent` of splines with weight 0."""
    rows = [random_row(rng, n_intervals, degree, kind or rng.choice(KINDS)) for _ in range(n_in)]
    w_spline = rng.normal(size=(n_out, n_in))
    w_spline[rng.random((n_out, n_in)) < silent] = 0.0
    return Layer(
        knots=np.array(rows),
        coef=rng.normal(size=(n_out, n_in, n_intervals + degree)),
        w_base=rng.normal(size=(n_out, n_in)),
        w_spline=w_spline,
        mask=(rng.random((n_out, n_in)) >= dead).astype(float),
        degree=degree,
        base=base or str(rng.choice(BASES)),
    )


def random_network(rng, *, degrees=range(8), widths=None, kind=None, base=None, dead=0.2, silent=0.2):
    """A network of 1 to 3 layers of 1 to 4 nodes, each layer with a degree and a number of intervals of its own."""
    widths = widths or tuple(rng.integers(1, 5, rng.integers(2, 5)).tolist())
    layers = []
    for n_in, n_out in pairwise(widths):
        sizes = {"degree": int(rng.choice(list(degrees))), "n_intervals": int(rng.integers(1, 7))}
        layers.append(random_layer(rng, n_in, n_out, **sizes, kind=kind, base=base, dead=dead, silent=silent))
    return Network(tuple(layers))


SMOOTH_FUNCTIONS = ("x", "x^2", "sin", "tanh", "gaussian", "arctan", "sigmoid", "cosh", "logcosh")


def with_formulas(rng, network, share=0.5, locked=0.3):
    """`network` with a share of all its edges made formulas, active ones and masked; a share of these locked to one before."""
    layers = []
    for layer in network.layers:
        chosen = np.argwhere(rng.random(layer.mask.shape) < share)
        edges, rows = [], []
        for j, i in chosen.tolist():
            if edges and rng.random() < locked:
                other = edges[rng.integers(len(edges))]
                edges.append(SymbolicEdge(j, i, other.function, other.row))
            else:
                edges.append(SymbolicEdge(j, i, LIBRARY[str(rng.choice(SMOOTH_FUNCTIONS))], len(rows)))
                rows.append([rng.uniform(-0.4, 0.4), *rng.normal(size=3)])
        mask = layer.mask.copy()
        mask[tuple(chosen.T)] = 0.0
        layers.append(replace(layer, mask=mask, symbolic=edges, affine=np.array(rows).reshape(-1, 4)))
    return Network(tuple(layers))


def rescaled(rng, network, x, *, shifted=True):
    """(network, x) in other units: every input and hidden node from 1e-6 to 1e6, every output from 1e-12 to 1e12.

    `shifted` moves some inputs away from 0 by up to 50 units. Base weights are scaled as linear base functions would need it.
    """
    first = 10.0 ** rng.uniform(-6, 6, network.widths[0])
    shift = first * (rng.choice([0.0, 20.0, -50.0], len(first)) if shifted else 0.0)
    unit, offset, layers = first, shift, []
    for layer in network.layers:
        limit = 12 if layer is network.layers[-1] else 6
        new_unit = 10.0 ** rng.uniform(-limit, limit, layer.n_out)
        knots = layer.knots * unit[:, None] + offset[:, None]
        w_base = layer.w_base * new_unit[:, None] / np.maximum(unit, np.abs(offset))
        w_spline = layer.w_spline * new_unit[:, None]
        layers.append(replace(layer, knots=knots, w_base=w_base, w_spline=w_spline))
        unit, offset = new_unit, np.zeros_like(new_unit)
    return Network(tuple(layers)), x * first + shift


def random_batch(rng, layer, n_samples, at_knots=False):
    """Inputs (n_samples, n_in) of a layer: inside the grid, where the splines decay to zero, outside; `at_knots` puts some on knots."""
    first, last = layer.knots[:, 0], layer.knots[:, -1]
    x = first + rng.uniform(-0.15, 1.15, (n_samples, layer.n_in)) * (last - first)
    if at_knots:
        picked = np.array([rng.choice(row, n_samples) for row in layer.knots]).T
        x = np.where(rng.random(x.shape) < 0.3, picked, x)
    return x


def clear_samples(network, x, distance=1e-4):
    """The rows of x whose inputs and activations keep `distance` from every knot of every layer."""
    clear, at = np.ones(len(x), dtype=bool), x
    for layer in network.layers:
        clear &= (np.abs(at[:, :, None] - layer.knots) > distance).all(axis=(1, 2))
        at = Network((layer,))(at)
    return x[clear]


def perturbed(layer, step, directions):
    """`layer` with coef, w_base and w_spline moved by `step` along three directions."""
    names = ("coef", "w_base", "w_spline")
    moved = {name: getattr(layer, name) + step * direction for name, direction in zip(names, directions, strict=True)}
    return Layer(layer.knots, **moved, mask=layer.mask, degree=layer.degree, base=layer.base)


def parameter_directions(rng, layer):
    return tuple(rng.normal(size=getattr(layer, name).shape) for name in ("coef", "w_base", "w_spline"))


@contextlib.contextmanager
def contraction_by(way):
    """Every contraction inside the block "dense" or "gathered", whatever the shape of the layer."""
    with pytest.MonkeyPatch.context() as patch:
        gathered = property(lambda layer: way == "gathered")  # goes before the layer's own value
        patch.setattr(Layer, "gathered", gathered, raising=False)
        yield


WAYS = ("dense", "gathered")
seeds = st.integers(0, 2**32 - 1)


any_degree = st.integers(0, 7)
a_few = st.integers(1, 5)


@st.composite
def layer_cases(draw, degrees=any_degree, at_knots=True, n_samples=a_few):
    """(layer, x, rng): a random layer, a batch for it, and a generator for what else the test needs."""
    rng = np.random.default_rng(draw(seeds))
    layer = random_layer(
        rng,
        n_in=draw(st.integers(1, 3)),
        n_out=draw(st.integers(1, 3)),
        degree=draw(degrees),
        n_intervals=draw(st.integers(1, 6)),
        kind=draw(st.sampled_from(KINDS)),
        base=draw(st.sampled_from(BASES)),
    )
    return layer, random_batch(rng, layer, draw(n_samples), at_knots), rng


@st.composite
def network_cases(draw, degrees=range(8), n_samples=a_few):
    """(network, x, rng): a random network of 1 to 3 layers, a batch for it, and a generator."""
    rng = np.random.default_rng(draw(seeds))
    widths = tuple(draw(st.lists(st.integers(1, 4), min_size=2, max_size=4)))
    network = random_network(rng, degrees=degrees, widths=widths)
    return network, random_batch(rng, network.layers[0], draw(n_samples)), rng


@st.composite
def symbolic_cases(draw, degrees=range(2, 5), n_samples=a_few):
    """(network, x, rng): a random network with formulas, some of them locked, a batch for it, and a generator."""
    network, x, rng = draw(network_cases(degrees=degrees, n_samples=n_samples))
    network = with_formulas(rng, network, share=draw(st.sampled_from([0.2, 0.5, 1.0])))
    assume(np.isfinite(network.values(network.prepare(x))).all())  # cosh may overflow
    return network, x, rng


NAMES = tuple(name for name in LIBRARY if name != "0")


def formula_network(*layers, widths):
    """A network of formulas alone: for each layer edges as (output, input, name, affine).

    affine: (a, b, c, d), or the number of an edge before, to be locked to it.
    """
    blank = init_network(widths, n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))
    made = []
    for layer, edges in zip(blank.layers, layers, strict=True):
        symbolic, rows = [], []
        for j, i, name, affine in edges:
            row = symbolic[affine].row if isinstance(affine, int) else len(rows)
            symbolic.append(SymbolicEdge(j, i, LIBRARY[name], row))
            rows += [] if isinstance(affine, int) else [affine]
        made.append(
            replace(layer, mask=np.zeros_like(layer.mask), symbolic=symbolic, affine=np.array(rows, dtype=float))
        )
    return Network(tuple(made))


def two_sines(second=2.0, third=2.0):
    """x_1^2 + x_2^2 and x_3^2 + x_4^2 locked together, their sines locked or not."""
    square = (0.5, 0.1, 1.0, 0.25)
    squares = [(0, 0, "x^2", square), (0, 1, "x^2", 0), (1, 2, "x^2", 0), (1, 3, "x^2", 0)]
    sines = [(0, 0, "sin", (2.0, 0.1, 1.0, 0.0)), (0, 1, "sin", 0 if second is None else (second, 0.1, 1.0, 0.0))]
    return formula_network(squares, sines, [(0, 0, "exp", (third, 0.0, 1.0, 0.0))], widths=(4, 2, 1, 1))


def away_from_zero(rng, size=None):
    return rng.choice([-1.0, 1.0], size) * rng.uniform(0.3, 2.0, size)


def random_formulas(rng, widths, names=NAMES):
    """All edges formulas of any kind, none locked: the parameters are what matters, not where they have values."""
    layers = []
    for n_in, n_out in pairwise(widths):
        edges = []
        for j in range(n_out):
            for i in range(n_in):
                affine = [away_from_zero(rng), rng.normal(), away_from_zero(rng), rng.normal()]
                edges.append((j, i, str(rng.choice(names)), affine))
        layers.append(edges)
    return formula_network(*layers, widths=widths)


def hello_world(b=0.5):
    """2 exp(sin(pi x) + y^2 + 0.25 + b)."""
    inner = [(0, 0, "sin", (np.pi, 0.0, 1.0, 0.0)), (0, 1, "x^2", (1.0, 0.0, 1.0, 0.25))]
    return formula_network(inner, [(0, 0, "exp", (1.0, b, 2.0, 0.0))], widths=(2, 1, 1))


# --- objectives


def data_objective(network, x, targets, *, loss="mse", penalty=None, smoothness_weight=0.0, trainable=None):
    """The objective of a batch, as `fit` makes it."""
    terms = [DataTerm(LOSSES[loss], x, targets, network, penalty)]
    if smoothness_weight:
        terms.append(SmoothTerm(smoothness_weight, network))
    free = None if trainable is None else trainable_places(network, trainable)
    return Objective(network, terms, free)
