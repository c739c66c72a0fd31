"""`python -m kan_ref`: a network learns the paper's toy function through finer and finer grids, by two optimizers.

The problem of Fig. 2.3 of Liu et al. 2024: f(x, y) = exp(sin(pi x) + y^2) on [-1, 1]^2, a [2, 1, 1] network, cubic splines.
Theorem 2.1 says that the error can fall as G^-4 with the number of intervals G; the paper saw about G^-3. Every number
printed is measured here and now.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

# matrices of this size gain nothing from a second thread and lose much to it on a busy machine; set before NumPy loads
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from tqdm import tqdm

import kan_ref as kr
from kan_ref.checks import FloatArray
from kan_ref.run_record import Step

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTHS, DEGREE, DOMAIN, FIRST_GRID = (2, 1, 1), 3, (-1.0, 1.0), 3
GRIDS = (3, 5, 10, 20, 50, 100)
SMOOTHNESS = 1e-8
TRAINABLE = ("coef", "w_base")  # w_spline only rescales coef: fixed at 1 it costs no accuracy and helps L-BFGS
PICTURES = (".png", ".pdf", ".svg")
SLOPE_FROM = 5


@dataclass(frozen=True)
class Method:
    """One optimizer of the comparison: its label, fit's name for it, steps a grid, and up to which grid its slope is fitted."""

    label: str
    optimizer: str
    n_steps: int
    slope_to: int
    color: str
    marker: str


METHODS = (
    Method("Levenberg-Marquardt, 30 steps a grid", "lm", 30, 100, "#0072B2", "o"),
    Method("L-BFGS, 200 steps a grid", "lbfgs", 200, 50, "#D55E00", "s"),
)


@dataclass(frozen=True)
class Ladder:
    """One run through all grids: errors and seconds at the end of each, (n_grids,), and what the starts came to."""

    train: FloatArray
    test: FloatArray
    seconds: FloatArray
    n_failed: int


def climb(method: Method, seed: int, n_samples: int, bar: "tqdm[NoReturn]") -> Ladder:
    """One seed's ladder of grids: fresh data, the best of eight short starts, then every grid in turn."""
    rng = np.random.default_rng(seed)
    data = kr.sample("exp_sin", n_train=n_samples, n_test=n_samples, rng=rng)
    began = time.perf_counter()
    starts = kr.run_starts(
        WIDTHS, data, n_starts=8, n_intervals=FIRST_GRID, degree=DEGREE, domain=DOMAIN, optimizer=method.optimizer, rng=rng
    )
    before = time.perf_counter() - began

    def show(step: Step) -> None:
        bar.set_postfix_str(f"{method.label}, seed {seed}, G {step.n_intervals}, test RMSE {step.test_rmse:.1e}")

    run = kr.fit(
        starts.network,
        data,
        optimizer=method.optimizer,
        n_steps=method.n_steps,
        smoothness_weight=SMOOTHNESS,
        grids=GRIDS,
        trainable=TRAINABLE,
        callback=show,
    )
    if run.interrupted:
        raise KeyboardInterrupt
    bar.update()
    history = run.history
    last = [int(np.flatnonzero(history.n_intervals == grid)[-1]) for grid in GRIDS]
    seconds = np.diff(history.seconds[last], prepend=0.0)
    seconds[0] += before
    return Ladder(history.train_rmse[last], history.test_rmse[last], seconds, starts.n_failed)


def slope(grids: Sequence[int], errors: FloatArray, low: int, high: int) -> float:
    """Slope of log error against log G by least squares over low <= G <= high."""
    chosen = [place for place, grid in enumerate(grids) if low <= grid <= high]
    return float(np.polyfit(np.log([grids[place] for place in chosen]), np.log(errors[chosen]), 1)[0])


def report(ladders: dict[str, list[Ladder]]) -> str:
    """The table of both methods, medians over seeds, and the slopes with their range."""
    lines = []
    for method in METHODS:
        runs = ladders[method.label]
        lines.append(f"{method.label}")
        lines.append("   grid   train RMSE   test RMSE   seconds")
        for place, grid in enumerate(GRIDS):
            train, test, seconds = (np.median([getattr(run, name)[place] for run in runs]) for name in ("train", "test", "seconds"))
            lines.append(f"   {grid:4d}   {train:10.1e}   {test:9.1e}   {seconds:7.2f}")
        slopes = [slope(GRIDS, run.test, SLOPE_FROM, method.slope_to) for run in runs]
        spread = f" ({min(slopes):.2f} to {max(slopes):.2f})" if len(slopes) > 1 else ""
        failed = sum(run.n_failed for run in runs)
        lines.append(f"   slope of the test error, G = {SLOPE_FROM} to {method.slope_to}: {np.median(slopes):.2f}{spread}; theorem 2.1: -4")
        lines.append(f"   starts more than 10 times worse than the best of their 8, which is used: {failed} of {8 * len(runs)}")
        lines.append("")
    return "\n".join(lines)


def draw(ladders: dict[str, list[Ladder]]) -> "Figure":
    """Test error against the number of intervals, every seed a thin line, the median a thick one, with both slopes."""
    from matplotlib import pyplot as plt

    style: dict[Any, Any] = {"axes.spines.top": False, "axes.spines.right": False, "font.size": 11, "legend.frameon": False}
    with plt.rc_context(style):
        figure, ax = plt.subplots(figsize=(7.0, 5.0), layout="constrained")
        grids = np.array(GRIDS, dtype=float)
        for method in METHODS:
            errors = np.array([run.test for run in ladders[method.label]])
            ax.loglog(grids, errors.T, color=method.color, alpha=0.3, lw=1)
            ax.loglog(grids, np.median(errors, axis=0), color=method.color, lw=2, marker=method.marker, label=method.label)
        anchor = np.median([run.test[2] for run in ladders[METHODS[0].label]])
        for power, dash in ((4, "--"), (3, ":")):
            name = "theorem 2.1: $G^{-4}$" if power == 4 else "the paper's fit: $G^{-3}$"
            ax.loglog(grids[1:], 3 * anchor * (grids[1:] / 10.0) ** -power, dash, color="0.4", lw=1.5, label=name)
        ax.set_xticks(grids, labels=[str(grid) for grid in GRIDS])
        ax.minorticks_off()
        ax.set_xlabel("intervals per grid, $G$")
        ax.set_ylabel("root mean square test error")
        ax.set_title(r"KAN [2, 1, 1] learns $\exp(\sin(\pi x) + y^2)$", fontsize=12)
        ax.legend()
    return figure


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m kan_ref", description="A Kolmogorov-Arnold network learns exp(sin(pi x) + y^2).")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="independent repetitions (default %(default)s)")
    parser.add_argument("--samples", type=int, default=1000, metavar="N", help="training and test samples (default %(default)s)")
    parser.add_argument("--picture", type=Path, default=Path("kan_ref_demo.png"), metavar="FILE", help="where the picture goes")
    options = parser.parse_args(arguments)
    folder = options.picture.resolve().parent
    if options.picture.suffix.lower() not in PICTURES or options.picture.is_dir() or not folder.is_dir():
        parser.error(f"--picture is {options.picture}, but must be a file in a folder that exists, ending in {', '.join(PICTURES)}")
    if options.seeds < 1 or options.samples < 10:
        parser.error(f"--seeds is {options.seeds} and --samples {options.samples}, but they must be at least 1 and 10")

    print(f"kan_ref {kr.__version__}: a KAN {list(WIDTHS)} with cubic splines learns exp(sin(pi x) + y^2) on [-1, 1]^2")
    print(f"from {options.samples} samples; errors on {options.samples} fresh ones; medians of {options.seeds} seeds\n", flush=True)
    ladders: dict[str, list[Ladder]] = {method.label: [] for method in METHODS}
    try:
        with tqdm(total=len(METHODS) * options.seeds, unit="run", leave=False) as bar:
            for method in METHODS:
                for seed in range(options.seeds):
                    ladders[method.label].append(climb(method, seed, options.samples, bar))
    except KeyboardInterrupt:
        print("interrupted: no table without every run", file=sys.stderr)
        return 130
    print(report(ladders))
    draw(ladders).savefig(options.picture, dpi=150, metadata={"Software": None})
    print(f"picture: {options.picture}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
