"""Demonstration `python -m kan_ref`: samples of exp(sin(pi x) + y^2) to the formula.

The example of Liu et al. 2024, section 2.5.2 and Fig. 2.4. A [2, 5, 1] network is
trained with penalties, pruned, converted to symbolic edges, trained to machine
precision, and written as a formula. Here every step is automatic, a verdict says how
far the formula explains the samples, and a picture shows the networks after each step.
All printed numbers are computed in this run.
"""

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# before NumPy is loaded: with small matrices a second thread costs more than it gains
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from tqdm import tqdm

import kan_ref as kr
from kan_ref.program import check_output, run_program

NAMES = ("x", "y")
SHOWN = {
    "sparsify": "trained with penalties",
    "prune": "pruned",
    "refine": "eliminated, refined",
    "canonical": "symbolic, trained",
    "network": "the formula",
}


def find(data: kr.Data, seed: int) -> kr.discovery.Discovery:
    """Return the discovery; steps are printed above a progress bar as they finish."""
    began = time.perf_counter()
    rng = np.random.default_rng(seed)
    with tqdm(unit=" networks", leave=False, disable=None) as bar:

        def show(step: Any) -> None:
            bar.update()
            if isinstance(step, kr.discovery.DiscoveryStep):
                bar.set_postfix_str(step.name)
                bar.write(line(step, time.perf_counter() - began))

        return kr.discover(data, widths=(2, 5, 1), names=NAMES, rng=rng, callback=show)


def line(step: kr.discovery.DiscoveryStep, seconds: float) -> str:
    """Return one row of the table; a formula that is no network has the widths "-"."""
    widths = "-" if step.network is None else str(list(step.network.widths))
    errors = f"{step.train_rmse:10.1e} {step.test_rmse:10.1e}"
    return f"{step.name:<10} {widths:<10} {errors} {seconds:8.1f}   {step.note}"


def recognise(found: kr.discovery.Discovery, data: kr.Data) -> Any:
    """Return the formula with exact constants, as far as its own error allows.

    The tolerance is that of a mean over N samples: three times the relative training
    RMSE, times sqrt(number of parameters / N), and at least 1e-9. A formula that is not
    a network has as many parameters as different decimal numbers.
    """
    import sympy

    x = data.x_train
    n_parameters = max(1, len(found.formula.atoms(sympy.Float)))
    if found.network is not None:
        n_parameters = found.network.n_active_params
    relative = found.train_rmse / float(np.std(data.y_train))
    tolerance = max(1e-9, 3.0 * relative * (n_parameters / len(x)) ** 0.5)
    return kr.recognise_constants(found.formula, x, names=NAMES, tolerance=tolerance)


def draw(found: kr.discovery.Discovery, recognised: Any, x: object) -> Any:
    """Return a figure of the networks after each step, as in the paper's Fig. 2.4.

    A symbolic network is among them where it computes the formula that was found.
    """
    import sympy
    from matplotlib.figure import Figure

    drawn = [
        (step, step.network)
        for step in found.steps
        if step.name in SHOWN and step.network is not None
        if step.name not in ("canonical", "network") or step.network is found.network
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
    summary = __doc__.split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m kan_ref", description=summary)
    add = parser.add_argument
    add(
        "--seed",
        type=int,
        default=0,
        help="of samples and initial parameters (%(default)s)",
    )
    add(
        "--samples",
        type=int,
        default=1000,
        help="for training, and for testing (%(default)s)",
    )
    add(
        "--noise",
        type=float,
        default=0.0,
        help="standard deviation, on the training targets",
    )
    add(
        "--picture", type=Path, default=Path("kan_ref_demo.png"), help="PNG, PDF or SVG"
    )

    options = parser.parse_args(arguments)
    check_output(parser, "--picture", options.picture)
    if options.picture.suffix not in (".png", ".pdf", ".svg"):
        parser.error(
            f"--picture is {options.picture}, but must end in .png, .pdf or .svg"
        )
    try:
        rng, n = np.random.default_rng(options.seed), options.samples
        data = kr.sample("exp_sin", n_train=n, n_test=n, noise=options.noise, rng=rng)
    except ValueError as error:
        parser.error(str(error))

    print(
        f"kan_ref {kr.__version__}: {n} samples of exp(sin(pi x) + y^2) on [-1, 1]^2\n"
    )
    print(f"{'step':<10} {'widths':<10} train RMSE  test RMSE  seconds", flush=True)
    found = find(data, options.seed)
    recognised = recognise(found, data)
    change = f"by {recognised.rms:.0e} of their standard deviation"
    print(f"\nfound       {found.formula}")
    print(f"recognised  {recognised.expression}, which changes its values {change}")
    print(f"verdict     {found.verdict}")

    figure = draw(found, recognised, data.x_train)
    figure.savefig(options.picture, dpi=150, metadata=None)
    print(f"picture     {options.picture}")
    return 0


if __name__ == "__main__":
    run_program(main)
