"""The outputs of an answer that are compared with the expected ones, for each method.

Returned layers are represented by their values at the case's probe points, affine fits by their
curve, initial layers by their moments.
"""

from collections.abc import Callable, Mapping, Sequence
from reprlib import repr as short
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.conformance import calls, plain_layer
from kan_ref.conformance.cases import Case
from kan_ref.conformance.plain_layer import read_number, read_numbers

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
        return _moved_layer(case, plain_layer.read_layer(answer))
    if method == "initial_layer":
        layer = plain_layer.read_layer(answer)
        sigma = read_number("sigma", answer.get("sigma", USUAL_SIGMA))
        if not 0.0 < sigma < np.inf:
            raise ValueError(f"sigma is {sigma:g}, but must be a positive number")
        found = _moments(case, {**layer, "sigma": sigma})
        numbers = np.concatenate([layer[name].ravel() for name in plain_layer.ARRAYS])
        finite = int(np.isfinite(numbers).all())
        masked = int((layer["mask"] == 0.0).sum())
        return {
            **found,
            "breakpoints": plain_layer.grid(layer),
            "finite": finite,
            "masked": masked,
        }
    if method == "save_load":
        return plain_layer.read_layer(answer)
    if method == "prune":
        return _pruned(case, plain_layer.read_layers(answer, len(case.inputs["layers"])))
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
    grid = plain_layer.grid(layer)
    assert case.probe is not None
    return {
        "values": plain_layer.outputs(layer, case.probe),
        "n_intervals": int(grid.shape[1]) - 1,
        "collapsed_rows": int((~(grid[:, 0] < grid[:, -1])).sum()),
        "ends": grid[:, [0, -1]],
        "breakpoints": grid,
        "outside": _n_outside(grid, case.inputs["x"]),
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
