"""All figures, by the names that the command line knows."""

import difflib
import importlib
from typing import cast

from figures.machine import Figure

MODULES = (
    "fig_2_2_b_splines",
    "fig_2_3_grid_extension",
    "fig_u_shape",
    "fig_u_shape_cure",
    "fig_2_4_symbolic_regression",
    "fig_3_1_scaling",
    "fig_3_3_poisson",
    "equations",
    "fig_3_4_continual_learning",
    "fig_4_1_interpretable",
    "fig_4_2_unsupervised",
    "fig_b_1_lan_training",
    "fig_b_2_lan_examples",
    "fig_c_1_hyperparameters",
    "fig_e_lattice",
    "table_1",
    "table_1_hull",
    "table_2",
    "table_2_human",
    "theorem_2_1",
)


def all_figures() -> dict[str, Figure]:
    """Name -> figure, in the order of the paper."""
    modules = (cast(Figure, importlib.import_module(f"figures.{module}")) for module in MODULES)
    return {figure.NAME: figure for figure in modules}


def find_figures(names: list[str]) -> list[Figure]:
    """The figures of these names, all of them without names.

    Raises
    ------
    ValueError
        "there is no figure 'u-shap' (did you mean 'u-shape'?), but 2.2, 2.3, u-shape, theorem-2.1"
    """
    known = all_figures()
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
            guess = f" (did you mean {close[0]!r}?)" if close else ""
            raise ValueError(f"there is no figure {name!r}{guess}, but {', '.join(known)}")
    return [figure for name, figure in known.items() if name in names or not names]
