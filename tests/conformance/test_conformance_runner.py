"""The runner and the plugin of pytest: the report and exit status, and that no subject makes the runner crash or hang."""

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
from xml.etree import ElementTree

import conformance_plain
import numpy as np
import pytest
from cases import for_all
from checkout import ROOT

from kan_ref.conformance import pytest_cases, serve, suite, wire
from kan_ref.conformance.__main__ import main
from kan_ref.conformance.adapters import axes
from kan_ref.conformance.adapters.reference import Reference
from kan_ref.conformance.cases import METHODS, contract_version, load_topics
from kan_ref.conformance.export import export
from kan_ref.conformance.generate.encode import fits_float32
from kan_ref.conformance.judge import judge
from kan_ref.conformance.subjects import DirectSubject, ProcessSubject, python_adapter

HOME = ROOT / "kan_ref" / "conformance"
EXAMPLES = ROOT / "docs" / "conformance_examples"
CASES = {case.id: case for topic in load_topics() for case in topic.cases}
PAPER = [case.id for _, chosen in suite.choose() for case in chosen]
FEW = ("--only", "bases/degree-2-*", "--only", "edges/spline-*")

ADAPTERS = '''
import os, sys, time
sys.path[:0] = [{root!r}, {tests!r}]
from conformance_plain import Plain

print("noise when loaded")

class Good(Plain):
    """Passes, and prints and warns all the time."""
    name, version = "good", "1.2"
    def basis(self, x, knots, degree):
        import warnings
        print("noise"); warnings.warn("old"); print("more", file=sys.stderr); os.write(1, b"raw noise\\n")
        return super().basis(x, knots, degree)

class Wrong(Good):
    def basis(self, x, knots, degree):
        return super().basis(x, knots, degree) + 1e-9

class Single(Good):
    def basis(self, x, knots, degree):
        return super().basis(x, knots, degree).astype("float32")

class Raises(Good):
    def basis(self, x, knots, degree):
        raise RuntimeError("no bases today")

class Exits(Good):
    def basis(self, x, knots, degree):
        os._exit(3) if degree else sys.exit(0)

class Hangs(Good):
    def basis(self, x, knots, degree):
        time.sleep(3600)

class Shapes(Good):
    def basis(self, x, knots, degree):
        return super().basis(x, knots, degree).T

class Nan(Good):
    def basis(self, x, knots, degree):
        return float("nan") * super().basis(x, knots, degree)

class Odd(Good):
    def basis(self, x, knots, degree):
        return {{"values": object()}}

class Refuses(Good):
    def basis(self, x, knots, degree):
        raise NotImplementedError

class Unborn:
    def __init__(self):
        raise OSError("no GPU here")
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("adapters")
    text = ADAPTERS.format(root=str(ROOT), tests=str(ROOT / "tests" / "helpers"))
    (place / "mine.py").write_text(text, encoding="utf-8")
    return place


def call(folder, *arguments, apart=False):
    """Return exit status, standard output and standard error of the runner; `apart`: in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    if apart:
        command = [sys.executable, "-m", "kan_ref.conformance", *arguments]
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout, done.stderr
    said, complained = io.StringIO(), io.StringIO()
    streams = contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained)
    with mock.patch.dict(os.environ, environment), contextlib.chdir(folder), streams[0], streams[1]:
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:  # argparse refuses so
            status = end.code
    return status, said.getvalue(), complained.getvalue()


# --- kan_ref itself


@pytest.mark.long
def test_kan_ref_passes_everything_in_ten_seconds(folder):
    began = os.times()

    status, said, complained = call(folder, apart=True)

    spent = os.times()
    seconds = (
        spent.children_user - began.children_user + spent.children_system - began.children_system
    )
    assert complained == ""
    assert status == 0
    assert said.splitlines()[0].startswith("kan_ref ")
    required = sum(CASES[case].kind == "required" for case in PAPER)
    assert f"{required - 3} of {required} required cases are right, 3 were skipped; of " in said
    assert re.fullmatch(r"\d+ passed, 0 failed, \d+ skipped", said.splitlines()[-1])
    assert "not supported: gradient_steps" in said
    assert seconds < 10.0


# --- subjects that behave


def test_a_good_adapter_passes_through_noise_and_warnings(folder):
    status, said, complained = call(folder, "--adapter", "mine:Good", *FEW, apart=True)

    assert (status, complained) == (0, "")
    assert said.splitlines()[0].startswith("good 1.2, float64, ")
    assert re.fullmatch(r"\d\d passed, 0 failed, 0 skipped", said.splitlines()[-1])


def test_what_is_not_implemented_is_skipped_and_said(folder):
    status, said, _ = call(folder, "--adapter", "mine:Refuses", *FEW)

    assert status == 0
    assert re.search(r"^not supported: basis$", said, flags=re.MULTILINE)
    assert re.fullmatch(r"\d+ passed, 0 failed, 11 skipped", said.splitlines()[-1])


def test_a_failure_says_what_was_expected_what_came_how_far_off_and_what_it_is(folder):
    status, said, _ = call(
        folder, "--adapter", "mine:Wrong", "--only", "bases/degree-3-inner-knots"
    )

    assert status == 1
    assert (
        "FAILED bases/degree-3-inner-knots (basis)\n    basis[0, 0]: error 1e-09, tolerance 1e-13; 21 of 21 numbers are wrong\n"
        in said
    )
    assert (
        "    expected 0.0\n    got      1e-09\n    off by   1.5e-09 of the largest number\n" in said
    )
    assert (
        "    fact     SmallError: the numbers are right but for a small error\n    see      docs/conformance.md#smallerror"
        in said
    )
    assert (
        "fact SmallError, 1 case: errors of at most 1.5e-09 of the largest number\n"
        "0 of 1 required cases are right\n"
    ) in said
    assert said.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"


def test_one_defect_does_not_cascade(folder):
    status, said, _ = call(folder, "--adapter", "mine:Wrong", *FEW)

    assert status == 1
    assert said.count("FAILED bases/") == 11
    assert "FAILED edges" not in said


def test_who_computes_in_float32_is_told_how_to_be_measured_in_it(folder):
    _, said, _ = call(folder, "--adapter", "mine:Single", "--only", "bases/degree-2-*")

    assert (
        "    fact     Float32Inside: an intermediate value is computed in float32 or less\n" in said
    )
    assert "note: numbers are those of float32; --dtype float32 tests" in said


def test_consequences_are_told_as_such():
    class NoFade(conformance_plain.Plain):
        def basis(self, x, knots, degree):
            return super().basis(np.clip(x, knots[degree], knots[-degree - 1]), knots, degree)

        def layer_forward(self, layer, x):
            return 2.0 * super().layer_forward(layer, x)

    report = suite.run(
        DirectSubject(NoFade()), suite.choose(only=["bases", "edges", "layer_forward"])
    )
    text = "\n".join(suite.lines(report))

    assert {outcome.case.topic for outcome in report.failures} == {"bases"}
    assert report.defects[0][0] == "FadeOutside"
    assert re.search(
        r"^BLOCKED edges: \d+ cases fail too, but bases must be right first$",
        text,
        flags=re.MULTILINE,
    )
    assert re.search(
        r"^BLOCKED layer_forward: \d+ cases fail too, but edges must be right first$",
        text,
        flags=re.MULTILINE,
    )


# --- subjects that do not


@for_all("adapter", [None, ".", object(), {"basis": None}])
def test_an_adapter_without_a_method_of_the_kit_is_rejected(adapter):
    with pytest.raises(
        ValueError, match=r"^the adapter is a \w+, which has no method that the kit"
    ):
        DirectSubject(adapter)


class Precise(conformance_plain.Plain):
    """A library with a default precision."""

    asked = ()

    def use_dtype(self, dtype):
        self.asked = (*self.asked, dtype)

    def basis(self, x, knots, degree):
        return super().basis(x, knots, degree).astype(self.asked[-1])


def test_the_precision_is_set_once_in_every_way_to_connect_an_adapter():
    checks = [one.values[0] for one in pytest_cases(Precise, only=["bases/degree-2-*"])]
    for check in checks:
        check.check()
    for subject, dtype in (
        (checks[0].session.subject, "float64"),
        (DirectSubject(Precise()), "float64"),
        (DirectSubject(Precise, "float32"), "float32"),
    ):
        report = suite.run(subject, suite.choose(only=["bases"]), dtype=dtype)

        assert report.failures == ()
        assert subject.adapter.asked == (dtype,)


def test_an_adapter_may_be_given_as_its_class():
    chosen = suite.choose(only=["knots"])

    assert suite.run(DirectSubject(Reference), chosen).failures == ()
    assert DirectSubject(Reference).name == DirectSubject(Reference()).name


@for_all(
    ("arguments", "error", "sentence"),
    [
        ((Reference(),), TypeError, "subject is a Reference, but must have the method ask of a"),
        ((DirectSubject,), TypeError, "subject is a class DirectSubject, but must have the"),
        (
            (DirectSubject(Reference()), "float32"),
            ValueError,
            f"dtype is 'float32', but the subject {DirectSubject(Reference()).name} is given arrays "
            "in float64: make both the same",
        ),
        (
            (DirectSubject(Reference(), "float32"),),
            ValueError,
            "dtype is 'float64', but the subject",
        ),
        ((DirectSubject(Reference()), "f32"), ValueError, "dtype is 'f32', but must be one of"),
    ],
)
def test_a_run_needs_a_subject_in_its_precision(arguments, error, sentence):
    subject, *dtype = arguments
    with pytest.raises(error, match=f"^{re.escape(sentence)}"):
        suite.run(subject, [], **({"dtype": dtype[0]} if dtype else {}))


@for_all("made", [DirectSubject, lambda _, dtype: ProcessSubject(["no"], name="no", dtype=dtype)])
def test_a_subject_has_one_of_two_precisions(made):
    with pytest.raises(ValueError, match=r"^dtype is 'float16', but must be one of 'float64', 'fl"):
        made(Reference(), dtype="float16")


@for_all(
    ("globs", "error", "sentence"),
    [
        ("bases/*", TypeError, "is 'bases/*', but must be a list of globs, such as ['bases/*']"),
        ([3], TypeError, "is [3], but must be a list of globs"),
        (iter(["bases"]), TypeError, "is <list_iter"),
        (None, TypeError, "is None, but must be a list of globs"),
        (["bases", "nosuch"], ValueError, "is 'nosuch', which names no case"),
    ],
)
def test_wrong_globs_are_an_error_wherever_they_are_given(globs, error, sentence):
    subject = DirectSubject(Reference())
    for name, take in (
        ("xfail", lambda: suite.run(subject, [], xfail=globs)),
        ("xfail", lambda: pytest_cases(Reference, xfail=globs)),
        ("only", lambda: pytest_cases(Reference, only=globs)),
        ("only", lambda: suite.choose(only=globs)),
        ("skip", lambda: suite.choose(skip=globs)),
    ):
        with pytest.raises(error, match=f"^{re.escape(f'{name} {sentence}')}"):
            take()


def test_an_unknown_family_is_an_error_wherever_it_is_given():
    for take in (suite.choose, lambda **given: pytest_cases(Reference, **given)):
        with pytest.raises(ValueError, match=r"^family is 'gauss', but must be one of 'bspline'"):
            take(family="gauss")


def test_a_file_of_listed_cases_that_names_no_case_is_a_wrong_call(folder, tmp_path):
    listed = tmp_path / "xfail.txt"
    listed.write_text("bases/degree-2-*\nbases/no-such-case\n", encoding="utf-8")

    status, said, complained = call(folder, "--adapter", "mine:Wrong", "--xfail", str(listed))

    assert (status, said) == (2, "")
    assert f"a glob of --xfail {listed} is 'bases/no-such-case', which names no case" in complained


def test_a_run_in_which_no_case_is_supported_has_status_2(folder):
    (folder / "nothing.py").write_text(ANSWERS.replace("WRITES", "print(right, flush=True)"))

    status, said, complained = call(
        folder, "--program", f"{sys.executable} nothing.py", "--only", "bases"
    )

    assert (status, said) == (2, "")
    assert re.search(r"supports none of the \d+ chosen cases, .*\(\w+ is not supp", complained)


def test_a_misspelt_method_is_an_error_and_not_a_method_that_is_missing(tmp_path, monkeypatch):
    class Mine(conformance_plain.Plain):
        layer_forward = None

        def layer_foward(self, layer, x):
            return conformance_plain.Plain().layer_forward(layer, x)

        def _layer_forwards(self, layers, x):
            return [self.layer_foward(layer, x) for layer in layers]

    said = (
        "Mine has the method layer_foward, which the kit does not call: rename it to layer_forward, "
        "or let its name begin with _"
    )
    with pytest.raises(ValueError, match=f"^{said}$"):
        DirectSubject(Mine())
    with pytest.raises(ValueError, match=f"^{said}$"):
        pytest_cases(Mine)
    (tmp_path / "mine.py").write_text("class Mine:\n    def basiss(self, x, knots, degree): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        ValueError, match=r"^Mine has the method basiss, .*: rename it to basis, or"
    ):
        DirectSubject(serve.build("mine:Mine"))
    Mine.layer_forward = Mine.layer_foward  # a helper beside the method itself
    assert DirectSubject(Mine()).name


@pytest.mark.parametrize(
    ("adapter", "sentence"),
    [
        ("Raises", "RuntimeError: no bases today"),
        ("Exits", "ended without an answer"),
        ("Shapes", r"basis has shape \(\d+, \d+\), but \(\d+, \d+\) was expected"),
        ("Nan", "error nan, tolerance 1e-13"),
        ("Odd", "the answer cannot be read: the answer holds a value of type object, but needs"),
    ],
)
def test_a_broken_adapter_yields_failed_cases_and_the_others_are_judged(folder, adapter, sentence):
    status, said, complained = call(
        folder, "--adapter", f"mine:{adapter}", "--only", "bases/degree-2-*", "--only", "knots"
    )

    assert (status, complained) == (1, "")
    assert re.search(sentence, said)
    assert re.fullmatch(r"10 passed, 11 failed, 0 skipped", said.splitlines()[-1])


@pytest.mark.long
def test_a_hanging_adapter_is_ended_and_not_asked_for_ever(folder):
    began = time.monotonic()

    status, said, _ = call(
        folder,
        "--adapter",
        "mine:Hangs",
        "--only",
        "bases/degree-2-*",
        "--only",
        "knots",
        "--timeout",
        "1",
    )

    assert status == 1
    assert said.count("\n    no answer within 1 s") == 3
    assert said.count("\n    not run: basis has hung or ended the program 3 times already") == 8
    assert said.splitlines()[-1] == "10 passed, 11 failed, 0 skipped"
    assert time.monotonic() - began < 60.0


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("import time; time.sleep(3600)", "no answer to hello: no answer within 1 s"),
        (
            "raise SystemExit('cannot start')",
            "no answer to hello: ended without an answer; its last line of standard error: cannot start",
        ),
        (
            "while True: print('x' * 10)",
            "no answer to hello: wrote 200 lines that are not answers, the first 'xxxxxxxxxx'",
        ),
        (
            "import sys\nfor line in sys.stdin: print('{}', flush=True)",
            "the line cannot be read as the answer: '{}'",
        ),
        (
            'import sys\nfor line in sys.stdin: print(\'{"id": 1, "result"\', flush=True)',
            'no answer to hello: the line cannot be read as the answer: \'{"id": 1, "result"\'',
        ),
        (
            "import sys, json\nfor line in sys.stdin: print(json.dumps({'id': json.loads(line).get('id')}), flush=True)",
            "the answer holds neither",
        ),
        (
            "import sys, json\nfor line in sys.stdin: print('[' * 100000, flush=True)",
            "no answer to hello: no answer within 1 s",
        ),
        (
            "import sys, json\nfor line in sys.stdin: print('hm\\n' + json.dumps({**json.loads(line), 'result': 1}), flush=True)",
            "wrote a line that is not an answer: 'hm'",
        ),
    ],
)
def test_a_broken_program_yields_failed_cases(code, sentence):
    start = (
        1.0 if sentence.startswith("no answer to hello: no answer") else 60.0
    )  # the others answer to hello, or end, in their own time
    subject = ProcessSubject(
        [sys.executable, "-c", code], name="broken", timeout=1.0, start_timeout=start
    )
    try:
        report = suite.run(subject, suite.choose(only=["bases/degree-2-*"]))
    finally:
        subject.close()

    assert len(report.failures) == 11
    assert any(sentence in outcome.reason for outcome in report.failures), [
        outcome.reason for outcome in report.failures
    ]


@pytest.mark.parametrize("written", ["[[0.5, 1.0]]", ""])
def test_a_line_that_is_no_object_is_in_the_message_of_the_case_that_it_leaves_without_an_answer(
    written,
):
    code = (
        "import json, sys\n"
        f"for line in sys.stdin: print({written!r} if 'id' in json.loads(line) else '{{}}', flush=True)"
    )
    subject = ProcessSubject([sys.executable, "-c", code], name="bare", timeout=0.2)
    answer = subject.ask(CASES["bases/degree-2-inside"])
    subject.close()

    message = f"no answer within 0.2 s: wrote a line that is not an answer: {written!r}"
    assert (answer.error, answer.kind) == (message, "no answer")


@for_all("written", ["null", "[]", "3", '"hi"', "[[1.0, nan]]"])
def test_a_value_that_is_no_object_is_no_answer_to_hello_at_once(written):
    stream = io.BytesIO(f"a banner\n{written}\n".encode())
    read = wire.read_answer(stream, None, set())

    assert read.failure == f"the line cannot be read as the answer: {written!r}"


PLAIN_CALLS = """
import json, sys
calls = 0
for line in sys.stdin:
    message = json.loads(line)
    answer = {"id": message.get("id"), "result": {}}
    if message["method"] == "basis":
        calls += 1
        answer["result"] = RESULT
    elif message["method"] != "hello":
        answer = {"id": message["id"], "unsupported": True}
    print(json.dumps(answer), flush=True)
"""


@pytest.mark.parametrize(
    ("result", "statuses"),
    [
        ("[[0.0] * 7] * 3", ["passed", "failed", "failed"]),
        ("[['NaN'] * 7] * 3", ["passed", "passed", "passed"]),
        ("[[float(calls)] * 7] * 3", ["failed", "failed", "failed"]),
        ("5", ["passed", "failed", "failed"]),
        ("[[1], [2, 3]]", ["passed", "failed", "failed"]),
    ],
)
def test_side_effects_of_a_program_are_what_two_calls_and_nan_show(result, statuses):
    code = PLAIN_CALLS.replace("RESULT", result)
    subject = ProcessSubject([sys.executable, "-c", code], name="program")
    report = suite.run(subject, suite.choose(only=["side_effects"]))
    subject.close()
    reported = {o.case.id: o.status for o in report.outcomes if o.status != "skipped"}
    memory = next(o for o in report.outcomes if o.case.id == "side_effects/basis-kept")

    assert memory.reason == "only an adapter in Python shows side effects in memory"
    assert reported == dict(
        zip(
            [f"side_effects/basis-{c}" for c in ("twice", "nan", "steps-nan")],
            statuses,
            strict=True,
        )
    )


def test_what_a_program_started_ends_with_it(tmp_path):
    mark = tmp_path / "alive"
    child = f"import time\nwhile True:\n    open({str(mark)!r}, 'w').close()\n    time.sleep(0.05)"
    code = f"""
import os, subprocess, sys, time
subprocess.Popen([sys.executable, '-c', {child!r}])
while not os.path.exists({str(mark)!r}): time.sleep(0.05)
print('{{}}', flush=True)
time.sleep(3600)
"""

    subject = ProcessSubject([sys.executable, "-c", code], name="parent")
    subject.close()

    assert mark.exists()
    mark.unlink()
    time.sleep(0.5)
    assert not mark.exists()


@for_all(
    "written",
    ["nan", "-nan", "NaN", '"nan"', "-nan(ind)", "nan(0x8000)", "1.#QNAN", "-1.#IND00"],
)
def test_every_usual_spelling_of_nan_is_read(written):
    message = wire.load(f'{{"id": 1, "result": [[{written}, 1.0]], "say": "nan"}}'.encode())
    numbers = np.asarray(wire.from_plain(message["result"]), dtype=float)

    assert np.isnan(numbers[0, 0])
    assert numbers[0, 1] == 1.0
    assert message["say"] == "nan"


@for_all(
    ("fields", "sentence"),
    [
        ('"error": "", "result": [[0.0]]', "basis has shape"),
        ('"error": null, "unsupported": false, "result": [[0.0]]', "basis has shape"),
        ('"error": "", "unsupported": false', "the answer holds neither result"),
        ('"error": "why", "result": [[0.0]]', "why"),
    ],
)
def test_a_program_may_write_all_fields_with_an_empty_error(fields, sentence):
    code = (
        "import sys, json\n"
        "for line in sys.stdin:\n"
        "    n = json.loads(line).get('id')\n"
        "    print('{\"id\": %d, FIELDS}' % n if n else '{}', flush=True)"
    ).replace("FIELDS", fields)
    subject = ProcessSubject([sys.executable, "-c", code], name="fields")
    report = suite.run(subject, suite.choose(only=["bases/degree-2-inside"]))
    subject.close()

    (failed,) = report.failures
    assert failed.reason.startswith(sentence)


def test_null_in_an_array_is_named_and_is_not_nan():
    case = CASES["bases/degree-2-inside"]
    numbers = case.expected["basis"].tolist()
    numbers[1][2] = None
    sentence = r"null \(None\) in an array is not a number: write \"NaN\".* JSON.stringify"

    with pytest.raises(ValueError, match=sentence):
        wire.from_plain(numbers)
    assert wire.from_plain({"dx": None, "d_coef": [1.0]}) == {"dx": None, "d_coef": [1.0]}
    for answer in (numbers, np.array(numbers)):
        verdict = judge(case, answer)
        assert verdict.kind == "unreadable"
        assert re.search(sentence, verdict.message)


def test_a_program_that_writes_nan_as_null_is_unreadable():
    code = PLAIN_CALLS.replace("RESULT", "[[None] * 7] * 3")
    subject = ProcessSubject([sys.executable, "-c", code], name="program")
    report = suite.run(subject, suite.choose(only=["bases/degree-2-*"]))
    subject.close()

    assert {outcome.verdict.kind for outcome in report.failures} == {"unreadable"}
    assert report.findings[0].name == "Unreadable"


@pytest.mark.parametrize(
    ("written", "value"),
    [("inf", np.inf), ("-inf", -np.inf), ("+Infinity", np.inf), ("-1.#INF", -np.inf), ('"-INF"', -np.inf)],
)  # fmt: skip
def test_every_usual_spelling_of_infinity_is_read(written, value):
    message = wire.load(f'{{"id": 1, "result": [{written}]}}'.encode())

    assert wire.from_plain(message["result"]) == [value]


def test_a_program_that_prints_nan_as_c_does_is_judged_at_once():
    code = (
        "import sys, json\n"
        "for line in sys.stdin: print('{\"id\":%s,\"result\":[[nan,-inf]]}' % json.loads(line).get('id', 0), flush=True)"
    )
    began = time.monotonic()
    subject = ProcessSubject([sys.executable, "-c", code], name="C", timeout=30.0)
    try:
        report = suite.run(subject, suite.choose(only=["bases/degree-2-*"]))
    finally:
        subject.close()

    assert time.monotonic() - began < 15.0
    assert {outcome.verdict.kind for outcome in report.failures} == {"shape"}


def test_a_broken_line_fails_its_case_at_once_and_the_program_goes_on():
    code = (
        "import sys, json\n"
        "for line in sys.stdin:\n"
        "    n = json.loads(line).get('id', 0)\n"
        "    print('{}' if n == 0 else '{\"id\": %d, \"result\": [[oops]]}' % n if n < 4 else"
        " json.dumps({'id': n, 'unsupported': True}), flush=True)"
    ).replace("'{}' if n == 0", "'{\"result\": {}}' if n == 0")
    subject = ProcessSubject([sys.executable, "-c", code], name="broken", timeout=30.0)
    try:
        report = suite.run(subject, suite.choose(only=["bases/degree-2-*"]))
    finally:
        subject.close()

    assert [outcome.verdict.kind for outcome in report.failures] == ["unreadable"] * 3
    assert "cannot be read as the answer" in report.failures[0].reason
    assert report.n_skipped == 8


ANSWERS = """
import json, sys
for line in sys.stdin:
    n = json.loads(line).get("id")
    right = json.dumps({"result": {}} if n is None else {"id": n, "unsupported": True})
    if n is None or n > 4:
        print(right, flush=True)
        continue
    WRITES
"""


@pytest.mark.parametrize(
    ("writes", "messages"),
    [
        ("print('x' * 2**21, flush=True)", ["wrote a line that is too long: 'x"] * 4),
        ("print(200 * 'loss\\n' + right, flush=True)", ["wrote 200 lines that are not"] * 4),
        ("print('{oops}\\n' + right, flush=True)", ["the line cannot be read as the answer"] * 4),
        (
            "print(json.dumps({'id': n + 1, 'result': 0}), flush=True)",
            [f"answer with id {n + 1} where {n} was expected" for n in (1, 2, 3, 4)],
        ),
        (
            "print(json.dumps({'id': str(n), 'result': 0}), flush=True)",
            [f"answer with id '{n}' where {n} was expected" for n in (1, 2, 3, 4)],
        ),
        (
            "print(json.dumps({'id': [n], 'result': 0}) + '\\n' + right, flush=True)",
            [f"answer with id [{n}] where {n} was expected" for n in (1, 2, 3, 4)],
        ),
    ],
)
def test_an_answer_of_a_wrong_form_fails_its_case_at_once_and_no_other(
    writes, messages, monkeypatch
):
    """Four cases: after three hangs or exits a method is not called again."""
    monkeypatch.setattr("kan_ref.conformance.wire.MOST_BYTES", 2**20)
    code = ANSWERS.replace("WRITES", writes)
    subject = ProcessSubject([sys.executable, "-c", code], name="odd", timeout=60.0)
    began = time.monotonic()
    try:
        report = suite.run(subject, suite.choose(only=["bases/degree-2-*"]))
    finally:
        subject.close()

    assert time.monotonic() - began < 30.0
    assert [one.verdict.kind for one in report.failures] == ["unreadable"] * 4
    for outcome, message in zip(report.failures, messages, strict=True):
        assert outcome.reason.startswith(message)
    assert report.n_skipped == 7


def test_a_second_answer_to_the_case_before_fails_one_case():
    writes = "print(right.replace(': 2', ': 1') + '\\n' + right, flush=True)"
    code = ANSWERS.replace("n > 4", "n != 2").replace("WRITES", writes)
    subject = ProcessSubject([sys.executable, "-c", code], name="twice", timeout=60.0)
    try:
        report = suite.run(subject, suite.choose(only=["bases/degree-2-*"]))
    finally:
        subject.close()

    assert [one.reason for one in report.failures] == ["answer with id 1 where 2 was expected"]


@pytest.mark.skipif(sys.platform != "linux", reason="limits of addresses are Linux's")
def test_a_subject_that_takes_all_memory_fails_its_case_and_answers_the_next(folder):
    (folder / "greedy.py").write_text(
        "from mine import Good\n"
        "class Greedy(Good):\n"
        "    def basis(self, x, knots, degree):\n"
        "        bytearray(3 * 2**30 if degree == 2 else 1)\n"
        "        return super().basis(x, knots, degree)\n",
        encoding="utf-8",
    )
    _, said, _ = call(
        folder, "--adapter", "greedy:Greedy", "--memory", "2", "--only", "bases/degree-[23]-inside"
    )

    assert "fact Raises, 1 case: MemoryError" in said
    assert said.splitlines()[-1] == "1 passed, 1 failed, 0 skipped"


def test_a_flood_of_messages_on_standard_error_stops_nothing_and_its_end_is_reported():
    code = (
        "import sys\nsys.stdin.readline()\n"
        "sys.stderr.write('x' * 10**6 + '\\nlast words\\n')\nsys.exit(1)"
    )
    subject = ProcessSubject([sys.executable, "-c", code], name="loud")
    subject.close()

    assert subject.ask(CASES["bases/degree-2-inside"]).error.endswith(
        "its last line of standard error: last words"
    )


@pytest.mark.parametrize("part", ["use_dtype", "name"])
def test_an_adapter_that_raises_while_it_introduces_itself_is_refused(folder, part):
    body = {
        "use_dtype": "    def use_dtype(self, dtype):\n        raise SystemExit('no such precision')\n",
        "name": "    name = property(lambda self: 1 // 0)\n",
    }[part]
    (folder / f"shy_{part}.py").write_text(f"class Shy:\n{body}", encoding="utf-8")

    status, said, complained = call(folder, "--adapter", f"shy_{part}:Shy", *FEW)

    assert (status, said) == (2, "")
    assert "which cannot be built: " in complained


def program(tmp_path, code):
    """Return the words that run a program of Python, which reads lines and answers them."""
    path = tmp_path / "program.py"
    path.write_text(code, encoding="utf-8")
    return f"{sys.executable} {path}"


@pytest.mark.parametrize(
    ("error", "status"),
    [('"float32 is not supported"', 2), ('{"code": 3}', 2), ('""', 1), ("null", 1)],
)
def test_a_program_that_answers_hello_with_an_error_is_refused(folder, tmp_path, error, status):
    code = (
        "import json, sys\n"
        "for line in sys.stdin:\n"
        "    n = json.loads(line).get('id', 0)\n"
        f"    hello = '{{\"error\": {error}}}'\n"
        "    wrong = {'id': n, 'result': []}\n"
        "    print(json.dumps(wrong) if n else hello, flush=True)\n"
    )
    words = program(tmp_path, code)
    only = ("--only", "bases/degree-0-first-knot", "--dtype", "float32")
    found, said, complained = call(folder, "--program", words, *only)

    assert found == status
    assert ("the answer to hello is an error: " in complained) == (status == 2) == (not said)


# --- the command line


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--adapter", "mine:Missing"], "which cannot be built: AttributeError"),
        (["--adapter", "nowhere:Class"], "which cannot be built: ModuleNotFoundError"),
        (["--adapter", "mine"], "but must be module:Class"),
        (["--adapter", "mine:Unborn"], "which cannot be built: OSError: no GPU here"),
        (["--program", "no-such-program-here"], "which names no program that can be run"),
        (["--adapter", "a:B", "--program", "c"], "not allowed with argument"),
        (["--only", "base"], "--only is 'base', which names no case"),
        (["--only", "bases", "--skip", "bases"], "--only and --skip leave no case"),
        (["--xfail", "missing.txt"], "--xfail is missing.txt, which cannot be read"),
        (["--adapter", ""], "--adapter is '', which cannot be built: ValueError: adapter is ''"),
        (["--program", ""], "--program is '', which names no program that can be run"),
        (["--program", "a 'b"], "which cannot be split into words: No closing quotation"),
        (["--only", ""], "--only is '', which names no case"),
        (["--skip", ""], "--skip is '', which names no case"),
        *[(["--timeout", text], f"--timeout is {text}") for text in ("-1", "0", "nan", "inf")],
        (["--timeout", "many"], "invalid float value: 'many'"),
        (["--memory", "-1"], "--memory is -1"),
        (
            ["report", "--out", "r.md"],
            "--out is r.md, but the page has that name: end it in .jsonl",
        ),
        (["report", "--out", "R.MD"], "--out is R.MD, but the page has that name"),
        (["report", "--out", "mine.py/x/y"], "but must be a file in a folder that can be written"),
        (["--json", "nowhere/report.json"], "must be a file in a folder that can be written"),
        (["--dtype", "float16"], "invalid choice"),
        (["--export", "mine.py"], "which is a file, but must be a folder"),
    ],
)
def test_a_wrong_call_is_refused_with_status_2(folder, arguments, sentence):
    status, said, complained = call(folder, *arguments)

    assert status == 2
    assert said == ""
    assert sentence in complained
    assert "Traceback" not in complained


@pytest.mark.parametrize("name", ["--json", "--junit", "--badge"])
def test_a_disk_that_is_full_at_the_end_leaves_the_printed_report_and_status_2(folder, name):
    """Status 1 would say that a required case failed."""
    status, said, complained = call(folder, "--adapter", "mine:Good", *FEW, name, "/dev/full")

    assert status == 2
    assert said.splitlines()[-1] == "23 passed, 0 failed, 0 skipped"
    assert complained.splitlines()[-1].startswith(f"{name} is /dev/full, which cannot be written: ")
    assert "Traceback" not in complained


def test_a_file_of_listed_cases_may_begin_with_a_byte_order_mark(folder, tmp_path):
    (tmp_path / "xfail.txt").write_text("bases/degree-2-inside\n", encoding="utf-8-sig")
    one = ("--only", "bases/degree-2-inside")

    status, said, complained = call(
        folder, "--adapter", "mine:Wrong", *one, "--xfail", str(tmp_path / "xfail.txt")
    )

    assert status == 0
    assert "failed as listed: bases/degree-2-inside" in said
    assert "names no case" not in complained


def test_a_limit_of_memory_does_not_raise_the_limit_of_the_process():
    import resource

    process = subprocess.Popen(
        [sys.executable, "-c", "input()"],
        stdin=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33)),
    )
    try:
        for gibibytes, limit in ((32.0, 2**33), (4.0, 2**32)):
            wire.limit_memory(process.pid, gibibytes)
            assert resource.prlimit(process.pid, resource.RLIMIT_AS) == (limit, limit)
    finally:
        process.communicate(b"\n")


def test_listed_failures_do_not_count_and_a_listed_success_is_told(folder, tmp_path):
    listed = tmp_path / "xfail.txt"
    listed.write_text(
        "# known\nbases/degree-2-*  # all of them\nedges/spline-alone\n",
        encoding="utf-8",
    )

    status, said, complained = call(folder, "--adapter", "mine:Wrong", *FEW, "--xfail", str(listed))

    assert status == 0
    assert "failed as listed: bases/degree-2-inside" in said
    assert "listed as failing, but passes: edges/spline-alone" in said
    assert complained == ""
    assert said.splitlines()[-1] == "12 passed, 0 failed, 11 skipped"


def test_reports_in_json_and_junit_agree_with_the_last_line(folder, tmp_path):
    plain, junit = tmp_path / "report.json", tmp_path / "report.xml"

    call(folder, "--adapter", "mine:Nan", *FEW, "--json", str(plain), "--junit", str(junit))

    report = json.loads(plain.read_text(encoding="utf-8"))
    assert (report["subject"], report["passed"], report["failed"], report["skipped"]) == (
        "good 1.2",
        12,
        11,
        0,
    )
    assert report["topics"]["edges"]["passed"] == 12
    assert report["required"] == {"cases": 23, "right": 12}
    assert len({case for found in report["findings"] for case in found["cases"]}) == 11
    assert {found["kind"] for found in report["findings"]} <= {"fact", "resembles", "not named"}
    assert {case["status"] for case in report["cases"]} == {"passed", "failed"}
    suites = ElementTree.parse(junit).getroot()
    assert [(s.get("name"), s.get("tests"), s.get("failures")) for s in suites] == [
        ("bases", "11", "11"),
        ("edges", "12", "0"),
    ]
    assert all(failure.get("type") for failure in suites.iter("failure"))


def test_export_writes_vectors_and_schemas(folder, tmp_path):
    status, said, _ = call(folder, "--export", str(tmp_path / "out"))

    files = sorted((tmp_path / "out").glob("*/*.json"))
    assert status == 0
    n_files = sum(path.is_file() for path in (tmp_path / "out").rglob("*"))
    assert said == f"{n_files} files in {tmp_path / 'out'}\n"
    vectors = sorted((ROOT / "kan_ref" / "conformance" / "vectors").glob("*.json"))
    assert [path.read_bytes() for path in files if path.parent.name == "vectors"] == [
        path.read_bytes() for path in vectors
    ]
    assert len(files) == len(vectors) + 1


def test_an_export_states_its_contract_and_the_hash_of_every_other_file(tmp_path):
    written = export(tmp_path)
    contract = json.loads((tmp_path / "contract.json").read_text(encoding="utf-8"))
    hashes = {
        path.relative_to(tmp_path).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in written
        if path.name != "contract.json"
    }

    assert contract["sha256"] == hashes
    assert {"README.md", "LICENSE", "generate/flags.toml"} <= set(hashes)
    assert (
        contract["contract"]
        == contract_version()
        == max(case["since"] for case in contract["cases"].values())
    )
    assert {name: case["class"] for name, case in contract["cases"].items()} == {
        case.id: case.kind for case in CASES.values()
    }


@pytest.mark.long
def test_an_export_is_valid_by_its_schemas_where_kan_ref_cannot_be_imported(tmp_path):
    export(tmp_path)
    code = (
        "import json, sys; sys.modules['kan_ref'] = None\n"
        "from pathlib import Path; import jsonschema\n"
        "for path in sorted(Path('vectors').glob('*.json')):\n"
        "    schema = json.loads(Path('schemas/vectors.schema.json').read_text())\n"
        "    jsonschema.Draft202012Validator(schema).validate(json.loads(path.read_text()))\n"
        "    print(path.stem)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout.split() == sorted(topic.name for topic in load_topics())


def test_a_badge_is_green_if_every_answered_required_case_is_right(folder, tmp_path):
    for adapter, colour, message in (
        ("Good", "brightgreen", "23 of 23"),
        ("Nan", "orange", "12 of 23"),
    ):
        call(folder, "--adapter", f"mine:{adapter}", *FEW, "--badge", str(tmp_path / "badge.json"))
        found = json.loads((tmp_path / "badge.json").read_text(encoding="utf-8"))
        assert (found["schemaVersion"], found["color"], found["message"]) == (1, colour, message)


def test_list_prints_every_case_of_a_family(capsys):
    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == PAPER
    assert main(["--list", "--family", "relu"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [name for name in CASES if name.startswith("relu/")]


def test_globs_that_leave_no_case_of_a_family_are_refused_with_its_name(folder):
    status, _, complained = call(folder, "--only", "relu")

    assert status == 2
    assert "--only and --skip leave no case of --family bspline" in complained


# --- other languages


def run_program(command):
    done = call(
        ROOT,
        "--program",
        command,
        "--only",
        "bases",
        "--only",
        "edges",
        "--only",
        "layer_forward",
        "--only",
        "batches",
        "--only",
        "knots",
    )
    return done[0], done[1].splitlines()[-1], done[1]


def example(language, tool, folder):
    """Return the command that runs an example."""
    if language == "javascript":
        return f"{tool} {EXAMPLES / 'subject.js'}"
    binary = folder / "subject"
    if language == "rust":
        subprocess.run(
            [tool, "-O", "-D", "warnings", "-o", binary, EXAMPLES / "subject.rs"], check=True
        )
        return str(binary)
    subprocess.run(
        [
            tool,
            "-O1",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-std=c99",
            "-o",
            binary,
            EXAMPLES / "subject.c",
            "-lm",
        ],
        check=True,
    )
    return str(binary)


TOOLS = {
    language: (name, shutil.which(name))
    for language, name in (("c", "cc"), ("javascript", "node"), ("rust", "rustc"))
}


@pytest.mark.long
@pytest.mark.parametrize(
    "language",
    [
        pytest.param(k, id=k if tool else f"{k}: no {name} here")
        for k, (name, tool) in TOOLS.items()
    ],
)
def test_the_example_in_another_language_passes_bases_and_layers(language, tmp_path):
    name, tool = TOOLS[language]
    if tool is None:  # the test's id says so; what is left to see is that the runner says so too
        assert call(tmp_path, "--program", f"{name} subject")[0] == 2
        return

    status, last, said = run_program(example(language, tool, tmp_path))

    assert status == 0, said
    assert re.fullmatch(r"2[0-4]\d passed, 0 failed, 10 skipped", last)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (b"\x00\x01no program", "which cannot be started"),
        (
            b"#!/bin/sh\necho no Julia here >&2\n",
            "which cannot be started: no answer to hello: ended without an answer; its last line of "
            "standard error: no Julia here",
        ),
    ],
)
def test_a_program_that_cannot_be_started_is_a_wrong_call(tmp_path, code, sentence):
    broken = tmp_path / "broken"
    broken.write_bytes(code)
    broken.chmod(0o755)

    status, said, complained = call(tmp_path, "--program", str(broken))

    assert (status, said) == (2, "")
    assert sentence in complained


def test_an_adapter_that_ends_its_process_when_it_is_built_is_a_wrong_call(tmp_path):
    (tmp_path / "ends.py").write_text("import os\n\nos._exit(3)\n")

    status, said, complained = call(tmp_path, "--adapter", "ends:Mine")

    assert (status, said) == (2, "")
    assert "--adapter is 'ends:Mine', which cannot be built: no answer to hello: " in complained


def test_the_adapter_of_the_page_passes_the_bases(tmp_path):
    page = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(# mine.py\n.+?)```", page, flags=re.DOTALL)
    (tmp_path / "mine.py").write_text(code, encoding="utf-8")

    status, said, _ = call(tmp_path, "--adapter", "mine:Mine")

    assert status == 0, said
    assert said.startswith("mine 0.1, float64")
    assert re.fullmatch(r"1\d\d passed, 0 failed, \d+ skipped", said.splitlines()[-1])
    assert len([line for line in code.splitlines() if line.strip()]) <= 20


# a library with weights in the order [in, out], without a mask
MY_LIBRARY = """
import numpy as np
from kan_ref import plain


class Layer:
    def __init__(self, knots, coef, w_base, w_spline, degree):
        mask = np.ones(w_base.T.shape)
        self.plain = plain.Layer(knots, coef.swapaxes(0, 1), w_base.T, w_spline.T, mask)

    def forward(self, x):
        return plain.forward(self.plain, x)[0]

    def vjp(self, x, dy):
        cache = plain.forward(self.plain, x)[1]
        dx, (d_coef, d_w_base, d_w_spline) = plain.backward(self.plain, cache, dy)
        return dx, d_coef.swapaxes(0, 1), d_w_base.T, d_w_spline.T
"""


@pytest.mark.long
def test_the_second_adapter_of_the_page_passes_all_cases_of_a_library_with_other_axes(tmp_path):
    page = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(from [\w.]+ import pack, .+?)```", page, flags=re.DOTALL)
    (tmp_path / "my_library.py").write_text(MY_LIBRARY, encoding="utf-8")
    (tmp_path / "mine.py").write_text(f"import my_library\n{code}", encoding="utf-8")

    status, said, _ = call(tmp_path, "--adapter", "mine:Mine")

    assert status == 0, said
    assert re.fullmatch(r"1[3-9]\d passed, 0 failed, \d+ skipped", said.splitlines()[-1])


# --- in one's own tests


class Half(conformance_plain.Plain):
    basis_derivative = None

    def basis(self, x, knots, degree):
        return super().basis(x, knots, degree) * (1.0 + 1e-3 * (degree == 2))


@for_all("case", pytest_cases(Reference, only=["bases/degree-*", "edges"]))
def test_kan_ref_in_the_way_that_adopters_test(case):
    case.check()


def test_a_case_that_an_adapter_does_not_support_is_skipped_and_has_not_passed():
    class Partly(conformance_plain.Plain):
        def count_parameters(self, widths, n_intervals, degree):
            if len(widths) > 2:
                raise NotImplementedError
            return super().count_parameters(widths, n_intervals, degree)

    ends = []
    for parameter in pytest_cases(Partly, only=["count_parameters"]):
        try:
            parameter.values[0].check()
        except unittest.SkipTest as skipped:
            ends.append(str(skipped))
        else:
            ends.append("passed")

    assert set(ends) == {"passed", "count_parameters is not supported"}


def test_a_failing_case_raises_with_the_whole_story():
    (found,) = [
        parameter
        for parameter in pytest_cases(Half, only=["bases"])
        if parameter.id == "bases/degree-2-inside"
    ]

    with pytest.raises(
        AssertionError,
        match=r"(?s)FAILED bases/degree-2-inside.*expected.*got.*resembles.*All checks of this session:",
    ):
        found.values[0].check()


def test_a_failing_check_is_named_from_all_cases_of_the_session():
    class NoMask(conformance_plain.Plain):
        def layer_forward(self, layer, x):
            return super().layer_forward({**layer, "mask": np.ones_like(layer["mask"])}, x)

    said = []
    for parameter in pytest_cases(NoMask, only=["edges", "layer_forward", "batches"]):
        try:
            parameter.values[0].check()
        except AssertionError as error:
            said.append(str(error))

    assert len(said) > 3
    assert all("resembles MissingMask, agreement" in text for text in said)


def test_listed_cases_are_marked_and_an_adapter_without_methods_is_refused():
    marked = [
        parameter.id
        for parameter in pytest_cases(Half, only=["bases"], xfail=["bases/degree-2-*"])
        if parameter.marks
    ]

    assert len(marked) == 11
    with pytest.raises(ValueError, match=r"^the adapter is a object, which has no method that the"):
        pytest_cases(object)
    with pytest.raises(ValueError, match=r"^Half has no method that a chosen case calls"):
        pytest_cases(Half, family="gaussian")


@for_all(
    ("globs", "sentence"),
    [
        ({"only": ["nosuch"]}, "only is 'nosuch', which names no case (python -m kan_ref"),
        ({"only": ["bases", "base"]}, "only is 'base', which names no case"),
        ({"skip": ["nosuch"]}, "skip is 'nosuch', which names no case"),
        ({"xfail": ["nosuch/*"]}, "xfail is 'nosuch/*', which names no case"),
        (
            {"only": ["gaussian"]},
            "only is ['gaussian'] and skip is [], which leave 0 cases of family 'bspline', but none",
        ),
        (
            {"only": ["penalties_pykan"]},
            "only is ['penalties_pykan'] and skip is [], which leave 16 cases of family 'bspline', but",
        ),
        (
            {"skip": ["*"], "family": "gaussian"},
            "only is [] and skip is ['*'], which leave 0 cases of family 'gaussian', but none",
        ),
    ],
)
def test_globs_that_leave_no_required_case_are_named_and_not_the_adapter(globs, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        pytest_cases(Reference, **globs)


# --- parts


@pytest.mark.parametrize(
    "map_",
    [axes.PYKAN, axes.EFFICIENT_KAN, axes.JAXKAN_BASE, axes.JAXKAN_SPLINE],
    ids=["pykan", "efficient", "jax", "jax2"],
)
def test_layers_go_to_the_shapes_of_other_libraries_and_back(map_):
    layer = CASES["layer_forward/three-to-two"].inputs["layer"]

    theirs = axes.layer_to(map_, layer)
    back = axes.layer_from(map_, theirs, n_out=2, n_in=3, degree=3, base="silu")

    assert all(np.array_equal(back[name], layer[name]) for name in axes.OURS)
    assert theirs["coef"].shape == {"iom": (3, 2, 7), "oim": (2, 3, 7), "(oi)m": (6, 7)}[map_.coef]


@pytest.mark.parametrize(
    ("call_", "sentence"),
    [
        (
            lambda: axes.pack([[1.0]], "oim", "iom"),
            r"array has shape \(1, 1\), but axes 'oim' need 3 of them",
        ),
        (
            lambda: axes.pack([[1.0]], "it", "(oi)t"),
            "axes 'it' cannot become '\\(oi\\)t': the size of o is missing",
        ),
        (
            lambda: axes.pack([[1.0]], "oi", "i"),
            "axes 'oi' cannot become 'i': the size of o is missing",
        ),
        (lambda: axes.unpack([1.0], "(oi)", "oi"), "the size of o, i is missing"),
        (
            lambda: axes.pack(np.ones((2, 2, 3)), "ooi", "oio"),
            "axes 'ooi' have 'o' 2 times, but need another letter for each axis",
        ),
        (lambda: axes.unpack(np.ones((2, 2)), "oo", "oi"), "axes 'oo' have 'o' 2 times"),
        (lambda: axes.unpack([1.0], "io", "oi"), "need 2 of them"),
    ],
)
def test_axes_that_do_not_fit_are_refused(call_, sentence):
    with pytest.raises(ValueError, match=sentence):
        call_()


def test_numbers_that_are_not_finite_go_over_the_wire_as_words():
    message = {
        "id": 1,
        "result": [np.nan, [np.inf, -np.inf], {"a": np.float64(0.1)}, np.array([1.5, np.nan])],
    }

    line = wire.dump(wire.to_plain(message))
    back = wire.from_plain(wire.load(line))["result"]

    assert b'["NaN",["Infinity","-Infinity"],{"a":0.1},[1.5,"NaN"]]' in line
    assert np.isnan(back[0])
    assert back[1] == [np.inf, -np.inf]


def test_shaped_arrays_keep_bits_and_shapes():
    value = {
        "x": np.empty((0, 2)),
        "y": [np.array([[0.1, np.nan]]), 5e-324],
        "n": 3,
        "word": "silu",
        "nothing": None,
        "pair": (np.zeros((0, 2)), [1.5]),
    }

    back = wire.from_shaped(wire.load(wire.dump(wire.to_shaped(value))))

    assert back["x"].shape == (0, 2)
    assert back["y"][0].tobytes() == value["y"][0].tobytes()
    assert (back["y"][1], back["n"], back["word"], back["nothing"]) == (5e-324, 3, "silu", None)
    assert isinstance(back["pair"], tuple)
    assert (back["pair"][0].shape, back["pair"][1]) == ((0, 2), [1.5])


@for_all(
    "answer",
    [
        None,
        "words",
        object(),
        {},
        [],
        [[1.0, 2.0], [3.0]],
        np.array(["a"]),
        1j,
        [[[[]]]],
        {"layers": 3, "dx": 1},
        -1,
        np.nan,
        [None],
    ],
)
@for_all("method", METHODS)
def test_no_answer_whatever_makes_the_judge_fall(method, answer):
    case = next(
        case
        for case in CASES.values()
        if case.method == method and "no-" not in case.id and case.id != "batches/nobody"
    )

    assert not judge(case, answer).right


def test_a_part_that_is_not_offered_is_not_judged_and_a_missing_one_is():
    case = CASES["layer_vjp/two-to-three"]
    right = dict(case.expected)

    assert judge(case, right).right
    assert judge(case, {**right, "dx": None}).right
    assert (
        "lacks 'dx'"
        in judge(case, {name: value for name, value in right.items() if name != "dx"}).message
    )


EMPTY = [
    (case, output)
    for case in CASES.values()
    for output, expected in case.expected.items()
    if np.ndim(expected) and not np.size(expected) and case.method != "network_vjp"
]


def test_an_answer_to_an_empty_batch_has_the_right_shape_or_is_an_empty_list():
    assert len(EMPTY) > 9
    for case, output in EMPTY:
        right = dict(case.expected)
        for shape in ((0, 99), (99, 0), (0, 1, 1, 1), (0,), np.shape(right[output])):
            part = np.zeros(shape)
            answer = part if len(right) == 1 else {**right, output: part}
            verdict = judge(case, answer)
            named = f"{output} has shape {shape}, but {right[output].shape} was expected"
            fits = shape in ((0,), right[output].shape)
            assert (verdict.right, verdict.message) == ((True, "") if fits else (False, named))


def test_a_wrong_shape_or_an_empty_list_beside_wrong_numbers_is_judged():
    case = CASES["layer_vjp/two-to-three"]
    parts = {"dx": case.expected["dx"][:-1], "d_coef": np.nan * case.expected["d_coef"]}
    assert judge(case, dict(case.expected) | parts).kind == "shape"

    case = CASES["layer_vjp/no-samples"]
    parts = {"dx": [], "d_coef": case.expected["d_coef"] + 1.0}
    verdict = judge(case, dict(case.expected) | parts)
    assert (verdict.kind, list(verdict.prints)) == ("values", ["d_coef"])


def test_errors_are_told_in_units_of_the_last_place_and_of_the_largest_number():
    case = CASES["bases/degree-3-inside"]
    got = case.expected["basis"].copy()
    largest = float(got.max())
    got[got == largest] += 1e-6

    verdict = judge(case, got)

    assert verdict.ulp == pytest.approx(1e-6 / np.spacing(largest))
    assert verdict.relative == pytest.approx(1e-6 / largest)
    assert verdict.expected == repr(largest)


def test_adapters_take_at_most_twenty_lines_a_library():
    text = (ROOT / "kan_ref" / "conformance" / "adapters" / "scipy_splines.py").read_text(
        encoding="utf-8"
    )
    body = text.partition("class SciPyBSplines:")[2]

    assert len([line for line in body.splitlines() if line.strip() and '"""' not in line]) <= 20


# --- the adapter's side of the wire


def request(method="basis", **changes):
    given = {
        "x": np.array([0.5, 1.5]),
        "knots": np.array([0.0, 1.0, 2.0, 3.0]),
        "degree": 1,
    } | changes
    return {"id": 7, "method": method, "args": wire.to_shaped(given)}


def test_a_served_adapter_answers_says_what_it_lacks_and_what_went_wrong():
    class Mine:
        def basis(self, x, knots, degree):
            if degree > 1:
                raise NotImplementedError
            return np.stack([x, knots[: len(x)]])

        def edge_scores(self, layers, x):
            raise KeyError("no scores")

    reported = serve.answer(Mine(), request(), lambda value: value)

    assert reported["id"] == 7
    np.testing.assert_array_equal(wire.from_shaped(reported["result"]), [[0.5, 1.5], [0.0, 1.0]])
    assert serve.answer(Mine(), request(degree=2), lambda value: value) == {
        "id": 7,
        "unsupported": True,
    }
    assert serve.answer(Mine(), request("layer_vjp"), lambda value: value) == {
        "id": 7,
        "unsupported": True,
    }
    scores = {
        "id": 8,
        "method": "edge_scores",
        "args": wire.to_shaped({"layers": [], "x": np.zeros((1, 2))}),
    }
    assert serve.answer(Mine(), scores, lambda value: value) == {
        "id": 8,
        "error": "KeyError: 'no scores'",
    }


def test_a_case_that_is_run_in_float32_has_numbers_of_float32_alone():
    """The converse does not hold: answers of some methods are not compared in float32."""
    topics = [json.loads(path.read_text()) for path in (HOME / "vectors").glob("*.json")]
    cases = [case for topic in topics for case in topic["cases"]]
    exact = [fits_float32(case["inputs"]) and fits_float32(case.get("probe")) for case in cases]

    assert all(fits for case, fits in zip(cases, exact, strict=True) if case["float32"])
    assert sum(exact) > sum(case["float32"] for case in cases)
    assert "whether the case is run in float32 too" in (
        (HOME / "schemas" / "vectors.schema.json").read_text()
    )


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (["kan_ref.conformance.serve"], ["MODULE:CLASS", "0 at the end of the input, 1 if"]),
        (
            ["kan_ref.conformance", "report"],
            ["Exit status: 0 even if cases fail", "130 after Ctrl-C"],
        ),
        (["kan_ref.conformance"], ["Exit status: 0 if every required case", "130 after Ctrl-C"]),
    ],
)
def test_help_states_the_exit_status(words, texts):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", *words, "--help"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    said = " ".join(done.stdout.split())
    assert (done.returncode, done.stderr) == (0, "")
    assert all(text in said for text in texts)


def test_an_adapter_with_the_name_of_an_option_is_an_adapter():
    subject = python_adapter("--help")
    subject.close()

    assert subject.refused == "ValueError: adapter is '--help', but must be module:Class"


def test_a_served_adapter_is_given_float32_where_it_is_asked_for():
    layer = {"coef": np.ones((1, 2)), "degree": 3, "base": "silu"}

    given = serve.to_float32([layer, np.zeros(2)])

    assert given[0]["coef"].dtype == given[1].dtype == np.float32
    assert (given[0]["degree"], given[0]["base"]) == (3, "silu")


@pytest.mark.parametrize(
    ("target", "error", "sentence"),
    [
        ("mine", ValueError, "adapter is 'mine', but must be module:Class"),
        (":Mine", ValueError, "adapter is ':Mine', but must be module:Class"),
        ("collections:Nothing", AttributeError, "Nothing"),
    ],
)
def test_an_adapter_that_cannot_be_found_is_refused(monkeypatch, target, error, sentence):
    monkeypatch.setattr(sys, "path", list(sys.path))

    with pytest.raises(error, match=re.escape(sentence)):
        serve.build(target)


def test_an_adapter_is_built_from_its_module_and_class(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))

    assert isinstance(serve.build("kan_ref.conformance.adapters.reference:Reference"), Reference)


# --- the plugin

TEST = "def test_conformance(conformance_case):\n    conformance_case.check()\n"
ADAPTER = """
class Mine:
    def count_parameters(self, widths, n_intervals, degree):
        n = sum(a * b for a, b in zip(widths, widths[1:])) * (n_intervals + degree + 2)
        return n + (len(widths) == 4)
"""


def run_pytest(folder, settings, *arguments, adapter=ADAPTER):
    (folder / "test_mine.py").write_text(TEST, encoding="utf-8")
    (folder / "mine.py").write_text(adapter, encoding="utf-8")
    (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = .\n{settings}", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "kan_ref.conformance.plugin", *arguments]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-q", str(folder)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_fixture_runs_every_case_of_the_configured_adapter_and_marks_listed_ones(tmp_path):
    settings = "conformance_adapter = mine:Mine\nconformance_xfail = count_parameters/4-*\n"

    status, said = run_pytest(tmp_path, settings)

    assert status == 0, said
    assert "4 passed, 1 xfailed" in said


@pytest.mark.long
def test_the_fixture_runs_the_cases_of_the_configured_family(tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    gaussians = """
import numpy as np
class Mine:
    def family_basis(self, family, x, order):
        z = (x[:, None] - family["centres"]) / family["width"]
        scale = (1.0, -2.0 * z / family["width"], (4.0 * z**2 - 2.0) / family["width"] ** 2)
        return scale[order] * np.exp(-(z**2))
"""
    settings = "conformance_adapter = mine:Mine\nconformance_family = "

    status, said = run_pytest(tmp_path, f"{settings}gaussian\n", adapter=gaussians)
    wrong, message = run_pytest(folder, f"{settings}gauss\n", adapter=gaussians)

    assert status == 0, said
    assert "11 passed" in said
    assert wrong != 0
    assert "family is 'gauss', but must be one of 'bspline', 'chebyshev', 'fourier'" in message


@pytest.mark.long
def test_a_test_with_the_fixture_needs_an_adapter_that_can_be_imported(tmp_path):
    for settings, sentence in (
        ("", "conformance_adapter is '', but conformance_case needs module:Class"),
        ("conformance_adapter = mine:Other\n", "which cannot be imported"),
    ):
        status, said = run_pytest(tmp_path, settings)
        assert status != 0
        assert sentence in said


def test_the_plugin_is_an_entry_point_and_loads_neither_numpy_nor_the_kit():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    code = (
        "import sys, kan_ref.conformance.plugin\n"
        "print([n for n in ('numpy', 'pytest', 'kan_ref.conformance.suite') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert 'kan_ref_conformance = "kan_ref.conformance.plugin"' in text
    assert done.stdout == "[]\n"
