"""A small figure that logs its runs, and the program with this figure alone."""

import os
import sys
from pathlib import Path

import pytest
from toy_runs import TOY

from figures import __main__ as program

ROOT = Path(__file__).parents[2]


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A figure whose runs leave a line in a log; as a module, since workers import it by its name."""
    (tmp_path / "toy_figure.py").write_text(TOY)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    monkeypatch.setenv("TOY_LOG", str(tmp_path / "log"))
    sys.modules.pop("toy_figure", None)
    import toy_figure

    yield toy_figure
    sys.modules.pop("toy_figure", None)


@pytest.fixture
def toy_program(toy, monkeypatch):
    monkeypatch.setattr(program, "all_figures", lambda: {"toy": toy})
    monkeypatch.setattr(program, "find_figures", lambda names: [toy])
    return program.main
