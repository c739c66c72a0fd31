"""Where the checkout is: the folder of pyproject.toml. Its site is built here too, or a small one of made-up pages."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


def take_interrupts():
    """Let a new process be interrupted: as `preexec_fn`, since a shell's job in the background ignores SIGINT, and so do its processes."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


# the folder in which lane `site` leaves the site for lane `explorer`, where both run, and the program that builds it there
SHARED = os.environ.get("SITE_FOLDER", "")
BUILDER = os.environ.get("SITE_PYTHON", sys.executable)
COMMAND = "sphinx-build -EW --keep-going -j 2 -c docs . site"
HEADER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

"""


@dataclass(frozen=True)
class Build:
    """The folder of the site, Sphinx's exit status and complaints, and page -> how its run ended."""

    folder: Path
    status: int
    complaints: str
    runs: dict[str, dict[str, object]]


def build_site(source: Path, target: Path, *options: str) -> Build:
    """The site of a source folder in the folder target/html, by the command of CONTRIBUTING.md."""
    folder, state, warnings = target / "html", target / "state", target / "warnings.txt"
    words = [*COMMAND.split()[1:-2], *options, "-q", "-w", warnings, "-d", state, source, folder]
    words[words.index("docs")] = ROOT / "docs"
    run = subprocess.run(
        [BUILDER, "-m", "sphinx", *words],
        cwd=target,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    runs = state / "runs.json"
    # of a build that went well Sphinx's own words alone: kernels that are shut down may write to stderr that a socket is gone
    complaints = run.stderr if run.returncode else warnings.read_text(encoding="utf-8")
    return Build(
        folder, run.returncode, complaints, json.loads(runs.read_text(encoding="utf-8")) if runs.exists() else {}
    )


def small_site(folder: Path, pages: dict[str, str]) -> Build:
    """A site of made-up tutorials under the configuration of the real one, read and run but not written."""
    (folder / "docs").mkdir()
    (folder / "tutorials").mkdir()
    (folder / "docs" / "index.md").write_text(
        "# Made up\n\n```{toctree}\n:glob:\n\n/tutorials/*\n```\n", encoding="utf-8"
    )
    for name, text in pages.items():
        (folder / "tutorials" / f"{name}.md").write_text(HEADER + text, encoding="utf-8")
    return build_site(folder, folder, "-b", "dummy")


def cells(*codes: str) -> str:
    """The text of a page with one code cell for each code."""
    return "# A page\n\n" + "\n\n".join(f"```{{code-cell}} ipython3\n{code}\n```" for code in codes) + "\n"
