"""Fig. B.2: learnable activation networks on the six examples of Fig. 4.1.

Liu et al. 2024, appendix B: LANs learn them too, but are not as easy to read as KANs, since weights mix all inputs of a node.

Functions and samples are those of `fig_4_1_interpretable`. The paper leaves open, and we chose, the widths, in which each
function has an exact form except (d); for (d) [2,5,1,1] and smaller networks stopped at large errors in trials, so it has [2,5,5,1]. Training as in
`lan_runs`; J0(20 x) oscillates too fast for fewer than 20 intervals. In (f) any two orthogonal directions in the plane of two inner sums are
right: u^2 + v^2 does not change when (u, v) rotates.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import kan_ref as kr
from figures.formulas.fig_4_1_interpretable import DIGIT_PANEL, FORMULAS, N_DIGITS, first_digit, sample
from figures.lans.lan_runs import SETTINGS, draw_lan, purity, restored_lan, stored_lan, train_lan
from figures.machine.machine import Bar, Claim, Config, Record, all_bar, runs_of, seed_count, shape_name, spread
from figures.machine.training import n_failed

NAME = "b.2"
TITLE = "LANs on the six examples of Fig. 4.1"
SEEDS, SEEDS_QUICK = 5, 1
LEARNT, DIGITS_LEARNT = (0.05, 0.9)  # error against the spread of the test values; share of right digits
ALONE = 0.9  # a node of at least this purity has one input


@dataclass(frozen=True)
class Panel:
    """An example: the widths of its network, the number of curves with one input in the expected
    form, other settings.
    """

    letter: str
    widths: list[int]
    n_alone: int
    options: dict[str, Any] = field(default_factory=dict)


PANELS = (
    Panel("a", [2, 2, 1], 0),
    Panel("b", [2, 2, 1, 1], 2),
    Panel("c", [1, 10, 10], 10, {"grids": [10], "n_starts": 1}),
    Panel("d", [2, 5, 5, 1], 5, {"grids": [20]}),
    Panel("e", [3, 3, 1, 1], 3, {"grids": [5, 10]}),
    Panel("f", [4, 2, 1, 1], 0),
)


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each example and seed."""
    known = {"n_train": 1000, "n_test": 1000, **SETTINGS}
    count = seeds or (SEEDS if full else SEEDS_QUICK)
    return [
        {"panel": panel.letter, "widths": panel.widths, **known, **panel.options, "seed": seed}
        for panel in PANELS
        for seed in range(count)
    ]


def _data(config: Config, rng: np.random.Generator) -> kr.Data:
    if config["panel"] == DIGIT_PANEL:
        x, x_test = (rng.uniform(0.0, 1.0, (config[count], 1)) for count in ("n_train", "n_test"))
        one_hot = np.eye(N_DIGITS)
        return kr.Data(x, one_hot[first_digit(x)], x_test, one_hot[first_digit(x_test)])
    formula = next(one for one in FORMULAS if one.panel == config["panel"])
    x, x_test = (sample({"box": formula.box}, config[count], rng) for count in ("n_train", "n_test"))
    return kr.Data(x, formula.f(x)[:, None], x_test, formula.f(x_test)[:, None])


def run(config: Config) -> dict[str, Any]:
    """Train the network of an example and a seed; return its errors, and the inputs of its first
    curves.
    """
    rng = np.random.default_rng(config["seed"])
    data = _data(config, rng)
    lan, validation = train_lan(config, data, rng)
    y = lan(data.x_test)
    return {
        "error": float(np.sqrt(np.mean((y - data.y_test) ** 2)) / np.std(data.y_test)),
        "train_error": float(np.sqrt(np.mean((lan(data.x_train) - data.y_train) ** 2)) / np.std(data.y_train)),
        "right": float(np.mean(y.argmax(axis=1) == data.y_test.argmax(axis=1))),
        "n_params": lan.n_params,
        "n_failed_starts": n_failed(validation),
        "purity": purity(lan, data.x_train),
        "lan": stored_lan(lan),
        "probe": data.x_train[:200].round(4).tolist(),
    }


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw for each example the network with the smallest error."""
    picture = Figure(figsize=(9.4, 8.2))
    for ax, panel in zip(picture.subplots(2, 3).ravel(), PANELS, strict=True):
        runs = runs_of(records, panel=panel.letter)
        ax.set_axis_off()
        if not runs:
            continue
        best = min(runs, key=lambda record: float(record["results"]["error"]))
        results = best["results"]
        digits = panel.letter == DIGIT_PANEL
        names, outputs = (["$x$"], [str(digit) for digit in range(10)]) if digits else (_names(panel.letter), ["$f$"])
        draw_lan(ax, restored_lan(results["lan"]), np.array(results["probe"]), names=names, output_names=outputs)
        score = (
            f"{100.0 * results['right']:.1f} % of digits right"
            if digits
            else f"relative test error {results['error']:.0e}"
        )
        ax.set_title(
            f"({panel.letter})  {_formula(panel.letter)}\n{shape_name(panel.widths)}, {score}", linespacing=1.6
        )
    return picture


def _names(letter: str) -> list[str]:
    return [f"${name}$" for name in next(one for one in FORMULAS if one.panel == letter).names]


def _formula(letter: str) -> str:
    if letter == DIGIT_PANEL:
        return "first decimal digit of $x$"
    return f"${next(one for one in FORMULAS if one.panel == letter).latex}$"


# --- the table


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return for each example whether it is learnt, and whether a form with one input for each
    curve, if there is one, is found.
    """
    rows = []
    for panel in PANELS:
        runs = runs_of(records, panel=panel.letter)
        if runs:
            rows.append(_learnt(panel, runs))
            if panel.n_alone and panel.widths[0] > 1:
                rows.append(_read(panel, runs))
    return rows


def _about(panel: Panel) -> str:
    plain = (
        "first digit"
        if panel.letter == DIGIT_PANEL
        else next(one for one in FORMULAS if one.panel == panel.letter).plain
    )
    return f"({panel.letter}) {plain}, LAN {shape_name(panel.widths)}"


def _learnt(panel: Panel, runs: Sequence[Record]) -> Claim:
    errors, rights, train = (
        [float(one["results"][name]) for one in runs] for name in ("error", "right", "train_error")
    )
    digits = panel.letter == DIGIT_PANEL
    good = [right >= DIGITS_LEARNT for right in rights] if digits else [error <= LEARNT for error in errors]
    ours = (
        f"{spread([100.0 * right for right in rights], '.1f')} % right"
        if digits
        else f"relative test error {spread(errors, '.1e')}"
    )
    failed = sum(int(one["results"]["n_failed_starts"]) for one in runs)
    return Claim(
        f"{_about(panel)}: is learnt",
        "learnt",
        f"{ours}; in {sum(good)} of {len(good)} seeds",
        all_bar(good),
        f"training error {spread(train, '.1e')}; {failed} of {len(runs) * runs[0]['config']['n_starts']} initializations failed; "
        + (f"learnt: {DIGITS_LEARNT:.0%} right" if digits else f"learnt: at most {LEARNT:g} of std(y)")
        + "; seeds",
    )


def _read(panel: Panel, runs: Sequence[Record]) -> Claim:
    shares = [share for one in runs for share in one["results"]["purity"]]
    alone = [share >= ALONE for share in shares]
    return Claim(
        f"{_about(panel)}: weights mix inputs that a KAN keeps apart",
        "less interpretable",
        f"{len(alone) - sum(alone)} of {len(alone)} first curves read a mixture",
        Bar(len(alone) - sum(alone), math.ceil(0.5 * len(alone)), 1.0),
        f"{seed_count(runs)}; a mixture: the strongest input has less than {ALONE:.0%} of the weight; curves",
    )
