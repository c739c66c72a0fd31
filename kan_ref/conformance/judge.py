"""From an answer to a verdict: read the answer, take from it what is compared, compare.

An answer is right if every output has its shape, and |got - expected| <= tolerance. What is
compared is mostly the answer itself. But different numbers can be the same function, so of a layer
with a moved grid it is the values at the case's probe points, of pruned layers their outputs, of an
affine fit its curve; and of a random layer its moments. Layers are evaluated with the basis
functions of `kan_ref.plain`: the package's own layer is a subject like all others.

The fingerprint of a wrong output is one number, by which `name` knows the same wrong answer again:

    (C33)  sum_n cos(n^2) (got_n - expected_n),    n = 1, 2, ... in C order
"""

from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass, field, replace
from itertools import pairwise
from reprlib import repr as short
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.conformance.cases import Case, printable
from kan_ref.plain import basis_and_slope

FLOAT32 = 2.0**29  # epsilon of float32 in units of that of float64
RIGHT = ("passed", "xpassed")
BAD = ("failed", "blocked")
NOTHING = (
    "the answer is None: a method that is not supported raises NotImplementedError, or answers "
    "unsupported"
)


@dataclass(frozen=True)
class Verdict:
    """What is wrong with an answer.

    `kind`: "" if it is right; "values", "not finite" or "shape" if numbers are wrong; "unreadable"
    if it has another form; or what came instead of an answer: "raises", "no answer", "not asked".
    `expected` and `got`: the two numbers with the largest error, or the two arrays of other shape.
    `relative`: that error in units of the output's largest number, nan where there is none.
    `prints`: fingerprints of the wrong outputs, nan where numbers are not finite or there are none.
    `single`: whether all numbers are float32 numbers, which right ones are not.
    """

    kind: str = ""
    message: str = ""
    expected: str = ""
    got: str = ""
    relative: float = np.nan
    prints: Mapping[str, float] = field(default_factory=dict)
    single: bool = False


@dataclass(frozen=True, eq=False)
class Outcome:
    """One case and its result.

    `status`: "passed"; "failed"; "skipped" (not supported, or not in this precision); "differs"
    (where the contract leaves the answer open); "xfailed", "xpassed" (listed as failing); "blocked"
    (failed after a topic on which it depends). `reason`: the status in words.
    """

    case: Case
    status: str
    reason: str = ""
    verdict: Verdict = Verdict()


# --- the comparison


def judge(case: Case, answer: Any, dtype: str = "float64") -> Verdict:
    """Return the verdict on a raw answer of any kind; no exception is raised."""
    with np.errstate(all="ignore"):
        try:
            got = read_outputs(case, answer)
        except Exception as error:  # an object of a subject may raise anything when it is read
            text = printable(f"the answer cannot be read: {error or type(error)}")
            return Verdict("unreadable", text)
        return _compared(case, got, dtype)


def _compared(case: Case, got: Mapping[str, Any], dtype: str) -> Verdict:
    """Compare all outputs; report the one with the largest error of those that are wrong."""
    worst = Verdict()
    prints: dict[str, float] = {}
    for output in [name for name in case.expected if got[name] is not None]:
        expected, found = case.expected[output], got[output]
        if isinstance(expected, int | str):
            if found != expected:
                words = f"{output} is not the expected one", repr(expected), repr(found)
                return Verdict("values", *words, prints={output: np.nan})
            continue
        right = np.asarray(expected)
        if found.shape not in (right.shape, _listed(right.shape)):
            message = f"{output} has shape {found.shape}, but {right.shape} was expected"
            return Verdict("shape", message, _few(right), _few(found), np.inf)
        # the number of nodes that a pruned network keeps needs no wider tolerance
        wider = FLOAT32 if dtype == "float32" and output != "kept" else 1.0
        found, tolerance = found.reshape(right.shape), case.tolerance[output] * wider
        error = np.abs(found - right)
        n_wrong = int((~(error <= tolerance)).sum())
        if not n_wrong:
            continue
        prints[output] = fingerprint(right, found)
        place = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)), right.shape)
        relative = float(error[place] / (np.abs(right).max() or 1.0))
        if not worst.kind or not relative <= worst.relative:
            message = (
                f"{output}[{', '.join(map(str, place))}]: error {error[place]:.3g}, tolerance "
                f"{tolerance:.3g}; {n_wrong} of {right.size} numbers are wrong"
            )
            numbers_there = repr(float(right[place])), repr(float(found[place]))
            worst = Verdict("values", message, *numbers_there, relative)
    if not worst.kind:
        return worst
    arrays = [np.asarray(one) for one in got.values() if isinstance(one, np.ndarray | np.floating)]
    finite = all(np.isfinite(array).all() for array in arrays)
    wanted = [np.asarray(case.expected[name]) for name in got if name in case.expected]
    single = all(map(_is_single, arrays)) and not all(map(_is_single, wanted))
    return replace(worst, kind="values" if finite else "not finite", prints=prints, single=single)


def fingerprint(expected: FloatArray, got: FloatArray) -> float:
    """Return the fingerprint (C33) of a wrong array, nan if it is not finite in float32."""
    found = np.cos(np.arange(1.0, got.size + 1.0) ** 2) @ (got - expected).ravel()
    return float(found) if np.isfinite(np.float32(found)) else np.nan


def _listed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that nested lists show of an array: no axes after one of length 0."""
    return shape[: shape.index(0) + 1] if 0 in shape else shape


def _is_single(array: FloatArray) -> bool:
    return bool((array == array.astype(np.float32)).all())


def _few(array: FloatArray) -> str:
    return np.array2string(array, precision=6, threshold=8).replace("\n", "")


# --- what is compared


def read_outputs(case: Case, answer: Any) -> dict[str, Any]:
    """Return the outputs of a case that are compared; one that the subject does not offer is None.

    An error if the answer has another form than the method requires, or offers no output at all.
    """
    if answer is None:
        raise ValueError(NOTHING)
    if case.call:  # 1 or 0, or why an answer could not be read
        if isinstance(answer, str):
            raise ValueError(answer)
        return dict.fromkeys(case.expected, int(answer))
    if case.method in _READERS:
        return _READERS[case.method](case, answer)
    n_layers = len({output.partition(".")[0] for output in case.expected} - {"dx"})
    count = n_layers, "hidden layers" if case.method == "node_scores" else "layers"
    found = {output: part(answer, _path(case, output), count) for output in case.expected}
    if all(one is None for one in found.values()):
        raise ValueError(f"every part of the answer is None; {NOTHING}")
    return found


def _path(case: Case, output: str) -> tuple[str | int, ...]:
    """Return the keys and places in lists at which the numbers of an output stand in the answer."""
    layer, _, name = output.rpartition(".")
    if case.method == "edge_scores":
        return (int(output),)
    if case.method == "node_scores":
        return name, int(layer)
    if layer:
        return "layers", int(layer), name
    return () if len(case.expected) == 1 else (output,)


def _moved(case: Case, answer: Any) -> dict[str, Any]:
    layer, x = read_layer(answer), case.inputs["x"]
    assert case.probe is not None
    grid = breakpoints(layer)
    low, high = grid[:, 0], grid[:, -1]
    rounding = 1e-12 * np.maximum(np.abs(low), np.abs(high))
    return {
        "values": layer_outputs(layer, case.probe),
        "n_intervals": grid.shape[1] - 1,
        "collapsed_rows": int((~(low < high)).sum()),
        "ends": grid[:, [0, -1]],
        "breakpoints": grid,
        "outside": int((~((x >= low - rounding) & (x <= high + rounding))).sum()),
    }


def _pruned(case: Case, answer: Any) -> dict[str, Any]:
    layers, y = read_layers(answer, len(case.inputs["layers"])), case.inputs["x"]
    for layer in layers:
        y = layer_outputs(layer, y)
    # the mean of a removed node may be kept as a constant or dropped: then `centred` is asked
    return {"kept": count_active(layers), "values": y, "centred": y - y.mean(axis=0)}


USUAL_SIGMA = 0.1  # of initial coefficients, unless the answer states another


def _drawn(case: Case, answer: Any) -> dict[str, Any]:
    layer, asked = read_layer(answer), case.inputs
    coef, w_base, w_spline = layer["coef"], layer["w_base"], layer["w_spline"]
    sigma = _number("sigma", answer.get("sigma", USUAL_SIGMA))
    if not 0.0 < sigma < np.inf:
        raise ValueError(f"sigma is {sigma:g}, but must be a positive number")
    wanted = asked["n_out"], asked["n_in"], asked["n_intervals"] + asked["degree"]
    if coef.shape != wanted:
        raise ValueError(f"coef has shape {coef.shape}, but {wanted} was requested")
    return {
        "coef_mean": coef.mean() * USUAL_SIGMA / sigma,
        "coef_std": coef.std() * USUAL_SIGMA / sigma,
        "w_base_mean": w_base.mean(),
        "w_base_std": w_base.std(),
        "w_spline_least": w_spline.min(),
        "w_spline_largest": w_spline.max(),
        "breakpoints": breakpoints(layer),
        "finite": int(all(np.isfinite(layer[name]).all() for name in ARRAYS)),
        "masked": int((layer["mask"] == 0.0).sum()),
    }


_FORMULAS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "x": lambda u: u,
    "x^2": lambda u: u * u,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "tanh": np.tanh,
    "gaussian": lambda u: np.exp(-u * u),
}


def _fitted(case: Case, answer: Any) -> dict[str, Any]:
    a, b, c, d, r2 = (_number(name, part(answer, (name,))) for name in (*"abcd", "r2"))
    curve = _FORMULAS[case.inputs["name"]](a * case.inputs["x"] + b)
    # with c = 0 the fit is the constant d, even where f has no finite value
    return {"values": c * curve + d if c else np.full_like(curve, d), "r2": np.asarray(r2)}


_READERS: dict[str, Callable[[Case, Any], dict[str, Any]]] = {
    "extend_grid": _moved,
    "update_grid": _moved,
    "prune": _pruned,
    "initial_layer": _drawn,
    "fit_affine": _fitted,
    "save_load": lambda _, answer: read_layer(answer),
}

# --- numbers


def numbers(value: Any) -> FloatArray:
    """Return answered numbers as a new float64 array; an error if any is not a real number."""
    array = np.asarray(value)
    items = list(array.flat) if array.dtype.kind == "O" else []  # such as integers above 2^64
    if any(item is None for item in items):
        raise ValueError(
            'null (None) in an array is not a number: write "NaN", "Infinity" or "-Infinity", for '
            "which JSON.stringify of JavaScript writes null"
        )
    if array.dtype.kind not in "fiuO" or not all(hasattr(item, "__float__") for item in items):
        raise TypeError(f"{short(value)} has dtype {array.dtype}, but real numbers are needed")
    return array.astype(np.float64)


def _number(name: str, value: Any) -> float:
    array = numbers(value)
    if array.shape:
        raise ValueError(f"{name} has shape {array.shape}, but must be one number")
    return float(array)


def part(
    answer: Any, path: Sequence[str | int], count: tuple[int, str] = (0, "layers")
) -> FloatArray | None:
    """Return the numbers at keys and places, in lists with one entry for each of what `count` says.

    None if it, or what it is in, is None: the subject does not offer it.
    """
    name = "the answer"
    for step in path:
        if answer is None:
            return None
        if isinstance(step, int):
            if not isinstance(answer, list | tuple | np.ndarray):
                raise TypeError(f"{name} is {short(answer)}, but must be a list")
            if len(answer) != count[0]:
                needed = f"{count[0]} {count[1]} need one each"
                raise ValueError(f"{name} has {len(answer)} entries, but {needed}")
        elif not isinstance(answer, Mapping):
            raise TypeError(f"{name} is {short(answer)}, but must be a dict")
        elif step not in answer:
            raise ValueError(f"{name} lacks {step!r} (give None for what is not supported)")
        name, answer = f"{step!r} of {name}", answer[step]
    return None if answer is None else numbers(answer)


def plain(value: Any) -> Any:
    """Return a copy of an answer that needs no other library: dicts, lists, text and arrays."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    try:
        return numbers(value)
    except Exception:
        if isinstance(value, list | tuple):
            return [plain(item) for item in value]
        raise


# --- layers

ARRAYS = ("knots", "coef", "w_base", "w_spline", "mask")
BASES = ("silu", "identity", "zero")
MOST_DEGREE = 50  # far above every case: values of a degree of 10^5 would take hours


def read_layer(answer: Any) -> dict[str, Any]:
    """Return an answered layer with float64 arrays that fit together, or raise an error."""
    keys = (*ARRAYS, "degree", "base")
    if not isinstance(answer, Mapping) or any(key not in answer for key in keys):
        raise ValueError(f"{short(answer)} is no layer, a dict of {', '.join(keys)}")
    layer = {name: numbers(answer[name]) for name in ARRAYS}
    degree, base, coef = _number("degree", answer["degree"]), answer["base"], layer["coef"]
    if degree not in range(MOST_DEGREE + 1):
        raise ValueError(f"degree is {degree:g}, but must be an integer from 0 to {MOST_DEGREE}")
    if not isinstance(base, str) or base not in BASES:
        raise ValueError(f"base is {short(base)}, but must be one of {', '.join(BASES)}")
    if coef.ndim != 3:
        raise ValueError(f"coef has shape {coef.shape}, but needs (n_out, n_in, n_basis)")
    n_out, n_in, n_basis = coef.shape
    needed = dict.fromkeys(ARRAYS[2:], (n_out, n_in))
    for name, shape in {**needed, "knots": (n_in, n_basis + int(degree) + 1)}.items():
        if layer[name].shape != shape:
            given = f"coef {coef.shape} of degree {degree:g}"
            raise ValueError(f"{name} has shape {layer[name].shape}, but {given} needs {shape}")
    return {**layer, "degree": int(degree), "base": base}


def read_layers(answer: Any, n_layers: int) -> list[dict[str, Any]]:
    """Return answered layers that fit together, or raise an error."""
    if not isinstance(answer, Sequence) or len(answer) != n_layers:
        given = type(answer).__name__ + (f" of {len(answer)}" if isinstance(answer, Sized) else "")
        raise ValueError(f"a list of {n_layers} layers is needed, but a {given} was answered")
    layers = [read_layer(layer) for layer in answer]
    for n, (before, after) in enumerate(pairwise(layers)):
        n_out, n_in = len(before["coef"]), len(after["knots"])
        if n_out != n_in:
            raise ValueError(
                f"answered layer {n} has {n_out} outputs, but layer {n + 1} has {n_in} inputs"
            )
    return layers


def breakpoints(layer: Mapping[str, Any]) -> FloatArray:
    """Return the knots in [a, b], (n_in, n_intervals + 1)."""
    knots: FloatArray = layer["knots"]
    return knots[:, layer["degree"] : knots.shape[1] - layer["degree"]]


def layer_outputs(layer: Mapping[str, Any], x: FloatArray) -> FloatArray:
    """Return y_j = sum_i mask_ji (w_base_ji b(x_i) + w_spline_ji sum_m coef_jim B_m(x_i))."""
    base = {"silu": x / (1.0 + np.exp(-x)), "identity": x, "zero": np.zeros_like(x)}[layer["base"]]
    basis, _ = basis_and_slope(x, layer["knots"], layer["degree"])
    curves = (layer["mask"] * layer["w_spline"])[:, :, None] * layer["coef"]
    y: FloatArray = np.einsum("bim,jim->bj", basis, curves)
    y += base @ (layer["mask"] * layer["w_base"]).T
    return y


def count_active(layers: Sequence[Mapping[str, Any]]) -> FloatArray:
    """Count the nodes of each hidden layer that have a nonzero incoming and outgoing edge."""
    nonzero = [
        (layer["mask"] != 0.0)
        & (
            ((layer["w_spline"] != 0.0) & (layer["coef"] != 0.0).any(axis=2))
            | ((layer["w_base"] != 0.0) & (layer["base"] != "zero"))
        )
        for layer in layers
    ]
    both = [before.any(axis=1) & after.any(axis=0) for before, after in pairwise(nonzero)]
    return np.array([float(active.sum()) for active in both])
