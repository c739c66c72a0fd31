"""The example networks of the explorer: `python docs/explorer_example.py` trains them and writes docs/explorer/example.js.

The example is that of Liu et al. 2024, section 2.5.2 and Fig. 2.4, exp(sin(pi x) + y^2), in three stages: a [2, 5, 1] network trained with penalties, the same
network pruned and trained further, and the network with all edges symbolic. The file contains each stage as the document that `kan_ref.save` writes as
JSON, with the three best symbolic fits of every spline edge by `kan_ref.suggest_symbolic`.

A test regenerates the file. Everything derived from its networks must be the same, and training again must give
the same functions within `SAME`, because another machine may sum in another order, which changes the last digits, and training amplifies such changes.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import kan_ref as kr
from kan_ref.io.document import network_to_plain

FILE = Path(__file__).parent / "explorer" / "example.js"
NAMES, N_FITS = ("x", "y"), 3
# Largest rms distance of each stage after training again. With initial parameters changed by 1e-15 the distances were 5e-3, 5e-6 and 7e-16. Many
# steps of L-BFGS on penalties with kinks amplify rounding most; a network with an isolated minimum does not depend on it.
SAME = (0.1, 1e-3, 1e-12)
SOURCE = f"Found by kan_ref.suggest_symbolic among {len(kr.LIBRARY)} functions, on the 1000 training samples."


def data() -> kr.Data:
    """Return 1000 training samples and 1000 test samples."""
    return kr.sample("exp_sin", n_train=1000, n_test=1000, rng=np.random.default_rng(0))


def networks(samples: kr.Data) -> list[tuple[str, str, kr.Network]]:
    """Return (title, description, network) for three stages of one training."""
    first, last = kr.init_network(
        (2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(2)
    ).layers
    # all grids on [-1, 1], as in the paper's code
    start = kr.Network((first, replace(last, knots=kr.uniform_knots(5 * [-1.0], 1.0, 5, 3))))
    weights = kr.Penalty(1e-2, l1=1.0, entropy=2.0)
    sparse = kr.fit(start, samples, optimizer="lbfgs", n_steps=120, update_grids=False, penalty=weights).network
    pruned = refit(kr.prune(sparse, samples.x_train), samples)
    named = refit(kr.auto_symbolic(pruned, samples.x_train), samples)
    stages = {
        "trained with penalties": (sparse, "the L1 and entropy penalties have made most edges small."),
        "pruned and trained further": (
            pruned,
            "unimportant nodes are removed, and the rest is trained without penalties.",
        ),
        "all edges symbolic": (
            named,
            "every edge is replaced by its best symbolic fit, and the parameters are trained again.",
        ),
    }
    about = "Trained on 1000 samples of exp(sin(πx) + y²):"
    return [(title, f"{about} {said} {error(network, samples)}", network) for title, (network, said) in stages.items()]


def refit(network: kr.Network, samples: kr.Data) -> kr.Network:
    """Return a network after 40 steps of Levenberg-Marquardt."""
    return kr.fit(network, samples, optimizer=kr.LM(scaled=False), n_steps=40).network


def error(network: kr.Network, samples: kr.Data) -> str:
    """Return the test RMSE as text."""
    return f"Test RMSE {np.sqrt(np.mean((network(samples.x_test) - samples.y_test) ** 2)):.1g}."


def suggestions(network: kr.Network, x: Any) -> list[dict[str, Any]]:
    """Return the best symbolic fits of every spline edge."""
    found = []
    for number, layer in enumerate(network.layers):
        for j, i in np.argwhere(layer.mask == 1.0).tolist():
            fits = kr.suggest_symbolic(network, x, number, output=j, input=i).fits[:N_FITS]
            listed = [{"name": fit.name, "affine": [fit.a, fit.b, fit.c, fit.d], "miss": 1.0 - fit.r2} for fit in fits]
            found.append({"layer": number, "output": j, "input": i, "fits": listed})
    return found


def text(stages: list[tuple[str, str, kr.Network]], x: Any) -> str:
    """Return the text of the script."""
    entries = [
        {
            "title": title,
            "about": about,
            "inputs": NAMES,
            "outputs": ["f"],
            "document": network_to_plain(network),
            "source": SOURCE,
            "suggestions": suggestions(network, x),
        }
        for title, about, network in stages
    ]
    lines = ",\n".join(json.dumps(entry, default=lambda array: array.tolist()) for entry in entries)
    return (
        "// Written by docs/explorer_example.py; do not edit.\n"
        f'"use strict";\n\nglobalThis.KAN = globalThis.KAN || {{}};\nglobalThis.KAN.examples = [\n{lines}\n];\n'
    )


def parse(script: str) -> list[dict[str, Any]]:
    """Return the entries of a script that `text` has written."""
    return list(json.loads(script[script.index("[\n") : script.rindex(";")]))


if __name__ == "__main__":
    samples = data()
    FILE.write_text(text(networks(samples), samples.x_train), encoding="utf-8")
    sys.stdout.write(f"{FILE}\n")
