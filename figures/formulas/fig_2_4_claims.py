"""The statements of section 2.5.2 of the paper about Fig. 2.4, compared with the records of `fig_2_4_symbolic_regression`."""

from collections.abc import Sequence

import numpy as np

from figures.formulas.five_steps import (
    AIM,
    BY_HAND,
    DISCOVER,
    FULL_SEEDS,
    NOISE,
    NOISY,
    Way,
    runs_of,
)
from figures.machine.machine import Bar, Claim, Record, all_bar, shape_name, spread

MOST_ERROR = 1e-12  # of a coefficient of the exact formula
MOST_NOISY_ERROR = NOISE  # with a thousand samples the error should be below the noise
MOST_SECONDS = 5.0
FIRST_ROW = "training with the penalty and pruning leave one hidden node"


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return rows for each way by hand, its last steps, and the results of `discover` on the same
    seeds. Rows without records are left out.
    """
    ways = [way for way in BY_HAND if runs_of(records, way)]
    rows = [_width_claim(runs_of(records, way), way) for way in ways]
    finished = [
        record
        for way in ways
        for record in runs_of(records, way)
        if record["results"]["formula"] is not None
    ]
    if finished:
        rows += [_hand_claim(finished), _guess_claim(finished)]
    found, noisy = runs_of(records, DISCOVER), runs_of(records, NOISY)
    if found:
        rows += [_discover_claim(found), _seconds_claim(found)]
    return [*rows, _noise_claim(noisy)] if noisy else rows


def _seeds(records: Sequence[Record]) -> str:
    return "1 seed" if len(records) == 1 else f"{len(records)} seeds"


def _of_all(good: Sequence[bool]) -> str:
    return f"{sum(good)} of {len(good)}"


def _errors(records: Sequence[Record]) -> list[float]:
    errors = [record["results"]["coefficient_error"] for record in records]
    return [error for error in errors if error is not None]


def _width_claim(runs: Sequence[Record], way: Way) -> Claim:
    widths = [record["results"]["widths"] for record in runs]
    shapes = sorted(widths)
    counts = [
        f"{shape_name(shape)} in {widths.count(shape)}"
        for place, shape in enumerate(shapes)
        if shape not in shapes[:place]
    ]
    config, bar = runs[0]["config"], all_bar([shape == AIM for shape in widths])
    return Claim(
        f"{FIRST_ROW} (mu_2 = {way.entropy_weight:g}, {way.n_steps} iterations)",
        "[2,1,1] in the run that is shown",
        f"{', '.join(counts)} of {len(runs)} seeds",
        bar.word,
        f"{_seeds(runs)}; lambda = {config['penalty_weight']:g}, mu_1 = {config['l1_weight']:g}, the printed penalty, "
        f"threshold {config['threshold']:g}; {np.median([record['results']['seconds'] for record in runs]):.1f} CPU s a seed; seeds that reach it, {bar.text}",
    )


def _hand_claim(finished: Sequence[Record]) -> Claim:
    errors, rmse = (
        _errors(finished),
        [record["results"]["steps"][-1]["test_rmse"] for record in finished],
    )
    good = [error <= MOST_ERROR for error in errors] + [False] * (len(finished) - len(errors))
    bar = all_bar(good)
    return Claim(
        "with the right functions set by hand, the parameters train to machine precision",
        "machine precision (documentation: RMSE 1e-10)",
        f"{_of_all(good)} runs that reach [2,1,1]; test RMSE {spread(rmse, '.0e')}, worst coefficient off by {max(errors):.0e}",
        bar.word,
        f"all ways by hand together; off by at most {MOST_ERROR:g} from 1, 1, pi, 1; runs, {bar.text}",
    )


def _guess_claim(finished: Sequence[Record]) -> Claim:
    wrong = [record["results"]["wrong_rmse"] for record in finished]
    right = [record["results"]["steps"][-1]["test_rmse"] for record in finished]
    bar = all_bar([bad > 1e6 * good for bad, good in zip(wrong, right, strict=True)])
    return Claim(
        "a wrong guess, cosh for y^2, shows in the error",
        "RMSE stalls at about 1.3e-3 (documentation)",
        f"test RMSE {spread(wrong, '.1e')}",
        bar.word,
        f"{len(finished)} runs that reach [2,1,1], {finished[0]['config']['affine_steps']} Levenberg-Marquardt steps; "
        f"shows: a million times the error of the right functions; runs, {bar.text}",
    )


def _discover_claim(found: Sequence[Record]) -> Claim:
    errors = _errors(found)
    good = [error <= MOST_ERROR for error in errors] + [False] * (len(found) - len(errors))
    worst, bar = f"; worst coefficient off by {max(errors):.0e}" if errors else "", all_bar(good)
    return Claim(
        "the data lead to the formula and to nothing else, width and functions found automatically (kr.discover)",
        "one run, width from pruning, functions by hand: 1.0 e^{1.0 y^2 + 1.0 sin(3.14 x)}",
        f"exact in {_of_all(good)} seeds{worst}",
        bar.word,
        f"{_seeds(found)}; exact: [2,1,1], sin, x^2, exp, and every parameter within {MOST_ERROR:g} of 1, 1, pi, 1 or of 0; seeds, {bar.text}",
    )


def _seconds_claim(found: Sequence[Record]) -> Claim:
    seconds = [record["results"]["seconds"] for record in found]
    bar = Bar(float(np.median(seconds)), MOST_SECONDS, most=True, form=".1f")
    return Claim(
        "from data to formula in seconds (kr.discover)",
        "no number",
        f"{spread(seconds, '.1f')} CPU s",
        bar.word,
        f"{_seeds(found)}, one thread; median in CPU s, {bar.text}",
    )


def _noise_claim(noisy: Sequence[Record]) -> Claim:
    errors = _errors(noisy)
    good = [error <= MOST_NOISY_ERROR for error in errors] + [False] * (len(noisy) - len(errors))
    bar = all_bar(good)
    return Claim(
        f"noise {NOISE:g} on f leaves the form as it is (five steps of kr.discover)",
        "not tried",
        f"right form in {len(errors)} of {len(noisy)} seeds"
        + (f"; worst coefficient of a seed off by {spread(errors, '.1e')}" if errors else ""),
        bar.word,
        f"{_seeds(noisy)}; every parameter within {MOST_NOISY_ERROR:g}; seeds, {bar.text}"
        + ("" if len(noisy) >= FULL_SEEDS else f"; the full run takes {FULL_SEEDS} seeds"),
    )
