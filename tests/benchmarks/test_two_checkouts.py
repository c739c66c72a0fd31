"""Two checkouts are timed in turns; ratios are of medians, and the first answers do not count."""

import pytest

from benchmarks import two_checkouts


def test_ratios_are_those_of_medians_without_the_first_round():
    other, ours, again = (
        iter(times)
        for times in ([90.0, 4.0, 2.0, 3.0], [90.0, 6.0, 7.0, 1.0], [0.0, 3.0, 3.0, 9.0])
    )

    found = two_checkouts.ratios(
        [lambda: next(other), lambda: next(ours), lambda: next(again)], rounds=3
    )

    assert found == (6.0, 2.0, 0.5)


@pytest.mark.parametrize("name", two_checkouts.NAMES)
def test_a_process_answers_with_the_seconds_of_a_step(name):
    process = two_checkouts.start(
        two_checkouts.Path(two_checkouts.__file__).parents[1], ((2, 1), 3)
    )
    try:
        assert 1e-6 < two_checkouts.ask(process, name) < 1.0
    finally:
        process.kill()
        process.communicate()
