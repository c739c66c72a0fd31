"""The race to small errors: what the clock counts, when a run ends, and what the table says of those that never arrive."""

import math
from itertools import pairwise

import numpy as np
import pytest

import kan_ref as kr
from benchmarks import race, tables
from benchmarks.racers import RACERS, Racer
from figures.machine.style import style

OURS = [racer for racer in RACERS if not racer.needs]


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def toy(errors, clock=None, *, predict_seconds=0.0, step_seconds=0.0):
    """A racer whose predictions are off by the given errors, one a step."""
    clock = clock or Clock()

    def run(data, seed, watch):
        truth = {data.x_test.tobytes(): data.y_test}

        def predict(points, error):
            clock.now += predict_seconds
            return truth[points.tobytes()] + error

        for error in errors:
            clock.now += step_seconds
            watch(lambda points, error=error: predict(points, error))

    return Racer("toy", run, "a toy")


def test_a_run_keeps_the_errors_that_are_smaller_than_all_before():
    clock = Clock()
    run = race.race(toy([0.5, 0.7, 0.03, 0.04, 2e-3], clock, step_seconds=1.0), 0, 60.0, clock)

    assert run.errors == pytest.approx((0.5, 0.03, 2e-3), rel=1e-3)
    assert run.seconds == (1.0, 3.0, 5.0)


def test_a_run_ends_when_the_last_level_is_reached():
    taken = []

    def errors():
        for error in (0.1, 9e-7, 1e-9):
            taken.append(error)
            yield error

    run = race.race(toy(errors()), 0, 60.0)

    assert taken == [0.1, 9e-7]
    assert run.errors[-1] == pytest.approx(9e-7, rel=1e-3)


def test_a_run_ends_when_its_time_is_over():
    clock = Clock()
    endless = toy((1.0 / step for step in range(1, 10**6)), clock, step_seconds=0.5)

    run = race.race(endless, 0, 2.0, clock)

    assert run.seconds == (0.5, 1.0, 1.5, 2.0)


def test_the_clock_does_not_count_the_errors_on_the_test_samples():
    clock = Clock()
    racer = toy([0.5, 0.4, 0.3], clock, predict_seconds=4.0, step_seconds=1.0)

    assert race.race(racer, 0, 60.0, clock).seconds == (1.0, 2.0, 3.0)


def test_time_to_a_level_is_that_of_the_first_error_at_or_below_it():
    run = race.Run("toy", 0, (1.0, 2.0, 5.0), (1e-1, 1e-2, 1e-4))

    assert [run.time_to(level) for level in (1e-1, 1e-2, 1e-3)] == [1.0, 2.0, 5.0]
    assert run.time_to(1e-5) == math.inf
    assert [run.error_at(t) for t in (0.5, 1.0, 4.9, 9.0)] == [math.inf, 1e-1, 1e-2, 1e-4]


def test_the_median_over_seeds_is_infinite_where_half_of_the_runs_never_arrive():
    fast, slow, never = (
        race.Run("toy", 0, (t,), (e,)) for t, e in ((1.0, 0.0), (3.0, 0.0), (2.0, 1.0))
    )

    assert race.median_time([fast, slow, never], 1e-2) == 3.0
    assert race.median_time([fast, slow], 1e-2) == 2.0
    assert race.median_time([fast, never], 1e-2) == math.inf


@pytest.mark.parametrize("racer", OURS, ids=lambda racer: racer.name)
def test_our_racers_train_the_network_whose_error_counts(racer):
    seen = []

    def watch(predict):
        seen.append(predict)
        if len(seen) == 8:
            raise StopIteration

    data = kr.sample("exp_sin", n_train=200, n_test=50, rng=np.random.default_rng(0))
    with pytest.raises(StopIteration):
        racer.race(data, 0, watch)

    first, last = (
        np.sqrt(np.mean((p(data.x_train) - data.y_train) ** 2)) for p in (seen[0], seen[-1])
    )
    assert last < 0.9 * first


def test_a_run_in_a_process_of_its_own_is_the_one_in_this_process():
    here, there = race.race(OURS[0], 1, 30.0), race.try_race(OURS[0], 1, 30.0)

    assert there.failure == ""
    assert there.errors[:10] == here.errors[:10]


def test_missing_packages_and_errors_are_part_of_the_result(monkeypatch):
    absent = Racer("absent", OURS[0].race, "", needs=("kan_ref_no_such_module",))
    unknown = Racer("unknown", OURS[0].race, "")

    assert race.try_race(absent, 0, 1.0).failure == "not installed: kan_ref_no_such_module"
    assert "unknown" in race.try_race(unknown, 0, 1.0).failure


def test_the_table_says_who_arrives_when_and_who_never_does():
    racers = [
        Racer("quick", OURS[0].race, "note one"),
        Racer("late", OURS[0].race, ""),
        Racer("gone", OURS[0].race, ""),
    ]
    runs = [
        race.Run("quick", 0, (1.0, 2.0), (1e-2, 1e-7)),
        race.Run("quick", 1, (3.0, 4.0), (1e-2, 1e-7)),
        race.Run("late", 0, (6.0,), (5e-3,)),
        race.Run("late", 1, (6.0,), (0.5,)),
        race.Run("late", 2, (9.0,), (5e-3,)),
        race.Run("gone", 0, failure="not installed: x"),
    ]

    text = tables.race_table(runs, racers)

    rows = {
        line.split("  ")[0]: line.split("  ", 1)[1].split()
        for line in text.splitlines()
        if "  " in line
    }
    later = ["3.00", "(4.00)"]
    assert rows["quick"] == ["2.00", "(3.00)", *later, *later, *later, *later, "1.0e-07"]
    assert rows["late"] == ["9.00", "(2/3)", "-", "-", "-", "-", "5.0e-03"]
    assert "not installed: x" in text
    assert "quick: note one" in text


def test_the_picture_has_a_line_for_each_racer_that_ran():
    runs = [
        race.Run("kan_ref, A", 0, (1.0, 2.0), (1e-2, 1e-7)),
        race.Run("kan_ref, A", 1, (1.5, 2.5), (1e-1, 1e-6)),
        race.Run("torch MLP, B", 0, (1.0,), (0.5,)),
        race.Run("gone", 0, failure="not installed: x"),
    ]

    with style():
        picture = race.draw(runs)

    (ax,) = picture.axes
    lines = {
        line.get_label(): line for line in ax.get_lines() if not line.get_label().startswith("_")
    }
    assert set(lines) == {"kan_ref, A", "torch MLP, B"}
    y = lines["kan_ref, A"].get_ydata()
    assert all(late <= early for early, late in pairwise(y))
    assert y[-1] == pytest.approx(np.median([1e-7, 1e-6]))
