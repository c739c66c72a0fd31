"""Kolmogorov-Arnold networks in NumPy: formulas as array code, gradients by hand.

`import kan_ref` loads the standard library alone. A public name loads its module when
it is first used. `_PUBLIC` lists all public names; `__init__.pyi` lists the same for
type checkers and editors.
"""

import importlib

from kan_ref.version import __version__ as __version__

# package or module of kan_ref -> the public names that it defines
_PUBLIC = {
    "baselines": "LAN MLP init_lan init_mlp lan_from_mlp",
    "bspline": "fit_curve uniform_knots",
    "network": (
        "Layer Network backward check_gradients coverage distance edge_curve "
        "edge_outputs extend_grid forward init_network lock_edges mask_edges "
        "update_grid"
    ),
    "pde": (
        "Scales function_term input_hessian input_jacobian input_laplacian "
        "linear_term value_term"
    ),
    "sparsity": "Penalty edge_scores node_scores prune remove",
    "discovery": "Discovery Verdict discover eliminate suggest_formulas",
    "drawing": "draw_network save_film",
    "formulas": "equation_term formula formula_latex from_formula recognise_constants",
    "functions": "LIBRARY register_function unregister_function",
    "io": (
        "from_efficient_kan from_jaxkan from_pykan load save "
        "to_c to_efficient_kan to_jaxkan to_pykan to_scipy"
    ),
    "optimizers": "adam lbfgs levenberg_marquardt",
    "symbolic": (
        "auto_symbolic canonical_form fit_affine fix_pattern fix_symbolic "
        "suggest_symbolic unfix_symbolic"
    ),
    "data": "Data",
    "targets": "TARGETS sample",
    "training": (
        "Adam Finding LBFGS LM Run Scaler best_start cross_validate diagnose fit "
        "predict_proba scaled value_and_grad"
    ),
}
_HOME = {name: module for module, names in _PUBLIC.items() for name in names.split()}

__all__ = sorted(_HOME)


def _modules() -> list[str]:
    """Return the names of packages and modules, as in kan_ref.bspline.basis(...)."""
    import pkgutil  # here, because most programs do not need it

    return [
        one.name
        for one in pkgutil.iter_modules(__path__)
        if not one.name.startswith("_")
    ]


def __getattr__(name: str) -> object:
    """Load the public name or module `name` and return it."""
    if name in _HOME:
        return getattr(importlib.import_module(f"kan_ref.{_HOME[name]}"), name)
    if not name.startswith("_") and name in _modules():
        return importlib.import_module(f"kan_ref.{name}")
    raise AttributeError(
        f"module 'kan_ref' has no attribute {name!r}: dir(kan_ref) lists them"
    )


def __dir__() -> list[str]:
    """Return all public names and modules, loaded or not."""
    return sorted({*globals(), *_HOME, *_modules()})
