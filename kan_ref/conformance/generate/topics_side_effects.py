"""Cases about what a call does besides its answer.

The arguments are those of small usual cases; `call` says how the method is called. The check of a
call is the only expected output, and must be 1: arguments that stay as they were, a second answer
equal to the first, a first answer that a later call leaves alone, answers that do not depend on the
order of arrays in memory, nan that is shown, and answers that are the same from two threads. The
numbers themselves are not compared, so that no other defect fails these cases.
"""

from collections.abc import Mapping
from typing import Any

from kan_ref.conformance.generate.encode import array, case, layer_array, topic
from kan_ref.conformance.generate.layer_case import make_layer, points
from kan_ref.conformance.generate.network_case import make_network, network_arguments
from kan_ref.conformance.generate.topics_grid_extension import even_samples, polynomial_layer_of_all
from kan_ref.conformance.generate.topics_knots import uneven_row, uniform_knots

Called = tuple[str, Mapping[str, Any]]  # a method and its encoded arguments

FLAGS = {
    "arguments": ("ArgumentsChanged", "arguments_kept"),
    "twice": ("StateKept", "second_equal"),
    "kept": ("BufferReused", "first_kept"),
    "fortran": ("MemoryOrder", "fortran_equal"),
    "strided": ("MemoryOrder", "strided_equal"),
    "nan": ("NaNSwallowed", "nan_shown"),
    "threads": ("ThreadUnsafe", "threads_equal"),
}


_OF_NETWORKS = ("jacobian", "hessian", "edge-scores", "node-scores", "penalties")
_SINCE_3 = ("basis-steps", "steps")
_ELSE = ("derivative", "fit", "save", "adam", "descent")
# calls of older methods since version 4
_SINCE_4 = {
    *("pruning-twice", "network-gradient-kept", "extension-fortran", "network-gradient-strided"),
    *("update-strided", "extension-strided", "network-gradient-nan"),
}


def side_effects() -> dict[str, Any]:
    """Return the cases of calls whose side effects are checked."""
    usual = {**_evaluations(), **_changes(), **_steps(), **_without_samples()}
    outside = _outside(usual)
    usual |= outside
    every = ("basis", "layer", "gradient", "network", "network-gradient")
    wanted = {
        "arguments": (
            *(*every, "identity", "update", "extension", "pruning", *_OF_NETWORKS),
            *(*_ELSE, *outside),
        ),
        "twice": (*every, "update", "extension", "pruning", *_OF_NETWORKS),
        "kept": (
            "basis",
            "layer",
            "gradient",
            "network",
            "network-gradient",
            "identity",
            *_OF_NETWORKS,
        ),
        "fortran": ("layer", "gradient", "network-gradient", "update", "extension", *_OF_NETWORKS),
        "strided": (*every, "update", "extension", *_OF_NETWORKS),
        "nan": (
            *("basis", "layer", "splines", "gradient", "network", "basis-steps", "steps"),
            *("network-gradient", "jacobian", "hessian"),
        ),
        "threads": ("layer", "gradient", "network-gradient"),
    }
    cases = []
    for call, names in wanted.items():
        flag, check = FLAGS[call]
        for name in names:
            method, arguments = usual[name]
            one = case(
                f"{name}-{call}",
                method,
                flag,
                arguments,
                {check: 1},
                {check: 0.0},
                float32=False,
                since=_since(name, call),
            )
            cases.append({**one, "call": call})
    return topic(
        "side_effects",
        level=6,
        needs=[],
        equation="none: a method is a function of its arguments",
        cases=cases,
    )


def _since(name: str, call: str) -> int:
    if name in _ELSE or name.endswith("-outside"):
        return 5
    if name in (*_OF_NETWORKS, "identity") or f"{name}-{call}" in _SINCE_4:
        return 4
    return 3 if name in _SINCE_3 else 2


def _evaluations() -> dict[str, Called]:
    """Return calls of basis functions, a layer, a network, and their gradients."""
    knots = uniform_knots(-1.0, 1.0, 4, 3)
    layer = make_layer("side", 3, 2, [knots, uneven_row(knots, 3)], 3)
    splines = make_layer("side-zero", 2, 2, [knots, knots], 3, base="zero")
    layers = make_network("side-network", (2, 2, 1))
    x, dy = points("side", 3, 2), points("side-dy", 3, 3, -2.0, 2.0)
    at, up = points("side-network", 3, 2), points("side-network-dy", 3, 1, -2.0, 2.0)
    few = {"x": array([0.125, -0.375, 1.25]), "knots": array(knots), "degree": 3}
    here = {"layer": layer_array(layer), "x": array(x)}
    return {
        "basis": ("basis", few),
        "layer": ("layer_forward", here),
        "identity": ("layer_forward", here | {"layer": layer_array(layer | {"base": "identity"})}),
        "splines": ("layer_forward", {"layer": layer_array(splines), "x": array(x)}),
        "gradient": ("layer_vjp", here | {"dy": array(dy)}),
        "network": ("network_forward", network_arguments(layers, at)),
        "network-gradient": ("network_vjp", network_arguments(layers, at, dy=up)),
        "jacobian": ("input_jacobian", network_arguments(layers, at)),
        "hessian": ("input_hessian_diag", network_arguments(layers, at)),
        "edge-scores": ("edge_scores", network_arguments(layers, at)),
        "node-scores": ("node_scores", network_arguments(layers, at)),
        "penalties": ("penalties", network_arguments(layers, at)),
    }


def _outside(usual: Mapping[str, Called]) -> dict[str, Called]:
    """Return calls of layers and networks with samples inside the grid, and far outside it."""
    found: dict[str, Called] = {}
    for name, (method, arguments) in usual.items():
        shape = arguments.get("x", {"shape": []})["shape"]
        if len(shape) == 2 and name not in ("identity", "splines", "steps"):
            wide = array(points("side-outside", shape[0], 2, -4.0, 4.0))
            found[f"{name}-outside"] = (method, {**arguments, "x": wide})
    return found


def _without_samples() -> dict[str, Called]:
    """Return calls of methods that take no samples of a layer."""
    knots = uniform_knots(-1.0, 1.0, 4, 3)
    layer = make_layer("side", 3, 2, [knots, uneven_row(knots, 3)], 3)
    theta, slopes = [0.5, -1.25, 2.0], [[1.5, -0.25, 0.75], [-0.5, 2.0, 1.0]]
    given = {"theta": array(theta), "gradients": array(slopes), "learning_rate": array(0.125)}
    usual = {"beta1": array(0.9), "beta2": array(0.999), "epsilon": array(1e-8)}
    at = [-1.0, -0.5, 0.25, 0.5, 1.0, 1.5]
    few = {"x": array([0.125, -0.375, 1.25, -3.0]), "knots": array(knots), "degree": 3}
    curve = {"x": array(at), "y": array([(u + 0.5) ** 2 + 0.25 for u in at]), "name": "x^2"}
    return {
        "derivative": ("basis_derivative", few | {"order": 1}),
        "fit": ("fit_affine", curve),
        "save": ("save_load", {"layer": layer_array(layer)}),
        "adam": ("adam_steps", given | usual),
        "descent": ("gradient_steps", given),
    }


def _steps() -> dict[str, Called]:
    """Return calls with degree 0, whose comparisons give 0 for nan and not nan."""
    knots = uniform_knots(-1.0, 1.0, 4, 0)
    layer = make_layer("side-steps", 2, 2, [knots, knots], 0, base="zero")
    x = points("side-steps", 3, 2)
    few = {"x": array([0.125, -0.375, 0.75]), "knots": array(knots), "degree": 0}
    return {
        "basis-steps": ("basis", few),
        "steps": ("layer_forward", {"layer": layer_array(layer), "x": array(x)}),
    }


def _changes() -> dict[str, Called]:
    """Return calls that give other layers: an updated and a finer grid, and a pruned network."""
    knots = uniform_knots(-1.0, 1.0, 4, 3)
    layer = polynomial_layer_of_all([knots, knots], 2, [[1.0, 0.0], [1.0, 1.0]])
    x = array([[0.5 * a, -0.75 * b] for a, b in even_samples(40, 2, -1.0, 1.0)])
    given = {"layer": layer_array(layer), "x": x}
    layers = make_network("side-pruned", (2, 3, 1))
    layers[1]["mask"] = [[1.0, 0.0, 1.0]]
    weak = network_arguments(layers, points("side-pruned", 4, 2))
    return {
        "update": ("update_grid", given | {"uniform_share": array(1.0), "margin": array(0.0)}),
        "extension": ("extend_grid", given | {"n_intervals": 8}),
        "pruning": ("prune", weak | {"threshold": array(2.0**-4)}),
    }
