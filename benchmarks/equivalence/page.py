"""The tables of docs/equivalence.md, generated from the record alone: nothing is measured here.

A table is in the page between `<!-- table: name -->` and `<!-- end -->`; the text around the tables is written by hand.
"""

import re
from collections.abc import Callable, Sequence

from benchmarks.equivalence.verdict import (
    OURS,
    ROUNDING,
    Cell,
    Record,
    by_library,
    cell,
    number,
    table,
    verdict,
)

PLACE = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(\n<!-- end -->)", flags=re.DOTALL)


def rendered(text: str, record: Record) -> str:
    """Return the page with its tables written again; raise ValueError for a table without a place,
    or a place without a table.
    """
    tables = {name: build(record) for name, build in TABLES.items()}
    places = [match[2] for match in PLACE.finditer(text)]
    if sorted(places) != sorted(tables):
        wrong = sorted(set(places) ^ set(tables)) or sorted(
            name for name in set(places) if places.count(name) > 1
        )
        raise ValueError(
            f"the page must have one place for each table, but these are not matched: {', '.join(wrong)}"
        )
    return PLACE.sub(lambda match: f"{match[1]}\n{tables[match[2]]}\n{match[3]}", text)


def _origin(record: Record) -> str:
    found: dict[str, str] = dict(record["versions"])
    for answers in record["columns"].values():
        found |= answers["versions"]
    return (
        f"Measured on {record['date']}: "
        + ", ".join(f"{name} {version}" for name, version in found.items())
        + "."
    )


def _values(record: Record) -> str:
    columns = record["columns"]
    rows = []
    for point, values in columns[OURS]["forward"]["values"].items():
        apart = [
            number(answers["forward"]["apart"][point])
            for name, answers in columns.items()
            if name != OURS
        ]
        rows.append([point, ", ".join(f"{value:.6f}" for value in values), *apart])
    return table(
        ["x", "outputs (kan_ref)", *(f"{name} differs by" for name in columns if name != OURS)],
        rows,
    )


def _bases(record: Record) -> str:
    names = record["columns"][OURS]["sum of bases"]
    rows = {
        f"at {x}" if x != "double knot" else "at 0.3, double knot at 0.2": cell("sum of bases", x)
        for x in names
    }
    return by_library(
        record,
        "sum of the basis functions",
        rows
        | {f"degree {k}, at 0.3": cell("degrees", k) for k in record["columns"][OURS]["degrees"]},
    )


def _knots(record: Record) -> str:
    titles = {"float64": "with float64 settings", "as it comes": "with default settings"}
    return by_library(
        record,
        "largest error of a knot",
        {title: cell("knots", name) for name, title in titles.items()},
    )


def _arrays(record: Record) -> str:
    rows = []
    for name, answers in record["columns"].items():
        shapes = ", ".join(
            f"`{array}` ({', '.join(map(str, shape))})"
            for array, shape in answers["arrays"].items()
        )
        rows.append([name, shapes])
    return table(["library", "arrays of 2 inputs, 3 outputs, G = 5, k = 3"], rows)


def _counts(record: Record) -> str:
    widths = record["columns"][OURS]["parameters"]
    rows = {
        f"{shape}, {kind}": cell("parameters", shape, kind)
        for shape in widths
        for kind in ("trainable", "all")
    }
    return by_library(record, "parameters", rows)


def _masked(record: Record) -> str:
    return by_library(
        record,
        "",
        {"largest derivative with respect to a parameter of the masked edge": cell("masked edge")},
    )


def _first(record: Record) -> str:
    def shown(n_intervals: str, name: str) -> Cell:
        def show(answers: Record) -> str:
            part = answers["first numbers"][n_intervals][name]
            mean = part["mean"] if abs(part["mean"]) > 0.1 * part["std"] else 0.0
            return (
                f"{number(mean, 3)} ± {number(part['std'] if part['std'] > ROUNDING else 0.0, 3)}"
            )

        return show

    parts = [("5", "coef"), ("50", "coef"), ("5", "w_spline"), ("5", "w_base")]
    return by_library(
        record,
        "mean ± standard deviation",
        {f"{name}, G = {n_intervals}": shown(n_intervals, name) for n_intervals, name in parts},
    )


def _scales(record: Record) -> str:
    scales = record["columns"]["efficient-kan"]["base scales"]
    return table(
        ["`scale_base`", *scales],
        [["standard deviation of `base_weight`", *(number(value, 3) for value in scales.values())]],
    )


def _update(record: Record) -> str:
    rows: dict[str, Cell] = {}
    for case in record["columns"][OURS]["update"]:
        rows[f"{case}: change"] = cell("update", case, "change")
        rows[f"{case}: kan_ref on the same knots"] = cell("update", case, "kan_ref")
        rows[f"{case}: new a, b"] = lambda answers, case=case: _ends(
            answers["update"][case]["grid"]
        )  # type: ignore[misc]
    return by_library(record, "samples, layer", rows)


def _ends(grid: Sequence[float]) -> str:
    return f"{grid[0]:.4f}, {grid[-1]:.4f}"


def _extend(record: Record) -> str:
    rows: dict[str, Cell] = {}
    for case in record["columns"][OURS]["extend"]:
        rows[f"{case}: change at the samples"] = cell("extend", case, "at the samples")
        rows[f"{case}: change on [-1, 1]"] = cell("extend", case, "everywhere")
    return by_library(record, "intervals", rows)


def _solvers(record: Record) -> str:
    found: dict[str, float] = {}
    for answers in record["columns"].values():
        found |= answers["least squares"] or {}
    return table(
        ["solver", "largest residual for a curve that can be fitted exactly"],
        [[f"`{name}`", number(left)] for name, left in found.items()],
    )


def _penalties(record: Record) -> str:
    rows = []
    cases = ("layer", "without zeros", "one edge", "one constant edge", "one sample")
    for name, answers in record["columns"].items():
        for rule in (answers["penalties"] or {"layer": {}})["layer"]:
            pairs = (answers["penalties"][case][rule] for case in cases)
            rows.append(
                [
                    name,
                    f"`{rule}`",
                    *(
                        f"{number(_signless(l1))}, {number(_signless(entropy))}"
                        for l1, entropy in pairs
                    ),
                ]
            )
    return table(
        [
            "library",
            "rule",
            "the layer",
            "no edge is 0",
            "one edge",
            "one edge, constant 1",
            "one sample",
        ],
        rows,
    )


def _signless(value: object) -> object:
    """Return text without minus signs before a zero, which come from rounding."""
    return value if isinstance(value, str) or abs(float(value)) > ROUNDING else 0.0  # type: ignore[arg-type]


SAME_PENALTIES = (
    ("pykan", "edge_forward_spline_n", "pykan", "layer", ('`kr.Penalty(..., kind="pykan")`',) * 2),
    (
        "efficient-kan",
        "regularization_loss",
        "mean |coef|",
        "without zeros",
        (
            "`np.abs(layer.coef).mean(axis=2).sum()`",
            "`kr.sparsity.natural_entropy(np.abs(layer.coef).mean(axis=2))[0]`",
        ),
    ),
)
SAME_SCORES = (
    ("pykan", "edge_scores", "attribution", '`kr.edge_scores(net, x, kind="attribution")`'),
)


def _same(record: Record) -> str:
    columns, rows = record["columns"], []
    for name, rule, kind, case, calls in SAME_PENALTIES:
        theirs, ours = (
            columns[name]["penalties"][case][rule],
            columns[OURS]["penalties"][case][kind],
        )
        for place, what in enumerate(("L1", "entropy")):
            apart = abs(theirs[place] - ours[place])
            rows.append(
                [
                    f"{name} `{rule}`, {what}",
                    number(theirs[place], 12),
                    calls[place],
                    number(ours[place], 12),
                    number(apart),
                ]
            )
    for name, rule, kind, call in SAME_SCORES:
        theirs, ours = columns[name]["scores"][rule][0][1], columns[OURS]["scores"][kind][0][1]
        rows.append(
            [
                f"{name} `{rule}`, edge 1 to 0",
                number(theirs, 12),
                call,
                number(ours, 12),
                number(abs(theirs - ours)),
            ]
        )
    for case, call in (
        ("5 to 10", "`kr.extend_grid(net, x, n_intervals=10)`"),
        ("5 to 7", "`kr.extend_grid(net, x, n_intervals=7)`"),
    ):
        theirs, ours = (columns[name]["extend"][case]["at the samples"] for name in ("pykan", OURS))
        rows.append(
            [
                f"pykan `refine`, {case}, change",
                number(theirs, 12),
                call,
                number(ours, 12),
                number(abs(theirs - ours)),
            ]
        )
    return table(["their function", "value", "call of kan_ref", "value", "difference"], rows)


def _scores(record: Record) -> str:
    rows = []
    for name, answers in record["columns"].items():
        for rule, scores in (answers["scores"] or {}).items():
            rows.append([name, f"`{rule}`", *(number(score) for row in scores for score in row)])
    edges = [f"{i} to {j}" for j in range(3) for i in range(2)]
    return table(["library", "rule", *edges], rows)


def _prune(record: Record) -> str:
    rows = []
    for name, answers in record["columns"].items():
        for rule, found in (answers["prune"] or {}).items():
            rows.append(
                [name, f"`{rule}`", ", ".join(map(str, found["kept"])), number(found["change"])]
            )
    return table(["library", "rule", "remaining hidden nodes", "change of the output"], rows)


def _r2(record: Record) -> str:
    columns = {
        name: answers for name, answers in record["columns"].items() if answers["r2"] is not None
    }
    return table(
        ["R² of", *columns],
        [
            [f"{case}", *(number(one["r2"][case], 6) for one in columns.values())]
            for case in columns[OURS]["r2"]
        ],
    )


def _beside(record: Record) -> str:
    def generators(answers: Record) -> str:
        found: dict[str, list[str]] = {}
        for name, what in answers["beside"]["generators"].items():
            found.setdefault(what, []).append(name)
        found.pop("untouched", None)
        return "; ".join(f"{', '.join(names)} {what}" for what, names in found.items()) or "none"

    return by_library(
        record,
        "`KAN([2, 5, 1])`",
        {
            "global generators": generators,
            "files written": lambda answers: str(len(answers["beside"]["files"])),
            "the caller's list afterwards": lambda answers: str(answers["beside"]["widths"]),
            "layers of one shape have the same initial values": lambda answers: (
                "yes" if answers["beside"].get("twins") else "no"
            ),
        },
    )


TABLES: dict[str, Callable[[Record], str]] = {
    "origin": _origin,
    "verdict": verdict,
    "values": _values,
    "bases": _bases,
    "knots": _knots,
    "arrays": _arrays,
    "counts": _counts,
    "masked": _masked,
    "first-numbers": _first,
    "scales": _scales,
    "update": _update,
    "extend": _extend,
    "solvers": _solvers,
    "penalties": _penalties,
    "same": _same,
    "scores": _scores,
    "prune": _prune,
    "r2": _r2,
    "beside": _beside,
}
