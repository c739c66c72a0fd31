"""The five steps of Fig. 2.4 as `kr.discover` takes them, one row: the picture of the README.

Liu et al. 2024, section 2.5.2. The run is one of those of Fig. 2.4, the first seed.
"""

from collections.abc import Sequence

from matplotlib.figure import Figure

from figures.formulas import fig_2_4_symbolic_regression
from figures.formulas.five_steps import DISCOVER, runs_of
from figures.machine.machine import Claim, Record
from figures.machine.machine import configs as configs
from figures.machine.machine import run as run
from figures.machine.stored_network import draw_settled, network_panel
from figures.machine.style import GREY

NAME = "2.4-steps"
TITLE = "from data to a formula in five steps"
RECORDS_OF = (fig_2_4_symbolic_regression,)
STEPS = {0: "train", 1: "prune", 2: "refine", 3: "name"}
BETA = 3.0


def draw(records: Sequence[Record]) -> Figure:
    """Draw four networks and the formula."""
    picture = Figure(figsize=(8.0, 2.5))
    axes, drawings = picture.subplots(1, 5), []
    found = runs_of(records, DISCOVER)
    steps = found[0]["results"]["steps"] if found else []
    for ax in axes:
        ax.set_axis_off()
    for ax, (place, title), step in zip(axes, STEPS.items(), steps, strict=False):
        text = f"{place + 1}  {title}\nerror {step['test_rmse']:.0e}"
        drawings.append(network_panel(ax, text, step["network"], beta=BETA))
    axes[4].set_title("5  write\n", fontsize=10.5)
    formula = found[0]["results"]["formula"] if found else None
    axes[4].text(
        0.5,
        0.5,
        f"${formula}$" if formula else "no formula",
        ha="center",
        va="center",
        fontsize=11,
        color="k" if formula else GREY,
    )
    draw_settled(picture, drawings)
    return picture


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return no rows: those of Fig. 2.4 judge all seeds."""
    return []
