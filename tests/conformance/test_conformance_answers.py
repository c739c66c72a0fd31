"""Whatever a subject answers, or raises, fails its own case and no other: arbitrary JSON, damaged right answers, signals."""

import contextlib
import copy
import json
import signal
import subprocess
import sys
import threading

import pytest
from cases import for_all
from checkout import ROOT
from hypothesis import given
from hypothesis import strategies as st

from kan_ref.conformance import pytest_cases, suite, wire
from kan_ref.conformance.adapters.reference import Reference
from kan_ref.conformance.cases import arguments, load_topics
from kan_ref.conformance.report import to_plain, write_junit
from kan_ref.conformance.run_report import lines
from kan_ref.conformance.subjects import Answer, DirectSubject, ProcessSubject, python_adapter

TOPICS = {topic.name: topic for topic in load_topics()}
CASES = {case.id: case for topic in TOPICS.values() for case in topic.cases}
# one required case for each method of kan_ref
ONE_EACH = {
    case.method: case.id
    for case in reversed(CASES.values())
    if case.kind == "required" and not case.call and hasattr(Reference, case.method)
}

numbers = st.one_of(
    st.integers(-3, 3),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.sampled_from([2**63, -0.0]),
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    st.text(max_size=5),
    st.sampled_from(["NaN", "Infinity", "-Infinity", "1", "silu", "\ud800", ""]),
)
keys = st.one_of(
    st.sampled_from(["hex", "shape", "layers", "dx", "knots", "coef", "degree", "a", "r2"]),
    st.text(max_size=3),
)
json_values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


class Fixed:
    """A subject that answers some cases with given values, and all others as kan_ref does."""

    name = "fixed"

    def __init__(self, results):
        self.results, self.ours = results, DirectSubject(Reference())

    def ask(self, case):
        if case.id in self.results:
            try:
                return Answer(wire.from_plain(self.results[case.id]))
            except ValueError as error:  # as in ProcessSubject
                return Answer(error=str(error), kind="unreadable")
        return self.ours.ask(case)

    def close(self):
        """Nothing to release."""


def outcomes_of(results, folder=None):
    """Run the cases, write every form of the report, and return case id -> status."""
    chosen = [(TOPICS[CASES[name].topic], [CASES[name]]) for name in results]
    report = suite.run(Fixed(results), chosen)
    said = "\n".join(suite.lines(report))
    assert said.encode("utf-8").decode() == said
    json.dumps(to_plain(report), allow_nan=False)
    if folder is not None:
        write_junit(report, folder / "report.xml")
    return {outcome.case.id: outcome.status for outcome in report.outcomes}


def right_answer(case):
    """Return the right answer to a case, as plain JSON."""
    method = getattr(Reference(), case.method)
    return json.loads(json.dumps(wire.to_plain(method(*arguments(case).values()))))


RIGHT = {name: right_answer(CASES[name]) for name in ONE_EACH.values()}


def places_in(value, so_far=()):
    """Yield the place of every value in nested lists and dicts, as a tuple of keys and indices."""
    yield so_far
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places_in(item, (*so_far, key))


def replaced(value, place, by):
    """Return a copy of a value with another one at a place."""
    if not place:
        return by
    changed = copy.deepcopy(value)
    owner = changed
    for key in place[:-1]:
        owner = owner[key]
    owner[place[-1]] = by
    return changed


def says_the_same(one, other):
    """Return whether two JSON values are equal as answers; 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other


OTHER = next(name for name in CASES if name.startswith("count_parameters/") and name not in RIGHT)


@pytest.mark.parametrize("name", ONE_EACH.values(), ids=ONE_EACH)
@given(value=json_values)
def test_any_json_value_as_an_answer_fails_its_case_and_the_run_goes_on(name, value):
    found = outcomes_of({name: value, OTHER: right_answer(CASES[OTHER])})

    right = says_the_same(value, RIGHT[name])
    assert found == {name: "passed" if right else "failed", OTHER: "passed"}


@pytest.mark.parametrize("name", ONE_EACH.values(), ids=ONE_EACH)
@given(data=st.data())
def test_a_right_answer_with_one_part_of_another_type_fails_its_case_alone(name, data):
    """Not with None, which says that a part is not offered; among numbers NumPy reads true as 1."""
    places = list(places_in(RIGHT[name]))
    place = data.draw(st.sampled_from(places))
    value = data.draw(
        st.one_of(
            st.text(max_size=3).filter(lambda t: isinstance(wire.not_finite(t), str)),
            st.just({}),
            st.just([[[]]]),
            st.just([1, [2]]),
            st.just(10**400),
            st.dictionaries(keys, leaves, max_size=2),
        )
    )

    assert outcomes_of({name: replaced(RIGHT[name], place, value)})[name] == "failed"


def other_shapes(part):
    """Yield lists or dicts of another length or shape than the given one."""
    if isinstance(part, list):
        yield from ([], [[] for _ in part], part[:-1], part + part[:1], [part], {})
    elif isinstance(part, dict):
        yield from (
            {},
            [],
            [part],
            *({k: v for k, v in part.items() if k != name} for name in part),
        )


@for_all("name", ONE_EACH.values(), ids=ONE_EACH)
def test_a_right_answer_with_one_part_of_another_shape_fails_its_case_alone(name):
    places = [place for place in places_in(RIGHT[name]) if len(place) <= 2]
    for place in places[: 6 if len(places) < 40 else 3]:  # a copy of a large answer takes long
        part = RIGHT[name]
        for key in place:
            part = part[key]
        for other in other_shapes(part):
            changed = replaced(RIGHT[name], place, other)
            if name.startswith("prune/") or changed != RIGHT[name]:
                assert outcomes_of({name: changed})[name] == "failed", (place, other)


@for_all(
    "wrong",
    [
        lambda x: x[:, :0],
        lambda x: x[:0],
        lambda x: x.T,
        lambda x: x[None],
        lambda x: 1j * x,
        lambda x: 10**400,
        lambda x: [[1.0], [2.0, 3.0]],
        lambda x: "text",
        lambda x: None,
        lambda x: object(),
    ],
)
def test_an_adapter_that_always_answers_in_another_form_fails_its_cases_and_the_run_ends(wrong):
    class Subject:
        def layer_forward(self, layer, x):
            return wrong(x)

    report = suite.run(DirectSubject(Subject()), suite.choose(only=["edges", "batches"]))

    statuses = {outcome.status for outcome in report.outcomes if outcome.case.inputs["x"].size}
    assert statuses <= {"failed", "blocked"}
    assert report.failures
    assert "\n".join(suite.lines(report))


# --- programs and adapters in a process of their own

PROGRAM = """
import json, sys
answers = json.loads({answers!r})
for line in sys.stdin:
    request = json.loads(line)
    if request["method"] == "hello":
        print("{{}}", flush=True)
    else:
        print('{{"id": %d, %s}}' % (request["id"], answers[request["id"] % len(answers)]), flush=True)
"""
WIRE = [
    '"result": "\\ud800"',
    '"error": "\\ud800 \\n two lines"',
    '"result": {"hex": ""}',
    '"result": {"hex": "00", "shape": [1]}',
    '"result": {"hex": 5, "shape": "2"}',
    '"result": [[1], 2]',
    '"result": [1e999, NaN]',
    '"result": ' + "9" * 400,
    '"result": ' + "[" * 300 + "]" * 300,
    '"more": ' + "[" * 300 + "]" * 300,
    '"error": ' + "[" * 300 + "]" * 300,
]


@pytest.mark.parametrize("shaped", [False, True])
def test_no_form_of_an_answer_line_ends_the_run(shaped):
    cases = [case for case in CASES.values() if case.topic == "bases"][: len(WIRE)]
    command = [sys.executable, "-c", PROGRAM.format(answers=json.dumps(WIRE))]
    subject = ProcessSubject(command, name="odd", shaped=shaped)
    try:
        report = suite.run(subject, [(TOPICS["bases"], cases)])
    finally:
        subject.close()

    assert [outcome.status for outcome in report.failures] == ["failed"] * len(WIRE)
    for outcome in report.failures:
        assert outcome.reason.isprintable()
        assert len(outcome.reason) <= wire.MOST_TEXT + 1
        assert "hung or ended" not in outcome.reason
    assert "\n".join(suite.lines(report)).encode("utf-8")


def test_a_line_without_an_end_fails_its_case_before_it_fills_the_memory(monkeypatch):
    code = "import sys\nprint('{}', flush=True)\nwhile True: sys.stdout.write('x' * 65536)"
    monkeypatch.setattr("kan_ref.conformance.wire.MOST_BYTES", 2**20)
    subject = ProcessSubject([sys.executable, "-c", code], name="endless", timeout=60.0)
    try:
        answer = subject.ask(CASES["bases/degree-0-inside"])
    finally:
        subject.close()

    assert "... (1048576 bytes)" in answer.error


ENDING = '''
import os, signal, sys
sys.path[:0] = [{root!r}, {helpers!r}]
from conformance_plain import Plain

class Ends(Plain):
    """One way to end, or to answer nonsense, for each case."""
    count = 0
    def basis(self, x, knots, degree):
        Ends.count += 1
        if Ends.count == 1:
            raise SystemExit(3)
        if Ends.count == 2:
            raise KeyboardInterrupt
        if Ends.count == 3:
            return 10 ** 5000
        if Ends.count == 4:
            return {{"hex": ""}}
        if Ends.count == 5:
            raise RuntimeError("\\ud800 in two\\nlines")
        return super().basis(x, knots, degree)

class Unborn:
    def __init__(self):
        raise SystemExit("not on this machine")
'''


@pytest.fixture(scope="module")
def adapters(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ending")
    text = ENDING.format(root=str(ROOT), helpers=str(ROOT / "tests" / "helpers"))
    (folder / "ending.py").write_text(text, encoding="utf-8")
    return folder


def test_an_adapter_that_raises_system_exit_or_keyboard_interrupt_fails_that_case_alone(
    adapters, monkeypatch
):
    monkeypatch.chdir(adapters)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    cases = [case for case in CASES.values() if case.topic == "bases"][:7]
    subject = python_adapter("ending:Ends")
    try:
        report = suite.run(subject, [(TOPICS["bases"], cases)])
    finally:
        subject.close()

    reasons = [outcome.reason for outcome in report.outcomes]
    assert reasons[:2] == ["SystemExit: 3", "KeyboardInterrupt:"]
    assert reasons[2].startswith("the answer cannot be read: the answer has an integer")
    assert reasons[3].startswith("the answer cannot be read: an array must have 16 hexadecimal")
    assert reasons[4] == "RuntimeError: ? in two lines"
    assert [outcome.status for outcome in report.outcomes[5:]] == ["passed", "passed"]


def test_an_adapter_whose_class_raises_system_exit_is_a_wrong_call(adapters, monkeypatch):
    monkeypatch.chdir(adapters)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    subject = python_adapter("ending:Unborn")
    subject.close()

    assert subject.refused == "SystemExit: not on this machine"


# --- Ctrl-C


class Behaved:
    """An adapter whose `basis` runs a given function first."""

    def __init__(self, first):
        self.first = first

    def basis(self, x, knots, degree):
        self.first()
        return Reference().basis(x, knots, degree)


def press_and_swallow():
    with contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def press_and_raise_another():
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise RuntimeError("a framework's error") from None


@pytest.mark.parametrize(
    "press",
    [lambda: signal.raise_signal(signal.SIGINT), press_and_swallow, press_and_raise_another],
)
def test_ctrl_c_in_an_adapter_of_this_process_ends_the_run_whatever_the_adapter_makes_of_it(press):
    before = signal.getsignal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        suite.run(DirectSubject(Behaved(press)), suite.choose(only=["bases"]))

    assert signal.getsignal(signal.SIGINT) is before


def stop():
    raise KeyboardInterrupt


@pytest.mark.parametrize("end", [stop, sys.exit])
def test_an_adapter_of_this_process_that_raises_them_itself_fails_its_cases_and_no_test_run(end):
    report = suite.run(DirectSubject(Behaved(end)), suite.choose(only=["bases/degree-0-inside"]))

    assert [outcome.status for outcome in report.outcomes] == ["failed"]
    (check,) = pytest_cases(Behaved(end), only=["bases/degree-0-inside"])
    with pytest.raises(AssertionError, match=r"KeyboardInterrupt|SystemExit"):
        check.values[0].check()


def test_an_interrupt_while_the_first_answer_is_awaited_ends_the_program(monkeypatch):
    code = "import sys, time; sys.stdin.readline(); time.sleep(60)"
    started, popen = [], subprocess.Popen

    def start(*command, **options):
        started.append(popen(*command, **options))
        return started[-1]

    def interrupted(request):
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setattr(wire, "dump", interrupted)

    with pytest.raises(KeyboardInterrupt):
        ProcessSubject([sys.executable, "-c", code], name="slow")

    assert started[0].wait(timeout=10.0) is not None


def test_the_time_limit_of_a_request_does_not_keep_the_process_alive(monkeypatch):
    alarms = []

    class Alarm(threading.Timer):
        def start(self):
            alarms.append(self)
            super().start()

    monkeypatch.setattr(threading, "Timer", Alarm)
    code = "import sys; [print('{}', flush=True) for line in sys.stdin]"
    ProcessSubject([sys.executable, "-c", code], name="short", timeout=60.0).close()

    assert alarms
    assert all(alarm.daemon for alarm in alarms)


def test_fields_that_are_null_are_as_good_as_missing():
    code = (
        "import json, sys\n"
        "for line in sys.stdin:\n"
        "    asked = json.loads(line)\n"
        "    if asked['method'] == 'hello':\n"
        "        answer = {'result': {'name': 'all fields', 'version': '1'}}\n"
        "    else:\n"
        "        answer = {'unsupported': asked['method'] != 'count_parameters', 'result': 5}\n"
        "    print(json.dumps({'id': asked.get('id'), 'error': None, **answer}), flush=True)\n"
    )
    subject = ProcessSubject([sys.executable, "-c", code], name="all fields")
    report = suite.run(subject, suite.choose(only=["count_parameters", "knots"]))
    subject.close()

    said = "\n".join(lines(report))
    assert not any("None" in outcome.reason for outcome in report.outcomes)
    assert "not supported: uniform_knots\n" in f"{said}\n"
