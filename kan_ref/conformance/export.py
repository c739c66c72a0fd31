"""The vectors as files of their own: with schema, generator, hashes, licence and a README.

A runner in any language needs these files alone.
"""

import hashlib
import json
import shutil
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

from kan_ref.conformance import cases

CONTRACT = "contract.json"
PAGE = "https://github.com/kan-ref/kan_ref/blob/main/docs/conformance_contract.md"
README = f"""# Conformance vectors for Kolmogorov-Arnold networks with B-splines

Right answers, from exact fractions and from arithmetic with 60 digits, to test any implementation
in any language. They were made by kan_ref (MIT licence, see LICENSE).

- `vectors/`: one file of cases for each topic. `basis_family` is `bspline`, or another family of
  basis functions, whose cases are never counted with the others.
- `schemas/vectors.schema.json`: the JSON schema of these files.
- `{CONTRACT}`: the version of the contract, the class of each case and the version of the contract
  since which it exists, and the SHA-256 of each file.
- `generate/`: the program that made the vectors, in Python, to be read. It runs within kan_ref:
  `python -m kan_ref.conformance.generate`.

All fields, the methods, the formulas with worked cases, the tolerances and the policy of versions
are documented at {PAGE}.

A case is right if |got - expected| <= tolerance in every number of every output. An array is its
`shape` and `hex`: 16 digits for each number in C order, the big-endian bits of float64. `decimal`
has the same numbers as shortest decimals. A large input is `shape` and `recurrence`: with
s_0 = start and s_{{n+1}} = (multiplier s_n + increment) mod modulus, its numbers are
low + (2 s_n + 1) step.
"""


def export(folder: Path) -> list[Path]:
    """Write vectors, schema, generator, hashes, licence and README into a folder.

    Parameters
    ----------
    folder : Path
        Created if needed. Files of the same names are replaced.

    Returns
    -------
    written : list of Path
    """
    written = _vectors_and_schema(folder)
    (folder / "generate").mkdir(exist_ok=True)
    written += [
        Path(shutil.copyfile(path, folder / "generate" / path.name))
        for path in (*sorted((cases.HOME / "generate").glob("*.py")), cases.HOME / "flags.toml")
    ]
    for name, text in (("README.md", README), ("LICENSE", _licence())):
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
        written.append(folder / name)
    contract = _contract(folder, written)
    (folder / CONTRACT).write_text(
        json.dumps(contract, indent=1) + "\n", encoding="utf-8", newline="\n"
    )
    return [*written, folder / CONTRACT]


def _contract(folder: Path, files: list[Path]) -> dict[str, Any]:
    return {
        "contract": cases.contract_version(),
        "schema": cases.SCHEMA_VERSION,
        "made_by": f"kan_ref {version('kan_ref')}, python -m kan_ref.conformance.generate",
        "documentation": PAGE,
        "cases": {
            case.id: {"class": case.kind, "since": case.since}
            for topic in cases.load_topics()
            for case in topic.cases
        },
        "sha256": {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(files)
        },
    }


def _licence() -> str:
    """Return the text of the licence, from the checkout or from the installed distribution."""
    checkout = cases.HOME.parents[1] / "LICENSE"
    if checkout.is_file():
        return checkout.read_text(encoding="utf-8")
    try:
        files = distribution("kan_ref").files or []
    except PackageNotFoundError:
        files = []
    found = next((file for file in files if file.name == "LICENSE"), None)
    if found is None:
        raise FileNotFoundError(
            "LICENSE of kan_ref is neither in the checkout nor in the installed distribution; "
            "install kan_ref with pip"
        )
    return found.read_text(encoding="utf-8")


def _vectors_and_schema(folder: Path) -> list[Path]:
    """Write all vectors and their schema; return the paths of the files."""
    written = []
    for name in ("vectors", "schemas"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        written += [
            Path(shutil.copyfile(path, folder / name / path.name))
            for path in sorted((cases.HOME / name).glob("*.json"))
        ]
    return written
