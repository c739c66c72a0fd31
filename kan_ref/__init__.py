"""Kolmogorov-Arnold networks in NumPy: every formula as array code, every gradient derived by hand and checked.

Importing this package loads nothing but the standard library: a public name loads its own module when it is first used.
`_PUBLIC` is the whole public interface; `__init__.pyi` says the same to type checkers and editors.
"""

import importlib

__version__ = "0.1.0"

# module under kan_ref -> the public names that it holds
_PUBLIC = {
    "affine_fit": "fit_affine",
    "baselines": "MLP init_mlp",
    "c_source": "to_c",
    "curve_fit": "fit_curve",
    "discovery": "discover",
    "drawing": "draw_network save_film",
    "editing": "lock_edges mask_edges unlock_edges",
    "elimination": "eliminate",
    "equations": "function_term linear_term value_term",
    "expression": "formula formula_latex",
    "functions": "LIBRARY register_function unregister_function",
    "gradient_check": "check_gradients",
    "initialization": "init_network",
    "input_derivatives": "directional_jets input_hessian input_hessian_diag input_jacobian input_laplacian",
    "inspection": "distance edge_curve edge_outputs",
    "interop": "to_scipy",
    "knots": "uniform_knots",
    "lan": "LAN",
    "lan_grids": "init_lan lan_from_mlp update_lan_grids",
    "layer_record": "Layer",
    "network": "Network backward forward",
    "objective": "value_and_grad",
    "optimizers.adam": "adam",
    "optimizers.bfgs": "bfgs",
    "optimizers.lbfgs": "lbfgs",
    "optimizers.levenberg_marquardt": "levenberg_marquardt",
    "problem": "ResidualProblem residual_problem",
    "pruning": "prune remove_edges remove_nodes",
    "recognition": "recognise_constants",
    "refinement": "extend_grid update_grid",
    "run_record": "History Run",
    "scores": "edge_scores node_scores",
    "smooth_fit": "SmoothRun fit_smooth",
    "starts": "best_start run_starts",
    "states_efficient_kan": "from_efficient_kan to_efficient_kan",
    "states_jaxkan": "from_jaxkan to_jaxkan",
    "states_pykan": "from_pykan to_pykan",
    "storage": "load save",
    "symbolic": "auto_symbolic fix_symbolic suggest_symbolic unfix_symbolic",
    "targets": "Data TARGETS sample",
    "training": "fit",
}
_HOME = {name: module for module, names in _PUBLIC.items() for name in names.split()}

__all__ = sorted(_HOME)


def _modules() -> list[str]:
    """The modules in the package's folder, reached by their own name as in kan_ref.bspline.basis(x, knots, degree)."""
    import pkgutil  # here, because most programs never ask

    return [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]


def __getattr__(name: str) -> object:
    """The public name or module `name`, loaded now; AttributeError with the nearest public name if there is none."""
    if name in _HOME:
        return getattr(importlib.import_module(f"kan_ref.{_HOME[name]}"), name)
    modules = _modules()
    if name in modules:
        return importlib.import_module(f"kan_ref.{name}")
    import difflib  # here, because only a mistake needs it

    close = difflib.get_close_matches(name, [*_HOME, *modules], n=1)
    guess = f" (did you mean {close[0]!r}?)" if close else ""
    raise AttributeError(f"module 'kan_ref' has no attribute {name!r}{guess}")


def __dir__() -> list[str]:
    """All public names and modules, also those that are not loaded yet."""
    return sorted({*globals(), *_HOME, *_modules()})
