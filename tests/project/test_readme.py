"""README.md, docs/from_pykan.md and CONTRIBUTING.md stay true, and programs do what they say.

Their Python runs and prints what it says, commands are tested, links lead somewhere. Every call in the table for those who come from pykan
exists and takes these arguments. Every test runs in continuous integration, lanes are those of CONTRIBUTING.md, version and addresses agree
everywhere. `python -m kan_ref` gives every step, the formula and one picture; how every program ends.
"""

import argparse
import ast
import contextlib
import inspect
import math
import os
import re
import signal
import stat
import subprocess
import sys
import time
import tomllib
from types import SimpleNamespace

import check_release
import numpy as np
import pytest
import sympy
import tree
from cases import for_all
from checkout import ROOT, take_interrupts
from test_packages import MAY_IMPORT

import kan_ref as kr
from kan_ref import __main__ as demonstration
from kan_ref import program

# --- rEADME.md, docs/from_pykan.md and CONTRIBUTING.md stay true: their Python runs and prints what it says, commands are tested, links lead somewhere

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROMISES = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "NOTATION.md",
    "CHANGELOG.md",
    "docs/conformance.md",
    "docs/promises.md",
    "docs/usage.md",
    "docs/faq.md",
)

MAIN_LINE = "python3 -m venv .venv && .venv/bin/pip install -q -e . && .venv/bin/python -m kan_ref"
TEST_LINE = 'python3 -m venv .venv && .venv/bin/pip install -q -e ".[test]" && .venv/bin/pytest'


def blocks(text, language):
    """The fenced blocks of one language in a Markdown text."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def agree(printed, promised, factor=3.0):
    """Whether two texts have the same words, and numbers that differ by less than `factor`; whole numbers are words."""
    pairs = list(zip(printed.split(), promised.split(), strict=False))
    return len(printed.split()) == len(promised.split()) and all(
        a == b or (_is_measured(a) and _is_measured(b) and 1 / factor < float(a) / float(b) < factor) for a, b in pairs
    )


def _is_measured(word):
    try:
        return math.isfinite(float(word)) and float(word) != 0 and not word.isdigit()
    except ValueError:
        return False


@pytest.mark.long
def test_the_python_blocks_run_in_one_fresh_process_without_warnings_and_print_what_is_said(tmp_path):
    code = "\n".join(blocks(README, "python"))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}

    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.stderr == ""
    assert run.returncode == 0
    assert agree(run.stdout, "".join(blocks(README, "text output"))), run.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_two_commands_are_the_promised_ones():
    assert [line for block in blocks(README, "sh") for line in block.splitlines()] == [MAIN_LINE, TEST_LINE]


def test_continuous_integration_runs_the_commands_of_this_page():
    script = ROOT / ".ci" / "run"

    listed = subprocess.run([script, "--list"], check=True, capture_output=True, text=True).stdout

    assert listed.splitlines() == [MAIN_LINE, TEST_LINE]
    assert script.stat().st_mode & stat.S_IXUSR
    assert re.findall(r'\brun "\$(\w+)_line"', script.read_text(encoding="utf-8")) == [
        "main",
        "test",
        "main",  # in the source distribution
    ]


@for_all("page", PAGES)
def test_links_between_files_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]

    assert [target for target in targets if not (ROOT / page).parent.joinpath(target).exists()] == []


def test_every_promise_names_a_test_that_exists():
    promises = [row.split("|")[1:3] for row in PROMISES.splitlines() if row.startswith("| ")][1:]

    assert len(promises) > 5
    for _, keeper in promises:
        files = re.findall(r"\]\((?:\.\./)?(tests/[\w/]+\.py)\)", keeper)
        assert files
        names = re.findall(r"`(test_\w+)`", keeper)
        assert all(any(f"def {name}(" in (ROOT / file).read_text(encoding="utf-8") for file in files) for name in names)


def test_the_number_of_tagged_formulas_is_right():
    assert f"{len(tree.tagged_lines())} formulas are tagged" in PROMISES


def test_the_dependencies_are_those_that_the_promise_names():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (said,) = re.findall(r"the package (NumPy, .+?)\. \|", PROMISES)

    assert said.lower().split(", ") == [re.split(r"[><=]", dependency)[0] for dependency in project["dependencies"]]


def test_this_page_names_every_package_with_what_it_may_import():
    (plan,) = [block for block in blocks(README, "text") if "bspline" in block]
    shown = {
        line.split("  ")[0].removesuffix(".py"): set(line.rpartition("  ")[2].split()) for line in plan.splitlines()
    }
    packages = {name for name in MAY_IMPORT if (ROOT / "kan_ref" / name / "__init__.py").exists()}
    packages |= {"plain", "checks"}  # single modules

    assert shown == {name: set(MAY_IMPORT[name].split()) or {"-"} for name in packages}


PAGE = (ROOT / "docs" / "from_pykan.md").read_text(encoding="utf-8")
TABLE = [row.strip("|").split("|") for row in PAGE.splitlines() if row.startswith("| ")][1:]
CODES = [code for row in TABLE for code in re.findall(r"`([^`]+)`", row[1])]
CALLS = [node for code in CODES if "kr." in code for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
OURS = [call for call in CALLS if ast.unparse(call.func).startswith("kr.")]


def resolve(path):
    """What a dotted name such as kr.bspline.basis stands for."""
    thing = kr
    for name in path.split(".")[1:]:
        thing = getattr(thing, name)
    return thing


def refusal(call):
    """Why a call cannot be made, or None: the name or the arguments."""
    try:
        function = resolve(ast.unparse(call.func))
        inspect.signature(function).bind(*call.args, **{keyword.arg: keyword.value for keyword in call.keywords})
    except (AttributeError, TypeError) as error:
        return str(error)
    return None


@for_all("call", OURS, ids=ast.unparse)
def test_every_call_of_ours_exists_and_takes_these_arguments(call):
    assert refusal(call) is None


def test_names_of_ours_outside_of_calls_exist_too():
    names = {name for code in CODES for name in re.findall(r"\bkr(?:\.\w+)+", code)}

    assert all(resolve(name) is not None for name in names)


# --- lanes and releases


RUN = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def folders_named(text):
    """The folders of tests that commands such as `.venv/bin/pytest tests/site` name."""
    return {
        folder
        for command in re.findall(r"\.venv/bin/pytest ([\w /.]+)", text)
        for folder in command.split()
        if folder.startswith("tests/") and "." not in folder
    }


def test_every_folder_of_tests_is_run_by_default_or_by_a_lane():
    left_out = {
        folder for folder in PYPROJECT["tool"]["pytest"]["ini_options"]["norecursedirs"] if folder.startswith("tests/")
    }

    assert left_out - {"tests/helpers"} == folders_named(RUN)
    assert all((ROOT / folder).is_dir() for folder in left_out)


def test_long_tests_are_left_out_by_default_and_run_by_a_lane():
    assert PYPROJECT["tool"]["pytest"]["ini_options"]["addopts"].endswith("-m 'not long'")
    assert re.search(r"^    run '\.venv/bin/pytest -m long'$", RUN, flags=re.MULTILINE)


def test_every_lane_and_its_command_are_in_the_table_of_commands():
    lanes = " ".join(re.findall(r"^(?:lanes|nightly)=\((.+)\)", RUN, flags=re.MULTILINE))
    defined = re.findall(r"^lane_(\w+)\(\)", RUN, flags=re.MULTILINE)
    table = CONTRIBUTING.partition("## Commands")[2].partition("\n## ")[0]

    assert sorted(lanes.split()) == sorted(defined)
    assert [lane for lane in lanes.split() if f"lane `{lane}`" not in table] == []
    assert folders_named(table) == folders_named(RUN)


def test_the_lowest_versions_are_those_of_pyproject():
    program = [sys.executable, ROOT / ".ci" / "lowest.py"]

    shown = subprocess.run(program, check=True, capture_output=True, text=True).stdout

    project = PYPROJECT["project"]
    allowed = project["dependencies"] + project["optional-dependencies"]["test"]
    assert [line.replace("==", ">=") for line in shown.splitlines()] == allowed
    assert all(re.fullmatch(r"[\w-]+>=[\d.]+", one) for one in allowed)


# --- tables of cases in one test


def test_all_cases_run_in_all_combinations_and_the_error_names_those_that_failed():
    seen = []

    @for_all("sign", [-1, 1])
    @for_all(("n", "square"), [(2, 4), pytest.param(3, 8, id="three"), (4, 16), (5, 24)])
    def check(n, square, sign):
        seen.append((sign, n))
        assert (sign * n) ** 2 == square

    with pytest.raises(AssertionError) as failure:
        check()

    assert seen == [(sign, n) for sign in (-1, 1) for n in (2, 3, 4, 5)]
    assert failure.value.__notes__ == [
        "2 of 4 cases failed, this is the first: three, 5-24",
        "2 of 2 cases failed, this is the first: -1, 1",
    ]


CITATION = (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_the_citation_has_the_version_and_the_licence_of_the_package():
    assert re.search(r"^version: (.+)$", CITATION, flags=re.MULTILINE)[1] == kr.__version__
    assert re.search(r"^license: (.+)$", CITATION, flags=re.MULTILINE)[1] == PYPROJECT["project"]["license"]


def test_the_address_of_the_repository_is_the_same_everywhere():
    address = PYPROJECT["project"]["urls"]["Source"]
    owner_and_name = address.removeprefix("https://github.com/")
    readme = PYPROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]

    assert f'repository-code: "{address}"' in CITATION
    assert all(url.startswith(address) for url in PYPROJECT["project"]["urls"].values())
    assert all(f"/{owner_and_name}/" in one["replacement"] for one in readme["substitutions"])


def test_the_description_on_a_package_index_has_no_relative_link():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    n_relative = len(check_release.relative_links(text))
    readme = PYPROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    for one in readme["substitutions"]:
        text = re.sub(one["pattern"], one["replacement"], text)

    assert n_relative > 10
    assert check_release.relative_links(text) == []


@pytest.mark.parametrize("page", re.findall(r"/blob/main/([\w./]+)", str(PYPROJECT["project"]["urls"])))
def test_addresses_in_the_metadata_lead_to_files_of_the_checkout(page):
    assert (ROOT / page).is_file()


def test_the_workflow_calls_the_commands_of_the_checkout():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    commands = re.findall(r"^ +- run: (.+)$", workflow, flags=re.MULTILINE)
    defined = re.findall(r"^lane_(\w+)\(\)", RUN, flags=re.MULTILINE)

    assert commands[0] == ".ci/run"
    assert {one.removeprefix(".ci/run --lane ") for one in commands[1:]} <= set(defined)


def test_supported_versions_of_python_are_classified_and_the_lowest_is_required():
    project = PYPROJECT["project"]
    minor = [
        int(found[1])
        for one in project["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: 3\.(\d+)", one))
    ]

    assert project["requires-python"] == f">=3.{min(minor)}"
    assert minor == list(range(min(minor), max(minor) + 1))


# --- programs: `python -m kan_ref` gives every step, the formula and one picture; how every program ends

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
def test_the_demonstration_shows_every_step_the_formula_the_verdict_and_writes_one_picture(tmp_path):
    """As a reader runs it, in a folder of its own and with warnings as errors."""
    environment = {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8"}
    command = ["-W", "error", "-m", "kan_ref", "--samples", "500", "--picture", "way.png"]
    options = {"capture_output": True, "text": True, "encoding": "utf-8", "check": False}
    run = subprocess.run([sys.executable, *command], cwd=tmp_path, env=os.environ | environment, **options)

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
