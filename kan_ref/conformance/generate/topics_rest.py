"""Cases about penalties, edge scores, affine fits, counts, initial draws and files.

    (X7)  score_ji = (1/N) sum_b |phi_ji(x_bi)|,   l1 = sum over layers of sum_ji score_ji
    (X8)  entropy = sum over layers of -sum_ji p_ji log p_ji,   p_ji = score_ji / sum score,   0 log 0 = 0

Liu et al. 2024, eqs. 2.17-2.20; section 2.2 for the initial draws (coefficients of standard deviation 0.1, w_spline 1, w_base Xavier).
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from kan_ref.conformance.generate.backward import flow
from kan_ref.conformance.generate.encode import array, case, layer_array, topic
from kan_ref.conformance.generate.exact import Layer, Number, context, edge_terms, precise, sizes, total
from kan_ref.conformance.generate.topics_bases import uniform_row
from kan_ref.conformance.generate.topics_layers import Case, Rows, filled, make_layer, points
from kan_ref.conformance.generate.topics_networks import make_network

SUMS = 1e-12


def _scores(layer: Layer, x: Rows, *, base: bool = True) -> list[list[Number]]:
    """(X7) for one layer."""
    seen = layer if base else layer | {"base": "zero"}
    n_out, n_in, _ = sizes(layer)
    n = len(x)
    return [[total(abs(total(edge_terms(seen, j, i, precise(row[i])))) for row in x) / n for i in range(n_in)] for j in range(n_out)]


def _entropy(scores: Sequence[Sequence[Number]]) -> Number:
    flat = [score for line in scores for score in line]
    whole = total(flat)
    return -total(p * context().log(p) for p in (score / whole for score in flat if whole) if p)


def _deviation(values: Sequence[Number], lost: int = 1) -> Number:
    mean = total(values) / len(values)
    return context().sqrt(total((v - mean) ** 2 for v in values) / max(1, len(values) - lost))


def _spreads(layer: Layer, x: Rows) -> list[list[Number]]:
    """Standard deviations of edges, where (X7) has mean magnitudes."""
    n_out, n_in, _ = sizes(layer)
    return [[_deviation([total(edge_terms(layer, j, i, precise(row[i]))) for row in x], 0) for i in range(n_in)] for j in range(n_out)]


def _deviations(layer: Layer, x: Rows) -> Number:
    """The l1 of a layer as pykan has it: standard deviations over samples of edges, by those of their inputs plus 0.1."""
    n_out, n_in, _ = sizes(layer)

    return total(
        _deviation([total(edge_terms(layer, j, i, precise(row[i]))) for row in x])
        / (_deviation([precise(row[i]) for row in x]) + context().mpf("0.1"))
        for j in range(n_out)
        for i in range(n_in)
    )


def _networks() -> tuple[tuple[str, str, list[Layer], Rows], ...]:
    row = uniform_row(-1.0, 1.0, 4, 3)
    constant = make_layer(
        "constant", 1, 2, [row, row], 3, coef=[[[7.0] * 7, [-3.0] * 7]], w_base=filled(0.0, 1, 2), w_spline=filled(1.0, 1, 2)
    )
    signs = make_layer("signs", 1, 1, [row], 3, w_base=[[1.5]], w_spline=[[0.0]])
    masked = make_layer("m", 2, 2, [row, row], 3, mask=[[1.0, 0.0], [1.0, 1.0]])
    weightless = make_layer("weightless", 2, 2, [row, row], 3, w_base=[[0.0, 1.0], [1.0, 0.5]], w_spline=[[0.0, 1.0], [-1.0, 2.0]])
    nothing = make_layer("nothing", 2, 2, [row, row], 3, mask=filled(0.0, 2, 2))
    return (
        ("one-layer", "L1Mean EntropyBase", [make_layer("p", 2, 2, [row, row], 3)], points("p-one", 4, 2)),
        ("one-edge", "L1Mean L1Deviation", [make_layer("p1", 1, 1, [row], 3)], points("p-edge", 3, 1)),
        ("constants", "L1Deviation", [constant], points("p-constant", 4, 2)),
        ("base-alone", "L1WithoutBase", [signs], [[-0.5], [0.75], [2.0]]),
        ("both-signs", "L1Mean", [make_layer("p-signs", 1, 2, [row, row], 3)], [[-0.875, 0.5], [0.875, -0.5], [0.125, 0.25]]),
        ("dead-edge", "ZeroEdge MissingMask", [masked], points("p-mask", 4, 2)),
        ("weightless-edge", "ZeroEdge", [weightless], points("p-weightless", 3, 2)),
        ("dead-layer", "ZeroEdge", [nothing], points("p-nothing", 3, 2)),
        ("two-layers", "PenaltyOneLayer PenaltyInputs", make_network("p-two", (2, 3, 1)), points("p-two", 3, 2)),
        ("square-layers", "PenaltyInputs PenaltyOneLayer", make_network("p-square", (2, 2, 2)), points("p-square", 3, 2)),
        ("one-sample", "BatchOfOne L1Deviation", make_network("p-single", (2, 2, 1)), points("p-single", 1, 2)),
    )


def penalties() -> dict[str, Any]:
    """penalties(layers, x) -> {"l1", "entropy"}."""
    cases: list[Case] = []
    for name, flags, layers, x in _networks():
        inputs = flow(layers, x)[:-1]
        by_layer = [_scores(layer, at) for layer, at in zip(layers, inputs, strict=True)]
        l1, entropy = (total(map(value, by_layer)) for value in (_sum, _entropy))
        splines = [_scores(layer, at, base=False) for layer, at in zip(layers, inputs, strict=True)]
        wrong: dict[str, Any] = {
            "L1WithoutBase": {"l1": total(map(_sum, splines))},
            "L1Deviation": {"l1": total(_deviations(layer, at) for layer, at in zip(layers, inputs, strict=True))},
            "EntropyBase": {"entropy": entropy / context().log(2)},
        }
        if len(layers) > 1:
            wrong["PenaltyOneLayer"] = {"l1": _sum(by_layer[-1]), "entropy": _entropy(by_layer[-1])}
        if len(layers) > 1 and len({sizes(layer)[1] for layer in layers}) == 1:
            same = [_scores(layer, x) for layer in layers]
            wrong["PenaltyInputs"] = {"l1": total(map(_sum, same)), "entropy": total(map(_entropy, same))}
        tolerance = {"l1": SUMS * max(1.0, float(l1)), "entropy": SUMS * max(1.0, float(entropy))}
        expected = {"l1": array(l1), "entropy": array(entropy)}
        cases.append(case(name, "penalties", flags, _arguments(layers, x), expected, tolerance, wrong=list(wrong.items())))
    return topic("penalties", level=5, needs=["network_forward"], equation="Liu et al. 2024, eqs. 2.17-2.20", cases=cases)


def scores() -> dict[str, Any]:
    """edge_scores(layers, x) -> [(n_out, n_in), ...]."""
    cases: list[Case] = []
    for name, flags, layers, x in _networks():
        inputs = flow(layers, x)[:-1]
        right = {f"{n}": _scores(layer, at) for n, (layer, at) in enumerate(zip(layers, inputs, strict=True))}
        splines = {f"{n}": _scores(layer, at, base=False) for n, (layer, at) in enumerate(zip(layers, inputs, strict=True))}
        spread = {f"{n}": _spreads(layer, at) for n, (layer, at) in enumerate(zip(layers, inputs, strict=True))}
        wrong = [("L1WithoutBase", splines), ("L1Deviation", spread)]
        tolerance = {n: SUMS * max(1.0, float(_sum(found))) for n, found in right.items()}
        told = " ".join(flag for flag in flags.split() if flag not in ("EntropyBase", "PenaltyOneLayer")) or "L1Mean"
        expected = {n: array(found) for n, found in right.items()}
        cases.append(case(name, "edge_scores", told, _arguments(layers, x), expected, tolerance, wrong=wrong))
    return topic("edge_scores", level=5, needs=["network_forward"], equation="Liu et al. 2024, eq. 2.17", cases=cases)


def _sum(found: Sequence[Sequence[Number]]) -> Number:
    return total(value for line in found for value in line)


def _arguments(layers: Sequence[Layer], x: Rows) -> dict[str, Any]:
    return {"layers": [layer_array(layer) for layer in layers], "x": array([list(row) for row in x])}


# --- formulas


def affine_fits() -> dict[str, Any]:
    """fit_affine(x, y, name) -> {"a", "b", "c", "d", "r2"}, judged by c f(a x + b) + d at x and by r2."""
    mp = context()
    told: tuple[tuple[str, str, str, Callable[[Any], Any], tuple[float, ...], tuple[float, float]], ...] = (
        ("sine", "AffineFit", "sin", mp.sin, (3.0, 0.5, 2.0, -1.0), (-1.0, 1.0)),
        ("fast-sine", "AffineWide", "sin", mp.sin, (12.0, 0.25, 1.5, 0.5), (-1.0, 1.0)),
        ("small-sine", "R2Offset", "sin", mp.sin, (3.0, 0.0, 1e-4, 0.0), (-1.0, 1.0)),
        ("square", "AffineFit", "x^2", lambda u: u * u, (1.0, 0.5, 1.0, 0.25), (-1.0, 1.0)),
        ("exponential", "AffineFit", "exp", mp.exp, (-1.5, 0.0, 2.0, 1.0), (-1.0, 1.0)),
        ("large-exponential", "AffineFit R2Offset", "exp", mp.exp, (2.0, 0.0, 1e6, -1e5), (-1.0, 1.0)),
        ("tanh", "AffineFit", "tanh", mp.tanh, (2.0, -0.5, 1.5, 0.25), (-2.0, 2.0)),
        ("logarithm", "AffineFit", "log", mp.log, (1.5, 2.0, 1.0, 0.5), (-1.0, 1.0)),
        ("root", "AffineFit", "sqrt", mp.sqrt, (1.0, 1.5, -2.0, 1.0), (-1.0, 1.0)),
        ("gaussian", "AffineFit", "gaussian", lambda u: mp.exp(-u * u), (2.0, 0.5, 1.0, 0.0), (-1.0, 1.0)),
        ("far-line", "AffineFit", "x", lambda u: u, (2.0, -3.0, 1.0, 0.0), (100.0, 101.0)),
    )
    cases: list[Case] = []
    for name, flags, function, f, (a, b, c, d), (low, high) in told:
        x = [low + (high - low) * n / 64 for n in range(65)]
        y = [float(c * f(a * precise(at) + b) + d) for at in x]
        expected = {"values": array(y), "r2": array(1.0)}
        tolerance = {"values": 1e-6 * (max(y) - min(y)), "r2": 1e-9}
        arguments = {"x": array(x), "y": array(y), "name": function}
        cases.append(case(name, "fit_affine", flags, arguments, expected, tolerance, float32=False))
    x = [n / 16 for n in range(-16, 17)]
    arguments = {"x": array(x), "y": array([2.5] * len(x)), "name": "sin"}
    constant = case(
        "constant", "fit_affine", "ConstantTarget", arguments, {"values": array([2.5] * len(x))}, {"values": 1e-9}, float32=False
    )
    equation = "Liu et al. 2024, section 2.5.1"
    return topic("fit_affine", level=2, needs=[], equation=equation, cases=[*cases, constant])


# --- counts, draws, files


def counts() -> dict[str, Any]:
    """count_parameters(widths, n_intervals, degree) -> int: coef, w_base and w_spline of every edge."""
    cases: list[Case] = []
    for widths, n_intervals, degree in (((2, 5, 1), 5, 3), ((1, 1), 1, 0), ((4, 2, 1, 1), 10, 3), ((2, 1, 1), 200, 5), ((3, 7, 2), 3, 1)):
        edges = sum(n_in * n_out for n_in, n_out in pairwise(widths))
        right = edges * (n_intervals + degree + 2)
        arguments = {"widths": list(widths), "n_intervals": n_intervals, "degree": degree}
        wrong = {"CountBases": {"count": edges * (n_intervals + 2)}, "CountWeights": {"count": edges * (n_intervals + degree)}}
        name = f"{'-'.join(map(str, widths))}-G{n_intervals}-k{degree}"
        cases.append(
            case(
                name,
                "count_parameters",
                "CountBases CountWeights",
                arguments,
                {"count": array(right)},
                {"count": 0.0},
                wrong=list(wrong.items()),
            )
        )
    return topic("count_parameters", level=1, needs=[], equation="Liu et al. 2024, section 2.3", cases=cases)


def initial_draws() -> dict[str, Any]:
    """initial_layer(n_in, n_out, n_intervals, degree, seed) -> layer: moments, six standard errors wide; the draws are free."""
    cases: list[Case] = []
    for n_in, n_out, n_intervals, seed in ((40, 50, 5, 0), (40, 50, 5, 1), (10, 160, 20, 0), (160, 10, 3, 2)):
        n, n_coef = n_in * n_out, n_in * n_out * (n_intervals + 3)
        bound = math.sqrt(6.0 / (n_in + n_out))
        deviation = bound / math.sqrt(3.0)
        parts = {
            "InitCoef": {"coef_mean": (0.0, 0.6 / math.sqrt(n_coef)), "coef_std": (0.1, 0.6 / math.sqrt(2 * n_coef))},
            "InitWBase": {
                "w_base_mean": (0.0, 6 * deviation / math.sqrt(n)),
                "w_base_std": (deviation, 6 * deviation * math.sqrt(0.2 / n)),
                "w_base_largest": (bound, 0.012 * bound),
            },
            "InitWSpline": {"w_spline_least": (1.0, 0.0), "w_spline_largest": (1.0, 0.0)},
        }
        for flag, moments in parts.items():
            arguments = {"n_in": n_in, "n_out": n_out, "n_intervals": n_intervals, "degree": 3, "seed": seed}
            expected = {output: array(value) for output, (value, _) in moments.items()}
            tolerance = {output: room for output, (_, room) in moments.items()}
            name = f"{flag.lower()}-{n_in}-to-{n_out}-seed-{seed}"
            cases.append(case(name, "initial_layer", flag, arguments, expected, tolerance, float32=False))
    return topic("initial_layer", level=1, needs=[], equation="Liu et al. 2024, section 2.2", cases=cases)


def files() -> dict[str, Any]:
    """save_load(layer) -> layer, bit for bit."""
    row = uniform_row(-1.0, 1.0, 5, 3)
    awkward = [[[1 / 3, 5e-324, 1e300, -1e-300, 0.1, -2 / 7, 2.0**-1022, 1.0 + 2.0**-52]]]
    told = (
        ("plain", make_layer("s", 2, 3, [row] * 3, 3, mask=[[1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])),
        ("awkward-numbers", make_layer("s-awkward", 1, 1, [row], 3, coef=awkward, w_base=[[-1 / 3]])),
        ("identity-base", make_layer("s-identity", 1, 2, [row, row], 3, base="identity")),
        ("degree-0", make_layer("s-0", 2, 1, [uniform_row(0.0, 0.7, 3, 0)], 0, base="zero")),
    )
    arrays = ("knots", "coef", "w_base", "w_spline", "mask")
    cases = []
    for name, layer in told:
        expected = {output: array(layer[output]) for output in arrays} | {"degree": layer["degree"], "base": layer["base"]}
        cases.append(
            case(name, "save_load", "RoundTrip", {"layer": layer_array(layer)}, expected, dict.fromkeys(arrays, 0.0), float32=False)
        )
    return topic("save_load", level=1, needs=[], equation="none: what is saved is what comes back", cases=cases)
