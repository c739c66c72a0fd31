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


def json_value(value):
    """Return a value as a program in another language sends it, and the runner reads it."""
    return subjects.load(json.dumps(value).encode())


class Fixed:
    """A subject that answers some cases with given values, and all others as kan_ref does."""

    name, dtype = "fixed", "float64"

    def __init__(self, results):
        self.results, self.ours = results, DirectSubject(Reference())

    def ask(self, case):
        if case.id in self.results:
            return Answer(json_value(self.results[case.id]))
        return self.ours.ask(case)

    def close(self):
        """Nothing to release."""


def outcomes_of(results):
    """Run the cases, make every form of the report, and return case id -> status."""
    chosen = [(TOPICS[CASES[name].topic], [CASES[name]]) for name in results]
    report = suite.run(Fixed(results), chosen)
    said = "\n".join(suite.lines(report))
    assert said.encode("utf-8").decode() == said
    json.dumps(to_plain(report), allow_nan=False)
    return {outcome.case.id: outcome.status for outcome in report.outcomes}


def right_answer(case):
    """Return the right answer to a case, as plain JSON."""
    method = getattr(Reference(), case.method)
    return json.loads(subjects.dump(method(*arguments(case).values())))


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
            st.text(max_size=3).filter(lambda t: isinstance(json_value(t), str)),
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
