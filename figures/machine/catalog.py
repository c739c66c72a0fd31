"""All figures, by the names that the command line knows."""

import difflib
import importlib
from typing import cast

from figures.machine.machine import Figure

MODULES = (
    "splines.fig_2_2_b_splines",
    "splines.fig_2_3_grid_extension",
    "splines.fig_u_shape",
    "splines.fig_u_shape_cure",
    "formulas.fig_2_4_symbolic_regression",
    "scaling.fig_3_1_scaling",
    "equations.fig_3_3_poisson",
    "equations.equations",
    "splines.fig_3_4_continual_learning",
    "formulas.fig_4_1_interpretable",
    "formulas.fig_4_2_unsupervised",
    "knots.fig_4_3_signature",
    "knots.fig_4_4_relations",
    "localization.fig_4_5_mosaic",
    "localization.fig_4_6_gaam_maam",
    "lans.fig_b_1_lan_training",
    "lans.fig_b_2_lan_examples",
    "formulas.fig_c_1_hyperparameters",
    "splines.fig_e_lattice",
    "tables.table_1",
    "tables.table_1_hull",
    "tables.table_2",
    "tables.table_2_human",
    "scaling.theorem_2_1",
)


def all_figures() -> dict[str, Figure]:
    """Return all figures by name, in the order of the paper."""
    modules = (cast(Figure, importlib.import_module(f"figures.{module}")) for module in MODULES)
    return {figure.NAME: figure for figure in modules}


def find_figures(names: list[str]) -> list[Figure]:
    """Return the figures with these names, all of them if there are no names.

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
