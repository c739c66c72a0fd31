"""Whatever a subject answers, fails its own case and no other: arbitrary JSON, damaged right answers."""

import copy
import json

import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st

from kan_ref.conformance import subjects, suite
from kan_ref.conformance.adapters.reference import Reference
from kan_ref.conformance.cases import arguments, load_topics
from kan_ref.conformance.report import to_plain
from kan_ref.conformance.subjects import Answer, DirectSubject

TOPICS = {topic.name: topic for topic in load_topics()}
CASES = {case.id: case for topic in TOPICS.values() for case in topic.cases}
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
        self.case, self.value, self.ours = case, value, DirectSubject(Reference())

    def ask(self, case):
        if case.id == self.case:
            return Answer(subjects.load(json.dumps(self.value).encode()))
        return self.ours.ask(case)


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


RIGHT = {name: right_answer(CASES[name]) for name in ONE_EACH.values()}


@pytest.mark.parametrize("name", ONE_EACH.values(), ids=ONE_EACH)
@given(value=json_values)
def test_any_json_value_as_an_answer_fails_its_case_and_the_run_goes_on(name, value):
    is_right = value == RIGHT[name] and not isinstance(value, bool)  # 1 == True

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
    places = [place for place in places_in(RIGHT[name]) if len(place) <= 2]
    for place in places[: 6 if len(places) < 40 else 3]:  # a copy of a large answer takes long
        whole = {"": copy.deepcopy(RIGHT[name])}
        owner, key = whole, ""
        for step in place:
            owner, key = owner[key], step
        part = owner[key]
        for other in other_forms(part):
            owner[key] = other
            if whole[""] != RIGHT[name]:
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
