"""From an answer to a verdict: what is compared, how far off it is, and which known defect would answer just that.

An answer is right if in every output |got - expected| <= tolerance, shapes equal. Layers that come back are judged by their values at the
case's probe points, affine fits by their curve, initial layers by their moments.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.conformance import plain_layer
from kan_ref.conformance.cases import Case

FLOAT32 = 2.0**29  # epsilon of float32 in units of that of float64
SAME = 1e-6  # an answer is a defect's if it is this near to it, in units of the defect's own error

_ONE_OUTPUT = {
    "uniform_knots": "knots",
    "basis": "basis",
    "basis_derivative": "basis_derivative",
    "layer_forward": "y",
    "network_forward": "y",
    "input_jacobian": "jacobian",
    "input_hessian_diag": "hessian_diag",
    "count_parameters": "count",
}
_BETRAYED = {
    "n_intervals": "GridCount",
    "collapsed_rows": "ConstantFeature",
}  # integers that speak for themselves
_NOT_FINITE = (
    "RepeatedKnots",
    "SiluOverflow",
    "ZeroEdge",
    "ConstantFeature",
)  # defects that make nan or inf
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


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right; if not, where it is worst and which defects it fits.

    `ulp`: the worst error in units of the last place of the expected number, nan where that is 0. `relative`: the same in units of the
    output's largest number.
    """

    right: bool
    message: str = ""
    expected: str = ""
    got: str = ""
    ulp: float = float("nan")
    relative: float = float("nan")
    defects: tuple[str, ...] = field(default=())


def judge(case: Case, answer: Any, dtype: str = "float64") -> Verdict:
    """The verdict on a raw answer; whatever it is, nothing is raised."""
    try:
        with np.errstate(all="ignore"):
            got = read_outputs(case, answer)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError) as error:
        return Verdict(False, f"the answer cannot be read: {error}"[:400])
    factor = FLOAT32 if dtype == "float32" else 1.0
    worst: Verdict | None = None
    for output, expected in case.expected.items():
        value = got[output]
        if value is None:
            continue
        if isinstance(expected, int | str):
            if value != expected:
                defects = tuple(flag for flag in (_BETRAYED.get(output),) if flag)
                return Verdict(
                    False,
                    f"{output} is not the expected one",
                    repr(expected),
                    repr(value),
                    defects=defects,
                )
            continue
        verdict = _compare(output, np.asarray(expected), value, case.tolerance[output] * factor)
        if not verdict.right and (worst is None or not verdict.relative <= worst.relative):
            worst = verdict
    if worst is None:
        return Verdict(True)
    defects = tuple(
        mark.flag
        for mark in case.marks
        if _fits(case, mark.output, mark.index, mark.value, got, factor)
    )
    if not np.isfinite(
        np.concatenate([np.ravel(value) for value in got.values() if isinstance(value, np.ndarray)])
    ).all():
        defects = tuple(flag for flag in case.flags if flag in _NOT_FINITE)
    return Verdict(
        False, worst.message, worst.expected, worst.got, worst.ulp, worst.relative, defects
    )


def _compare(output: str, expected: FloatArray, got: FloatArray, tolerance: float) -> Verdict:
    if got.size == 0 and expected.size == 0:
        return Verdict(True)  # nested lists cannot tell (0, 2) from (0,)
    if got.shape != expected.shape:
        return Verdict(
            False,
            f"{output} has shape {got.shape}, but {expected.shape} was expected",
            _short(expected),
            _short(got),
            np.inf,
            np.inf,
        )
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
    message = f"{output}[{index}]: error {error.flat[place]:.3g}, tolerance {tolerance:.3g}; {int(wrong.sum())} of {wrong.size} numbers are off"
    return Verdict(False, message, repr(right), repr(found), ulp, relative)


def _short(array: FloatArray) -> str:
    return np.array2string(array, precision=6, threshold=8).replace("\n", "")


def _fits(
    case: Case, output: str, index: int, value: float, got: Mapping[str, Any], factor: float
) -> bool:
    """Whether the answer is that of a known defect."""
    answered = got.get(output)
    expected = np.asarray(case.expected[output])
    if answered is None or answered.shape != expected.shape:
        return False
    room = max(SAME * abs(value - float(expected.flat[index])), case.tolerance[output] * factor)
    return bool(abs(float(answered.flat[index]) - value) <= room)


# --- answers


def read_outputs(case: Case, answer: Any) -> dict[str, Any]:
    """The outputs of a case that are compared, from what the subject answered; None for a part that it does not offer."""
    method = case.method
    if method in _ONE_OUTPUT:
        return {_ONE_OUTPUT[method]: _numbers(answer)}
    if method in ("extend_grid", "update_grid"):
        return _moved_layer(case, plain_layer.read_layer(answer))
    if method == "initial_layer":
        return _moments(case, plain_layer.read_layer(answer))
    if method == "save_load":
        return plain_layer.read_layer(answer)
    if method == "prune":
        return _pruned(case, plain_layer.read_layers(answer, len(case.inputs["layers"])))
    if method == "edge_scores":
        if len(answer) != len(case.expected):
            raise ValueError(
                f"{len(answer)} arrays were answered, but {len(case.expected)} layers need one each"
            )
        return {str(n): _numbers(scores) for n, scores in enumerate(answer)}
    if not isinstance(answer, Mapping):
        raise TypeError(f"the answer is a {type(answer).__name__}, but must be a dict")
    if method == "node_scores":
        return {
            output: _hidden(answer, output, len(case.expected) // 2) for output in case.expected
        }
    if method == "fit_affine":
        return _fitted(case, answer)
    if method == "network_vjp":
        found = {"dx": _part(answer, "dx")}
        for n, layer in enumerate(answer["layers"]):
            found |= {f"{n}.{name}": _part(layer, name) for name in _GRADIENTS}
        return found
    return {output: _part(answer, output) for output in case.expected}


def _part(answer: Mapping[str, Any], name: str) -> FloatArray | None:
    if name not in answer:
        raise ValueError(f"the answer lacks {name!r} (give None for what is not offered)")
    return None if answer[name] is None else _numbers(answer[name])


def _hidden(answer: Mapping[str, Any], output: str, n_hidden: int) -> FloatArray | None:
    """One side's scores of one hidden layer: `output` is "0.incoming", ..."""
    layer, _, side = output.partition(".")
    if side not in answer:
        raise ValueError(f"the answer lacks {side!r} (give None for what is not offered)")
    if answer[side] is None:
        return None
    if len(answer[side]) != n_hidden:
        raise ValueError(
            f"{len(answer[side])} arrays were answered as {side!r}, but {n_hidden} hidden layers need one each"
        )
    return _numbers(answer[side][int(layer)])


def _numbers(value: Any) -> FloatArray:
    array = np.asarray(value)
    if array.dtype.kind not in "fiuO":
        raise TypeError(f"numbers of kind {array.dtype} were answered, but real ones are needed")
    return array.astype(np.float64)


def _moved_layer(case: Case, layer: Mapping[str, Any]) -> dict[str, Any]:
    grid = plain_layer.grid(layer)
    assert case.probe is not None
    return {
        "values": plain_layer.outputs(layer, case.probe),
        "n_intervals": int(grid.shape[1]) - 1,
        "collapsed_rows": int((~(grid[:, 0] < grid[:, -1])).sum()),
        "ends": grid[:, [0, -1]],
    }


def _pruned(case: Case, layers: list[dict[str, Any]]) -> dict[str, Any]:
    """How many nodes live, and the outputs, also without their mean: constants may have been folded or dropped."""
    y = plain_layer.network_outputs(layers, case.inputs["x"])
    return {"kept": plain_layer.count_active(layers), "values": y, "centred": y - y.mean(axis=0)}


def _moments(case: Case, layer: Mapping[str, Any]) -> dict[str, Any]:
    coef, w_base, w_spline = layer["coef"], layer["w_base"], layer["w_spline"]
    wanted = (
        case.inputs["n_out"],
        case.inputs["n_in"],
        case.inputs["n_intervals"] + case.inputs["degree"],
    )
    if coef.shape != wanted:
        raise ValueError(f"coef has shape {coef.shape}, but {wanted} was asked for")
    found = {
        "coef_mean": coef.mean(),
        "coef_std": coef.std(),
        "w_base_mean": w_base.mean(),
        "w_base_std": w_base.std(),
    }
    found |= {
        "w_base_largest": np.abs(w_base).max(),
        "w_spline_least": w_spline.min(),
        "w_spline_largest": w_spline.max(),
    }
    return {name: np.asarray(value) for name, value in found.items()}


def _fitted(case: Case, answer: Mapping[str, Any]) -> dict[str, Any]:
    a, b, c, d = (float(answer[name]) for name in "abcd")
    curve = _FORMULAS[case.inputs["name"]](a * case.inputs["x"] + b)
    # a curve without a value, and c = 0, is the constant d
    return {
        "values": c * curve + d if c else np.full_like(curve, d),
        "r2": np.asarray(float(answer["r2"])),
    }
