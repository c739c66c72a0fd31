"""Build the wheel `kan-conformance-vectors` from this checkout: the vectors alone, without kan_ref.

    python .ci/build_vectors.py FOLDER

The version is that of the contract. The package holds the export, and `path()`, its folder.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from kan_ref.conformance.cases import contract_version, export

PACKAGE = '''"""Conformance vectors for Kolmogorov-Arnold networks: files in the folder `path()`."""

from pathlib import Path

CONTRACT = {contract}


def path() -> Path:
    """Return the folder with vectors, schema, contract.json, README.md and LICENSE."""
    return Path(__file__).parent
'''
PROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "kan-conformance-vectors"
version = "{contract}.0"
description = "Right answers to test implementations of Kolmogorov-Arnold networks with B-splines"
readme = "README.md"
license = "MIT"
license-files = ["kan_conformance_vectors/LICENSE"]
requires-python = ">=3.9"

[tool.hatch.build.targets.wheel]
packages = ["kan_conformance_vectors"]
"""


def main(folder: str) -> None:
    """Build the wheel into the folder."""
    contract = contract_version()
    with tempfile.TemporaryDirectory() as place:
        package = Path(place) / "kan_conformance_vectors"
        export(package)
        (package / "__init__.py").write_text(PACKAGE.format(contract=contract), encoding="utf-8")
        (Path(place) / "pyproject.toml").write_text(PROJECT.format(contract=contract), encoding="utf-8")
        shutil.copyfile(package / "README.md", Path(place) / "README.md")
        command = [sys.executable, "-m", "build", "--wheel", "--outdir", folder, place]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main(sys.argv[1])
