"""Rewrite all vectors: `python -m kan_ref.conformance.generate`.

With `--check` nothing is written; the files that would change are listed.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

# each module registers its topics
from kan_ref.conformance.generate import grids, layers, others, scores, splines  # noqa: F401
from kan_ref.conformance.generate.encode import TOPICS, text
from kan_ref.program import run_program

HOME = Path(__file__).parents[1] / "vectors"


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
    check = parser.parse_args(arguments).check
    documents = [make() for make in TOPICS]
    files = {HOME / f"{document['topic']}.json": text(document) for document in documents}
    stale = [
        path
        for path, content in files.items()
        if not path.exists() or path.read_text(encoding="utf-8") != content
    ]
    verb = "differ" if check else "written"
    for path in stale:
        print(f"{'differs' if check else 'written'}: vectors/{path.name}")
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(files[path], encoding="utf-8", newline="\n")
    left = sorted(set(HOME.glob("*.json")) - set(files))
    for path in left:
        print(f"no longer generated: vectors/{path.name}")
    size = sum(map(len, files.values())) / 1e6
    print(f"{len(files)} files, {size:.2f} MB, {len(stale)} {verb}")
    return 1 if check and (stale or left) else 0


if __name__ == "__main__":
    run_program(main)
