"""The measurements, the same for every library: each returns numbers, None if the library does not offer it, or the error that it raised."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import kan_ref as kr
from benchmarks.equivalence import subject
from benchmarks.equivalence.library import Library
from kan_ref.checks import FloatArray
from kan_ref.network.refinement import move_layer

SEEDS = range(8)
WIDE = 32  # edges of one layer in statistics of initial numbers: 32 x 32 for each seed
DEGREES = (0, 1, 2, 3, 5)


def measure(library: Library) -> dict[str, Any]:
    """Return a library's column of the record, as plain data."""
    questions: dict[str, Callable[[Library], Any]] = {
        "versions": lambda one: one.versions(),
        "forward": forward,
        "sum of bases": sum_of_bases,
        "degrees": degrees,
        "knots": knots,
        "arrays": arrays,
        "parameters": parameters,
        "masked edge": masked_edge,
        "first numbers": first_numbers,
        "base scales": lambda one: one.base_scales(),
        "beside": lambda one: one.side_effects(),
        "update": update,
        "extend": extend,
        "least squares": least_squares,
        "penalties": penalties,
        "scores": scores,
        "prune": prune,
        "r2": r2,
    }
    with library.session(), np.errstate(all="ignore"):
        return {name: plain(offered(partial(ask, library))) for name, ask in questions.items()}


def offered(ask: Callable[[], Any]) -> Any:
    """Return the result, or None if the library does not offer it."""
    try:
        return ask()
    except NotImplementedError:
        return None


def outcome(ask: Callable[[], Any]) -> Any:
    """Return the result, or the kind of error: what a library raises is a result too."""
    try:
        return ask()
    except Exception as error:
        return type(error).__name__


def plain(value: Any) -> Any:
    """Return arrays as lists, numbers as Python's, and numbers that are not finite as words, which
    JSON can hold.
    """
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(part) for part in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else str(float(value))
    return value


def change(old: FloatArray, new: FloatArray) -> float:
    """Return the largest change, in units of the largest old value."""
    return float(np.abs(new - old).max() / np.abs(old).max())


def _points() -> FloatArray:
    return np.array(list(subject.POINTS.values()))


def _model(library: Library, layer: kr.Layer) -> Any:
    return library.network(kr.Network((layer,)))


def forward(library: Library) -> dict[str, Any]:
    """Return values of the layer at the points, and their largest difference from kan_ref's over
    the three outputs.
    """
    x, layer = _points(), subject.layer()
    y = library.values(_model(library, layer), x)
    apart = np.abs(y - kr.Network((layer,))(x)).max(axis=1)
    return {
        "values": dict(zip(subject.POINTS, y, strict=True)),
        "apart": dict(zip(subject.POINTS, apart, strict=True)),
    }


def sum_of_bases(library: Library) -> dict[str, Any]:
    """Return the sum of the basis functions at some x, and at 0.3 with a double knot 0.2."""
    model = _model(library, subject.sum_layer())
    found = {
        f"{x:g}": library.values(model, np.array([[x]]))[0, 0]
        for x in (0.2, 1.0, 1.3, 1.8, 2.2, 3.0)
    }
    twice = _model(library, subject.sum_layer(subject.double_knot_row()))
    return found | {"double knot": library.values(twice, np.array([[0.3]]))[0, 0]}


def degrees(library: Library) -> dict[str, Any]:
    """Return the sum of the basis functions of a degree at 0.3, or the error."""

    def ask(degree: int) -> float:
        return float(
            library.values(_model(library, subject.sum_layer(degree=degree)), np.array([[0.3]]))[
                0, 0
            ]
        )

    return {str(degree): outcome(partial(ask, degree)) for degree in DEGREES}


def knots(library: Library) -> dict[str, Any]:
    """Return the difference of the library's knot vector from the exact one."""
    exact = np.array(
        [
            (2 * place - subject.N_INTERVALS) / subject.N_INTERVALS
            for place in range(-subject.DEGREE, 9)
        ]
    )
    return {
        name: np.abs(library.fresh_knots(double=double) - exact).max()
        for name, double in (("float64", True), ("as it comes", False))
    }


def arrays(library: Library) -> dict[str, Any]:
    """Return names and shapes."""
    return {
        name: list(array.shape)
        for name, array in library.arrays(_model(library, subject.layer())).items()
    }


def parameters(library: Library) -> dict[str, Any]:
    """Return the counts for the layer's shape and for [2, 5, 1]."""
    return {
        str(list(widths)): library.counts(widths, subject.N_INTERVALS, subject.DEGREE)
        for widths in ((2, 3), (2, 5, 1))
    }


def masked_edge(library: Library) -> float:
    """Return the largest derivative with respect to a number of the masked edge."""
    return library.masked_slope(_model(library, subject.layer()), subject.samples(), subject.MASKED)


def first_numbers(library: Library) -> dict[str, Any]:
    """Return mean and standard deviation of all initial numbers, over the seeds, for two grids."""
    found: dict[str, Any] = {}
    for n_intervals in (5, 50):
        drawn = [library.initial(WIDE, WIDE, n_intervals, seed) for seed in SEEDS]
        stacked = {name: np.stack([one[name] for one in drawn]) for name in drawn[0]}
        found[str(n_intervals)] = {
            name: {"mean": part.mean(), "std": part.std(), "max": part.max()}
            for name, part in stacked.items()
        }
    return found


def update(library: Library) -> dict[str, Any]:
    """Return the effects of the grid update, by cases of layer and samples.

    "change": of the outputs at the samples; "kan_ref": of kan_ref's when it moves to the very same grids, None if these have no width;
    "grid": of the first input.
    """
    skewed, still = subject.samples(0.8, 1.5), subject.samples(0.8, 1.5)
    still[:, 0] = 0.3
    cases = {
        "narrower": (subject.layer(), skewed),
        "narrower, cubic curves": (subject.cubic_layer(), skewed),
        "wider": (subject.layer(), subject.samples(1.5)),
        "constant input": (subject.cubic_layer(), still),
    }
    return {name: _moved(library, layer, x) for name, (layer, x) in cases.items()}


def _moved(library: Library, layer: kr.Layer, x: FloatArray) -> dict[str, Any]:
    model = _model(library, layer)
    before = library.values(model, x)
    model = library.update(model, x)
    grid = library.breakpoints(model)
    found = {"grid": grid[0], "change": change(before, library.values(model, x)), "kan_ref": None}
    if np.isfinite(grid).all() and (np.diff(grid, axis=1) > 0).all():
        ours = kr.Network((move_layer(layer, kr.bspline.extended_knots(grid, layer.degree), x),))
        found["kan_ref"] = change(before, ours(x))
    return found


def extend(library: Library) -> dict[str, Any]:
    """Return the effects of a finer grid, by cases of samples: the change at the samples and over
    the whole old grid.
    """
    everywhere = subject.samples()
    found = {}
    for name, n_intervals, x in (
        ("5 to 10", 10, everywhere),
        ("5 to 7", 7, everywhere),
        ("5 to 10, right half", 10, np.abs(everywhere)),
    ):
        model = _model(library, subject.layer())
        before = library.values(model, x), library.values(model, everywhere)
        model = library.extend(model, x, n_intervals)
        found[name] = {
            "at the samples": change(before[0], library.values(model, x)),
            "everywhere": change(before[1], library.values(model, everywhere)),
            "grid": library.breakpoints(model)[0],
        }
    return found


def least_squares(library: Library) -> dict[str, float]:
    """Return the residuals of solvers, in units of the curve, for a curve that can be fitted
    exactly while some basis functions have no samples.
    """
    a, b = subject.half_supported()
    return {name: change(b, a @ solution) for name, solution in library.least_squares(a, b).items()}


def penalties(library: Library) -> dict[str, Any]:
    """Return (l1, entropy) by rule, of several layers."""
    x = subject.samples()
    cases = {
        "layer": (subject.layer(), x),
        "without zeros": (subject.without_zero_edge(), x),
        "one edge": (subject.single_edge(), x[:, 1:]),
        "one constant edge": (subject.sum_layer(), x[:, :1]),
        "one sample": (subject.layer(), x[:1]),
    }
    return {
        name: library.penalties(_model(library, layer), points)
        for name, (layer, points) in cases.items()
    }


def scores(library: Library) -> dict[str, FloatArray]:
    """Return edge scores by rule."""
    return library.edge_scores(_model(library, subject.layer()), subject.samples())


def prune(library: Library) -> dict[str, Any]:
    """Return the hidden nodes that stay, and the change of the output."""
    network, x = subject.pruning_network(), subject.samples()[:, :1]
    return {
        name: {"kept": kept, "change": float(np.abs(library.values(smaller, x) - network(x)).max())}
        for name, (kept, smaller) in library.prune(library.network(network), x).items()
    }


def r2(library: Library) -> dict[str, float]:
    """Return R2 of sines: by amplitude, of few samples, and of a fast one."""
    found = {f"{size:g} sin(3x)": library.r2(*subject.sine(size)) for size in subject.AMPLITUDES}
    few = {"0.0001 sin(3x), 41 samples": library.r2(*subject.sine(1e-4, n=41))}
    return found | few | {"sin(12x)": library.r2(*subject.sine(1.0, 12.0))}
