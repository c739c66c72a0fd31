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
    "LIBRARY": "functions",
    "Layer": "layer_record",
    "MLP": "baselines",
    "Network": "network",
    "Run": "run_record",
    "TARGETS": "targets",
    "adam": "optimizers.adam",
    "auto_symbolic": "symbolic",
    "backward": "network",
    "best_start": "starts",
    "bfgs": "optimizers.bfgs",
    "check_gradients": "gradient_check",
    "discover": "discovery",
    "distance": "inspection",
    "draw_network": "drawing",
    "edge_curve": "inspection",
    "edge_outputs": "inspection",
    "edge_scores": "scores",
    "eliminate": "elimination",
    "extend_grid": "refinement",
    "fit": "training",
    "fit_affine": "affine_fit",
    "fit_curve": "curve_fit",
    "fix_symbolic": "symbolic",
    "formula": "expression",
    "formula_latex": "expression",
    "forward": "network",
    "init_mlp": "baselines",
    "init_network": "initialization",
    "lbfgs": "optimizers.lbfgs",
    "levenberg_marquardt": "optimizers.levenberg_marquardt",
    "load": "storage",
    "lock_edges": "editing",
    "mask_edges": "editing",
    "node_scores": "scores",
    "prune": "pruning",
    "recognise_constants": "recognition",
    "register_function": "functions",
    "remove_edges": "pruning",
    "remove_nodes": "pruning",
    "run_starts": "starts",
    "sample": "targets",
    "save": "storage",
    "save_film": "drawing",
    "suggest_symbolic": "symbolic",
    "unfix_symbolic": "symbolic",
    "uniform_knots": "knots",
    "unlock_edges": "editing",
    "unregister_function": "functions",
    "update_grid": "refinement",
    "value_and_grad": "objective",
}

# modules by their own name, as in kan_ref.bspline.basis(x, knots, degree)
_MODULES = (
    "affine_chart",
    "affine_fit",
    "affine_gauge",
    "affine_rank",
    "affine_search",
    "affine_start",
    "base_function",
    "baselines",
    "bspline",
    "canonical",
    "checks",
    "constant_folding",
    "contraction",
    "curve_fit",
    "diagram",
    "diagram_curves",
    "diagram_plan",
    "diagram_text",
    "discovery",
    "drawing",
    "editing",
    "elimination",
    "expression",
    "families",
    "formula_search",
    "formula_values",
    "function_record",
    "function_values",
    "functions",
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
    "paths",
    "penalties",
    "plain_form",
    "pruning",
    "recognition",
    "refinement",
    "run_record",
    "scores",
    "simplification",
    "smoothness",
    "solvers",
    "starts",
    "storage",
    "structure",
    "subnetwork",
    "symbolic",
    "symbolic_edge",
    "targets",
    "training",
)

__all__ = [
    "LIBRARY",
    "MLP",
    "TARGETS",
    "Data",
    "History",
    "Layer",
    "Network",
    "Run",
    "adam",
    "auto_symbolic",
    "backward",
    "best_start",
    "bfgs",
    "check_gradients",
    "discover",
    "distance",
    "draw_network",
    "edge_curve",
    "edge_outputs",
    "edge_scores",
    "eliminate",
    "extend_grid",
    "fit",
    "fit_affine",
    "fit_curve",
    "fix_symbolic",
    "formula",
    "formula_latex",
    "forward",
    "init_mlp",
    "init_network",
    "lbfgs",
    "levenberg_marquardt",
    "load",
    "lock_edges",
    "mask_edges",
    "node_scores",
    "prune",
    "recognise_constants",
    "register_function",
    "remove_edges",
    "remove_nodes",
    "run_starts",
    "sample",
    "save",
    "save_film",
    "suggest_symbolic",
    "unfix_symbolic",
    "uniform_knots",
    "unlock_edges",
    "unregister_function",
    "update_grid",
    "value_and_grad",
]

if TYPE_CHECKING:
    from kan_ref import affine_chart as affine_chart
    from kan_ref import affine_fit as affine_fit
    from kan_ref import affine_gauge as affine_gauge
    from kan_ref import affine_rank as affine_rank
    from kan_ref import affine_search as affine_search
    from kan_ref import affine_start as affine_start
    from kan_ref import base_function as base_function
    from kan_ref import baselines as baselines
    from kan_ref import bspline as bspline
    from kan_ref import canonical as canonical
    from kan_ref import checks as checks
    from kan_ref import constant_folding as constant_folding
    from kan_ref import contraction as contraction
    from kan_ref import curve_fit as curve_fit
    from kan_ref import diagram as diagram
    from kan_ref import diagram_curves as diagram_curves
    from kan_ref import diagram_plan as diagram_plan
    from kan_ref import diagram_text as diagram_text
    from kan_ref import discovery as discovery
    from kan_ref import drawing as drawing
    from kan_ref import editing as editing
    from kan_ref import elimination as elimination
    from kan_ref import expression as expression
    from kan_ref import families as families
    from kan_ref import formula_search as formula_search
    from kan_ref import formula_values as formula_values
    from kan_ref import function_record as function_record
    from kan_ref import function_values as function_values
    from kan_ref import functions as functions
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
    from kan_ref import paths as paths
    from kan_ref import penalties as penalties
    from kan_ref import plain_form as plain_form
    from kan_ref import pruning as pruning
    from kan_ref import recognition as recognition
    from kan_ref import refinement as refinement
    from kan_ref import run_record as run_record
    from kan_ref import scores as scores
    from kan_ref import simplification as simplification
    from kan_ref import smoothness as smoothness
    from kan_ref import solvers as solvers
    from kan_ref import starts as starts
    from kan_ref import storage as storage
    from kan_ref import structure as structure
    from kan_ref import subnetwork as subnetwork
    from kan_ref import symbolic as symbolic
    from kan_ref import symbolic_edge as symbolic_edge
    from kan_ref import targets as targets
    from kan_ref import training as training
    from kan_ref.affine_fit import fit_affine
    from kan_ref.baselines import MLP, init_mlp
    from kan_ref.curve_fit import fit_curve
    from kan_ref.discovery import discover
    from kan_ref.drawing import draw_network, save_film
    from kan_ref.editing import lock_edges, mask_edges, unlock_edges
    from kan_ref.elimination import eliminate
    from kan_ref.expression import formula, formula_latex
    from kan_ref.functions import LIBRARY, register_function, unregister_function
    from kan_ref.gradient_check import check_gradients
    from kan_ref.initialization import init_network
    from kan_ref.inspection import distance, edge_curve, edge_outputs
    from kan_ref.knots import uniform_knots
    from kan_ref.layer_record import Layer
    from kan_ref.network import Network, backward, forward
    from kan_ref.objective import value_and_grad
    from kan_ref.optimizers.adam import adam
    from kan_ref.optimizers.bfgs import bfgs
    from kan_ref.optimizers.lbfgs import lbfgs
    from kan_ref.optimizers.levenberg_marquardt import levenberg_marquardt
    from kan_ref.pruning import prune, remove_edges, remove_nodes
    from kan_ref.recognition import recognise_constants
    from kan_ref.refinement import extend_grid, update_grid
    from kan_ref.run_record import History, Run
    from kan_ref.scores import edge_scores, node_scores
    from kan_ref.starts import best_start, run_starts
    from kan_ref.storage import load, save
    from kan_ref.symbolic import auto_symbolic, fix_symbolic, suggest_symbolic, unfix_symbolic
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
