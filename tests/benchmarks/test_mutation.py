"""Tests of the tests: the mutation program, and fresh random cases from one seed.

The mutation program has operators that change some code and leave other code alone; it draws the same again and judges both ways.
HYPOTHESIS_PROFILE=explore draws fresh cases from one seed, which is printed with the command that repeats a failure.
"""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from checkout import ROOT

from benchmarks import conformance_mutants
from benchmarks.mutation.__main__ import Verdict, score_line, scores
from benchmarks.mutation.mutants import OPERATORS, all_mutants, draw, read_judged
from benchmarks.mutation.testing import Records, Task, run_forked
from kan_ref.conformance.generate.encode import FLAGS

LBFGS = ROOT / "kan_ref" / "optimizers" / "lbfgs.py"
CHANGES = [  # kind, statement, all its mutants of that kind
    ("comparison", "a < b", {"a <= b", "a >= b"}),
    ("comparison", "a == b", {"a != b"}),
    ("comparison", "a is None", {"a is not None"}),
    ("arithmetic", "(a + b) * c", {"(a - b) * c", "(a + b) / c"}),
    ("arithmetic", "a ** b", {"a * b"}),
    ("arithmetic", "a += b", {"a -= b"}),
    ("constant", "f(3, 0.0, 1.0, 2.5, 1e-09)", None),
    ("negation", "not a", {"a"}),
    ("negation", "-a", {"a"}),
    ("negation", "a and b", {"a or b", "a", "b"}),
    ("condition", "a if b else c", {"a if True else c", "a if False else c"}),
    ("statement", "f(a)", {"pass"}),
    ("statement", "a[b] = c", {"pass"}),
    ("statement", "a = c", set()),
    ("call", "f(a, b, key=c)", {"f(b, a, key=c)", "f(a, b)"}),
    ("call", "zip(a, strict=True)", set()),
    ("call", "max(a, b)", set()),
    ("call", "np.clip(a, b, c)", set()),
    ("call", "a.clip(b, c)", {"a.clip(c, b)"}),
    ("function", "np.minimum(a, b)", {"np.maximum(a, b)"}),
    ("function", "abs(a)", {"a"}),
    ("axis", "f(a, axis=1)", {"f(a, axis=0)"}),
    ("axis", "a.T", {"a"}),
    ("axis", 'search(a, side="left")', {"search(a, side='right')"}),
    ("index", "a[i:j]", {"a[i + 1:j]", "a[i:j + 1]"}),
    ("result", "return a", {"return None"}),
    ("result", "return False", set()),
    ("negation", "a.reshape(-1)", set()),
]


@pytest.mark.parametrize(("kind", "statement", "expected"), CHANGES, ids=[c[1] for c in CHANGES])
def test_an_operator_makes_exactly_these_changes(kind, statement, expected):
    found = {mutant.mutated for mutant in all_mutants("m", f"def f():\n    {statement}\n") if mutant.kind == kind}

    if expected is None:
        assert found == {
            "f(4, 0.0, 1.0, 2.5, 1e-09)",
            "f(3, 1.0, 1.0, 2.5, 1e-09)",
            "f(3, 0.0, 0.0, 2.5, 1e-09)",
            "f(3, 0.0, 1.0, 5.0, 1e-09)",
            "f(3, 0.0, 1.0, 2.5, 1e-06)",
        }
    else:
        assert {"".join(text.split()) for text in found} == {"".join(e.split()) for e in expected}


def test_every_operator_has_an_example():
    assert {kind for kind, *_ in CHANGES} == OPERATORS.keys()


@pytest.mark.parametrize(
    "source",
    [
        '"""Docstring: 1 < 2."""',
        "def f(x: Literal[1]) -> Literal[2]:\n    '''Return 1.'''",
        "import numpy as np\nfrom a import b",
        "__all__ = ['a', f(1)]",
        "if TYPE_CHECKING:\n    a = 1 + 2",
        "class A:\n    def __repr__(self):\n        return 1 + 2",
        "@cache(maxsize=3)\nclass A:\n    a: Literal[1]",
        "a = f'{1 + 2}'",
        "T = TypeVar('T', bound=f(1))",
    ],
)
def test_texts_types_and_imports_are_not_mutated(source):
    assert all_mutants("m", source) == []


def test_of_an_error_only_its_raising_is_mutated():
    mutants = all_mutants("m", "if a:\n    raise ValueError(f(1 + 2, b))\n")

    assert {m.kind for m in mutants if m.line == 2} == {"statement"}


def test_each_mutant_is_one_change_of_the_lines_that_it_names():
    """All of a module, with characters of several bytes before each change."""
    source = LBFGS.read_text(encoding="utf-8").replace('"""Limited', '"""ä∞ Limited', 1)
    mutants = all_mutants("m", source)

    lines = source.splitlines()
    for mutant in mutants:
        mutated = mutant.applied(source)
        changed = mutated.splitlines()
        n_before = mutant.line - 1
        assert changed[:n_before] == lines[:n_before]
        assert mutant.original.split()[0] in lines[n_before]
        assert mutated != source
        ast.parse(mutated)
    assert len({mutant.applied(source) for mutant in mutants}) == len(mutants) > 100


def test_the_same_seed_draws_the_same_mutants_and_another_seed_others():
    source = LBFGS.read_text(encoding="utf-8")
    first, again, other = (draw("m", source, 12, seed) for seed in (3, 3, 4))

    assert first == again
    assert first != other
    assert len(first) == 12
    assert len(draw("m", "a = 1 + 2\n", 12, 0)) == 3


def test_a_field_of_a_class_counts_for_the_tests_of_whoever_makes_one(tmp_path):
    """Only the generated __repr__ reads the field, and it has no lines of its own."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "record.py").write_text(
        "@dataclass\nclass Record:\n    value: int = field(repr=False)\n\n\ndef other():\n    return 1\n"
    )
    (tmp_path / "package" / "maker.py").write_text("def make():\n    return Record(2)\n")
    ran = {"package/maker.py": {"2": ["tests/test_it.py::test_made"]}}
    run = {"seconds": 0.1, "starts_python": False}
    found = {"failed": [], "tests": {"tests/test_it.py::test_made": run}, "lines": ran}
    records = Records(tmp_path, [found])
    path = tmp_path / "package" / "record.py"

    of_line = {one.line: records.relevant(one, path) for one in all_mutants("package.record", path.read_text())}

    assert [test.name for test in of_line[3]] == ["tests/test_it.py::test_made"]
    assert of_line[7] == []


def test_a_task_ends_at_its_limit_with_all_that_it_started_and_the_others_go_on(tmp_path):
    def endless(note):
        note.write_text("loop")
        subprocess.run([sys.executable, "-c", "while True: pass"], check=True)

    tasks = [Task(endless, 0.5), Task(lambda note: [1, note.name], 60.0), Task(lambda note: 1 / 0, 60)]
    outcomes = sorted(run_forked(tasks, 3), key=lambda outcome: outcome.index)

    assert [o.result for o in outcomes] == [None, [1, "note"], None]
    assert [o.ended_by for o in outcomes] == ["SIGKILL", "", "status 1"]
    assert outcomes[0].note == "loop"
    assert "ZeroDivisionError" in outcomes[2].log


TINY = '''"""Tiny."""

LIMIT = 5


def clipped(x):
    """Return x, at most LIMIT."""
    while x > LIMIT:
        x -= 1
    return x


def unused(x):
    """Return -x."""
    return -x
'''
GOOD = """
from tiny.numbers import clipped
import subprocess, sys

def test_clipped():
    assert [clipped(x) for x in (-7, 4, 5, 6, 9)] == [-7, 4, 5, 5, 5]

def test_in_another_process():
    clipped(3)
    subprocess.run([sys.executable, "-c", "pass"], check=True)
"""
VACUOUS = """
from tiny.numbers import clipped

def test_nothing():
    clipped(3)
    assert True
"""


def run(root, *options):
    words = "-m benchmarks.mutation --module tiny.numbers --grace 1.0"
    return subprocess.run(
        [sys.executable, *words.split(), "--root", root, *options],
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(root / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tiny(tmp_path):
    for name, text in {
        "tiny/__init__.py": "",
        "tiny/numbers.py": TINY,
        "tests/test_good.py": GOOD,
        "tests/test_vacuous.py": VACUOUS,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    return tmp_path


def test_a_good_test_kills_and_a_vacuous_one_lets_survive(tiny):
    """A loop without an end counts as killed; the checkout stays as it is."""
    judged = tiny / "judged.toml"
    judged.write_text(
        '[[mutant]]\nmodule = "tiny.numbers"\nline = "return -x"\nmutation = "return x"\nreason = "of no use"\n'
    )
    before = {path: path.read_bytes() for path in tiny.rglob("*.py")}

    good = run(tiny, "--n", "100", "--json", tiny / "good.json", "--equivalents", judged)
    vacuous = run(tiny, "--n", "4", "--json", tiny / "bad.json", "--tests", "tests/test_vacuous.py")

    found, bad = (json.loads((tiny / f"{one}.json").read_text()) for one in ("good", "bad"))
    assert {(m["original"], m["mutated"]): m["status"] for m in found} == {
        ("LIMIT = 5", "LIMIT = 6"): "killed",
        ("while x > LIMIT:", "while x >= LIMIT:"): "killed",
        ("while x > LIMIT:", "while x <= LIMIT:"): "timeout",
        ("while x > LIMIT:", "while False:"): "killed",
        ("x -= 1", "x += 1"): "timeout",
        ("x -= 1", "x -= 2"): "killed",
        ("x -= 1", "pass"): "timeout",
        ("return x", "return None"): "killed",
        ("return -x", "return x"): "equivalent",
        ("return -x", "return None"): "no test runs it",
    }
    assert "left out: 1 that start a Python process, 0 that fail" in good.stdout
    assert "8 of     9 killed" in good.stdout
    assert sum(m["status"] in ("survived", "no test runs it") for m in bad) >= 2
    assert "1 tests pass\n    - " in vacuous.stdout
    assert good.returncode == vacuous.returncode == 1
    assert before == {path: path.read_bytes() for path in before}


def test_a_mutant_that_lets_a_keyboard_interrupt_through_is_killed_and_the_run_goes_on(tiny):
    (tiny / "tiny" / "numbers.py").write_text(
        "def checked(stop):\n    if stop:\n        raise KeyboardInterrupt\n    return 1\n"
    )
    (tiny / "tests" / "test_good.py").write_text(
        "from tiny.numbers import checked\n\ndef test_goes_on():\n    assert checked(False) == 1\n"
    )

    done = run(tiny, "--n", "100", "--json", tiny / "all.json", "--tests", "tests/test_good.py")

    found = json.loads((tiny / "all.json").read_text())
    assert {m["mutated"]: (m["status"], m["by"]) for m in found} == {
        "if True:": ("killed", "tests/test_good.py::test_goes_on"),
        "if False:": ("survived", ""),
        "pass": ("no test runs it", ""),
        "return 2": ("killed", "tests/test_good.py::test_goes_on"),
        "return None": ("killed", "tests/test_good.py::test_goes_on"),
    }
    assert done.returncode == 1


def test_a_mutant_with_which_a_module_of_tests_cannot_be_loaded_is_killed(tiny):
    (tiny / "tiny" / "numbers.py").write_text("def above(x):\n    return x + 1\n")
    (tiny / "tests" / "test_good.py").write_text(
        "from tiny.numbers import above\n\nTWO = [0, 1, 2].index(above(1))\nassert TWO == 2\n\n\ndef test_runs():\n    above(1)\n"
    )

    run(tiny, "--n", "100", "--json", tiny / "all.json", "--tests", "tests/test_good.py")

    found = json.loads((tiny / "all.json").read_text())
    assert len(found) >= 2
    assert {m["status"] for m in found} == {"killed"}


def test_equivalent_mutants_have_a_reason_and_match_a_mutant():
    judged = read_judged()
    paths = {name: ROOT.joinpath(*name.split(".")).with_suffix(".py") for name, *_ in judged}

    texts = {
        mutant.text for name, path in paths.items() for mutant in all_mutants(name, path.read_text(encoding="utf-8"))
    }
    assert judged.keys() - texts == set()


def test_a_mutant_is_known_by_its_line_wherever_it_moves():
    moved = all_mutants("m", "x = 1\n\n\ndef f(a, b):\n        return a < b  # of course\n")

    assert ("m", "return a < b", "return a <= b") in {mutant.text for mutant in moved}


def test_the_score_counts_killed_among_those_not_equivalent():
    mutants = all_mutants("kan_ref.a.b", "a = 1 + 2\n") + all_mutants("kan_ref.c", "a = 1 + 2\n")
    status = ["killed", "timeout", "equivalent", "survived", "no test runs it", "unclear"]

    found = scores([Verdict(m, s) for m, s in zip(mutants, status, strict=True)])

    assert list(found) == ["kan_ref.a", "kan_ref.c", "all"]
    assert "2 of     2 killed  100 %" in score_line("kan_ref.a", found["kan_ref.a"])
    assert "2 of     5 killed   40 %" in score_line("all", found["all"])


# --- mutants for the conformance kit

RECORDS = conformance_mutants.read_records(conformance_mutants.RECORDS)


def test_every_mutant_of_the_records_has_a_label_of_known_flags():
    for record in RECORDS:
        label = record["label"]
        assert len(label) == 1
        assert label.get("equivalent") or set(label["flags"]) <= set(FLAGS)
    for seed in {record["seed"] for record in RECORDS}:
        records = conformance_mutants.of_seed(RECORDS, seed)
        assert len(records) >= 55
        assert {record["subject"] for record in records} == set(conformance_mutants.SUBJECTS)


def test_a_mutant_that_two_seeds_draw_counts_for_the_first_of_them_alone():
    def record(seed, mutated):
        names = ("subject", "module", "original")
        return dict.fromkeys(names, "") | {"seed": seed, "mutated": mutated}

    records = [record(5, "a"), record(5, "b"), record(2, "b"), record(2, "c")]

    assert conformance_mutants.of_seed(records, 5) == records[:2]
    assert conformance_mutants.of_seed(records, 2) == records[3:]
    assert conformance_mutants.of_seed(records, 7) == []


def test_recorded_mutants_whose_line_the_code_no_longer_has_are_listed_and_left_out(capsys):
    files = conformance_mutants.SUBJECTS["plain"].files
    lines = dict.fromkeys(files, ()) | {"kan_ref.plain": range(36, 50)}
    kept = conformance_mutants.drawn("plain", lines, 3, 3, [])
    records = [conformance_mutants.described(3, "plain", one) for one in kept]
    gone = records[1] | {"original": "a line of before", "mutated": "a line behind"}

    found = conformance_mutants.recorded("plain", 3, [records[0], gone, records[2]])

    assert found == [kept[0], kept[2]]
    assert capsys.readouterr().err == (
        "kan_ref.plain has changed, and no longer has: a line of before\n    which became a line behind\n"
    )
    assert conformance_mutants.recorded("plain", 4, records) == []


def test_shares_leave_out_equivalent_mutants_and_count_names_among_labelled_ones():
    right = {"loads": True, "failures": 2, "in_pytest": True, "first": "A", "first_in_pytest": "B"}
    records = [
        right | {"label": {"flags": ["A"]}},
        right | {"label": {"flags": []}},
        right | {"failures": 0, "in_pytest": False, "label": {"flags": ["A"]}},
        right | {"failures": 0, "in_pytest": False, "label": {"equivalent": "it is the same"}},
        {"loads": False, "label": {"flags": []}},
    ]

    assert conformance_mutants.shares(records) == {
        "detected in whole runs": (2, 3),
        "named first in whole runs": (1, 1),
        "detected under pytest": (2, 3),
        "named first under pytest": (0, 1),
    }


def test_mutants_for_the_kit_lie_on_executed_lines_and_depend_on_the_seed_alone():
    files = conformance_mutants.SUBJECTS["plain"].files
    lines = dict.fromkeys(files, ()) | {"kan_ref.plain": range(36, 50)}

    first = conformance_mutants.drawn("plain", lines, 8, 3, [])
    known = [conformance_mutants.described(2, "plain", one) for one in first[:5]]
    later = conformance_mutants.drawn("plain", lines, 8, 3, known)

    assert first == conformance_mutants.drawn("plain", lines, 8, 3, [])
    assert first != conformance_mutants.drawn("plain", lines, 8, 4, [])
    assert all(m.first in range(36, 50) for m in first)
    assert len(later) == 8
    assert not set(first[:5]) & set(later)


# --- fresh random cases


TESTS = """
import pytest
from hypothesis import given, strategies as st

@given(st.integers(0, 10**9), st.floats(-1e9, 1e9))
def test_fails_somewhere(n, x):
    assert n % 97 != 13 and x < 5e8

@pytest.mark.parametrize("seed", range(2))
def test_fails_with_a_fresh_seed(seed):
    assert seed in (0, 1)

@pytest.mark.parametrize("seed", [0, 1])
def test_with_chosen_seeds(seed):
    assert False

def test_without_random_cases():
    assert False
"""

# Hypothesis mixes constants of loaded modules into its cases: those of this one must not change the cases of the other
OTHER = """
from hypothesis import given, strategies as st

CONSTANTS = [110, 207, 13_000_017, 5.1e8, 6.66e8, -4.5e8]

@given(st.integers(0, 10**9))
def test_passes(n):
    assert n >= 0
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with these tests and the conftest.py of the project."""
    (tmp_path / "test_tiny.py").write_text(TESTS)
    (tmp_path / "test_other.py").write_text(OTHER)
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    helpers = ROOT / "tests" / "helpers"
    (tmp_path / "pyproject.toml").write_text(f'[tool.pytest.ini_options]\npythonpath = ["{helpers}", "{ROOT}"]\n')
    return tmp_path


def explore(folder, *options):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={**os.environ, "HYPOTHESIS_PROFILE": "explore", "HYPOTHESIS_STORAGE_DIRECTORY": str(ROOT / ".hypothesis")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def examples(output):
    return re.findall(r"n=.*|x=.*|seed = \d+", output)


def test_a_run_draws_a_seed_and_prints_commands_that_repeat_its_failures(folder):
    """Under xdist; alone, each test fails at the same example. Tests without random cases do not run."""
    output = explore(folder, "-n", "1")

    (seed,) = set(re.findall(r"--hypothesis-seed=(\d+)", output))
    head, _, summary = output.partition(f"= explored with --hypothesis-seed={seed} =")
    commands = [line for line in summary.splitlines() if line.startswith("HYPOTHESIS_PROFILE")]
    assert f"exploring: --hypothesis-seed={seed}" in head
    assert all(command in head for command in commands)
    assert "3 failed, 1 passed" in summary
    assert {shlex.split(command)[-1].partition("::")[2] for command in commands} == {
        "test_fails_somewhere",
        "test_fails_with_a_fresh_seed[0]",
        "test_fails_with_a_fresh_seed[1]",
    }
    profile, program, *words = shlex.split(commands[0])
    assert profile == "HYPOTHESIS_PROFILE=explore"
    assert program.endswith("pytest")
    again = explore(folder, *words)
    assert examples(again)
    assert set(examples(again)) <= set(examples(head))
