"""All figures by the names that the command line knows, the list of them with their records, messages
about records, and the page of claims.
"""

import difflib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from figures.machine.computing import versions
from figures.machine.machine import Claim, Figure, claims_table, load_figure, provenance, sources
from figures.machine.records import Plan, Task, file_stem, record_path

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
    others.
    """
    lines = []
    for plan in plans:
        if (homes := sources(plan.figure)) != (plan.figure,):
            lines.append(
                f"{plan.figure.NAME:12s} {plan.figure.TITLE:45s} drawn from {_names(homes)}"
            )
            continue
        n_done, minutes = len(plan.finished), sum(task.cost for task in plan.missing) / 60.0
        count = f"{n_done:3d} of {n_done + len(plan.missing):3d} records"
        lines.append(
            f"{plan.figure.NAME:12s} {plan.figure.TITLE:45s} {count}, about {minutes:5.1f} CPU minutes left"
        )
    return "\n".join(lines)


def _names(homes: Sequence[Figure]) -> str:
    """As in "the records of table-1, table-2"; of no figure "code alone"."""
    return f"the records of {', '.join(home.NAME for home in homes)}" if homes else "code alone"


def other_origins(plans: Sequence[Plan], folder: Path) -> list[str]:
    """Return messages about records that other versions computed, with counts for each figure."""
    now = versions()
    messages = []
    for plan in plans:
        n_other = sum({**one["versions"], **now} != one["versions"] for one in plan.finished)
        if n_other and sources(plan.figure) == (plan.figure,):
            messages.append(
                f"figure {plan.figure.NAME}: {n_other} of {len(plan.finished)} records stem from other versions than "
                + ", ".join(f"{name} {number}" for name, number in now.items())
            )
    if messages:
        messages.append(
            f"they are used as they are; to compute them again, delete them in {folder / 'records'}"
        )
    return messages


def complaints(plans: Iterable[Plan]) -> list[str]:
    """Return the messages about broken records, each once."""
    return list(dict.fromkeys(message for plan in plans for message in plan.complaints))


def progress(missing: Sequence[Task], plans: Iterable[Plan]) -> str:
    """Return how many of the records that were missing have been finished."""
    n_done = len(missing) - len(missing_files(plans))
    return (
        f"{n_done} of {len(missing)} records were finished; the same command continues from there"
    )


def missing_files(plans: Iterable[Plan]) -> set[Path]:
    """Return the files of all records that are missing, each once."""
    return {task.path for plan in plans for task in plan.missing}


def read_claims(plans: Sequence[Plan], folder: Path, unread: dict[str, str]) -> Rows:
    """Return the claims of all figures that have records, not only of the chosen ones.

    `unread` has a message for each figure whose records have another form; those that are found
    are added.
    """
    rows: Rows = []
    for plan in plans:
        name = plan.figure.NAME
        if plan.drawable and name not in unread:
            try:
                rows += [(name, claim) for claim in plan.figure.claims(plan.finished)]
            except Exception as error:
                unread[name] = unreadable(plan, error, folder)
    return rows


def unreadable(plan: Plan, error: Exception, folder: Path) -> str:
    """Return a message about records whose results a figure cannot read, with their files.

    `claims` accepts any nonempty part of the records, so it is called with each of them.
    """
    files, homes = [], {home.NAME: home for home in sources(plan.figure)}
    for record in plan.finished:
        try:
            plan.figure.claims([record])
        except Exception:
            files.append(record_path(folder, homes[record["figure"]], record["config"]))
    home = homes.get(plan.figure.NAME, next(iter(homes.values()), plan.figure))
    kind, stem = type(error).__name__, folder / "records" / file_stem(home)
    single = [path.name for path in files if path.exists()]
    remedy = (
        f"delete {', '.join(single)} in {stem} and compute them again"
        if single and len(single) == len(files)
        else f"compute the records in {stem} and {stem}.jsonl again"
    )
    return (
        f"figure {plan.figure.NAME}: its records have results of another form than it writes "
        f"({kind}: {' '.join(str(error).split())[:200]}), its rows are left out; {remedy}"
    )


def table_file(plans: Sequence[Plan], rows: Rows, unread: Collection[str], command: str) -> bytes:
    """Return the Markdown page with all claims and the origin of their numbers.

    Figures without records are left out; those whose records cannot be used are named.
    """
    head = (
        f"# Claims of the paper, and our results\n\nWritten by `{command}`. Each record names the code "
        "that computed it, by its commit or, where it is older, by a hash; the present code can give "
        "other numbers.\n\n"
    )
    origin = "\n".join(
        " ".join(
            [f"- {plan.figure.NAME}: {plan.figure.TITLE}.", *_origin(plan), *_warning(plan, unread)]
        )
        for plan in plans
        if plan.drawable or plan.complaints
    )
    return (head + claims_table(rows, evidence=True) + "\n## Records\n\n" + origin + "\n").encode()


def _origin(plan: Plan) -> list[str]:
    """Return where the numbers of a figure come from, as a sentence; none without records."""
    homes = sources(plan.figure)
    if homes != (plan.figure,):
        return [f"Drawn from {_names(homes)}."]
    return [provenance(plan.finished)] if plan.finished else []


def _warning(plan: Plan, unread: Collection[str]) -> list[str]:
    """Return why rows are left out, or may differ from those of all records, as sentences."""
    warnings = [plan.lack] if plan.missing else []
    if plan.complaints:
        warnings.append("Files or lines of records cannot be used")
    if plan.figure.NAME in unread:
        warnings.append("The rows are left out: the records have results of another form")
    return [f"**{warning}.**" for warning in warnings]
