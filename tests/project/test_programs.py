"""Programs: `python -m kan_ref` gives every step, the formula and one picture; how every program ends."""

import argparse
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from checkout import ROOT, take_interrupts

from kan_ref import __main__ as demonstration
from kan_ref import program

HANGS = """
import time
class Hangs:
    def uniform_knots(self, low, high, n_intervals, degree):
        open("begun", "w").close()
        time.sleep(3600)
"""


def start(module, arguments, folder):
    """Start a program in a process group of its own, as a terminal does."""
    (folder / "hangs.py").write_text(HANGS, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=take_interrupts,
    )


def test_ctrl_c_ends_a_program_at_work_with_one_line_and_status_130(tmp_path):
    adapter = ["--adapter", "hangs:Hangs", "--only", "knots"]
    process = start("kan_ref.conformance", adapter, tmp_path)
    while not (tmp_path / "begun").exists():
        assert process.poll() is None
        time.sleep(0.01)

    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60.0)

    assert process.returncode == program.INTERRUPTED == 130
    assert said.splitlines()[-1] == "interrupted: no report without every case"
    assert "Traceback" not in said


TRAINS = """
import signal
import numpy as np
import kan_ref as kr
from kan_ref.program import run_program

def main():
    network = kr.init_network((1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))
    x = np.linspace(-1.0, 1.0, 9)[:, None]
    kr.fit(network, kr.Data(x, x, x, x), n_steps=5, callback=press)
    print("the numbers of the shorter run", flush=True)
    return 0

def press(*_):
    signal.raise_signal(signal.SIGINT)

run_program(main, ends_fits=ENDS_FITS)
"""


@pytest.mark.parametrize("ends_fits", [True, False])
def test_ctrl_c_ends_a_program_in_a_fit_if_the_program_needs_the_whole_run(ends_fits):
    command = [sys.executable, "-c", TRAINS.replace("ENDS_FITS", str(ends_fits))]
    options = {"capture_output": True, "text": True, "check": False}
    done = subprocess.run(command, cwd=ROOT, preexec_fn=take_interrupts, **options)

    whole, shorter = (130, "", "interrupted\n"), (0, "the numbers of the shorter run\n", "")
    assert (done.returncode, done.stdout, done.stderr) == (whole if ends_fits else shorter)


def test_ctrl_c_is_a_keyboard_interrupt_again_after_a_program_that_needs_whole_runs():
    before = signal.getsignal(signal.SIGINT)

    def fit():
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        pytest.fail("it went on")

    with pytest.raises(KeyboardInterrupt), program.interrupts_end_fits():
        fit()

    assert signal.getsignal(signal.SIGINT) is before


# they train nothing; their tests in forked processes press Ctrl-C and need KeyboardInterrupt
WITHOUT_FITS = {"mutation/__main__.py", "conformance_mutants.py", "conformance_patterns.py"}


def test_every_benchmark_ends_at_ctrl_c_also_in_a_fit():
    folder = ROOT / "benchmarks"
    for path in folder.rglob("*.py"):
        text, name = path.read_text(encoding="utf-8"), path.relative_to(folder).as_posix()
        if 'if __name__ == "__main__":' in text:
            line = text.splitlines()[-1].strip()
            assert line.startswith("run_program("), name
            assert line.endswith(", ends_fits=True)") == (name not in WITHOUT_FITS), name


def test_output_without_a_reader_ends_a_program_without_a_message(tmp_path):
    process = start("kan_ref.conformance", ["--list"], tmp_path)
    process.stdout.close()

    assert process.stderr.read() == ""
    assert process.wait(timeout=60.0) == program.NO_READER
    process.stderr.close()


def test_a_program_ends_with_the_status_of_its_main_function_or_with_its_error():
    for status in (0, 1, 2):
        with pytest.raises(SystemExit) as end:
            program.run_program(lambda status=status: status)
        assert end.value.code == status
    with pytest.raises(ZeroDivisionError):
        program.run_program(lambda: 1 // 0)


def test_a_file_that_cannot_be_written_is_named_before_the_work(tmp_path, capsys):
    line, new = argparse.ArgumentParser(), tmp_path / "one" / "report.json"
    (tmp_path / "file").touch()

    program.check_output(line, "--out", tmp_path / "new")
    program.check_output(line, "--out", new, makes_folder=True)
    for path in (tmp_path, new, tmp_path / "file" / "report.json"):
        with pytest.raises(SystemExit):
            program.check_output(line, "--out", path)
        assert f"--out is {path}" in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


# --- the demonstration

STEPS = ["start", "sparsify", "prune", "eliminate", "refine", "name", "canonical"]


@pytest.mark.long
def test_the_demonstration_shows_every_step_the_formula_the_verdict_and_writes_one_picture(
    tmp_path,
):
    """As a reader runs it, in a folder of its own and with warnings as errors."""
    environment = {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8"}
    command = ["-W", "error", "-m", "kan_ref", "--samples", "500", "--picture", "way.png"]
    options = {"capture_output": True, "text": True, "encoding": "utf-8", "check": False}
    run = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, env=os.environ | environment, **options
    )

    assert (run.returncode, run.stderr) == (0, "")  # no progress bars outside of a terminal
    form = r"^(\w+) +(\[[\d, ]+\]) +(\d\.\de[+-]\d\d) +(\d\.\de[+-]\d\d) +(\d+\.\d)   \S.*$"
    table = re.findall(form, run.stdout, flags=re.MULTILINE)
    assert [row[0] for row in table] == STEPS
    assert (table[0][1], table[-1][1]) == ("[2, 5, 1]", "[2, 1, 1]")
    assert float(table[-1][3]) < 1e-13
    found = re.search(r"^found +(.+)$", run.stdout, re.MULTILINE)[1]
    value = float(sympy.sympify(found).subs({"x": 0.3, "y": -0.7}))
    assert value == pytest.approx(np.exp(np.sin(np.pi * 0.3) + 0.49), rel=1e-12)
    assert re.search(r"^recognised +exp\(y\*\*2 \+ sin\(pi\*x\)\), which", run.stdout, re.MULTILINE)
    assert re.search(r"^verdict     exact", run.stdout, re.MULTILINE)
    assert [path.name for path in tmp_path.iterdir()] == ["way.png"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--samples", "0"], "n_train is 0"),
        (["--samples", "many"], "invalid int value"),
        (["--noise", "nan"], "noise is nan"),
        (["--picture", "way.txt"], "--picture is way.txt"),
        (["--picture", "no/such/folder/way.png"], "--picture is no/such/folder/way.png"),
    ],
)
def test_wrong_arguments_end_with_status_2_and_a_sentence(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as stop:
        demonstration.main(arguments)

    assert stop.value.code == 2
    assert sentence in capsys.readouterr().err


def test_noise_widens_the_tolerance_of_exact_constants():
    """The tolerance is three times rmse / sqrt(N / number of parameters), in units of the standard deviation."""
    x = sympy.Symbol("x")
    samples = np.linspace(-1.0, 1.0, 400)[:, None] * np.ones(2)
    data = SimpleNamespace(x_train=samples, y_train=samples[:, :1])

    for network in (SimpleNamespace(n_active_params=4), None):
        found = SimpleNamespace(formula=1.0004 * x, network=network, train_rmse=1e-12)
        assert demonstration.recognise(found, data).expression == 1.0004 * x
        found.train_rmse = 1e-2
        assert demonstration.recognise(found, data).expression == x
