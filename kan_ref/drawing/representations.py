"""What notebooks show for a record: networks, runs, discoveries, candidates for an edge.

IPython calls `_repr_html_` and `_repr_latex_` of the last value of a cell. The base class of all
records calls `html_of` and `latex_of`. A record without a representation here gives None,
and then IPython shows its text. Records are read by their attributes, so this module imports none
of the packages that make them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kan_ref.drawing import pieces
from kan_ref.drawing.pieces import error_picture, network_picture
from kan_ref.formulas import latex_texts, shown_formula

N_FITS = 10  # rows of a table of candidates
SHOWN_DIGITS = 5  # of the coefficients of a formula
OPAQUE = 1e300  # beta: every edge of a formula is a part of it, whatever the units of its values


def html_of(record: object) -> str | None:
    """Return a record as HTML, None if only its text represents it."""
    for kind in type(record).__mro__:
        if kind.__name__ in _HTML:
            return _HTML[kind.__name__](record)
    return None


def latex_of(record: object) -> str | None:
    """Return the formula of a record as LaTeX between dollar signs, None if it has none."""
    if type(record).__name__ != "Discovery":
        return None
    return f"$\\displaystyle {_latex(getattr(record, 'formula'))}$"  # noqa: B009


def _latex(formula: Any) -> str:
    """Return the LaTeX of a formula, of several ones one below the other."""
    shown = shown_formula(formula, digits=SHOWN_DIGITS)
    if not isinstance(shown, tuple):
        return latex_texts((shown,))[0]
    lines = r" \\ ".join(f"& {one}" for one in latex_texts(shown))
    return rf"\begin{{aligned}} {lines} \end{{aligned}}"


def network_html(network: Any) -> str:
    """Return widths, parameters and layers of a network, and its diagram."""
    rows = []
    for number, layer in enumerate(network.layers):
        n_splines, n_symbolic = int(layer.mask.sum()), len(layer.symbolic)
        masked = layer.mask.size - n_splines - n_symbolic
        low, high = float(layer.breakpoints.min()), float(layer.breakpoints.max())
        grid = f"{layer.n_intervals} intervals, degree {layer.degree}, [{low:.4g}, {high:.4g}]"
        shape = f"{layer.n_in} to {layer.n_out}"
        rows.append((number, shape, n_splines, n_symbolic, masked, grid if n_splines else "none"))
    head = ("layer", "nodes", "spline edges", "symbolic", "masked", "grid")
    widths = ", ".join(map(str, network.widths))
    parts = [
        pieces.title(f"Kolmogorov-Arnold network [{widths}], {network.n_params} parameters"),
        pieces.table(head, rows),
        network_picture(network),
    ]
    return pieces.block(parts)


def run_html(run: Any) -> str:
    """Return the errors of a run as a curve and as numbers, why it stopped, and its findings."""
    history = run.history
    parts = [pieces.title(f"Run of {len(history.step) and int(history.step[-1])} steps")]
    if len(history.step):
        parts += [error_picture(history), pieces.table((), _own_numbers(run))]
    parts += [
        pieces.paragraph(f"Stopped: {run.stopped}."),
        *map(pieces.paragraph, run.findings),
        pieces.paragraph(repr(run.network)),
    ]
    return pieces.block(parts)


def _own_numbers(run: Any) -> list[tuple[str, str]]:
    """Return name and value of every error of a run's network, and the seconds of the run."""
    names = {
        "train_rmse": "training RMSE",
        "validation_rmse": "validation RMSE",
        "test_rmse": "test RMSE",
        "train_accuracy": "training accuracy",
        "validation_accuracy": "validation accuracy",
        "test_accuracy": "test accuracy",
    }
    own = [(label, getattr(run.history, name)[run.entry]) for name, label in names.items()]
    own.append(("seconds", run.history.seconds[-1]))
    return [(label, pieces.short(float(value))) for label, value in own if np.isfinite(value)]


def discovery_html(found: Any) -> str:
    """Return formula, verdict, steps and diagram of a discovery."""
    shown = shown_formula(found.formula, digits=SHOWN_DIGITS)
    outputs = shown if isinstance(shown, tuple) else (shown,)
    parts = [pieces.title("Discovery")]
    parts += [pieces.formula(*pair) for pair in zip(latex_texts(outputs), outputs, strict=True)]
    verdict = getattr(found, "verdict", None)
    if verdict is not None:
        parts.append(pieces.paragraph(verdict))
    rows = [
        (
            step.name,
            step.note,
            list(step.network.widths) if step.network is not None else "",
            *(
                pieces.short(error) if np.isfinite(error) else "-"
                for error in (step.train_rmse, step.test_rmse)
            ),
        )
        for step in found.steps
    ]
    head = ("step", "what it did", "widths", "training RMSE", "test RMSE")
    parts.append(pieces.table(head, rows))
    alternatives = getattr(found, "alternatives", ())
    if isinstance(found.formula, tuple):
        titles = [f"Alternatives for output {n + 1}" for n in range(len(alternatives))]
    else:
        titles, alternatives = ["Alternatives"], (alternatives,)
    for title, front in zip(titles, alternatives, strict=True):
        parts += _front_html(title, front)
    if found.network is not None:
        names = getattr(found, "names", None) or ()
        parts.append(network_picture(found.network, names, beta=OPAQUE))
    return pieces.block(parts)


def _front_html(title: str, front: Sequence[Any]) -> list[str]:
    """Return title and table of the alternatives for one output, an empty list if there is none."""
    rows = [
        (
            shown_formula(one.formula, digits=SHOWN_DIGITS),
            pieces.short(one.rmse),
            pieces.short(one.complexity),
        )
        for one in front
    ]
    return [pieces.title(title), pieces.table(("formula", "RMSE", "complexity"), rows)] * bool(rows)


def suggestions_html(suggestions: Any) -> str:
    """Return the candidates for an edge as a table."""
    fits = suggestions.fits[:N_FITS]
    has_poles = any(fit.singular for fit in fits)
    rows = [
        (
            fit.name,
            f"{1.0 - fit.r2:.1e}",
            f"{fit.rms:.1e}",
            *map(pieces.short, fit.affine),
            *([", ".join(map(pieces.short, fit.singular))] if has_poles else []),
        )
        for fit in fits
    ]
    head = ["f", "1 - R^2", "rms", "a", "b", "c", "d"] + ["infinite at x ="] * has_poles
    n_more = len(suggestions.fits) - N_FITS
    edge = f"layer {suggestions.layer}, input {suggestions.input}, output {suggestions.output}"
    return pieces.block(
        [
            pieces.title(f"Candidates c f(a x + b) + d for the edge of {edge}, the best first"),
            pieces.table(head, rows),
            *([pieces.paragraph(f"and {n_more} more")] if n_more > 0 else []),
        ]
    )


_HTML: dict[str, Callable[[Any], str]] = {
    "Network": network_html,
    "Run": run_html,
    "Discovery": discovery_html,
    "Suggestions": suggestions_html,
}
