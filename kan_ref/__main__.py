"""Demonstration `python -m kan_ref`: from samples of exp(sin(pi x) + y^2) to the formula.

The example of Liu et al. 2024, section 2.5.2 and Fig. 2.4. A [2, 5, 1] network is trained with
penalties, pruned, converted to symbolic edges, trained to machine precision, and written as a
formula. Here every step is automatic, a verdict says how far the formula explains the samples, and
a picture shows the networks after each step. All printed numbers are computed in this run.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kan_ref.program import check_output, given_path, report_interrupts, run_program

if __name__ == "__main__":
    report_interrupts()
# for small matrices a second thread costs more than it gains; set before NumPy is loaded
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from tqdm import tqdm

import kan_ref as kr

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTHS, NAMES = (2, 5, 1), ("x", "y")
PICTURES = (".png", ".pdf", ".svg")
SHOWN = {
    "sparsify": "trained with penalties",
    "prune": "pruned",
    "refine": "eliminated, refined",
    "canonical": "symbolic, trained",
    "network": "the formula",
}
SYMBOLIC = ("canonical", "network")
SAMPLES = (100, 1_000_000)  # fewest, and most: a training step then takes gigabytes of memory
MOST_NOISE = 1e100  # sums of squares of targets must be numbers of float64


def find(data: kr.Data, seed: int) -> kr.discovery.Discovery:
    """Return the discovery; its steps are printed above a progress bar as they finish."""
    began = time.perf_counter()
    with tqdm(unit=" networks", leave=False, disable=None) as bar:

        def show(step: Any) -> None:
            bar.update()
            if isinstance(step, kr.discovery.DiscoveryStep):
                bar.set_postfix_str(step.name)
                bar.write(line(step, time.perf_counter() - began))

        return kr.discover(
            data, widths=WIDTHS, names=NAMES, rng=np.random.default_rng(seed), callback=show
        )


def line(step: kr.discovery.DiscoveryStep, seconds: float) -> str:
    """Return one row of the table; the widths of a formula that is not a network are "-"."""
    widths = "-" if step.network is None else str(list(step.network.widths))
    return (
        f"{step.name:<10} {widths:<10} {step.train_rmse:10.1e} "
        f"{step.test_rmse:10.1e} {seconds:8.1f}   {step.note}"
    )


def recognise(found: kr.discovery.Discovery, data: kr.Data) -> Any:
    """Return the formula with exact constants, as far as its own error allows.

    The tolerance is that of a mean over N samples: three times the relative training RMSE, times
    sqrt(number of parameters / N), and at least 1e-9. A formula that is not a network has as many
    parameters as different decimal numbers.
    """
    import sympy

    n = len(data.x_train)
    if found.network is None:
        n_parameters = max(1, len(found.formula.atoms(sympy.Float)))
    else:
        n_parameters = found.network.n_active_params
    tolerance = max(
        1e-9, 3.0 * found.train_rmse / float(np.std(data.y_train)) * (n_parameters / n) ** 0.5
    )
    return kr.recognise_constants(found.formula, data.x_train, names=NAMES, tolerance=tolerance)


def draw(found: kr.discovery.Discovery, recognised: Any, x: object) -> "Figure":
    """Return a figure of the networks after each step, side by side, as in the paper's Fig. 2.4.

    The symbolic network is among them where it computes the formula that was found.
    """
    import sympy
    from matplotlib.figure import Figure

    drawn = [
        (step, step.network)
        for step in found.steps
        if step.name in SHOWN and step.network is not None
    ]
    drawn = [
        (step, network)
        for step, network in drawn
        if step.name not in SYMBOLIC or network is found.network
    ]
    figure = Figure(figsize=(11.0, 4.0), layout="constrained")
    axes = figure.subplots(1, len(drawn), squeeze=False)[0]
    for ax, (step, network) in zip(axes, drawn, strict=True):
        kr.draw_network(network, x, ax=ax, names=NAMES, output_names=("f",))
        ax.set_title(f"{SHOWN[step.name]}\ntest RMSE {step.test_rmse:.0e}", fontsize=10)
    figure.suptitle(f"$f = {sympy.latex(recognised.expression)}$", fontsize=13)
    return figure


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m kan_ref", description="From samples of exp(sin(pi x) + y^2) to the formula."
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of samples and initial parameters (default %(default)s)",
    )
    parser.add_argument(
        "--samples",
        type=int,
        default=1000,
        metavar="N",
        help="number of training samples and of test samples (default %(default)s)",
    )
    parser.add_argument(
        "--noise",
        type=float,
        default=0.0,
        metavar="S",
        help="standard deviation of the noise on the training targets",
    )
    parser.add_argument(
        "--picture",
        type=given_path,
        default=Path("kan_ref_demo.png"),
        metavar="FILE",
        help="file of the picture (default %(default)s)",
    )
    options = parser.parse_args(arguments)
    _check_picture(parser, options.picture)
    fewest, most = SAMPLES
    is_number = fewest <= options.samples <= most and 0.0 <= options.noise <= MOST_NOISE
    if options.seed < 0 or not is_number:
        parser.error(
            f"--seed is {options.seed}, --samples {options.samples} and --noise {options.noise:g}, "
            f"but they must be at least 0, between {fewest} and {most}, and between 0 and "
            f"{MOST_NOISE:g}"
        )

    rng = np.random.default_rng(options.seed)
    clean = kr.sample("exp_sin", n_train=options.samples, n_test=options.samples, rng=rng)
    noise = options.noise * rng.standard_normal(clean.y_train.shape)
    data = kr.Data(clean.x_train, clean.y_train + noise, clean.x_test, clean.y_test)
    print(
        f"kan_ref {kr.__version__}: from {options.samples} samples of exp(sin(pi x) + y^2) "
        "on [-1, 1]^2 to a formula\n"
    )
    print(
        f"{'step':<10} {'widths':<10} {'train RMSE':>10} {'test RMSE':>10} {'seconds':>8}",
        flush=True,
    )
    try:
        found = find(data, options.seed)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("interrupted: a formula needs all steps") from None
    recognised = recognise(found, data)
    print(f"\nfound       {found.formula}")
    print(
        f"recognised  {recognised.expression}, which changes its values by {recognised.rms:.0e} "
        "of their standard deviation"
    )
    print(f"verdict     {found.verdict}")
    try:
        draw(found, recognised, data.x_train).savefig(options.picture, dpi=150, metadata=None)
    except OSError as error:
        print(f"{options.picture} cannot be written: {error}", file=sys.stderr)
        return 1
    print(f"picture     {options.picture}")
    return 0


def _check_picture(parser: argparse.ArgumentParser, picture: Path) -> None:
    """End the program with the reason if the picture cannot be written."""
    if picture.suffix.lower() not in PICTURES:
        parser.error(
            f"--picture is {picture}, but must be a name that ends in {', '.join(PICTURES)}, "
            "such as kan.png"
        )
    check_output(parser, "--picture", picture)


if __name__ == "__main__":
    run_program(main)
