"""All figures, by the names that the command line knows."""

import difflib

from figures.machine.machine import Figure, load_figure

MODULES = (  # modules, and values in modules
    "drawings.overviews.fig_0_1_side_by_side",
    "drawings.overviews.fig_2_1_organisation",
    "splines.fig_2_2_b_splines",
    "splines.fig_2_3_grid_extension",
    "splines.fig_u_shape",
    "splines.fig_u_shape_cure",
    "formulas.fig_2_4_symbolic_regression",
    "formulas.fig_2_4_discover",
    "scaling.fig_3_1_scaling",
    "tables.tables_1_and_2.fig_3_2_frontiers",
    "equations.fig_3_3_poisson",
    "equations.equations",
    "formulas.velocities",
    "splines.fig_3_4_continual_learning",
    "formulas.fig_4_1_interpretable",
    "formulas.fig_4_2_unsupervised",
    "knots.fig_4_3_signature",
    "knots.fig_4_4_relations",
    "localization.mobility_edges.fig_4_5_mosaic",
    "localization.mobility_edges.fig_4_6_gaam_maam",
    "drawings.fig_6_1_decision_tree",
    "lans.fig_b_1_lan_training",
    "lans.fig_b_2_lan_examples",
    "lans.fig_b_3_images",
    "formulas.fig_c_1_hyperparameters",
    "tables.tables_1_and_2.fig_d_1_frontiers",
    "tables.tables_1_and_2.fig_d_2_best",
    "tables.tables_1_and_2.fig_d_3_minimal",
    "splines.fig_e_lattice",
    "tables.tables_1_and_2.fig_f_1_best",
    "tables.tables_1_and_2.fig_f_2_minimal",
    "tables.tables_1_and_2.table_1",
    "tables.budget_figures.table_1_budget",
    "tables.table_1_hull",
    "tables.tables_1_and_2.table_2",
    "tables.budget_figures.table_2_budget",
    "tables.table_2_human",
    "scaling.theorem_2_1",
)


def all_figures() -> dict[str, Figure]:
    """Return all figures by name, in the order of the paper."""
    figures = (load_figure(f"figures.{module}") for module in MODULES)
    return {figure.NAME: figure for figure in figures}


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
