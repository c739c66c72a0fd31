"""Programs: `python -m kan_ref` gives every step, the formula and one picture, and reports wrong arguments; how every program ends.

Ctrl-C ends every program with one line and status 130, also while it loads. Output without a reader ends it silently.
"""

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

import kan_ref as kr
from kan_ref import __main__ as demonstration
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


@pytest.mark.parametrize(
    "module",
    [
        *("kan_ref", "kan_ref.conformance.generate", "figures"),
        *("benchmarks", "benchmarks.units", "benchmarks.equivalence"),
    ],
)
def test_ctrl_c_ends_a_program_that_is_still_loading_with_one_line(tmp_path, module):
    """NumPy and mpmath are replaced by modules that press Ctrl-C when they are loaded."""
    for name in ("numpy", "mpmath"):
        (tmp_path / f"{name}.py").write_text(
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

def press(_):
    signal.raise_signal(signal.SIGINT)

run_program(main, ends_fits=ENDS_FITS)
"""


@pytest.mark.parametrize("ends_fits", [True, False])
def test_ctrl_c_ends_a_program_in_a_fit_if_the_program_needs_the_whole_run(ends_fits):
    done = subprocess.run(
        [sys.executable, "-c", TRAINS.replace("ENDS_FITS", str(ends_fits))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=take_interrupts,
    )

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


def test_a_program_that_ignores_interrupts_goes_on_ignoring_them():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with program.interrupts_end_fits():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


# they train nothing; their tests in forked processes press Ctrl-C and need KeyboardInterrupt
WITHOUT_FITS = {"mutation/__main__.py", "conformance_mutants.py", "conformance_patterns.py"}


def test_every_benchmark_ends_at_ctrl_c_also_in_a_fit():
    folder = ROOT / "benchmarks"
    last_lines = {
        path.relative_to(folder).as_posix(): text.splitlines()[-1].strip()
        for path in folder.rglob("*.py")
        if 'if __name__ == "__main__":' in (text := path.read_text(encoding="utf-8"))
    }

    assert len(last_lines) > 20
    for name, line in last_lines.items():
        assert line.startswith("run_program("), name
        assert line.endswith(", ends_fits=True)") == (name not in WITHOUT_FITS), name


@pytest.mark.parametrize(
    ("kind", "text", "rule"),
    [
        (program.given_count(), "0", "an integer of at least 1"),
        (program.given_count(), "two", "an integer of at least 1"),
        (program.given_count(), "1.5", "an integer of at least 1"),
        (program.given_count(0), "-1", "an integer of at least 0"),
    ],
)
def test_a_count_that_is_none_is_named_with_its_rule(kind, text, rule):
    assert (program.given_count()("1"), program.given_count(0)("0")) == (1, 0)
    with pytest.raises(argparse.ArgumentTypeError, match=f"{text!r}, but must be {rule}"):
        kind(text)


def test_output_without_a_reader_ends_a_program_without_a_message(tmp_path):
    process = start("kan_ref.conformance", ["--list"], tmp_path)
    process.stdout.close()

    assert process.stderr.read() == ""
    assert process.wait(timeout=60.0) == program.NO_READER
    process.stderr.close()


FULL, CLOSED = "/dev/full", None
NO_SPACE = "output cannot be written: No space left on device\n"


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("output", "main", "message"),
    [
        (FULL, "print", NO_SPACE),
        (FULL, "lambda: sys.exit(print())", NO_SPACE),  # as --help of argparse
        (os.devnull, "full_disk", "table.md cannot be written: full\n"),
        (CLOSED, "print", "standard output is closed, but the program prints its results there: "),
    ],
)
def test_output_that_cannot_be_written_ends_a_program_with_one_line_and_status_74(
    output, main, message, unbuffered
):
    code = (
        "import sys\nfrom kan_ref.program import run_program\n"
        "def full_disk(): raise OSError(28, 'full', 'table.md')\n"
        f"run_program({main})\n"
    )
    with open(output or os.devnull, "wb") as file:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            preexec_fn=None if output else lambda: os.close(1),
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == program.NO_OUTPUT == 74
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("main", "error"),
    [
        ("lambda: 1 // 0", "ZeroDivisionError"),
        ("lambda: open('/no/such/file')", "FileNotFoundError"),
    ],
)
def test_an_error_that_is_neither_an_interruption_nor_a_full_disk_keeps_its_traceback(main, error):
    code = (
        "from kan_ref.program import report_interrupts, run_program\n"
        f"report_interrupts()\nrun_program({main})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert error in done.stderr


@pytest.mark.parametrize("status", [0, 1, 2])
def test_the_status_of_a_program_is_what_its_main_function_returns(status):
    with pytest.raises(SystemExit) as end:
        program.run_program(lambda: status)

    assert end.value.code == status


@pytest.mark.long
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


# --- the demonstration


PNG = b"\x89PNG\r\n\x1a\n"
STEPS = ["start", "sparsify", "prune", "eliminate", "refine", "name", "canonical"]


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Run the demonstration as a reader does, in a folder of its own and with warnings as errors."""
    folder = tmp_path_factory.mktemp("demonstration")
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "MPLBACKEND": "Agg",
        "PYTHONIOENCODING": "utf-8",
    }
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "kan_ref",
        "--samples",
        "500",
        "--picture",
        "way.png",
    ]
    run = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return run, folder


def rows(text):
    """Return the lines of the table: step, widths, train RMSE, test RMSE, seconds."""
    form = r"^(\w+) +(\[[\d, ]+\]) +(\d\.\de[+-]\d\d) +(\d\.\de[+-]\d\d) +(\d+\.\d)   \S.*$"
    return re.findall(form, text, flags=re.MULTILINE)


@pytest.mark.long
def test_it_ends_well(shown):
    run, _ = shown

    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.long
def test_it_prints_a_row_for_every_step_as_time_goes_on(shown):
    table = rows(shown[0].stdout)

    assert [row[0] for row in table] == STEPS
    assert (np.diff([float(row[4]) for row in table]) >= 0.0).all()
    assert table[0][1] == "[2, 5, 1]"
    assert table[-1][1] == "[2, 1, 1]"
    assert float(table[-1][3]) < 1e-13


@pytest.mark.long
def test_it_prints_the_formula_as_found_and_with_exact_constants(shown):
    found, recognised = (
        re.search(rf"^{word} +(.+)$", shown[0].stdout, re.MULTILINE)[1]
        for word in ("found", "recognised")
    )
    x, y = 0.3, -0.7

    assert float(sympy.sympify(found).subs({"x": x, "y": y})) == pytest.approx(
        np.exp(np.sin(np.pi * x) + y**2), rel=1e-13
    )
    assert recognised.startswith("exp(y**2 + sin(pi*x)), which changes its values by ")


@pytest.mark.long
def test_it_prints_the_verdict_with_its_reason(shown):
    assert re.search(r"^verdict     exact: the largest error on 500 samples", shown[0].stdout, re.M)


def test_a_formula_that_is_no_network_has_a_row_a_tolerance_and_no_picture_of_its_own():
    """The picture shows splines alone: a symbolic network that is not the formula's is left out."""
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (50, 2))
    net = kr.init_network(
        (2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    step = kr.discovery.DiscoveryStep
    steps = (step("refine", "", net, 0.1, 0.1), step("canonical", "", net, 0.1, 0.1))
    formula = step("formula", "3 decisions", None, 1e-12, 1e-12)
    symbol = sympy.Symbol("x")
    found = SimpleNamespace(
        formula=1.0004 * symbol + 2.0001, network=None, train_rmse=1e-2, steps=(*steps, formula)
    )
    data = SimpleNamespace(x_train=x, y_train=x[:, :1])

    assert re.match(
        r"formula +- +1.0e-12 +1.0e-12 +2.0   3 decisions$", demonstration.line(formula, 2.0)
    )
    recognised = demonstration.recognise(found, data)
    assert recognised.expression == symbol + 2
    assert len(demonstration.draw(found, recognised, x).axes) == 1


@pytest.mark.long
def test_no_bar_is_drawn_where_standard_error_is_no_terminal(shown):
    assert shown[0].stderr == ""


@pytest.mark.long
def test_it_says_what_it_does_and_where_the_picture_is(shown):
    text = shown[0].stdout

    assert text.startswith(f"kan_ref {kr.__version__}: from 500 samples of exp(sin(pi x) + y^2)")
    assert text.rstrip().endswith("picture     way.png")


@pytest.mark.long
def test_it_writes_one_picture_and_nothing_else(shown):
    _, folder = shown

    assert [path.name for path in folder.iterdir()] == ["way.png"]
    assert (folder / "way.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--samples", "10"], "--samples 10"),
        (["--samples", "1000001"], "between 100 and 1000000, and"),
        (["--samples", 23 * "9"], f"--samples {23 * '9'} and"),
        (["--samples", "many"], "invalid int value"),
        (["--seed", "-1"], "--seed is -1"),
        (["--noise", "-0.1"], "--noise -0.1"),
        (["--noise", "nan"], "--noise nan"),
        (
            ["--noise", "1e300"],
            "--noise 1e+300, but they must be at least 0, between 100 and 1000000, and between 0",
        ),
        (["--picture", "way.txt"], "--picture is way.txt"),
        (["--picture", ""], "the path is '', but must name a file or a folder"),
        (["--picture", ".png"], "--picture is .png, but must be a name that ends in .png, .pdf"),
        (["--picture", f"{300 * 'x'}.png"], "x.png, which cannot be written: "),
        (["--picture", "no/such/folder/way.png"], "must be a file in a folder that exists"),
        (["--sample", "5", "--seeds", "2"], "--seeds"),
    ],
)
def test_wrong_arguments_end_with_status_2_and_a_sentence(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as stop:
        demonstration.main(arguments)

    assert stop.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_check_of_a_file_to_be_written_changes_nothing(tmp_path):
    old, new, link, pipe = (tmp_path / name for name in ("old", "new", "link", "pipe"))
    old.write_text("content")
    link.symlink_to(new)
    os.mkfifo(pipe)  # opening it would wait for its reader
    before = sorted(path.name for path in tmp_path.iterdir())

    assert [program.why_unwritable(path) for path in (old, new, link, pipe)] == [None] * 4

    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert old.read_text() == "content"


def test_a_file_that_may_not_be_written_is_named_before_the_work(tmp_path, monkeypatch):
    """The tests may run as a user who may write everything."""
    (tmp_path / "old").touch()

    def closed(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(program, "open", closed, raising=False)
    for name in ("old", "new"):
        assert (
            program.why_unwritable(tmp_path / name) == "which cannot be written: Permission denied"
        )
    monkeypatch.setattr(program.os, "access", lambda *_: False)
    os.mkfifo(tmp_path / "pipe")
    assert program.why_unwritable(tmp_path / "pipe") == "which cannot be written: no permission"
    assert program.why_unwritable(tmp_path) == "but must be a file in a folder that exists"


def test_a_program_that_makes_folders_needs_one_in_which_it_may(tmp_path):
    path = tmp_path / "one" / "two" / "report.json"
    (tmp_path / "file").touch()

    assert program.why_unwritable(path, makes_folder=True) is None
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
    below = tmp_path / "file" / "two" / "report.json"
    for made, wrong in ((False, path), (True, below)):
        assert program.why_unwritable(wrong, makes_folder=made).startswith("but must be a file in")


def test_a_disk_that_is_full_at_the_end_leaves_what_is_printed(tmp_path, capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(demonstration, "find", lambda *_: SimpleNamespace(formula="f", verdict="v"))
    monkeypatch.setattr(
        demonstration, "recognise", lambda *_: SimpleNamespace(expression="e", rms=0.0)
    )
    monkeypatch.setattr(demonstration, "draw", lambda *_: SimpleNamespace(savefig=full))

    assert demonstration.main(["--picture", str(tmp_path / "way.png")]) == 1

    said, complained = capsys.readouterr()
    assert "verdict     v" in said
    assert (
        complained
        == f"{tmp_path / 'way.png'} cannot be written: [Errno 28] No space left on device\n"
    )


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as stop:
        demonstration.main(["--help"])

    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert {"--seed", "--samples", "--noise", "--picture"} <= set(re.findall(r"--\w+", text))


def test_noise_widens_the_tolerance_of_exact_constants():
    """The tolerance is three times rmse / sqrt(N / number of parameters), in units of the standard deviation."""
    x = sympy.Symbol("x")
    samples = np.linspace(-1.0, 1.0, 400)[:, None] * np.ones(2)
    data = SimpleNamespace(x_train=samples, y_train=samples[:, :1])
    found = SimpleNamespace(formula=1.0004 * x, network=SimpleNamespace(n_active_params=4))

    found.train_rmse = 1e-12
    assert demonstration.recognise(found, data).expression == 1.0004 * x
    found.train_rmse = 1e-2
    assert demonstration.recognise(found, data).expression == x


def test_an_interrupted_demonstration_says_so_and_draws_nothing(tmp_path, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(demonstration.kr, "discover", interrupted)

    with pytest.raises(KeyboardInterrupt, match="interrupted: a formula needs all steps"):
        demonstration.main(["--picture", str(tmp_path / "never.png")])

    assert "picture" not in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
