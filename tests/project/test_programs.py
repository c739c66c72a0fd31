"""Ctrl-C ends every program with one line and status 130, also while it loads; output without a reader ends it silently."""

import os
import signal
import subprocess
import sys
import time

import pytest
from checkout import ROOT, take_interrupts

from kan_ref import program

HANGS = """
import time
class Hangs:
    def uniform_knots(self, low, high, n_intervals, degree):
        open("begun", "w").close()
        time.sleep(3600)
"""
# program -> arguments, and the line after Ctrl-C
PROGRAMS = {
    "kan_ref": ([], "interrupted: a formula needs all steps"),
    "kan_ref.conformance": (
        ["--adapter", "hangs:Hangs", "--only", "knots"],
        "interrupted: no report without every case",
    ),
}


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


@pytest.mark.parametrize("module", PROGRAMS)
def test_ctrl_c_ends_a_program_at_work_with_one_line_and_status_130(tmp_path, module):
    arguments, line = PROGRAMS[module]
    process = start(module, arguments, tmp_path)
    if module == "kan_ref.conformance":
        deadline = time.monotonic() + 60.0
        while not (tmp_path / "begun").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
    else:
        assert process.stdout.readline()
        time.sleep(0.3)  # into the work after the first line

    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, complained = process.communicate(timeout=60.0)

    assert time.monotonic() - began < 5.0
    assert process.returncode == program.INTERRUPTED == 130
    assert complained.splitlines()[-1].endswith(line)
    assert "Traceback" not in complained


@pytest.mark.parametrize("module", ["kan_ref", "figures", "benchmarks"])
def test_ctrl_c_ends_a_program_that_is_still_loading_with_one_line(tmp_path, module):
    """NumPy is replaced by a module that presses Ctrl-C when it is loaded."""
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text(
        "import signal\nsignal.raise_signal(signal.SIGINT)\n", encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60.0,
    )

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_output_without_a_reader_ends_a_program_without_a_message(tmp_path):
    process = start("kan_ref.conformance", ["--list"], tmp_path)
    process.stdout.close()

    assert process.stderr.read() == ""
    assert process.wait(timeout=60.0) == program.NO_READER
    process.stderr.close()


def test_an_error_that_is_no_interruption_keeps_its_traceback():
    code = (
        "from kan_ref.program import report_interrupts, run_program\n"
        "report_interrupts()\nrun_program(lambda: 1 // 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize("status", [0, 1, 2])
def test_the_status_of_a_program_is_what_its_main_function_returns(status):
    with pytest.raises(SystemExit) as end:
        program.run_program(lambda: status)

    assert end.value.code == status


def test_ctrl_c_ends_a_test_run_in_which_a_program_is_called(tmp_path):
    """A KeyboardInterrupt that `main` made a status would be a failed test, and the next test would run."""
    (tmp_path / "test_two.py").write_text(
        "import os, signal, threading, time\n"
        "from kan_ref.conformance.__main__ import main\n"
        "def test_first():\n"
        "    def press():\n"
        "        while not os.path.exists('begun'): time.sleep(0.02)\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    threading.Thread(target=press).start()\n"
        "    assert main(['--adapter', 'hangs:Hangs', '--only', 'knots']) == 1\n"
        "def test_second():\n"
        "    open('second', 'w').close()\n",
        encoding="utf-8",
    )
    (tmp_path / "hangs.py").write_text(HANGS, encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:hypothesispytest",
            "test_two.py",
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60.0,
    )

    assert done.returncode == pytest.ExitCode.INTERRUPTED
    assert not (tmp_path / "second").exists()
