"""`python -m benchmarks`: everyone takes the same step, is timed in turns and tried alone; what fails or is missing is said."""

import re
import sys

import numpy as np
import pytest

import kan_ref as kr
from benchmarks import __main__ as program
from benchmarks import growth, measuring, noise, peers, subjects, tables, trial
from benchmarks.subjects import SHAPES, Shape, mean_square_objective, problem

SMALL = Shape("s", (2, 3, 1), 4, 50)

TOYS = """
import time
from dataclasses import replace
import numpy as np
from benchmarks.subjects import SUBJECTS, Step, Subject
textbook = SUBJECTS[2]
def wrong(network, x, y):
    def read(outcome):
        value, gradient = outcome
        return value, gradient + 1e-3 * np.abs(gradient).max() * (np.arange(gradient.size) == 7)
    return replace(textbook.step(network, x, y), read=read)
def broken(network, x, y):
    if len(x) > 10:
        raise MemoryError("cannot place the table of /somewhere/tables/basis.bin in memory")
    return textbook.step(network, x, y)
def greedy(network, x, y):
    return Step(lambda: np.ones(2**27) if len(x) > 10 else None, lambda outcome: (0.0, network.theta))
def lazy(network, x, y):
    return Step(lambda: time.sleep(60), lambda outcome: (0.0, network.theta))
def heavy(network, x, y):
    step = textbook.step(network, x, y)
    return Step(lambda: (np.ones(5 * 2**17), step.run())[1], step.read)
def partial(network, x, y):
    step = textbook.step(network, x, y)
    return Step(step.run, lambda outcome: (outcome[0], np.where(np.arange(outcome[1].size) < 3, np.nan, outcome[1])))
def moved(network):
    return network.with_theta(network.theta + 0.1)
SUBJECTS = tuple(Subject(make.__name__, __name__, make, "a toy") for make in (wrong, broken, greedy, lazy, heavy, partial))
SUBJECTS += (Subject("moved", __name__, textbook.make, "a toy", nearest=moved),)
SUBJECTS += (Subject("absent", __name__, wrong, "a toy", needs=("json", "kan_ref_no_such_module"), package="kan_ref_no_such_thing"),)
"""


@pytest.fixture
def toys(tmp_path, monkeypatch):
    (tmp_path / "toy_peers.py").write_text(TOYS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "toy_peers", raising=False)
    import toy_peers

    yield {subject.name: subject for subject in toy_peers.SUBJECTS}
    del sys.modules["toy_peers"]


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory):
    """Standard output and folder of a quick run of all parts, without peers."""
    folder = tmp_path_factory.mktemp("benchmarks")
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr("builtins.print", lambda *words, **_: lines.append(" ".join(map(str, words))))
        assert program.main(["--quick", "--out", str(folder)]) == 0
    return "\n".join(lines), folder


# --- who takes which step


@pytest.mark.parametrize("subject", subjects.SUBJECTS, ids=lambda subject: subject.name)
@pytest.mark.parametrize("shape", [SMALL, *SHAPES[:4]], ids=str)
def test_every_step_in_numpy_has_the_loss_and_gradient_of_kan_ref(subject, shape):
    network, x, y = problem(shape)
    step = subject.step(network, x, y)

    value, gradient = step.read(step.run())

    expected, d_theta = kr.value_and_grad(network, x, y)
    assert value == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(gradient, d_theta, rtol=0, atol=1e-13 * np.abs(d_theta).max())


def test_the_first_layers_splines_are_evaluated_once_as_in_fit_and_at_every_step_when_fresh(
    monkeypatch,
):
    made, counts, prepare = [], [], kr.Network.prepare
    monkeypatch.setattr(kr.Network, "prepare", lambda *given: made.append(given) or prepare(*given))

    for subject in subjects.SUBJECTS[:2]:
        step = subject.step(*problem(SMALL))
        for _ in range(3):
            step.run()
        counts.append(len(made))

    assert counts == [1, 4]


def test_the_network_on_one_grid_is_the_same_but_for_its_knots_and_has_no_spline_weights():
    network, _, _ = problem(SMALL)
    network = network.with_theta(network.theta + np.linspace(0.1, 0.2, network.n_params))

    moved = peers._one_grid(network)

    for old, new in zip(network.layers, moved.layers, strict=True):
        np.testing.assert_array_equal(
            new.knots, np.tile(kr.uniform_knots(-1.0, 1.0, 4, 3), (old.n_in, 1))
        )
        np.testing.assert_array_equal(new.spline_matrix, old.spline_matrix)
        np.testing.assert_array_equal(new.w_base, old.w_base)
        assert (new.w_spline == 1.0).all()


def test_peers_have_names_of_their_own_and_nothing_of_them_is_imported_before_it_is_asked_for():
    names = [subject.name for subject in (*subjects.SUBJECTS, *peers.SUBJECTS)]

    assert len(set(names)) == len(names) == 11
    assert {subject.package for subject in peers.SUBJECTS} == {
        "pykan",
        "jaxkan",
        "inkan",
        "flashkan",
    }
    assert not {"torch", "jax", "kan", "jaxkan", "inkan", "flashkan"} & set(sys.modules)


# --- the clock


def test_times_are_of_calls_that_follow_each_other_with_their_data_in_the_cache(monkeypatch):
    now, last = [0.0], [""]
    monkeypatch.setattr(measuring.time, "process_time", lambda: now[0])

    def work(name, seconds):
        def call():
            now[0] += (
                seconds if last[0] == name else 5.0 * seconds
            )  # another one has just emptied the cache
            last[0] = name

        return call

    work_list = [work("short", 1e-4), work("other", 1e-4), work("middle", 0.02), work("long", 0.2)]
    short, other, middle, long = measuring.take_turns(work_list, seconds=0.5)

    for times, seconds in ((short, 1e-4), (other, 1e-4), (middle, 0.02)):
        np.testing.assert_allclose(times.samples, seconds, rtol=1e-6)
    assert long.samples[0] == pytest.approx(0.2)
    assert long.least == long.samples[0] < long.samples[1] == pytest.approx(1.0)
    assert len(short.samples) > len(long.samples) >= 3


def test_a_slow_function_gets_its_repeats_and_a_fast_one_its_seconds(monkeypatch):
    now, calls = [0.0], {"slow": 0, "fast": 0}
    monkeypatch.setattr(measuring.time, "process_time", lambda: now[0])

    def work(name, seconds):
        def call():
            now[0] += seconds
            calls[name] += 1

        return call

    slow, _ = measuring.take_turns([work("slow", 7.0), work("fast", 1e-3)], seconds=0.1, repeats=4)

    assert (
        calls["slow"] == 1 + len(slow.samples) == 5
    )  # the first, before anything is known of it, does not count
    assert calls["fast"] >= 100
    assert slow.as_record() == {
        "least": 7000.0,
        "quartile": 7000.0,
        "median": 7000.0,
        "upper": 7000.0,
        "repeats": 4,
    }


# --- a step tried alone


def test_a_trial_finds_memory_time_and_agreement_of_a_step(toys):
    light = trial.try_step(subjects.SUBJECTS[2], SMALL)
    heavy = trial.try_step(toys["heavy"], SMALL)

    assert (light.failure, heavy.failure) == ("", "")
    assert light.loss_error < 1e-12
    assert light.gradient_error < 1e-12
    assert 0.0 < light.seconds < 60.0
    assert 5.0 < heavy.arrays < 7.0
    assert 4.9 < heavy.resident < light.resident + 7.0


def test_a_trial_shows_a_gradient_that_is_another_and_ignores_what_an_implementation_does_not_have(
    toys,
):
    assert trial.try_step(toys["wrong"], SMALL).gradient_error == pytest.approx(1e-3, rel=1e-6)
    assert trial.try_step(toys["partial"], SMALL).gradient_error < 1e-12


def test_a_subject_is_compared_on_the_nearest_network_that_it_can_represent(toys):
    assert (
        toys["moved"].step(*problem(SMALL)).run()[0]
        != subjects.SUBJECTS[2].step(*problem(SMALL)).run()[0]
    )

    assert trial.try_step(toys["moved"], SMALL).gradient_error < 1e-12


def test_a_step_that_fails_or_takes_too_much_ends_its_own_process_and_says_why_in_a_few_words(toys):
    assert (
        trial.try_step(toys["broken"], SMALL).failure
        == "MemoryError: cannot place the table of ... in memory"
    )
    assert (
        trial.try_step(toys["greedy"], SMALL, trial.Limits(gib=0.25)).failure
        == "needs over 0.25 GiB"
    )
    assert (
        trial.try_step(toys["lazy"], SMALL, trial.Limits(seconds=1.0)).failure == "takes over 1 s"
    )


# --- Levenberg-Marquardt and growth


@pytest.mark.parametrize("shape", [SMALL, Shape("dual", (3, 2, 1), 10, 20)], ids=str)
def test_the_dense_iteration_takes_the_step_of_kan_ref(shape):
    network, x, y = problem(shape)
    objective = mean_square_objective(network, x, y)

    ours, dense = (
        subjects.iterate(objective, network.theta),
        subjects.iterate_dense(objective, network.theta),
    )

    np.testing.assert_allclose(ours, dense, rtol=0, atol=1e-8 * np.abs(ours).max())
    assert np.abs(ours - objective.residuals(network.theta)).max() > 0.1 * np.abs(ours).max()


def test_a_line_ends_where_a_step_takes_too_long_or_fails_and_says_so(monkeypatch, toys):
    axis = growth.Axis(
        "batch", "samples", "held", lambda n: Shape("batch", (2, 1), 3, n), (5, 10, 20), (5,)
    )
    monkeypatch.setattr(growth, "TOO_LONG", 0.0)
    reported = []

    (whole,) = growth.along(axis, [toys["broken"]], quick=False, seconds=0.0, tell=reported.append)
    monkeypatch.setattr(growth, "TOO_LONG", 1e9)
    (failing,) = growth.along(
        axis, [toys["broken"]], quick=False, seconds=0.0, tell=reported.append
    )

    assert (whole.values, whole.ends) == ((5,), "over 0 s")
    assert (failing.values, failing.ends) == (
        (5, 10),
        "MemoryError: cannot place the table of ... in memory",
    )
    assert reported == ["batch 5", "batch 10", "batch 20"] * 2


def test_the_exponent_is_the_slope_of_the_last_third():
    line = growth.Line("G", "x", (1, 2, 4, 8, 16, 32), (1.0, 1.0, 1.0, 1.0, 4.0, 16.0))

    assert line.exponent == pytest.approx(2.0)


# --- the program


def test_a_quick_run_prints_every_table_and_writes_numbers_and_picture(quick_run):
    text, folder = quick_run

    for subject in subjects.SUBJECTS:
        assert len(re.findall(rf"^{re.escape(subject.name)}  ", text, re.MULTILINE)) == 5 + len(
            growth.AXES
        )
    for head in (
        tables.STEP_HEAD,
        tables.RATIO_HEAD,
        tables.MEMORY_HEAD,
        tables.SAME_HEAD,
        tables.LM_HEAD,
        tables.GROWTH_HEAD,
        tables.RACE_HEAD,
    ):
        assert head in text
    assert (
        "other libraries are left out; --peers measures pykan, jaxkan, inkan and flashkan" in text
    )
    assert {path.name for path in folder.iterdir()} == {
        "step.json",
        "lm.json",
        "growth.json",
        "growth.png",
        "growth.svg",
        "race.json",
        "race.png",
        "race.svg",
    }


# --- noisy tables


def test_a_table_is_drawn_standardised_and_its_new_samples_have_no_noise():
    for table in noise.TABLES:
        data = table.draw(np.random.default_rng(0))

        assert data.x_train.shape == (table.n, table.n_in)
        np.testing.assert_allclose(data.x_train.mean(axis=0), 0.0, atol=1e-12)
        np.testing.assert_allclose(data.y_train.std(axis=0), 1.0, rtol=1e-12)
        assert len(data.x_test) == noise.N_NEW
    line = noise.Table("line", lambda x: x[:, 0], 1, 50, 1.0).draw(np.random.default_rng(0))
    assert (
        np.linalg.matrix_rank(
            np.column_stack([line.x_test, line.y_test, np.ones(noise.N_NEW)]), tol=1e-8
        )
        == 2
    )


def test_a_sum_of_splines_with_a_ridge_penalty_predicts_a_sum_of_curves():
    table = noise.Table("curves", lambda x: np.sin(4.0 * x[:, 0]) + x[:, 1] ** 2, 3, 300, 0.05)
    data = table.draw(np.random.default_rng(0))

    error = noise.additive_ridge(data) - data.y_test

    assert np.mean(error**2) < 0.02 * np.var(data.y_test)


def test_the_program_of_noisy_tables_measures_and_refuses_unknown_names(capsys):
    assert noise.main(["16 samples", "--seeds", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("16 samples  16 x 3")
    for words, message in (
        (["17 samples"], "NAME is '17 samples', but must be one of Friedman 1, "),
    ):
        with pytest.raises(SystemExit) as end:
            noise.main(words)
        assert end.value.code == 2
        assert message in capsys.readouterr().err
