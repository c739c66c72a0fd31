"""From an answer to a verdict: whether it is right, and a fingerprint of what is wrong.

An answer is right if shapes agree and |got - expected| <= tolerance in every output.
The fingerprint of a wrong output is one number, by which the same wrong answer is known again:

    (C33)  sum_n cos(n^2) (got_n - expected_n),    n = 1, 2, ... in C order

Returned layers are represented by their values at the case's probe points, affine fits by their
curve, initial layers by their moments. Layers are evaluated with the basis functions of
`kan_ref.plain`: the package's own layer is a subject like all others.

An `Outcome` is a case with its verdict and its status in the run.
"""

from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass, field, replace
from itertools import pairwise
from reprlib import repr as short
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.conformance import calls
from kan_ref.conformance.cases import Case, printable
from kan_ref.plain import basis_and_slope

ARRAYS = ("knots", "coef", "w_base", "w_spline", "mask")
NULL = (
    'null (None) in an array is not a number: write "NaN", "Infinity" or "-Infinity", for which '
    "JSON.stringify of JavaScript writes null"
)
BASES = ("silu", "identity", "zero")
MOST_DEGREE = 50  # far above every case: values of a degree of 10^5 would take hours


def read_numbers(value: Any) -> FloatArray:
    """Return answered numbers as a float64 array; an error if there are others than real ones."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiuO":
        raise TypeError(f"the answer has dtype {array.dtype}, but needs real numbers")
    for item in array.flat if array.dtype.kind == "O" else ():
        if item is None:
            raise ValueError(NULL)
        if not hasattr(item, "__float__"):
            kind = type(item).__name__
            raise TypeError(f"the answer holds a value of type {kind}, but needs real numbers")
    return array.astype(np.float64)


def read_number(name: str, value: Any) -> float:
    """Return one answered number, or raise an error that names it."""
    array = read_numbers(value)
    if array.shape:
        raise ValueError(f"{name} has shape {array.shape}, but must be one number")
    return float(array)


def read_layer(answer: Any) -> dict[str, Any]:
    """Return an answered layer with float64 arrays that fit together, or raise an error."""
    if not isinstance(answer, Mapping):
        raise TypeError(
            f"the answer is a {type(answer).__name__}, but must be a layer: "
            f"a dict of {', '.join(ARRAYS)}, degree, base"
        )
    missing = [name for name in (*ARRAYS, "degree", "base") if name not in answer]
    if missing:
        raise ValueError(f"the answered layer lacks {', '.join(missing)}")
    layer = {name: read_numbers(answer[name]) for name in ARRAYS}
    degree, base = read_number("degree", answer["degree"]), answer["base"]
    if not degree.is_integer() or not 0 <= degree <= MOST_DEGREE:
        raise ValueError(
            f"the answered layer has degree {degree:g}, "
            f"but needs an integer from 0 to {MOST_DEGREE}"
        )
    degree = int(degree)
    if not isinstance(base, str) or base not in BASES:
        raise ValueError(
            f"the answered layer has base {short(base)}, but must have one of {', '.join(BASES)}"
        )
    if layer["coef"].ndim != 3 or layer["knots"].ndim != 2:
        raise ValueError(
            f"the answered layer has coef {layer['coef'].shape} and knots {layer['knots'].shape}: "
            "3 and 2 axes are needed"
        )
    n_out, n_in, n_basis = layer["coef"].shape
    for name in ("w_base", "w_spline", "mask"):
        if layer[name].shape != (n_out, n_in):
            raise ValueError(
                f"the answered layer has {name} {layer[name].shape}, "
                f"but coef {layer['coef'].shape} needs {(n_out, n_in)}"
            )
    if layer["knots"].shape != (n_in, n_basis + degree + 1):
        raise ValueError(
            f"the answered layer has knots {layer['knots'].shape}, but {n_basis} basis functions "
            f"of degree {degree} on {n_in} inputs need {(n_in, n_basis + degree + 1)}"
        )
    return {**layer, "degree": degree, "base": base}


def read_layers(answer: Any, n_layers: int) -> list[dict[str, Any]]:
    """Return answered layers that fit together, or raise an error."""
    if not isinstance(answer, Sequence) or len(answer) != n_layers:
        length = f" of {len(answer)}" if isinstance(answer, Sized) else ""
        raise ValueError(
            f"a list of {n_layers} layers is needed, "
            f"but a {type(answer).__name__}{length} was answered"
        )
    layers = [read_layer(layer) for layer in answer]
    for number, (before, after) in enumerate(pairwise(layers)):
        if len(before["coef"]) != len(after["knots"]):
            n_out, n_in = len(before["coef"]), len(after["knots"])
            raise ValueError(
                f"answered layer {number} has {n_out} outputs, "
                f"but layer {number + 1} has {n_in} inputs"
            )
    return layers


def layer_outputs(layer: Mapping[str, Any], x: FloatArray) -> FloatArray:
    """Return the outputs (n, n_out) of a layer that `read_layer` has read."""
    base = {"silu": x / (1.0 + np.exp(-x)), "identity": x, "zero": np.zeros_like(x)}[layer["base"]]
    basis, _ = basis_and_slope(x, layer["knots"], layer["degree"])
    spline_weights = (layer["mask"] * layer["w_spline"])[:, :, None] * layer["coef"]
    y: FloatArray = np.einsum("bim,jim->bj", basis, spline_weights)
    y += base @ (layer["mask"] * layer["w_base"]).T
    return y


def network_outputs(layers: Sequence[Mapping[str, Any]], x: FloatArray) -> FloatArray:
    """Return the outputs (n, n_out) of layers in sequence."""
    for layer in layers:
        x = layer_outputs(layer, x)
    return x


def count_active(layers: Sequence[Mapping[str, Any]]) -> FloatArray:
    """Count the nodes of each hidden layer that have a nonzero incoming and outgoing edge."""
    nonzero = []
    for layer in layers:
        curved = (layer["w_spline"] != 0.0) & (layer["coef"] != 0.0).any(axis=2)
        nonzero.append(
            (layer["mask"] != 0.0)
            & (curved | ((layer["w_base"] != 0.0) & (layer["base"] != "zero")))
        )
    return np.array(
        [
            float((before.any(axis=1) & after.any(axis=0)).sum())
            for before, after in pairwise(nonzero)
        ]
    )


def grid(layer: Mapping[str, Any]) -> FloatArray:
    """Return the breakpoints in [a, b], (n_in, n_intervals + 1)."""
    knots: FloatArray = layer["knots"]
    return knots[:, layer["degree"] : knots.shape[1] - layer["degree"]]


_ONE_OUTPUT = {
    "uniform_knots": "knots",
    "basis": "basis",
    "basis_derivative": "basis_derivative",
    "layer_forward": "y",
    "network_forward": "y",
    "input_jacobian": "jacobian",
    "input_hessian_diag": "hessian_diag",
    "count_parameters": "count",
    "adam_steps": "theta",
    "gradient_steps": "theta",
    "family_basis": "basis",
    "family_forward": "y",
}
ROUNDING = 1e-12  # of the larger end of a grid
USUAL_SIGMA = 0.1  # of initial coefficients, unless the answer states another
_GRADIENTS = ("d_coef", "d_w_base", "d_w_spline")
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


def read_outputs(case: Case, answer: Any) -> dict[str, Any]:
    """Return the outputs of a case that are compared, from the answer of the subject.

    An output that the subject does not offer is None. ValueError or TypeError if the answer has
    another form than the method requires, or offers no output at all.
    """
    found = _outputs(case, answer)
    if all(found[output] is None for output in case.expected):
        raise ValueError(
            "every part of the answer is None: a method that is not supported raises "
            "NotImplementedError, or answers unsupported"
        )
    return found


def _outputs(case: Case, answer: Any) -> dict[str, Any]:
    if answer is None:
        raise ValueError(calls.NOTHING)
    if case.call:
        if isinstance(answer, str):
            raise ValueError(answer)
        return {calls.CHECKS[case.call]: int(answer)}
    method = case.method
    if method in _ONE_OUTPUT:
        return {_ONE_OUTPUT[method]: read_numbers(answer)}
    if method in ("extend_grid", "update_grid"):
        return _moved_layer(case, read_layer(answer))
    if method == "initial_layer":
        layer = read_layer(answer)
        sigma = read_number("sigma", answer.get("sigma", USUAL_SIGMA))
        if not 0.0 < sigma < np.inf:
            raise ValueError(f"sigma is {sigma:g}, but must be a positive number")
        found = _moments(case, {**layer, "sigma": sigma})
        numbers = np.concatenate([layer[name].ravel() for name in ARRAYS])
        finite = int(np.isfinite(numbers).all())
        masked = int((layer["mask"] == 0.0).sum())
        return {
            **found,
            "breakpoints": grid(layer),
            "finite": finite,
            "masked": masked,
        }
    if method == "save_load":
        return read_layer(answer)
    if method == "prune":
        return _pruned(case, read_layers(answer, len(case.inputs["layers"])))
    if method == "edge_scores":
        scores = _sequence("the answer", answer, len(case.expected))
        return {str(n): read_numbers(array) for n, array in enumerate(scores)}
    if not isinstance(answer, Mapping):
        raise TypeError(calls.no_dict(answer))
    if method == "node_scores":
        return {
            output: _hidden(answer, output, len(case.expected) // 2) for output in case.expected
        }
    if method == "fit_affine":
        return _fitted(case, answer)
    if method == "network_vjp":
        found = {"dx": _part(answer, "dx")}
        if "layers" not in answer:
            raise ValueError("the answer lacks 'layers'")
        layers = _sequence("'layers' of the answer", answer["layers"], len(case.inputs["layers"]))
        for n, layer in enumerate(layers):
            if not isinstance(layer, Mapping):
                raise TypeError(f"layer {n} of the answer is {short(layer)}, but must be a dict")
            found |= {f"{n}.{name}": _part(layer, name) for name in _GRADIENTS}
        return found
    return {output: _part(answer, output) for output in case.expected}


def _sequence(name: str, value: Any, length: int, kind: str = "layers") -> Sequence[Any]:
    """Return a value that is a list with one array or dict for each layer."""
    if isinstance(value, str) or not (
        isinstance(value, Sequence) or (isinstance(value, np.ndarray) and value.ndim)
    ):
        raise TypeError(f"{name} is {short(value)}, but must be a list")
    if len(value) != length:
        raise ValueError(f"{name} has {len(value)} entries, but {length} {kind} need one each")
    return list(value)


def _part(answer: Mapping[str, Any], name: str) -> FloatArray | None:
    if name not in answer:
        raise ValueError(f"the answer lacks {name!r} (give None for what is not supported)")
    return None if answer[name] is None else read_numbers(answer[name])


def _hidden(answer: Mapping[str, Any], output: str, n_hidden: int) -> FloatArray | None:
    """Return one side's scores of one hidden layer; `output` is "0.incoming" and the like."""
    layer, _, side = output.partition(".")
    if side not in answer:
        raise ValueError(f"the answer lacks {side!r} (give None for what is not supported)")
    if answer[side] is None:
        return None
    scores = _sequence(f"{side!r} of the answer", answer[side], n_hidden, "hidden layers")
    return read_numbers(scores[int(layer)])


def _moved_layer(case: Case, layer: Mapping[str, Any]) -> dict[str, Any]:
    grids = grid(layer)
    assert case.probe is not None
    return {
        "values": layer_outputs(layer, case.probe),
        "n_intervals": int(grids.shape[1]) - 1,
        "collapsed_rows": int((~(grids[:, 0] < grids[:, -1])).sum()),
        "ends": grids[:, [0, -1]],
        "breakpoints": grids,
        "outside": _n_outside(grids, case.inputs["x"]),
    }


def _n_outside(grid: FloatArray, x: FloatArray) -> int:
    """Return how many samples lie beyond the ends of their input's grid, by more than rounding."""
    low, high = grid[:, 0], grid[:, -1]
    room = ROUNDING * np.maximum(np.abs(low), np.abs(high))
    return int((~((x >= low - room) & (x <= high + room))).sum())


def _pruned(case: Case, layers: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the number of active nodes of each hidden layer, the outputs, and the centred outputs.

    Implementations may keep the mean of a removed node as a constant or drop it.
    """
    y = network_outputs(layers, case.inputs["x"])
    return {"kept": count_active(layers), "values": y, "centred": y - y.mean(axis=0)}


def _moments(case: Case, layer: Mapping[str, Any]) -> dict[str, Any]:
    coef, w_base, w_spline = layer["coef"], layer["w_base"], layer["w_spline"]
    wanted = (
        case.inputs["n_out"],
        case.inputs["n_in"],
        case.inputs["n_intervals"] + case.inputs["degree"],
    )
    if coef.shape != wanted:
        raise ValueError(f"coef has shape {coef.shape}, but {wanted} was requested")
    sigma = layer["sigma"]
    found = {
        "coef_mean": coef.mean() * USUAL_SIGMA / sigma,
        "coef_std": coef.std() * USUAL_SIGMA / sigma,
        "w_base_mean": w_base.mean(),
        "w_base_std": w_base.std(),
        "w_spline_least": w_spline.min(),
        "w_spline_largest": w_spline.max(),
    }
    return {name: np.asarray(value) for name, value in found.items()}


def _fitted(case: Case, answer: Mapping[str, Any]) -> dict[str, Any]:
    missing = [name for name in (*"abcd", "r2") if name not in answer]
    if missing:
        raise ValueError(f"the answer lacks {', '.join(missing)}")
    a, b, c, d, r2 = (read_number(name, answer[name]) for name in (*"abcd", "r2"))
    curve = _FORMULAS[case.inputs["name"]](a * case.inputs["x"] + b)
    # with c = 0 the fit is the constant d, even where f has no finite value
    return {
        "values": c * curve + d if c else np.full_like(curve, d),
        "r2": np.asarray(r2),
    }


FLOAT32 = 2.0**29  # epsilon of float32 in units of that of float64


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right; if not, its largest error and its fingerprints.

    `ulp`: the largest error in units of the last place of the expected number, nan where that is 0.
    `relative`: the same error in units of the output's largest number.

    `kind`: "" if right, "values", "not finite" or "shape" if wrong, "unreadable" if it has another
    form, or what came instead of an answer: "raises", "no answer", "not asked".
    `prints`: fingerprints of the wrong outputs, nan where numbers are not finite or there are none.
    `single`: whether all numbers are float32 numbers, which right ones are not.
    """

    right: bool
    message: str = ""
    expected: str = ""
    got: str = ""
    ulp: float = float("nan")
    relative: float = float("nan")
    kind: str = ""
    prints: Mapping[str, float] = field(default_factory=dict)
    single: bool = False


def judge(case: Case, answer: Any, dtype: str = "float64") -> Verdict:
    """Return the verdict on a raw answer of any kind; no exception is raised."""
    try:
        with np.errstate(all="ignore"):
            got = read_outputs(case, answer)
    except Exception as error:  # an object that a subject made may raise anything when it is read
        text = printable(f"the answer cannot be read: {error or type(error)}")
        return Verdict(False, text, kind="unreadable")
    if dtype == "float32":  # a number of nodes is right in both
        wide = {name: FLOAT32 * room for name, room in case.tolerance.items() if name != "kept"}
        case = replace(case, tolerance={**case.tolerance, **wide})
    worst: Verdict | None = None
    prints: dict[str, float] = {}
    for output, expected in case.expected.items():
        value = got[output]
        if value is None:
            continue
        if isinstance(expected, int | str):
            if value == expected:
                continue
            message = f"{output} is not the expected one"
            return Verdict(
                False, message, repr(expected), repr(value), kind="values", prints={output: np.nan}
            )
        if value.shape == _listed(expected):
            got[output] = value = value.reshape(np.shape(expected))
        verdict = _compare(output, np.asarray(expected), value, case.tolerance[output])
        if verdict.right:
            continue
        if verdict.kind == "shape":
            return verdict
        prints[output] = fingerprint(np.asarray(expected), value)
        if worst is None or not verdict.relative <= worst.relative:
            worst = verdict
    if worst is None:
        return Verdict(True)
    finite = all(
        bool(np.isfinite(value).all()) for value in got.values() if isinstance(value, np.ndarray)
    )
    return replace(
        worst,
        kind="values" if finite else "not finite",
        prints=prints,
        single=_is_single(case, got),
    )


def fingerprint(expected: FloatArray, got: FloatArray) -> float:
    """Return the fingerprint (C33) of a wrong array, nan if it is not finite in float32."""
    with np.errstate(all="ignore"):
        found = np.cos(np.arange(1.0, got.size + 1.0) ** 2) @ (got - expected).ravel()
        return float(found) if np.isfinite(np.float32(found)) else np.nan


def _listed(expected: Any) -> tuple[int, ...]:
    """Return the shape that nested lists show of an array: no axes after one of length 0."""
    shape: tuple[int, ...] = np.shape(expected)
    return shape[: shape.index(0) + 1] if 0 in shape else shape


def _is_single(case: Case, got: Mapping[str, Any]) -> bool:
    """Return whether all numbers are those of float32, which the right ones are not."""
    arrays = {name: value for name, value in got.items() if isinstance(value, np.ndarray)}
    with np.errstate(all="ignore"):
        alike = {name: value == value.astype(np.float32) for name, value in arrays.items()}
        right = {name: np.asarray(case.expected[name]) for name in arrays if name in case.expected}
        more = any((value != value.astype(np.float32)).any() for value in right.values())
    return more and all(each.all() for each in alike.values())


def _compare(output: str, expected: FloatArray, got: FloatArray, tolerance: float) -> Verdict:
    if got.shape != expected.shape:
        return Verdict(
            False,
            f"{output} has shape {got.shape}, but {expected.shape} was expected",
            _short(expected),
            _short(got),
            np.inf,
            np.inf,
            kind="shape",
        )
    if not expected.size:
        return Verdict(True)
    with np.errstate(all="ignore"):
        error = np.abs(got - expected)
        wrong = ~(error <= tolerance)
        if not wrong.any():
            return Verdict(True)
        place = int(np.argmax(np.where(np.isnan(error), np.inf, error)))
        right, found = float(expected.flat[place]), float(got.flat[place])
        ulp = float(error.flat[place] / np.spacing(abs(right))) if right else float("nan")
        size = float(np.abs(expected).max()) or 1.0
        relative = float(error.flat[place]) / size
    index = ", ".join(str(int(n)) for n in np.unravel_index(place, expected.shape))
    message = (
        f"{output}[{index}]: error {error.flat[place]:.3g}, tolerance {tolerance:.3g}; "
        f"{int(wrong.sum())} of {wrong.size} numbers are wrong"
    )
    return Verdict(False, message, repr(right), repr(found), ulp, relative, kind="values")


def _short(array: FloatArray) -> str:
    return np.array2string(array, precision=6, threshold=8).replace("\n", "")


RIGHT = ("passed", "xpassed")
GOOD = (*RIGHT, "differs")  # no fault of the subject
BAD = ("failed", "blocked")


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
    verdict: Verdict = Verdict(True)
