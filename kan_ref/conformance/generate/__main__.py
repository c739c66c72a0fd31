"""Rewrite all vectors: `python -m kan_ref.conformance.generate`.

With `--check` nothing is written; the files that would change are listed.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kan_ref.conformance.generate import (
    topics_bases,
    topics_derivatives,
    topics_edges,
    topics_families,
    topics_grid_extension,
    topics_grid_update,
    topics_knots,
    topics_layers,
    topics_networks,
    topics_optimizers,
    topics_penalties,
    topics_rest,
    topics_scores,
    topics_side_effects,
)
from kan_ref.conformance.generate.encode import text
from kan_ref.program import run_program

HOME = Path(__file__).parents[1]
TOPICS = (
    topics_knots.knots,
    topics_bases.bases,
    topics_derivatives.basis_derivatives,
    topics_derivatives.higher_derivatives,
    topics_edges.edges,
    topics_layers.layers,
    topics_layers.batches,
    topics_layers.separability,
    topics_layers.layer_gradients,
    topics_networks.network_values,
    topics_networks.network_gradients,
    topics_networks.input_jacobians,
    topics_networks.input_curvatures,
    topics_grid_extension.extension,
    topics_grid_update.update,
    topics_penalties.penalties,
    topics_penalties.pykan_penalties,
    topics_penalties.zero_edges,
    topics_scores.edge_scores,
    topics_scores.node_scores,
    topics_scores.pruning,
    topics_edges.affine_fits,
    topics_rest.counts,
    topics_rest.initial_draws,
    topics_rest.files,
    topics_optimizers.optimizer_steps,
    topics_side_effects.side_effects,
    topics_families.gaussian,
    topics_families.chebyshev,
    topics_families.fourier,
    topics_families.relu,
)


def generate() -> dict[str, str]:
    """Return all files: path below the package -> text."""
    documents: list[dict[str, Any]] = [make() for make in TOPICS]
    return {f"vectors/{document['topic']}.json": text(document) for document in documents}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or compare them (`--check`), and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m kan_ref.conformance.generate",
        description="Regenerate the conformance vectors.",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; status 1 if a file differs from what would be written",
    )
    options = parser.parse_args(arguments)
    files = generate()
    stale = []
    for name, content in files.items():
        path = HOME / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            stale.append(name)
            if not options.check:
                path.parent.mkdir(exist_ok=True)
                path.write_text(content, encoding="utf-8", newline="\n")
    left = [
        f"{path.parent.name}/{path.name}"
        for path in sorted(HOME.glob("vectors/*.json"))
        if f"{path.parent.name}/{path.name}" not in files
    ]
    for name in stale:
        print(f"{'differs' if options.check else 'written'}: {name}")
    for name in left:
        print(f"no longer generated: {name}")
    size = sum(map(len, files.values())) / 1e6
    verb = "differ" if options.check else "written"
    print(f"{len(files)} files, {size:.2f} MB, {len(stale)} {verb}")
    return 1 if options.check and (stale or left) else 0


if __name__ == "__main__":
    run_program(main)
