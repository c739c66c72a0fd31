"""Kolmogorov-Arnold networks in NumPy: every formula as array code, every gradient derived by hand and checked.

Importing this package loads nothing but the standard library: a public name loads its own module when it is first used.
`_EXPORTS` is the whole public interface; the imports under TYPE_CHECKING say the same to type checkers and editors.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

# public name -> the module under kan_ref that holds it
_EXPORTS = {
    "Data": "targets",
    "History": "run_record",
    "Layer": "layer_record",
    "MLP": "baselines",
    "Network": "network",
    "Run": "run_record",
    "TARGETS": "targets",
    "adam": "optimizers.adam",
    "backward": "network",
    "best_start": "starts",
    "bfgs": "optimizers.bfgs",
    "check_gradients": "gradient_check",
    "distance": "inspection",
    "edge_curve": "inspection",
    "edge_outputs": "inspection",
    "edge_scores": "inspection",
    "extend_grid": "refinement",
    "fit": "training",
    "fit_curve": "curve_fit",
    "forward": "network",
    "init_mlp": "baselines",
    "init_network": "initialization",
    "lbfgs": "optimizers.lbfgs",
    "levenberg_marquardt": "optimizers.levenberg_marquardt",
    "load": "storage",
    "mask_edges": "editing",
    "run_starts": "starts",
    "sample": "targets",
    "save": "storage",
    "uniform_knots": "knots",
    "update_grid": "refinement",
    "value_and_grad": "objective",
}

# modules by their own name, as in kan_ref.bspline.basis(x, knots, degree)
_MODULES = (
    "base_function",
    "baselines",
    "bspline",
    "checks",
    "contraction",
    "curve_fit",
    "editing",
    "families",
    "gradient_check",
    "initialization",
    "inspection",
    "jacobian",
    "knot_insertion",
    "knots",
    "layer",
    "layer_record",
    "live_bspline",
    "losses",
    "network",
    "objective",
    "optimizers",
    "penalties",
    "refinement",
    "run_record",
    "smoothness",
    "solvers",
    "starts",
    "storage",
    "symbolic_edge",
    "targets",
    "training",
)

__all__ = [
    "MLP",
    "TARGETS",
    "Data",
    "History",
    "Layer",
    "Network",
    "Run",
    "adam",
    "backward",
    "best_start",
    "bfgs",
    "check_gradients",
    "distance",
    "edge_curve",
    "edge_outputs",
    "edge_scores",
    "extend_grid",
    "fit",
    "fit_curve",
    "forward",
    "init_mlp",
    "init_network",
    "lbfgs",
    "levenberg_marquardt",
    "load",
    "mask_edges",
    "run_starts",
    "sample",
    "save",
    "uniform_knots",
    "update_grid",
    "value_and_grad",
]

if TYPE_CHECKING:
    from kan_ref import base_function as base_function
    from kan_ref import baselines as baselines
    from kan_ref import bspline as bspline
    from kan_ref import checks as checks
    from kan_ref import contraction as contraction
    from kan_ref import curve_fit as curve_fit
    from kan_ref import editing as editing
    from kan_ref import families as families
    from kan_ref import gradient_check as gradient_check
    from kan_ref import initialization as initialization
    from kan_ref import inspection as inspection
    from kan_ref import jacobian as jacobian
    from kan_ref import knot_insertion as knot_insertion
    from kan_ref import knots as knots
    from kan_ref import layer as layer
    from kan_ref import layer_record as layer_record
    from kan_ref import live_bspline as live_bspline
    from kan_ref import losses as losses
    from kan_ref import network as network
    from kan_ref import objective as objective
    from kan_ref import optimizers as optimizers
    from kan_ref import penalties as penalties
    from kan_ref import refinement as refinement
    from kan_ref import run_record as run_record
    from kan_ref import smoothness as smoothness
    from kan_ref import solvers as solvers
    from kan_ref import starts as starts
    from kan_ref import storage as storage
    from kan_ref import symbolic_edge as symbolic_edge
    from kan_ref import targets as targets
    from kan_ref import training as training
    from kan_ref.baselines import MLP, init_mlp
    from kan_ref.curve_fit import fit_curve
    from kan_ref.editing import mask_edges
    from kan_ref.gradient_check import check_gradients
    from kan_ref.initialization import init_network
    from kan_ref.inspection import distance, edge_curve, edge_outputs, edge_scores
    from kan_ref.knots import uniform_knots
    from kan_ref.layer_record import Layer
    from kan_ref.network import Network, backward, forward
    from kan_ref.objective import value_and_grad
    from kan_ref.optimizers.adam import adam
    from kan_ref.optimizers.bfgs import bfgs
    from kan_ref.optimizers.lbfgs import lbfgs
    from kan_ref.optimizers.levenberg_marquardt import levenberg_marquardt
    from kan_ref.refinement import extend_grid, update_grid
    from kan_ref.run_record import History, Run
    from kan_ref.starts import best_start, run_starts
    from kan_ref.storage import load, save
    from kan_ref.targets import TARGETS, Data, sample
    from kan_ref.training import fit


def __getattr__(name: str) -> object:
    """The public name or module `name`, loaded now; AttributeError with the nearest public name if there is none."""
    if name in _EXPORTS:
        return getattr(importlib.import_module(f"kan_ref.{_EXPORTS[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"kan_ref.{name}")
    import difflib  # here, because only a mistake needs it

    close = difflib.get_close_matches(name, [*_EXPORTS, *_MODULES], n=1)
    guess = f" (did you mean {close[0]!r}?)" if close else ""
    raise AttributeError(f"module 'kan_ref' has no attribute {name!r}{guess}")


def __dir__() -> list[str]:
    """All public names, also those whose modules are not loaded yet."""
    return sorted({*globals(), *_EXPORTS, *_MODULES})
