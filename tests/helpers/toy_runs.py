"""A small figure that logs its runs, its plans and runs, and the program with this figure alone."""

import os
import sys

import pytest
from checkout import ROOT

from figures import __main__ as program
from figures.machine import computing
from figures.machine.records import make_plan

TOY = """
import os, signal, time
from pathlib import Path
from matplotlib.figure import Figure
from figures.machine.machine import Bar, Claim
NAME, TITLE = "toy", "squares"
def configs(full, seeds):
    return [{"seed": seed, "pause": float(os.environ.get("TOY_PAUSE", "0"))} for seed in range(seeds or 3)]
def run(config):
    if os.environ.get("TOY_CTRL_C"):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            return {"square": "half done"}
    if os.environ.get("TOY_ENDS") == str(config["seed"]):
        exec(os.environ["TOY_END"])
    if os.environ.get("TOY_FAILS") == str(config["seed"]):
        raise ArithmeticError("no square today")
    with open(os.environ["TOY_LOG"], "a") as log:
        log.write(f"{config['seed']}\\n")
    time.sleep(config["pause"])
    return {"square": float(os.environ.get("TOY_RESULT", config["seed"] ** 2))}
def draw(records):
    picture = Figure()
    picture.subplots().plot([record["results"]["square"] for record in records])
    return picture
def claims(records):
    return [Claim("squares grow", "yes", str([record["results"]["square"] for record in records]), Bar(1.0, 1.0), "toy")]
"""


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


def plan_of(figure, folder, seeds=None):
    return make_plan(figure, folder, full=False, seeds=seeds)


def compute_all(figure, folder, seeds=None, jobs=1):
    backend = computing.one_by_one if jobs == 1 else computing.in_processes(jobs)
    return list(computing.compute_all(plan_of(figure, folder, seeds).missing, backend))


def seeds_run(tmp_path):
    log = tmp_path / "log"
    return [int(line) for line in log.read_text().split()] if log.exists() else []
