"""The runner: no subject makes it crash, hang or lie; the report, the command line, the export, and the plugin of pytest."""

import contextlib
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

from kan_ref.conformance import pytest_cases, subjects, suite
from kan_ref.conformance.__main__ import main
from kan_ref.conformance.adapters.reference import Reference
from kan_ref.conformance.cases import HOME, contract_version, export, load_topics
from kan_ref.conformance.report import badge, to_plain
from kan_ref.conformance.subjects import AdapterProcess, DirectSubject, Limits, ProcessSubject

CASES = {case.id: case for topic in load_topics() for case in topic.cases}
FOUR = [f"bases/degree-2-{name}" for name in ("inside", "inner-knots", "last-knot", "first-knot")]
SECOND = ["passed", "failed", "passed", "passed"]  # of four cases the second is wrong, and no other
ALL = ["passed"] * 4
QUICK = Limits(timeout=1.0)


def results(subject, only=FOUR):
    """Return the statuses of a run, and the reason of its first failure."""
    try:
        report = suite.run(subject, suite.choose(only=only))
    finally:
        if not isinstance(subject, DirectSubject):
            subject.close()
    return [one.status for one in report.outcomes], next((one.reason for one in report.failures), "")


# --- programs that answer lines of JSON

PROGRAM = """
import json, os, subprocess, sys, time
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


def odd_program(odd, limits=QUICK):
    code = PROGRAM.replace("RIGHT", repr(RIGHT)).replace("ODD", odd.replace("\n", "\n    "))
    return ProcessSubject([sys.executable, "-c", code], limits=limits)


@pytest.mark.parametrize(
    ("odd", "statuses", "reason"),
    [
        # right answers in unusual company
        ("print('loss = 3.2')", ALL, ""),
        ("sys.stderr.write('x' * 10**5)", ALL, ""),
        ("answer = answer[:-1] + ', \"error\": null, \"unsupported\": false}'", ALL, ""),
        ("if is_second: answer = json.dumps({'id': n, 'unsupported': True})", ["passed", "skipped", "passed", "passed"], ""),
        # one wrong answer
        ("if is_second: time.sleep(60)", SECOND, "no answer within 1 s"),
        ("if is_second: sys.exit(3)", SECOND, "ended without answer"),
        ("if is_second: answer = 'loss = 3.2'", SECOND, "no answer within 1 s; it wrote 'loss = 3.2'"),
        ("if is_second: answer = '[[0.5]]'", SECOND, "no answer within 1 s; it wrote '[[0.5]]'"),
        ("if is_second: answer = '{oops'", SECOND, "the line cannot be read as the answer: '{oops'"),
        ("if is_second: print('{oops')", SECOND, "the line cannot be read as the answer: '{oops'"),
        ("if is_second: answer = '{' + '[' * 100000", SECOND, "the line cannot be read as the answer: '{[["),
        ("if is_second: answer = answer.replace('2,', '1,', 1)", SECOND, "answer with id 1 where 2 was expected"),
        ("if is_second: answer = answer.replace('2,', '[2],', 1)", SECOND, "answer with id [2] where 2 was expected"),
        ("if is_second: answer = '{\"id\": 2}'", SECOND, "the answer holds neither result, unsupported nor error"),
        ("if is_second: answer = '{\"id\": 2, \"error\": \"no\\\\nbases\"}'", SECOND, "no bases"),
        ("if is_second: answer = json.dumps({'id': n, 'result': right[1][:2]})", SECOND, "basis has shape (2, 6), but (3, 6)"),
        ("if is_second: answer = json.dumps({'id': n, 'result': [[1.0], [2.0, 3.0]]})", SECOND, "the answer cannot be read"),
        ("if is_second: answer = json.dumps({'id': n, 'result': [[None] * 6] * 3})", SECOND, "the answer cannot be read: null"),
        ("if is_second: answer = '{\"id\": 2, \"result\": [[nan, -nan(ind), 1.#QNAN]]}'", SECOND, "basis has shape (1, 3), but"),
        ("if is_second: print('x' * 2**21, flush=True)", SECOND, "ended without answer; it wrote a line of more than"),
    ],
)  # fmt: skip
def test_an_odd_program_fails_its_case_and_no_other(odd, statuses, reason, monkeypatch):
    monkeypatch.setattr(subjects, "MOST_BYTES", 2**20)

    found, said = results(odd_program(odd))

    assert found == statuses
    assert said.startswith(reason)
    assert bool(said) == bool(reason)


def test_a_program_that_hangs_or_ends_three_times_is_not_asked_again():
    found, said = results(odd_program("sys.exit(1)"), ["bases/degree-2-*"])
    report = suite.run(odd_program("os._exit(1)"), suite.choose(only=["bases/degree-2-*"]))

    assert (found, said) == (["failed"] * 11, "ended without answer")
    assert [one.verdict.kind for one in report.failures] == ["no answer"] * 3 + ["not asked"] * 8
    assert "not run: basis has hung or ended the program 3 times already" in report.failures[3].reason


@pytest.mark.skipif(sys.platform != "linux", reason="limits of addresses are Linux's")
def test_a_program_that_takes_all_memory_fails_its_case_alone():
    found, said = results(odd_program("if is_second: bytearray(2**31)", Limits(memory=1.0)))

    assert (found, said) == (SECOND, "ended without answer")


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
        ("import time; time.sleep(60)", "no answer to hello: no answer within 1 s"),
        ("raise SystemExit(1)", "no answer to hello: ended without answer"),
        ("print('{oops')", "no answer to hello: the line cannot be read as the answer: '{oops'"),
        ('print(\'{"error": "no float32"}\')', "cannot be used: no float32"),
        ("print('Julia 1.9')", "no answer to hello: ended without answer; it wrote 'Julia 1.9'"),
    ],
)
def test_a_program_that_does_not_answer_hello_is_an_error(code, message):
    limits = Limits(start_timeout=1.0 if "sleep" in code else 60.0)

    with pytest.raises(RuntimeError, match=f"^{re.escape(message)}"):
        ProcessSubject([sys.executable, "-c", code], limits=limits)


@for_all(
    ("written", "value"),
    [
        *((word, np.nan) for word in ("nan", "-nan", "NaN", '"nan"', "-nan(ind)", "nan(0x8000)", "1.#QNAN", "-1.#IND00")),
        *((word, np.inf) for word in ("inf", "+Infinity", "Infinity", '"inf"', "1.#INF")),
        *((word, -np.inf) for word in ("-inf", "-Infinity", '"-INF"', "-1.#INF")),
    ],
)  # fmt: skip
def test_every_usual_spelling_of_numbers_that_are_not_finite_is_read(written, value):
    message = subjects.load(f'{{"result": [[{written}, 1.5e-3]], "error": "x is nan \\"inf\\""}}'.encode())

    np.testing.assert_array_equal(message["result"], [[value, 1.5e-3]])
    assert message["error"] == 'x is nan "inf"'


def test_requests_are_json_in_which_words_stand_for_numbers_that_are_not_finite():
    line = subjects.dump(
        {
            "x": np.array([[np.nan, -np.inf], [np.inf, 0.1]]),
            "name": "silu",
            "empty": np.zeros((0, 2)),
        }
    )

    assert line == b'{"x":[["NaN","-Infinity"],["Infinity",0.1]],"name":"silu","empty":[]}\n'


@pytest.mark.parametrize(
    ("result", "statuses"),
    [
        ("[[0.0] * 7] * 3", ["passed", "failed"]),
        ("[['NaN'] * 7] * 3", ["passed", "passed"]),
        ("[[float(n)] * 7] * 3", ["failed", "failed"]),
        ("time.sleep(60)", ["failed", "failed"]),  # a hang is no sign of nan
    ],
)
def test_side_effects_of_a_program_are_what_two_calls_and_nan_show(result, statuses):
    subject = odd_program(f"answer = json.dumps({{'id': n, 'result': {result}}})")
    subject.ask = mock.Mock(side_effect=subject.ask)
    calls = [f"side_effects/basis-{name}" for name in ("twice", "nan", "kept")]

    found = suite.run(subject, suite.choose(only=calls)).outcomes
    subject.close()

    assert {one.case.call: one.status for one in found} == dict(zip(("twice", "nan"), statuses, strict=True)) | {
        "kept": "skipped"
    }


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
ODD_ADAPTERS = [  # name, body, statuses, reason, and whether it can run in this process
    ("Prints", "print('noise'); os.write(1, b'raw noise')", ALL, "", True),
    ("Warns", "import warnings; warnings.warn('old')", ALL, "", True),
    ("Lists", "right = right.tolist()", ALL, "", True),
    ("Raises", "if is_second: raise RuntimeError('no\\x00 bases')", SECOND, "RuntimeError: no? bases", True),
    ("Refuses", "if is_second: raise NotImplementedError", ["passed", "skipped", "passed", "passed"], "", True),
    ("Exits", "if is_second: sys.exit(3)", SECOND, "SystemExit: 3", True),
    ("Shapes", "if is_second: right = right.T", SECOND, "basis has shape (6, 3), but (3, 6) was expected", True),
    ("Nothing", "if is_second: right = None", SECOND, "the answer cannot be read: the answer is None", True),
    ("Objects", "if is_second: right = {'a': object()}", SECOND, "the answer cannot be read: ", True),
    ("Nan", "if is_second: right = right * float('nan')", SECOND, "basis[0, 0]: error nan, tolerance", True),
    ("Dies", "if is_second: os._exit(3)", SECOND, "ended without answer", False),
    ("Hangs", "if is_second: time.sleep(60)", SECOND, "no answer within 2 s", False),
    ("Greedy", "if is_second: bytearray(2**32)", SECOND, "MemoryError", False),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a module for each odd adapter, and one that is wrong by 1e-9 everywhere."""
    place = tmp_path_factory.mktemp("adapters")
    wrong = "right = right + 1e-9"
    for name, body in [*((one[0], one[1]) for one in ODD_ADAPTERS), ("Wrong", wrong)]:
        text = ADAPTERS.replace("BODY", body.replace("\n", "\n        "))
        (place / f"{name.lower()}.py").write_text(text, encoding="utf-8")
    (place / "unborn.py").write_text("class Unborn:\n    def __init__(self): raise OSError('no GPU')\n")
    return place


@pytest.mark.parametrize(
    ("name", "body", "statuses", "reason", "is_tame"),
    ODD_ADAPTERS,
    ids=[one[0] for one in ODD_ADAPTERS],
)
def test_an_odd_adapter_fails_its_case_and_no_other(folder, name, body, statuses, reason, is_tame, monkeypatch):
    monkeypatch.chdir(folder)
    subject = AdapterProcess(f"{name.lower()}:Odd", limits=Limits(timeout=2.0, memory=3.0))

    found, said = results(subject)

    assert subject.name == "odd 1.2"
    assert found == statuses
    assert said.startswith(reason)
    if is_tame:
        monkeypatch.syspath_prepend(folder)
        in_process, said = results(DirectSubject(subjects.load_adapter(f"{name.lower()}:Odd")))
        assert in_process == statuses
        assert said.startswith(reason)


@for_all("adapter", [None, object(), {"basis": None}])
def test_an_adapter_without_a_method_of_the_kit_is_an_error(adapter):
    with pytest.raises(ValueError, match=r"^the adapter is a \w+, which has no method that the kit"):
        DirectSubject(adapter)


def test_a_misspelt_method_is_an_error_and_not_a_method_that_is_missing():
    class Mine(Plain):
        layer_forward = None

        def layer_foward(self, layer, x):
            return super().layer_forward(layer, x)

    with pytest.raises(
        ValueError,
        match=r"^Mine has the method layer_foward, .*: rename it to layer_forward, or let",
    ):
        DirectSubject(Mine)
    Mine.layer_forward = Mine.layer_foward  # a helper beside the method itself
    assert DirectSubject(Mine).name == "plain"


def test_an_adapter_is_told_its_precision_once_and_given_arrays_in_it():
    class Precise(Plain):
        asked = ()

        def use_dtype(self, dtype):
            self.asked = (*self.asked, dtype)

        def basis(self, x, knots, degree):
            assert x.dtype == knots.dtype == self.asked[-1]
            return super().basis(x, knots, degree).astype(x.dtype)

    for dtype in ("float64", "float32"):
        subject = DirectSubject(Precise, dtype)
        report = suite.run(subject, suite.choose(only=["bases"]))
        skipped = {one.reason for one in report.outcomes if one.status == "skipped"}

        assert (report.failures, report.dtype, subject.adapter.asked) == ((), dtype, (dtype,))
        assert skipped == ({"not a case for float32"} if dtype == "float32" else set())
    with pytest.raises(ValueError, match=r"^dtype is 'float16', but must be one of 'float64', 'float32'"):
        DirectSubject(Precise, "float16")


def test_ctrl_c_in_an_adapter_of_this_process_ends_the_run():
    class Interrupted(Plain):
        def basis(self, x, knots, degree):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        suite.run(DirectSubject(Interrupted), suite.choose(only=["bases"]))


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
    assert re.search(
        r"^BLOCKED edges: \d+ cases fail too, but bases must be right first$",
        text,
        flags=re.MULTILINE,
    )
    assert re.search(
        r"^BLOCKED layer_forward: \d+ cases .* but edges must be right first$",
        text,
        flags=re.MULTILINE,
    )


def test_json_and_badge_say_what_the_report_says():
    report = suite.run(
        DirectSubject(Twice),
        suite.choose(only=["bases", "count_parameters"]),
        xfail=["bases/far-*"],
    )
    plain = json.loads(json.dumps(to_plain(report), allow_nan=False))
    statuses = [one["status"] for one in plain["cases"]]
    right = statuses.count("passed") + statuses.count("xpassed")

    assert plain["summary"] == report.last_line == "\n".join(suite.lines(report)).splitlines()[-1]
    assert report.last_line.startswith(f"{right} passed, {statuses.count('failed')} failed, ")
    assert plain["required"] == {"cases": len(statuses), "right": right}
    assert {one["name"] for one in plain["findings"]} >= {"FadeOutside"}
    assert all({"kind", "defect", "page", "cases"} <= set(one) for one in plain["findings"])
    assert badge(report)["message"] == f"{right} of {len(statuses)}"
    assert badge(report)["color"] == "orange"
    assert badge(suite.run(DirectSubject(Plain), suite.choose(only=["bases"])))["color"] == "brightgreen"


@for_all(
    ("take", "sentence"),
    [
        (lambda: suite.choose(only=["nosuch"]), "only is 'nosuch', which names no case"),
        (lambda: suite.choose(skip=["bases", "base"]), "skip is 'base', which names no case"),
        (lambda: suite.run(DirectSubject(Plain), [], xfail=["nosuch/*"]), "xfail is 'nosuch/*', which names no case"),
        (lambda: suite.choose(family="gauss"), "family is 'gauss', but must be one of 'bspline'"),
        (lambda: pytest_cases(Plain, xfail=["nosuch"]), "xfail is 'nosuch', which names no case"),
        (lambda: pytest_cases(Plain, family="gaussian"), "only is [] and skip is [], which leave no required case of family"),
        (lambda: pytest_cases(Plain, only=["penalties_pykan"]), "only is ['penalties_pykan'] and skip is [], which leave no"),
        (lambda: pytest_cases(object), "the adapter is a object, which has no method that the kit calls"),
        (lambda: subjects.load_adapter("mine"), "adapter is 'mine', but must be module:Class"),
    ],
)  # fmt: skip
def test_what_selects_nothing_is_an_error(take, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        take()


# --- the command line


def call(folder, *arguments):
    """Return exit status, standard output and standard error of the program, run in this process."""
    said, complained = io.StringIO(), io.StringIO()
    streams = contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained)
    with (
        mock.patch.dict(os.environ, {"PYTHONPATH": str(ROOT)}),
        contextlib.chdir(folder),
        streams[0],
        streams[1],
    ):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:  # argparse refuses so
            status = end.code
    return status, said.getvalue(), complained.getvalue()


def test_kan_ref_passes_everything(tmp_path):
    began = os.times()
    command = [sys.executable, "-W", "error", "-m", "kan_ref.conformance"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    spent = os.times()

    said = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert said[0].startswith("kan_ref ")
    assert re.fullmatch(r"\d+ passed, 0 failed, \d+ skipped", said[-1])
    assert "skipped 3: gradient_steps is not supported" in said
    assert spent.children_user - began.children_user < 10.0


def test_a_failure_says_what_was_expected_what_came_how_far_off_and_what_it_is(folder, tmp_path):
    one = ("--adapter", "wrong:Odd", "--only", "bases/degree-3-inner-knots")
    status, said, _ = call(folder, *one, "--json", tmp_path / "a.json", "--badge", tmp_path / "b.json")

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
    assert json.loads((tmp_path / "a.json").read_text())["cases"][0]["got"] == "1e-09"
    assert json.loads((tmp_path / "b.json").read_text())["message"] == "0 of 1"


def test_listed_failures_do_not_count_and_a_listed_success_is_told(folder, tmp_path):
    listed = tmp_path / "xfail.txt"
    listed.write_text("# known\nbases/degree-2-*  # all of them\nedges/spline-alone\n", encoding="utf-8-sig")
    few = ("--only", "bases/degree-2-*", "--only", "edges/spline-*")

    status, said, complained = call(folder, "--adapter", "wrong:Odd", *few, "--xfail", listed)

    assert (status, complained) == (0, "")
    assert "xfailed: bases/degree-2-inside (basis[" in said
    assert "xpassed: edges/spline-alone (listed as failing, but passes)" in said
    assert said.splitlines()[-1] == "12 passed, 0 failed, 11 skipped"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--adapter", "wrong:Missing"], "cannot be used: AttributeError: "),
        (["--adapter", "nowhere:Class"], "cannot be used: ModuleNotFoundError: "),
        (["--adapter", "mine"], "ValueError: adapter is 'mine', but must be module:Class"),
        (["--adapter", "unborn:Unborn"], "cannot be used: OSError: no GPU"),
        (["--adapter", "wrong:Odd", "--only", "fit_affine/*"], "odd 1.2 supports none of the"),
        (
            ["--program", "no-such-program-here"],
            "No such file or directory: 'no-such-program-here'",
        ),
        (["--program", ""], "--program is empty, but must be a command"),
        (["--program", "a 'b"], "No closing quotation"),
        (["--only", "base"], "only is 'base', which names no case"),
        (["--only", "bases", "--skip", "bases"], "supports none of the 0 chosen cases"),
        (["--xfail", "missing.txt"], "No such file or directory: 'missing.txt'"),
        (
            ["--xfail", "wrong.py"],
            "a glob of --xfail wrong.py is 'import os, sys, time', which names no case",
        ),
        *[(["--timeout", text], "--timeout must be a positive number") for text in ("-1", "0", "nan", "inf")],
        (["--json", "nowhere/report.json"], "must be a file in a folder that can be written"),
        (
            ["--only", "knots", "--json", "/dev/full"],
            "--json is /dev/full, which cannot be written: ",
        ),
        (["--dtype", "float16"], "invalid choice"),
        (["--export", "wrong.py"], "File exists: "),
    ],
)
def test_a_wrong_call_has_status_2_and_a_sentence(folder, arguments, sentence):
    status, _, complained = call(folder, *arguments)

    assert status == 2
    assert sentence in " ".join(complained.split())


def test_list_prints_every_case_of_a_family(capsys):
    assert main(["--list"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [case.id for _, cases in suite.choose() for case in cases]
    assert main(["--list", "--family", "relu"]) == 0
    assert all(line.startswith("relu/") for line in capsys.readouterr().out.splitlines())


def test_an_export_has_every_file_its_hash_and_the_version_of_the_contract(tmp_path):
    written = export(tmp_path)
    contract = json.loads((tmp_path / "contract.json").read_text(encoding="utf-8"))

    hashes = {path.relative_to(tmp_path).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in written}
    assert contract["sha256"] == {name: text for name, text in hashes.items() if name != "contract.json"}
    names = [f"vectors/{topic.name}.json" for topic in load_topics()]
    assert {"README.md", "LICENSE", "flags.toml", "schemas/vectors.schema.json", *names} <= set(hashes)
    for name in names:
        assert (tmp_path / name).read_bytes() == (HOME / name).read_bytes()
    assert contract["contract"] == contract_version()
    assert {name: one["class"] for name, one in contract["cases"].items()} == {c.id: c.kind for c in CASES.values()}


# --- examples in other languages, and the adapter of the page

EXAMPLES = ROOT / "docs" / "conformance_examples"
TOOLS = {"subject.c": ("cc", "-O1", "-Wall", "-Werror", "-std=c99"), "subject.js": ("node",)}
TOPICS = {"subject.c": ["bases"], "subject.js": ["bases", "edges", "layer_forward", "batches"]}


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

    only = [word for topic in TOPICS[name] for word in ("--only", topic)]
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
    assert len([line for line in code.splitlines() if line.strip()]) <= 20


# --- in one's own tests


class Half(Plain):
    basis_derivative = None

    def basis(self, x, knots, degree):
        return super().basis(x, knots, degree) * (1.0 + 1e-3 * (degree == 2))

    def count_parameters(self, widths, n_intervals, degree):
        if len(widths) > 2:
            raise NotImplementedError
        return super().count_parameters(widths, n_intervals, degree)


def test_each_case_passes_fails_with_its_story_or_is_skipped():
    ends = {}
    for parameter in pytest_cases(
        Half, only=["bases", "count_parameters", "basis_derivatives"], xfail=["bases/degree-2-*"]
    ):
        check = parameter.values[0]
        try:
            ends[parameter.id] = check.check()
        except (AssertionError, unittest.SkipTest) as end:
            ends[parameter.id] = str(end)
        assert bool(parameter.marks) == parameter.id.startswith("bases/degree-2-")

    assert not any(name.startswith("basis_derivatives") for name in ends)
    assert ends["bases/degree-3-inside"] is None
    assert "count_parameters is not supported" in ends.values()
    story = ends["bases/degree-2-inside"]
    assert story.startswith("FAILED bases/degree-2-inside (basis)\n    basis[")
    assert re.search(
        r"expected.*got.*\n    (resembles|fact|not named).*All checks of this session:",
        story,
        flags=re.DOTALL,
    )
    assert re.search(r"\d+ passed, \d+ failed, \d+ skipped$", story)


TEST = "def test_conformance(conformance_case):\n    conformance_case.check()\n"
COUNTS = """
class Mine:
    def count_parameters(self, widths, n_intervals, degree):
        n = sum(a * b for a, b in zip(widths, widths[1:])) * (n_intervals + degree + 2)
        return n + (len(widths) == 4)
"""


@pytest.mark.parametrize(
    ("settings", "status", "sentence"),
    [
        (
            "conformance_adapter = mine:Mine\nconformance_xfail = count_parameters/4-*",
            0,
            "4 passed, 1 xfailed",
        ),
        ("conformance_adapter = mine:Mine\nconformance_skip = count_parameters/4-*", 0, "4 passed"),
        ("conformance_adapter = mine:Mine", 1, "1 failed, 4 passed"),
        (
            "conformance_adapter = mine:Mine\nconformance_family = gauss",
            2,
            "family is 'gauss', but must be one of",
        ),
        (
            "conformance_adapter = mine:Other",
            2,
            "has no attribute 'Other'; it needs conformance_adapter",
        ),
        ("", 2, "adapter is '', but must be module:Class; it needs conformance_adapter"),
    ],
)
def test_the_fixture_of_the_plugin_runs_the_cases_of_the_configured_adapter(settings, status, sentence, tmp_path):
    for name, text in (
        ("test_mine.py", TEST),
        ("mine.py", COUNTS),
        ("pytest.ini", f"[pytest]\npythonpath = .\n{settings}\n"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "kan_ref.conformance.plugin",
        "-p",
        "no:cacheprovider",
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == status, done.stdout
    assert sentence in done.stdout + done.stderr


def test_the_plugin_is_an_entry_point_and_loads_neither_numpy_nor_the_kit():
    code = "import sys, kan_ref.conformance.plugin; print({'numpy', 'pytest', 'kan_ref.conformance.suite'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert 'kan_ref_conformance = "kan_ref.conformance.plugin"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert done.stdout == "set()\n"


def test_kan_ref_in_the_way_that_adopters_test():
    for parameter in pytest_cases(Reference, only=["bases/degree-*", "edges"]):
        parameter.values[0].check()
