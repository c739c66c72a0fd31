"""All figures by the names that the command line knows, and the pages that follow from them.

These are the list of figures with their records, the page of claims, and the page that says, item by item, what of the paper is reproduced,
in part or not, and where: `figures/paper.toml` has its items, every figure, table and numbered equation of the paper, and its claims.
"""

import difflib
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from figures.machine.machine import Claim, Figure, claims_table, load_figure, provenance, sources
from figures.machine.records import Plan

KINDS = {"figure": "Figures", "table": "Tables", "equation": "Numbered equations", "claim": "Claims"}
STATES = {"yes": "reproduced", "in part": "in part", "no": "not"}


def read_items() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the items by kind and number, claims by their sentence."""
    return tomllib.loads((Path(__file__).parents[1] / "paper.toml").read_text(encoding="utf-8"))


def counts(items: dict[str, dict[str, dict[str, Any]]], *kinds: str) -> Counter[str]:
    """Return the number of items of some kinds in each state."""
    return Counter(item["status"] for kind in kinds for item in items[kind].values())


def summary(items: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Return the sentence on figures and tables that README and page share."""
    found = counts(items, "figure", "table")
    return (
        f"Of the paper's {sum(found.values())} figures and tables, {found['yes']} are reproduced, "
        f"{found['in part']} are reproduced in part, and {found['no']} are not"
    )


def page(items: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Return the page in Markdown."""
    lines = [
        "# What of the paper is reproduced",
        "",
        'Written by `python -m figures --full --table` from `figures/paper.toml`. "Reproduced" means that it was run or computed here, '
        "whether or not the result agrees with the paper: `claims.md` has the verdicts.",
        "",
        f"{summary(items)}.",
    ]
    for kind, title in KINDS.items():
        found = counts(items, kind)
        lines += [
            "",
            f"## {title}",
            "",
            f"{found['yes']} reproduced, {found['in part']} in part, {found['no']} not.",
            "",
            f"| {kind} | {'subject | ' if kind != 'claim' else ''}reproduced? | where | why not, or not all |",
            "| --- | --- | --- | --- |" + (" --- |" if kind != "claim" else ""),
        ]
        for name, item in items[kind].items():
            subject = f"{item['what']} | " if kind != "claim" else ""
            where = ", ".join(f"`{place}`" for place in item["where"])
            lines.append(f"| {name} | {subject}{STATES[item['status']]} | {where} | {item.get('why', '')} |")
    return "\n".join(lines) + "\n"


MODULES = (  # modules, and values in modules
    "drawn.fig_0_1_side_by_side", "drawn.fig_2_1_organisation",
    "splines.fig_2_2_b_splines", "splines.fig_2_3_grid_extension", "splines.fig_u_shape",
    "formulas.fig_2_4_symbolic_regression", "drawn.fig_2_4_discover",
    "splines.fig_3_1_scaling", "tables.tables_1_and_2.fig_3_2_frontiers",
    "equations.fig_3_3_poisson", "splines.fig_3_4_continual_learning",
    "formulas.fig_4_1_interpretable", "formulas.fig_4_2_unsupervised",
    "knots.fig_4_3_signature", "knots.fig_4_4_relations",
    "localization.mobility_edges.fig_4_5_mosaic", "localization.mobility_edges.fig_4_6_gaam_maam",
    "drawn.fig_6_1_decision_tree",
    "lans.fig_b_1_lan_training", "lans.fig_b_2_lan_examples", "lans.fig_b_3_images",
    "formulas.fig_c_1_hyperparameters",
    "tables.tables_1_and_2.fig_d_1_frontiers", "tables.tables_1_and_2.fig_d_2_best", "tables.tables_1_and_2.fig_d_3_minimal",
    "splines.fig_e_lattice",
    "tables.tables_1_and_2.fig_f_1_best", "tables.tables_1_and_2.fig_f_2_minimal",
    "tables.tables_1_and_2.table_1", "tables.budgets.table_1_budget", "tables.table_1_hull",
    "tables.tables_1_and_2.table_2", "tables.budgets.table_2_budget", "tables.table_2_human",
    "splines.theorem_2_1",
)  # fmt: skip

NAMES_OF_THE_PAPER = {"e.1": "e"}  # where they differ by more than capitals


def all_figures() -> dict[str, Figure]:
    """Return all figures by name, in the order of the paper."""
    figures = (load_figure(f"figures.{module}") for module in MODULES)
    return {figure.NAME: figure for figure in figures}


def find_figures(names: list[str]) -> list[Figure]:
    """Return the figures with these names, in any case; all of them if there are no names.

    Raises
    ------
    ValueError
        "there is no figure 'u-shap' (did you mean 'u-shape'?), but 2.2, 2.3, u-shape, theorem-2.1"
    """
    known = all_figures()
    wanted = [NAMES_OF_THE_PAPER.get(name.lower(), name.lower()) for name in names]
    for given, name in zip(names, wanted, strict=True):
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            guess = f" (did you mean {close[0]!r}?)" if close else ""
            raise ValueError(f"there is no figure {given!r}{guess}, but {', '.join(known)}")
    return [figure for name, figure in known.items() if name in wanted or not names]


# --- records and claims

Rows = list[tuple[str, Claim]]


def list_figures(plans: Sequence[Plan]) -> str:
    """Return a line for each figure: name, title, records that there are, and the time for the
    others if some are there.
    """
    lines = []
    for plan in plans:
        if (homes := sources(plan.figure)) != (plan.figure,):
            lines.append(f"{plan.figure.NAME:12s} {plan.figure.TITLE:45s} drawn from {_names(homes)}")
            continue
        seconds = [record["seconds"] for record in plan.finished]
        n_done, n_left = len(seconds), len(plan.missing)
        minutes = n_left * sum(seconds) / n_done / 60.0 if n_done else 0.0  # as the others took
        rest = f", about {minutes:5.1f} CPU minutes left" if minutes else ""
        count = f"{n_done:3d} of {n_done + n_left:3d} records"
        lines.append(f"{plan.figure.NAME:12s} {plan.figure.TITLE:45s} {count}{rest}")
    return "\n".join(lines)


def _names(homes: Sequence[Figure]) -> str:
    """As in "the records of table-1, table-2"; of no figure "code alone"."""
    return f"the records of {', '.join(home.NAME for home in homes)}" if homes else "code alone"


def read_claims(plans: Sequence[Plan]) -> Rows:
    """Return the claims of the figures that have records."""
    return [(plan.figure.NAME, claim) for plan in plans if plan.drawable for claim in plan.figure.claims(plan.finished)]


def table_file(plans: Sequence[Plan], rows: Rows, command: str) -> bytes:
    """Return the Markdown page with all claims and the origin of their numbers; figures without
    records are left out.
    """
    head = (
        f"# Claims of the paper, and our results\n\nWritten by `{command}`. Each record names the code "
        "that computed it, by its commit or, where it is older, by a hash; the present code can give "
        "other numbers.\n\n"
    )
    origin = "\n".join(f"- {plan.figure.NAME}: {plan.figure.TITLE}. {_origin(plan)}" for plan in plans if plan.drawable)
    return (head + claims_table(rows, evidence=True) + "\n## Records\n\n" + origin + "\n").encode()


def _origin(plan: Plan) -> str:
    """Return where the numbers of a figure come from, and how many of its records are missing."""
    homes = sources(plan.figure)
    origin = provenance(plan.finished) if homes == (plan.figure,) else f"Drawn from {_names(homes)}."
    return origin + (f" **{plan.lack}.**" if plan.missing else "")
