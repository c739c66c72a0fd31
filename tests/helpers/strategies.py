"""What Hypothesis draws for B-splines: knot vectors of every kind, and points where conventions matter."""

import math
import os

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

KINDS = ("uniform", "clamped", "uneven", "wild", "repeated")
SMOOTH_KINDS = ("uniform", "clamped", "uneven")
LARGEST_DEGREE = 7

# the share of the random cases that tests draw by themselves, by profile (tests/conftest.py)
SHARE = {"few": 0.2, "dev": 0.4, "ci": 1.0, "explore": 1.0}[
    os.environ.get("HYPOTHESIS_PROFILE", "dev")
]


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
    return st.tuples(sides, middle, sides).map(
        lambda parts: [gap for part in parts for gap in part]
    )


@st.composite
def knot_rows(draw, degree, n_intervals=None, kinds=KINDS):
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
def knot_arrays(draw, degree, kinds=KINDS, n_intervals=None, largest_n_in=3):
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
    return np.array(
        draw(
            st.lists(
                st.one_of(between, between, knot, near, ends, far), min_size=size, max_size=size
            )
        )
    )


def coefficients(shape):
    """Arrays of numbers of size one, from a seed."""
    return st.integers(0, 2**32 - 1).map(
        lambda seed: np.random.default_rng(seed).normal(size=shape)
    )
