"""Where Table 1's errors come from: points outside the hull are counted as such, and the claims can fail."""

import json

import numpy as np
import pytest
from scipy.spatial import Delaunay

from figures.machine.style import picture_bytes, style
from figures.tables import table_1_hull
from figures.tables.problem import sample
from figures.tables.table_1_hull import (
    QUINTIC,
    ROWS,
    TABLE,
    WAYS,
    claims,
    configs,
    draw,
    run,
    runs_of,
)

KV = next(problem for problem in ROWS if problem.name == "kv")


def small(way):
    config = next(config for config in configs(False, 1) if config["way"] == way)
    return {
        **config,
        "n_train": 300,
        "n_test": 2000,
        "n_starts": 1,
        "start_steps": 10,
        "n_steps": 5,
        "end_steps": 5,
        "grids": [3, 5],
    }


def record(problem, way, seed, *, test, inside):
    results = {"test": test, "test_inside": inside, "n_outside": 100, "worst": None, "hull": None}
    results["quantiles"] = np.geomspace(
        100.0 * test, 0.01 * test, len(table_1_hull.SHARES)
    ).tolist()
    return {
        "figure": "table-1-hull",
        "config": {"function": problem.name, "way": way, "n_test": 10000},
        "seed": seed,
        "results": results,
    }


def agreement(records):
    return [claim.agrees for claim in claims(records)]


@pytest.fixture(scope="module")
def results():
    return run(small(QUINTIC))


def test_a_record_repeats_itself_and_is_plain_data(results):
    again = run(small(QUINTIC))

    assert {**again, "seconds": 0.0} == {**results, "seconds": 0.0}
    assert json.loads(json.dumps(results)) == results


def test_points_outside_the_hull_are_left_out_of_the_second_error(results):
    config = small(QUINTIC)
    data = sample(
        KV,
        np.random.default_rng(config["seed"]),
        n_train=config["n_train"],
        n_test=config["n_test"],
    )
    outside = Delaunay(data.x_train).find_simplex(data.x_test) < 0

    assert results["n_outside"] == outside.sum() > 0
    assert results["test_inside"] < results["test"]
    assert len(results["worst"]) == table_1_hull.N_WORST
    worst = np.array(results["worst"])
    assert (np.diff(worst[:, 2]) <= 0.0).all()
    assert results["quantiles"][0] == pytest.approx(worst[0, 2], rel=0.5)
    hull = np.array(results["hull"])
    assert {tuple(point) for point in hull} <= {tuple(point) for point in data.x_train}


def test_only_the_table_s_way_has_the_table_s_settings():
    full = [config for config in configs(True, 1) if config["function"] == "kv"]

    assert [config["way"] for config in full] == list(WAYS)
    assert [config["degree"] for config in full] == [3, 5, 5]
    assert [config["n_train"] for config in full] == [1000, 1000, 4000]


def test_a_row_agrees_wholly_partly_or_not():
    bar = KV.best_kan

    assert agreement(
        [record(KV, TABLE, seed, test=0.5 * bar, inside=0.1 * bar) for seed in range(3)]
    ) == ["yes"]
    assert agreement(
        [record(KV, TABLE, seed, test=9.0 * bar, inside=0.9 * bar) for seed in range(3)]
    ) == ["partly"]
    assert agreement(
        [record(KV, TABLE, seed, test=9.0 * bar, inside=1.1 * bar) for seed in range(3)]
    ) == ["no"]


def test_runs_stand_by_seed_and_by_way():
    records = [record(KV, way, seed, test=1.0, inside=1.0) for seed in (2, 0, 1) for way in WAYS]

    assert [found["seed"] for found in runs_of(records, KV, QUINTIC)] == [0, 1, 2]
    assert {found["config"]["way"] for found in runs_of(records, KV, QUINTIC)} == {QUINTIC}


def test_it_is_drawn_with_and_without_places(results):
    drawn = {"figure": "table-1-hull", "config": small(QUINTIC), "seed": 0, "results": results}
    for records in ([drawn], [record(ROWS[0], TABLE, 1, test=1.0, inside=0.5)]):
        with style():
            assert picture_bytes(draw(records))["png"].startswith(b"\x89PNG")
