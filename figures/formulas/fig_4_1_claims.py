"""Fig. 4.1 of the paper, section 4.1, compared with the records of `fig_4_1_interpretable`."""

from collections import Counter
from collections.abc import Sequence

from figures.formulas import first_digit
from figures.formulas.five_formulas import (
    EXACT,
    FORMULAS,
    Formula,
    exact,
    right_functions,
    right_shape,
)
from figures.machine.machine import Claim, Record
from figures.machine.summary import all_bar, shape_name, spread

# panel -> what its picture in the paper has, in words
SHOWN = {
    "a": "lines and squares, 2xy = (x+y)^2 - (x^2+y^2)",
    "b": "logarithms and an exponential, exp(log x - log y)",
    "d": "J0, a square and an exponential",
    "e": "quartics and a hyperbolic tangent",
    "f": "lines, squares and a square root",
}


def runs_of(records: Sequence[Record], panel: str) -> list[Record]:
    """Return the records of a panel, ordered by seed."""
    return sorted(
        (record for record in records if record["config"]["panel"] == panel),
        key=lambda record: int(record["seed"]),
    )


def shows(record: Record) -> bool:
    """Return whether a network has the properties of the paper's."""
    return (
        all(first_digit.located(record))
        if record["config"]["panel"] == first_digit.PANEL
        else right_functions(record)
    )


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return two rows for each formula, on shape with functions and on exactness, and one for the
    digits.
    """
    rows = {
        formula.panel: _formula_claims(formula, runs_of(records, formula.panel))
        for formula in FORMULAS
    }
    rows[first_digit.PANEL] = _digit_claims(runs_of(records, first_digit.PANEL))
    return [claim for panel in sorted(rows) for claim in rows[panel]]


def _of_all(good: Sequence[bool]) -> str:
    return f"{sum(good)} of {len(good)}"


def _seeds(records: Sequence[Record]) -> str:
    return "1 seed" if len(records) == 1 else f"{len(records)} seeds"


def _formula_claims(formula: Formula, runs: Sequence[Record]) -> list[Claim]:
    if not runs:
        return []
    shapes, functions = (
        [right_shape(record) for record in runs],
        [right_functions(record) for record in runs],
    )
    exactly = [exact(record) for record in runs]
    errors, seconds = (
        [float(record["results"][name]) for record in runs] for name in ("error", "seconds")
    )
    about = f"({formula.panel}) {formula.plain}"
    others = Counter(
        _in_words(record) for record, good in zip(runs, functions, strict=True) if not good
    )
    read, same = all_bar(functions), all_bar(exactly)
    rest = "".join(f"; instead {what} in {count}" for what, count in others.items())
    return [
        Claim(
            f"{about}: the network can be read",
            f"{shape_name(formula.widths)} to {shape_name(formula.aim)}; {SHOWN[formula.panel]}",
            f"shape in {_of_all(shapes)}, with these functions in {_of_all(functions)} seeds",
            read.word,
            f"{_seeds(runs)}; kr.discover, which does more than the paper's recipe (figure 2.4), {spread(seconds, '.1f')} CPU s{rest}; seeds, {read.text}",
        ),
        Claim(
            f"{about}: the formula is exact",
            "not asked",
            f"{_of_all(exactly)} seeds; relative test error {spread(errors, '.0e')}",
            same.word,
            f"{_seeds(runs)}; exact: root mean square error at most {EXACT:g} of std(y); seeds, {same.text}",
        ),
    ]


def _in_words(record: Record) -> str:
    results = record["results"]
    return f"{shape_name(results['widths'])} with {' / '.join(', '.join(layer) for layer in results['functions'])}"


def _digit_claims(runs: Sequence[Record]) -> list[Claim]:
    if not runs:
        return []
    by_seed = [first_digit.located(record) for record in runs]
    digits = [good for one in by_seed for good in one]
    accuracy, seconds = (
        [float(record["results"][name]) for record in runs] for name in ("accuracy", "seconds")
    )
    bar = all_bar(digits)
    return [
        Claim(
            f"({first_digit.PANEL}) first digit: activations are bumps at the digits",
            "bumps around the digits",
            f"all ten in {_of_all([all(one) for one in by_seed])} seeds, {_of_all(digits)} curves; "
            f"right digits on test numbers {spread([100.0 * share for share in accuracy], '.1f')} %",
            bar.word,
            f"{_seeds(runs)}; bump: peak over the digit, above half its height only there, give or take half a digit; "
            f"{spread(seconds, '.2f')} CPU s; curves, {bar.text}",
        )
    ]
