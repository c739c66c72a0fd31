"""The runner: no subject makes it crash, hang or lie, and what one answers to a case can fail this case alone; the report, the command line,
the export, and the plugin of pytest.
"""

import contextlib
import copy
import functools
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
import unittest
from unittest import mock

import numpy as np
import pytest
from cases import for_all
from checkout import ROOT
from conformance_plain import Plain
from hypothesis import given
from hypothesis import strategies as st

from kan_ref.conformance import pytest_cases, subjects, suite
from kan_ref.conformance.__main__ import main
from kan_ref.conformance.adapters.reference import Reference
from kan_ref.conformance.cases import HOME, arguments, contract_version, export, load_topics
from kan_ref.conformance.report import badge, to_plain
from kan_ref.conformance.subjects import AdapterProcess, Answer, DirectSubject, Limits, ProcessSubject

TOPICS = {topic.name: topic for topic in load_topics()}
CASES = {case.id: case for topic in TOPICS.values() for case in topic.cases}
FOUR = [f"bases/degree-2-{name}" for name in ("inside", "inner-knots", "last-knot", "first-knot")]
ALL = ["passed"] * 4
SECOND = ["passed", "failed", "passed", "passed"]  # of four cases the second is wrong, and no other
SKIPS = ["passed", "skipped", "passed", "passed"]
QUICK = Limits(timeout=0.75, memory=3.0)


def results(subject, only=FOUR):
    """Return the statuses of a run, and the reason of its first failure."""
    with contextlib.ExitStack() as stack:
        if not isinstance(subject, DirectSubject):
            stack.callback(subject.close)
        report = suite.run(subject, suite.choose(only=only))
    return [one.status for one in report.outcomes], next((one.reason for one in report.failures), "")


# --- programs that answer lines of JSON

PROGRAM = """
import json, os, sys, time
right = json.loads(RIGHT)
for line in sys.stdin:
    n = json.loads(line).get("id", 0)
    if n == 0:
        print('{"result": {"name": "odd", "version": 7}}', flush=True)
        continue
    answer = json.dumps({"id": n, "result": right[n - 1]})
    is_second = n == 2
    ODD
    print(answer, flush=True)
"""
RIGHT = json.dumps([CASES[name].expected["basis"].tolist() for name in FOUR])


def odd_program(odd):
    code = PROGRAM.replace("RIGHT", repr(RIGHT)).replace("ODD", odd)
    return ProcessSubject([sys.executable, "-c", code], limits=QUICK)


@pytest.mark.parametrize(
    ("odd", "statuses", "reason"),
    [
        ("print('loss = 3.2'); sys.stderr.write('x' * 10**5)", ALL, ""),
        ("if is_second: answer = json.dumps({'id': n, 'unsupported': True})", SKIPS, ""),
        ("if is_second: time.sleep(60)", SECOND, "no answer within 0.75 s"),
        ("if is_second: sys.exit(3)", SECOND, "ended without answer"),
        ("if is_second: answer = 'loss = 3.2'", SECOND, "no answer within 0.75 s; it wrote 'loss = 3.2'"),
        ("if is_second: print('{oops')", SECOND, "the line cannot be read as the answer: '{oops'"),
        ("if is_second: answer = '{' + '[' * 100000", SECOND, "the line cannot be read as the answer: '{[["),
        ("if is_second: answer = answer.replace('2,', '1,', 1)", SECOND, "answer with id 1 where 2 was expected"),
        ("if is_second: answer = '{\"id\": 2}'", SECOND, "the answer holds neither result, unsupported nor error"),
        ("if is_second: answer = '{\"id\": 2, \"error\": \"no\\\\nbases\"}'", SECOND, "no bases"),
        ("if is_second: answer = json.dumps({'id': n, 'result': [[1.0], [2.0, 3.0]]})", SECOND, "the answer cannot be read"),
        ("if is_second: answer = '{\"id\": 2, \"result\": [[nan, -nan(ind), 1.#QNAN]]}'", SECOND, "basis has shape (1, 3), but"),
        ("if is_second: print('x' * 2**21, flush=True)", SECOND, "ended without answer; it wrote a line of more than"),
        pytest.param("if is_second: bytearray(2**33)", SECOND, "ended without answer",
                     marks=pytest.mark.skipif(sys.platform != "linux", reason="limits of addresses are Linux's")),
    ],
)  # fmt: skip
def test_an_odd_program_fails_its_case_and_no_other(odd, statuses, reason, monkeypatch):
    monkeypatch.setattr(subjects, "MOST_BYTES", 2**20)

    found, said = results(odd_program(odd))

    assert found == statuses
    assert said.startswith(reason)
    assert bool(said) == bool(reason)


def test_a_program_that_hangs_or_ends_three_times_is_not_asked_again():
    report = suite.run(odd_program("os._exit(1)"), suite.choose(only=["bases/degree-2-*"]))

    assert [one.verdict.kind for one in report.failures] == ["no answer"] * 3 + ["not asked"] * 8
    assert "not run: basis has hung or ended the program 3 times already" in report.failures[3].reason
    assert [(one.name, len(one.cases)) for one in report.findings[:2]] == [("NotAsked", 8), ("NoAnswer", 3)]


def test_what_a_program_has_started_ends_with_it(tmp_path):
    mark = tmp_path / "alive"
    child = f"import time\nwhile True: open({str(mark)!r}, 'w').close(); time.sleep(0.02)"
    code = (
        f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); print('{{}}', flush=True)"
    )

    subject = ProcessSubject([sys.executable, "-c", f"{code}; time.sleep(60)"])
    while not mark.exists():
        time.sleep(0.02)
    subject.close()
    mark.unlink()
    time.sleep(0.2)

    assert not mark.exists()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import time; time.sleep(60)", "no answer to hello: no answer within 0.5 s"),
        ("raise SystemExit(1)", "no answer to hello: ended without answer"),
        ('print(\'{"error": "no float32"}\')', "cannot be used: no float32"),
        ("print('Julia 1.9')", "no answer to hello: ended without answer; it wrote 'Julia 1.9'"),
    ],
)
def test_a_program_that_does_not_answer_hello_is_an_error(code, message):
    limits = Limits(start_timeout=0.5 if "sleep" in code else 60.0)

    with pytest.raises(RuntimeError, match=f"^{re.escape(message)}"):
        ProcessSubject([sys.executable, "-c", code], limits=limits)


@for_all(
    ("words", "value"),
    [
        ("nan -nan NaN 'nan' -nan(ind) nan(0x8000) 1.#QNAN -1.#IND00", np.nan),
        ("inf +Infinity Infinity 'inf' 1.#INF", np.inf),
        ("-inf -Infinity '-INF' -1.#INF", -np.inf),
    ],
)
def test_every_usual_spelling_of_numbers_that_are_not_finite_is_read_and_one_is_written(words, value):
    line = f'{{"result": [{", ".join(words.split())}, 1.5e-3], "error": "x is nan"}}'.replace("'", '"')
    message = subjects.load(line.encode())

    np.testing.assert_array_equal(message["result"], [*[value] * len(words.split()), 1.5e-3])
    assert message["error"] == "x is nan"
    written = json.loads(subjects.dump({"x": np.array([[value, 0.1]])}))
    assert written == {"x": [[{"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)], 0.1]]}


@pytest.mark.parametrize(
    ("result", "twice", "nan"),
    [("[[0.0] * 7] * 3", "passed", "failed"), ("[['NaN'] * 7] * 3", "passed", "passed"), ("[[float(n)] * 7] * 3", "failed", "failed")],
)  # fmt: skip
def test_side_effects_of_a_program_are_what_two_calls_and_nan_show(result, twice, nan):
    subject = odd_program(f"answer = json.dumps({{'id': n, 'result': {result}}})")
    with contextlib.closing(subject):
        calls = [f"side_effects/basis-{name}" for name in ("twice", "nan", "kept")]
        found = suite.run(subject, suite.choose(only=calls)).outcomes

    assert {one.case.call: one.status for one in found} == {"twice": twice, "nan": nan, "kept": "skipped"}


# --- adapters in Python

ADAPTERS = f"""
import os, sys, time
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests" / "helpers")!r}]
from conformance_plain import Plain

class Odd(Plain):
    name, version = "odd", "1.2"
    def basis(self, x, knots, degree):
        right = super().basis(x, knots, degree)
        is_second = len(x) == 3
        BODY
        return right
"""
ODD_ADAPTERS = [  # body, statuses, reason
    ("print('noise'); os.write(1, b'raw noise'); import warnings; warnings.warn('old')", ALL, ""),
    ("right = right.tolist()", ALL, ""),
    ("if is_second: raise RuntimeError('no\\x00 bases')", SECOND, "RuntimeError: no? bases"),
    ("if is_second: raise NotImplementedError", SKIPS, ""),
    ("if is_second: sys.exit(3)", SECOND, "SystemExit: 3"),
    ("if is_second: right = right.T", SECOND, "basis has shape (6, 3), but (3, 6) was expected"),
    ("if is_second: right = {'a': object()}", SECOND, "the answer cannot be read: "),
    ("if is_second: os._exit(3)", SECOND, "ended without answer"),
    ("if is_second: time.sleep(60)", SECOND, "no answer within 0.75 s"),
    ("if is_second: bytearray(2**33)", SECOND, "MemoryError"),
]
NOT_TAME = ("_exit", "sleep", "bytearray")  # what only a process of its own survives


@pytest.mark.parametrize(("body", "statuses", "reason"), ODD_ADAPTERS)
def test_an_odd_adapter_fails_its_case_and_no_other(body, statuses, reason, tmp_path, monkeypatch):
    (tmp_path / "odd.py").write_text(ADAPTERS.replace("BODY", body), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    subject = AdapterProcess("odd:Odd", limits=QUICK)

    found, said = results(subject)

    assert (subject.name, found) == ("odd 1.2", statuses)
    assert said.startswith(reason)
    if not any(word in body for word in NOT_TAME):
        space = {}
        exec((tmp_path / "odd.py").read_text(encoding="utf-8"), space)
        in_process, said = results(DirectSubject(space["Odd"]))
        assert in_process == statuses
        assert said.startswith(reason)


class Misspelt(Plain):
    layer_forward = None

    def layer_foward(self, layer, x):
        return super().layer_forward(layer, x)


@for_all(
    ("take", "sentence"),
    [
        (lambda: DirectSubject(object()), "the adapter is a object, which has no method that the kit calls"),
        (lambda: DirectSubject(Misspelt), "Misspelt has the method layer_foward, which the kit does not call: rename it to layer_forward"),
        (lambda: DirectSubject(Plain, "float16"), "dtype is 'float16', but must be one of 'float64', 'float32'"),
        (lambda: suite.choose(only=["nosuch"]), "only is 'nosuch', which names no case"),
        (lambda: suite.run(DirectSubject(Plain), [], xfail=["nosuch/*"]), "xfail is 'nosuch/*', which names no case"),
        (lambda: suite.choose(family="gauss"), "family is 'gauss', but must be one of 'bspline'"),
        (lambda: pytest_cases(Plain, family="gaussian"), "only is [] and skip is [], which leave no required case of family"),
        (lambda: subjects.load_adapter("mine"), "adapter is 'mine', but must be module:Class"),
    ],
)  # fmt: skip
def test_an_adapter_without_methods_of_the_kit_and_what_selects_nothing_are_errors(take, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        take()


@for_all("dtype", ["float64", "float32"])
def test_an_adapter_is_told_its_precision_once_and_given_arrays_in_it(dtype):
    class Precise(Plain):
        asked = ()

        def use_dtype(self, dtype):
            self.asked = (*self.asked, dtype)

        def basis(self, x, knots, degree):
            assert x.dtype == knots.dtype == self.asked[-1]
            return super().basis(x, knots, degree).astype(x.dtype)

    subject = DirectSubject(Precise, dtype)
    report = suite.run(subject, suite.choose(only=["bases"]))
    skipped = {one.reason for one in report.outcomes if one.status == "skipped"}

    assert (report.failures, report.dtype, subject.adapter.asked) == ((), dtype, (dtype,))
    assert skipped == ({"not a case for float32"} if dtype == "float32" else set())


# --- any answer: arbitrary JSON, damaged right answers

# one required case for each method of kan_ref
ONE_EACH = {
    case.method: case.id
    for case in reversed(CASES.values())
    if case.kind == "required" and not case.call and hasattr(Reference, case.method)
}

numbers = st.integers(-3, 3) | st.integers(-(10**400), 10**400) | st.floats()
words = st.sampled_from(["NaN", "-Infinity", "1", "silu", "\ud800", ""])
leaves = st.none() | st.booleans() | numbers | words | st.text(max_size=5)
keys = st.sampled_from(["hex", "shape", "layers", "dx", "knots", "coef", "degree", "a", "r2"])
json_values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)


class Fixed:
    """A subject that answers one case with a given value as JSON, and all others as kan_ref does."""

    name, dtype = "fixed", "float64"

    def __init__(self, case, value):
        self.case, self.value = case, value

    def ask(self, case):
        if case.id == self.case:
            return Answer(subjects.load(json.dumps(self.value).encode()))
        return our_answer(case.id)


@functools.cache
def our_answer(name):
    return DirectSubject(Reference()).ask(CASES[name])


def status_of(name, value):
    """Return the status of a case with an answer; every form of the report is made, and another case passes."""
    other = CASES[next(one for one in CASES if one.startswith("count_parameters/") and one != name)]
    chosen = [(TOPICS[case.topic], [case]) for case in (CASES[name], other)]
    report = suite.run(Fixed(name, value), chosen)
    "\n".join(suite.lines(report)).encode("utf-8")
    json.dumps(to_plain(report), allow_nan=False)
    assert report.outcomes[1].status == "passed"
    return report.outcomes[0].status


def right_answer(case):
    """Return the right answer to a case, as plain JSON."""
    return json.loads(subjects.dump(getattr(Reference(), case.method)(*arguments(case).values())))


RIGHT_ANSWERS = {name: right_answer(CASES[name]) for name in ONE_EACH.values()}


@pytest.mark.parametrize("name", ONE_EACH.values(), ids=ONE_EACH)
@given(value=json_values)
def test_any_json_value_as_an_answer_fails_its_case_and_the_run_goes_on(name, value):
    is_right = value == RIGHT_ANSWERS[name] and not isinstance(value, bool)  # 1 == True

    assert status_of(name, value) == ("passed" if is_right else "failed")


def places_in(value, so_far=()):
    """Yield the place of every value in nested lists and dicts, as a tuple of keys and indices."""
    yield so_far
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places_in(item, (*so_far, key))


def other_forms(part):
    """Yield values of another type, length or shape than a part of an answer."""
    yield from ("text", {}, [[[]]], [1, [2]], 10**400, {"hex": 1})
    if isinstance(part, list):
        yield from ([], [[] for _ in part], part[:-1], part + part[:1], [part])
    elif isinstance(part, dict):
        yield from ([part], *({k: v for k, v in part.items() if k != name} for name in part))


@for_all("name", ONE_EACH.values(), ids=ONE_EACH)
def test_a_right_answer_with_one_part_of_another_form_fails_its_case_alone(name):
    """Not with None, which says that a part is not offered; among numbers NumPy reads true as 1."""
    places = [place for place in places_in(RIGHT_ANSWERS[name]) if len(place) <= 2]
    for place in places[: 6 if len(places) < 40 else 3]:  # a copy of a large answer takes long
        whole = {"": copy.deepcopy(RIGHT_ANSWERS[name])}
        owner, key = whole, ""
        for step in place:
            owner, key = owner[key], step
        part = owner[key]
        for other in other_forms(part):
            owner[key] = other
            if whole[""] != RIGHT_ANSWERS[name]:
                assert status_of(name, whole[""]) == "failed", (place, other)


@for_all(
    "wrong",
    [lambda x: x[:, :0], lambda x: x[None], lambda x: 1j * x, lambda x: 10**400, lambda x: [[1.0], [2.0, 3.0]], lambda x: object()],
)  # fmt: skip
def test_an_adapter_that_always_answers_in_another_form_fails_its_cases_and_the_run_ends(wrong):
    class Subject:
        def layer_forward(self, layer, x):
            return wrong(x)

    report = suite.run(DirectSubject(Subject()), suite.choose(only=["edges", "batches"]))

    statuses = {one.status for one in report.outcomes if one.case.inputs["x"].size}
    assert statuses <= {"failed", "blocked"}
    assert report.failures


# --- the run and its report


class Twice(Plain):
    """The basis is not closed on the right of the grid, and layers are twice too large."""

    def basis(self, x, knots, degree):
        return super().basis(np.clip(x, knots[degree], knots[-degree - 1]), knots, degree)

    def layer_forward(self, layer, x):
        return 2.0 * super().layer_forward(layer, x)


def test_failures_that_follow_from_a_more_basic_one_are_blocked():
    report = suite.run(DirectSubject(Twice), suite.choose(only=["bases", "edges", "layer_forward"]))
    text = "\n".join(suite.lines(report))

    assert {one.case.topic for one in report.failures} == {"bases"}
    assert report.defects[0][0] == report.findings[0].name == "FadeOutside"
    for topic, need in (("edges", "bases"), ("layer_forward", "edges")):
        assert re.search(rf"(?m)^BLOCKED {topic}: \d+ cases fail too, but {need} must be right first$", text)


def test_json_and_badge_say_what_the_report_says():
    chosen = suite.choose(only=["bases", "count_parameters"])
    report = suite.run(DirectSubject(Twice), chosen, xfail=["bases/far-*"])
    plain = json.loads(json.dumps(to_plain(report), allow_nan=False))
    statuses = [one["status"] for one in plain["cases"]]
    right = statuses.count("passed") + statuses.count("xpassed")

    assert plain["summary"] == report.last_line == list(suite.lines(report))[-1]
    assert report.last_line.startswith(f"{right} passed, {statuses.count('failed')} failed, ")
    assert plain["required"] == {"cases": len(statuses), "right": right}
    assert "FadeOutside" in {one["name"] for one in plain["findings"]}
    assert (badge(report)["message"], badge(report)["color"]) == (f"{right} of {len(statuses)}", "orange")
    assert badge(suite.run(DirectSubject(Plain), chosen))["color"] == "brightgreen"


# --- the command line


@pytest.fixture
def folder(tmp_path):
    """A folder with an adapter that is wrong by 1e-9 everywhere, and one that cannot be built."""
    unborn = "\nclass Unborn:\n    def __init__(self): raise OSError('no GPU')\n"
    text = ADAPTERS.replace("BODY", "right = right + 1e-9") + unborn
    (tmp_path / "wrong.py").write_text(text, encoding="utf-8")
    return tmp_path


def call(folder, *arguments):
    """Return exit status, standard output and standard error of the program, run in this process."""
    said, complained = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, {"PYTHONPATH": str(ROOT)}),
        contextlib.chdir(folder),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(complained),
    ):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:  # argparse refuses so
            status = end.code
    return status, said.getvalue(), complained.getvalue()


def test_kan_ref_passes_everything():
    command = [sys.executable, "-W", "error", "-m", "kan_ref.conformance"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    said = done.stdout.splitlines()

    assert (done.returncode, done.stderr) == (0, "")
    assert said[0].startswith("kan_ref ")
    assert re.fullmatch(r"\d+ passed, 0 failed, \d+ skipped", said[-1])
    assert "skipped 3: gradient_steps is not supported" in said


def test_a_failure_says_what_was_expected_what_came_how_far_off_and_what_it_is(folder):
    one = ("--adapter", "wrong:Odd", "--only", "bases/degree-3-inner-knots")
    status, said, _ = call(folder, *one, "--json", "a.json", "--badge", "b.json")

    assert status == 1
    assert said.splitlines() == [
        "odd 1.2, float64, 1 cases",
        "FAILED bases/degree-3-inner-knots (basis)",
        "    basis[0, 0]: error 1e-09, tolerance 1e-13; 21 of 21 numbers are wrong",
        "    expected 0.0",
        "    got      1e-09",
        "    off by   1.5e-09 of the largest number",
        "    fact SmallError: the numbers are right but for a small error",
        "    see      docs/conformance.md#smallerror",
        "fact SmallError, 1 case: errors of at most 1.5e-09 of the largest number",
        "0 of 1 required cases are right, 0 skipped; of those that the definition leaves open, 0 agree and 0 differ",
        "0 passed, 1 failed, 0 skipped",
    ]
    assert json.loads((folder / "a.json").read_text())["cases"][0]["got"] == "1e-09"
    assert json.loads((folder / "b.json").read_text())["message"] == "0 of 1"


def test_listed_failures_do_not_count_and_a_listed_success_is_told(folder):
    listed = "# known\nbases/degree-2-*  # all of them\nedges/spline-alone\n"
    (folder / "xfail.txt").write_text(listed, encoding="utf-8-sig")
    few = ("--only", "bases/degree-2-*", "--only", "edges/spline-*")

    status, said, complained = call(folder, "--adapter", "wrong:Odd", *few, "--xfail", "xfail.txt")

    assert (status, complained) == (0, "")
    assert "xfailed: bases/degree-2-inside (basis[" in said
    assert "xpassed: edges/spline-alone (listed as failing, but passes)" in said
    assert said.splitlines()[-1] == "12 passed, 0 failed, 11 skipped"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--adapter wrong:Missing", "cannot be used: AttributeError: "),
        ("--adapter wrong:Unborn", "cannot be used: OSError: no GPU"),
        ("--adapter wrong:Odd --only fit_affine/*", "odd 1.2 supports none of the"),
        ("--program no-such-program-here", "No such file or directory: 'no-such-program-here'"),
        ("--only base", "only is 'base', which names no case"),
        ("--xfail missing.txt", "No such file or directory: 'missing.txt'"),
        ("--xfail wrong.py", "a glob of --xfail wrong.py is 'import os, sys, time', which names no case"),
        ("--timeout nan", "--timeout must be a positive number"),
        ("--json nowhere/report.json", "must be a file in a folder that can be written"),
        ("--only knots --json /dev/full", "--json is /dev/full, which cannot be written: "),
        ("--export wrong.py", "File exists: "),
    ],
)
def test_a_wrong_call_has_status_2_and_a_sentence(folder, arguments, sentence):
    status, _, complained = call(folder, *arguments.split())

    assert status == 2
    assert sentence in " ".join(complained.split())


def test_list_prints_every_case_of_a_family(folder):
    for more, family in (((), "bspline"), (("--family", "relu"), "relu")):
        status, said, _ = call(folder, "--list", *more)
        ids = [case.id for _, cases in suite.choose(family=family) for case in cases]
        assert (status, [line.split()[0] for line in said.splitlines()]) == (0, ids)


def test_an_export_has_every_file_its_hash_and_the_version_of_the_contract(tmp_path):
    paths = {path.relative_to(tmp_path).as_posix(): path for path in export(tmp_path)}
    contract = json.loads(paths.pop("contract.json").read_text(encoding="utf-8"))
    names = {f"vectors/{topic.name}.json" for topic in load_topics()}

    assert {"README.md", "LICENSE", "flags.toml", "schemas/vectors.schema.json"} | names <= set(paths)
    assert contract["sha256"] == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items()}
    assert all(paths[name].read_bytes() == (HOME / name).read_bytes() for name in names)
    assert contract["contract"] == contract_version()
    assert {name: one["class"] for name, one in contract["cases"].items()} == {c.id: c.kind for c in CASES.values()}


# --- examples in other languages, and the adapter of the page

EXAMPLES = ROOT / "docs" / "conformance_examples"
TOOLS = {"subject.c": ("cc", "-O1", "-Wall", "-Werror", "-std=c99"), "subject.js": ("node",)}
EXAMPLE_TOPICS = {"subject.c": ["bases"], "subject.js": ["bases", "edges", "layer_forward", "batches"]}


@pytest.mark.long
@pytest.mark.parametrize("name", TOOLS)
def test_the_example_in_another_language_passes_its_topics(name, tmp_path):
    tool, *options = TOOLS[name]
    command = f"{tool} {EXAMPLES / name}"
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    if options:
        command = tmp_path / "subject"
        subprocess.run([tool, *options, "-o", command, EXAMPLES / name, "-lm"], check=True)

    only = [word for topic in EXAMPLE_TOPICS[name] for word in ("--only", topic)]
    status, said, _ = call(tmp_path, "--program", command, *only)

    assert status == 0, said
    assert re.fullmatch(r"[12]\d\d passed, 0 failed, 0 skipped", said.splitlines()[-1])


def test_the_adapter_of_the_page_passes_the_bases(tmp_path):
    page = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(# mine.py\n.+?)```", page, flags=re.DOTALL)
    (tmp_path / "mine.py").write_text(code, encoding="utf-8")

    status, said, _ = call(tmp_path, "--adapter", "mine:Mine")

    assert status == 0, said
    assert re.fullmatch(r"1\d\d passed, 0 failed, \d+ skipped", said.splitlines()[-1])


# --- in one's own tests


class Half(Plain):
    basis_derivative = None

    def basis(self, x, knots, degree):
        return super().basis(x, knots, degree) * (1.0 + 1e-3 * (degree == 2))

    def count_parameters(self, widths, n_intervals, degree):
        raise NotImplementedError


def test_each_case_passes_fails_with_its_story_or_is_skipped():
    ends = {}
    topics = ["bases", "count_parameters", "basis_derivatives"]
    for parameter in pytest_cases(Half, only=topics, xfail=["bases/degree-2-*"]):
        try:
            ends[parameter.id] = parameter.values[0].check()
        except (AssertionError, unittest.SkipTest) as end:
            ends[parameter.id] = str(end)
        assert bool(parameter.marks) == parameter.id.startswith("bases/degree-2-")

    assert not any(name.startswith("basis_derivatives") for name in ends)
    assert ends["bases/degree-3-inside"] is None
    assert "count_parameters is not supported" in ends.values()
    story = ends["bases/degree-2-inside"]
    assert story.startswith("FAILED bases/degree-2-inside (basis)\n    basis[")
    assert re.search(r"(?s)expected.*got.*\n    (resembles|fact|not named).*All checks of this session:", story)
    assert re.search(r"\d+ passed, \d+ failed, \d+ skipped$", story)
    for parameter in pytest_cases(Reference, only=["bases/degree-*", "edges"]):
        parameter.values[0].check()


FILES = {
    "test_mine.py": "def test_conformance(conformance_case):\n    conformance_case.check()\n",
    "mine.py": """
class Mine:
    def count_parameters(self, widths, n_intervals, degree):
        n = sum(a * b for a, b in zip(widths, widths[1:])) * (n_intervals + degree + 2)
        return n + (len(widths) == 4)
""",
}


@pytest.mark.parametrize(
    ("settings", "status", "sentence"),
    [
        ("conformance_adapter = mine:Mine\nconformance_xfail = count_parameters/4-*", 0, "4 passed, 1 xfailed"),
        ("conformance_adapter = mine:Mine", 1, "1 failed, 4 passed"),
        ("conformance_adapter = mine:Other", 2, "has no attribute 'Other'; it needs conformance_adapter"),
        ("", 2, "adapter is '', but must be module:Class; it needs conformance_adapter"),
    ],
)  # fmt: skip
def test_the_fixture_of_the_plugin_runs_the_cases_of_the_configured_adapter(settings, status, sentence, tmp_path):
    for name, text in (FILES | {"pytest.ini": f"[pytest]\npythonpath = .\n{settings}\n"}).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    plugins = ["-p", "kan_ref.conformance.plugin", "-p", "no:cacheprovider"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", *plugins]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == status, done.stdout
    assert sentence in done.stdout + done.stderr


def test_the_plugin_is_an_entry_point_and_loads_neither_numpy_nor_the_kit():
    code = "import sys, kan_ref.conformance.plugin; print({'numpy', 'pytest', 'kan_ref.conformance.suite'} & set(sys.modules))"
    said = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    assert said == "set()\n"
    assert 'kan_ref_conformance = "kan_ref.conformance.plugin"' in project
