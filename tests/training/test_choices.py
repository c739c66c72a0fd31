"""Choices on samples that training does not see, and findings about a run.

Fair splits, comparisons in pairs, the best start, architecture and penalty. Each cause of bad results is found alone, by its subject and
numbers, and a healthy run has none.
"""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from networks import Frame
from oracles_training import bits, mean_square, samples

import kan_ref as kr
from kan_ref.training import (
    Adam,
    best_constant,
    compare,
    cross_validate,
    cross_validation,
    diagnose,
    hold_out,
    sample_losses,
    spread_order,
    starts,
)
from kan_ref.training.cross_validation import _Settled
from kan_ref.training.held_out import fold_order, held_out_places, split_samples, strata
from kan_ref.training.losses import LOSSES

# --- choices on samples that training does not see: fair splits, comparisons in pairs, the best start, architecture and penalty

NAMES = ("mse", "cross_entropy", "logistic")


def predictions(name, n=40, n_out=3, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, n_out))
    if name == "cross_entropy":
        return z, np.eye(n_out)[rng.integers(n_out, size=n)]
    return z, rng.normal(size=z.shape) if name == "mse" else rng.integers(2, size=z.shape) * 1.0


# --- losses of samples, and pairs


@pytest.mark.parametrize("name", NAMES)
def test_the_mean_of_the_losses_of_samples_is_the_loss(name):
    z, y = predictions(name)
    losses = sample_losses(LOSSES[name], z, y)

    assert losses.shape == (40,)
    assert losses.mean() == pytest.approx(LOSSES[name].value_and_grad(z, y)[0], rel=1e-12)
    z[3] = np.nan
    assert np.isposinf(sample_losses(LOSSES[name], z, y)[3])


@pytest.mark.parametrize("name", NAMES)
def test_no_other_constant_has_a_smaller_loss(name):
    _, y = predictions(name, n=4000)
    constant = best_constant(LOSSES[name], y)

    def loss(shift):
        return LOSSES[name].value_and_grad(np.tile(constant + shift, (len(y), 1)), y)[0]

    steps = 0.1 * np.vstack([np.eye(3), -np.eye(3)])
    assert all(loss(0.0) < loss(step) for step in steps)


@pytest.mark.parametrize("name", ["cross_entropy", "logistic"])
def test_a_class_without_samples_counts_as_half_a_sample(name):
    y = np.zeros((4, 2))
    y[:, 0] = 1.0

    odds = np.exp(best_constant(LOSSES[name], y))

    ratio = 0.5 / 4.5
    expected = odds[1] / odds[0] if name == "cross_entropy" else odds[1]
    assert expected == pytest.approx(ratio)


def test_differences_in_pairs_have_their_mean_and_standard_error():
    rng = np.random.default_rng(0)
    noise, difference = 100.0 * rng.normal(size=50), rng.normal(size=50)

    pair = compare(noise + difference, noise)

    assert pair.excess == pytest.approx(difference.mean())
    assert pair.standard_error == pytest.approx(np.sqrt(np.var(difference, ddof=1) / 50))
    assert compare(np.ones(1), np.zeros(1)).standard_error == 0.0


@pytest.mark.parametrize(
    ("losses", "as_good"), [([1.0, 3.0], True), ([1.0, 1.0], False), ([-1.0, 1.0], True), ([np.inf, 0.0], False)]
)
def test_as_good_is_within_one_standard_error(losses, as_good):
    assert compare(np.array(losses) - (losses == [1.0, 3.0]), np.zeros(2)).as_good == as_good


# --- splits


def test_spread_order_has_every_sample_once_and_one_of_each_five_neighbours_first():
    order = spread_order(103)

    assert sorted(order) == list(range(103))
    for part in range(5):
        chosen = order[21 * part : 21 * part + 20] // 5
        assert len(set(chosen)) >= 19
    remainders = spread_order(1000)[:200] % 5  # which of the five, as if by chance
    assert np.bincount(remainders, minlength=5).min() > 20
    assert len(set(pairwise(remainders.tolist()))) == 25


def test_strata_are_classes_and_single_answers():
    labels = np.eye(3)[[2, 0, 2]]

    assert (
        strata(LOSSES["cross_entropy"], labels).tolist() == [1, 0, 1]
        or len(set(strata(LOSSES["cross_entropy"], labels))) == 2
    )
    assert len(set(strata(LOSSES["logistic"], labels[:, :1]))) == 2
    assert set(strata(LOSSES["logistic"], labels[:, :2])) == set(strata(LOSSES["mse"], labels)) == {0}


@pytest.mark.parametrize("seed", [None, 0])
def test_every_k_th_of_the_order_of_folds_has_its_share_of_each_stratum(seed):
    groups = np.repeat([0, 1, 2], [50, 25, 5])
    rng = None if seed is None else np.random.default_rng(seed)

    order = fold_order(groups, rng)

    assert sorted(order) == list(range(80))
    for fold in range(5):
        assert np.bincount(groups[order[fold::5]]).tolist() == [10, 5, 1]
    assert order.tolist() != sorted(order)


@pytest.mark.parametrize("seed", [None, 0])
@pytest.mark.parametrize(("share", "n"), [(0.2, 12), (0.5, 30), (0.01, 0), (0.25, 15)])
def test_a_share_is_held_out_that_keeps_the_classes(share, n, seed):
    labels = np.eye(2)[(np.arange(60) % 6 == 0).astype(int)]
    rng = None if seed is None else np.random.default_rng(seed)

    out = held_out_places(LOSSES["cross_entropy"], labels, share, rng)

    assert len(out) == n == len(set(out))
    assert (np.diff(out) > 0).all()
    assert abs(labels[out, 1].sum() - n / 6) <= 1


def test_the_only_sample_of_a_class_is_trained_on():
    labels = np.eye(2)[np.r_[np.zeros(19, int), 1]]

    assert 19 not in held_out_places(LOSSES["cross_entropy"], labels, 0.5, None)


def test_samples_are_split_into_those_held_out_and_the_others():
    x, y = np.arange(10.0)[:, None], np.arange(10.0)[:, None]

    kept, out = split_samples((x, y), LOSSES["mse"], 0.3, np.random.default_rng(0))

    assert len(out[0]) == 3
    assert sorted(np.concatenate([kept[0], out[0]])[:, 0]) == list(range(10))
    assert (kept[0] == kept[1]).all()
    assert (out[0] == out[1]).all()
    for given in ((x[:2], y[:2]), None):
        with pytest.raises(ValueError, match=r"validation_share is 0\.3"):
            split_samples(given, LOSSES["mse"], 0.3, None)


@pytest.mark.parametrize("seed", [None, 0])
@pytest.mark.parametrize("loss", ["mse", "cross_entropy", "logistic"])
def test_hold_out_moves_a_share_of_the_training_samples_to_x_test(seed, loss):
    x = np.arange(20.0)[:, None]
    y = {"mse": 2.0 * x, "cross_entropy": np.arange(20) % 2, "logistic": x % 2}[loss]
    data = kr.Data(x, y, x[:1], y[:1])

    part = hold_out(data, 0.25, None if seed is None else np.random.default_rng(seed), loss)

    assert (len(part.x_train), len(part.x_test)) == (15, 5)
    assert sorted(np.concatenate([part.x_train, part.x_test])[:, 0]) == list(range(20))
    for own, target in ((part.x_train, part.y_train), (part.x_test, part.y_test)):
        expected = 2.0 * own if loss == "mse" else own % 2
        np.testing.assert_array_equal(target.reshape(own.shape), expected)
    whole = hold_out(data, 0.01, None, loss)
    assert len(whole.x_train) == len(whole.x_test) == 20


def test_hold_out_keeps_the_shares_of_classes():
    x, y = np.arange(20.0)[:, None], np.repeat([0, 1], [16, 4])

    for seed in range(6):
        rng = np.random.default_rng(seed)
        assert hold_out(kr.Data(x, y, x, y), 0.25, rng, "cross_entropy").y_test.sum() == 1


# --- starts


def toy(x):
    return np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2)


SHAPE = {"n_intervals": 3, "degree": 3}


def plain_data(f=toy, **options):
    return kr.Data(**vars(samples(f, 2, np.random.default_rng(0), **options)))


def start(data, seed=0, **options):
    options = {"n_starts": 3, "n_steps": 8, **SHAPE, **options}
    return kr.best_start((2, 1, 1), data, rng=np.random.default_rng(seed), **options)


@pytest.fixture
def runs(monkeypatch):
    """All runs of `fit` that best_start or cross_validate make, with their data and options."""
    made = []
    for module in (starts, cross_validation):

        def spy(network, data, **options):
            run = kr.fit(network, data, **options)
            made.append(SimpleNamespace(start=network, data=data, options=options, run=run))
            return run

        monkeypatch.setattr(module, "fit", spy)
    return made


@pytest.mark.parametrize(("share", "n_aside"), [(0.2, 12), (0.5, 30), (0.04, 2)])
def test_the_start_with_the_smallest_error_on_samples_set_aside_is_chosen(runs, share, n_aside):
    data = plain_data()
    network = start(data, validation_share=share, n_starts=5)

    errors = []
    for made in runs:
        aside = made.data.x_test
        assert (len(aside), len(made.data.x_train)) == (n_aside, 60 - n_aside)
        together = np.concatenate([aside, made.data.x_train])
        np.testing.assert_array_equal(np.unique(together, axis=0), np.unique(data.x_train, axis=0))
        np.testing.assert_array_equal(aside, runs[0].data.x_test)
        errors.append(mean_square(made.run.network(aside), made.data.y_test))
    assert bits(network) == bits(runs[int(np.argmin(errors))].run.network)
    assert len({bits(made.start) for made in runs}) == 5


@pytest.mark.parametrize(("n_train", "share"), [(60, 0.0), (4, 0.2)])
def test_where_no_sample_can_be_spared_the_training_samples_decide(runs, n_train, share):
    data = plain_data(n_train=n_train)
    network = start(data, validation_share=share)

    errors = [mean_square(made.run.network(data.x_train), data.y_train) for made in runs]
    assert bits(network) == bits(runs[int(np.argmin(errors))].run.network)


def test_options_reach_every_run_and_the_same_seed_gives_the_same_bits(runs):
    data = plain_data()
    network = start(data, optimizer="lbfgs", base="identity", smoothness_weight=1e-3)
    again = start(data, optimizer="lbfgs", base="identity", smoothness_weight=1e-3)

    assert bits(network) == bits(again) != bits(start(data, 1))
    for made in runs[:3]:
        own = {"n_steps": 8, "optimizer": "lbfgs", "smoothness_weight": 1e-3}
        assert own.items() <= made.options.items()
        assert made.start.layers[0].base == "identity"


def test_eight_starts_of_thirty_steps_on_grids_of_all_training_samples_are_the_default(runs):
    data = plain_data()
    kr.best_start((2, 1, 1), data, **SHAPE, rng=np.random.default_rng(0))

    assert len(runs) == 8
    assert len(runs[0].data.x_test) == 12
    assert {made.options["n_steps"] for made in runs} == {30}
    grid = runs[0].start.layers[0].breakpoints
    low, high = data.x_train.min(axis=0), data.x_train.max(axis=0)
    np.testing.assert_allclose(grid[:, 0], low - 0.05 * (high - low))
    np.testing.assert_allclose(grid[:, -1], high + 0.05 * (high - low))


def test_a_domain_is_kept_and_networks_begin_in_the_units_of_the_data(runs):
    data = plain_data(f=lambda x: 1e4 * toy(x))
    start(data, domain=(-3.0, 4.0), n_starts=1)
    start(data, domain=(-3.0, 4.0), n_starts=1, initialization="paper")

    assert runs[0].start.layers[0].breakpoints[:, [0, -1]].tolist() == [[-3.0, 4.0]] * 2
    assert np.abs(runs[0].start(data.x_train)).mean() > 1e2
    assert np.abs(runs[1].start(data.x_train)).mean() < 1e2


def test_networks_begin_with_the_targets_or_for_classes_with_minus_one_and_one(monkeypatch):
    given = []

    def spy(widths, **options):
        given.append(options["y"])
        return kr.init_network(widths, **options)

    monkeypatch.setattr(starts, "init_network", spy)
    data = plain_data()
    start(data, n_starts=1, validation_share=0.0)
    labels = kr.Data(data.x_train, np.arange(60) % 2, data.x_test, np.arange(40) % 2)
    options = {"loss": "cross_entropy", "validation_share": 0.0, **SHAPE}
    kr.best_start((2, 3, 2), labels, n_starts=1, rng=np.random.default_rng(0), **options)

    np.testing.assert_array_equal(given[0], data.y_train)
    np.testing.assert_array_equal(given[1], 2.0 * np.eye(2)[labels.y_train] - 1.0)


def test_classes_are_started_by_their_loss():
    data = plain_data()
    labels = [(y[:, 0] > 1.0).astype(int) for y in (data.y_train, data.y_test)]
    data = kr.Data(data.x_train, labels[0], data.x_test, labels[1])

    network = kr.best_start(
        (2, 2), data, n_starts=2, n_steps=40, loss="cross_entropy", **SHAPE, rng=np.random.default_rng(0)
    )

    assert (network(data.x_train).argmax(axis=1) == labels[0]).mean() > 0.9


def test_test_data_decide_nothing():
    data = plain_data()
    other = kr.Data(data.x_train, data.y_train, 0.1 * data.x_test, 0.0 * data.y_test)

    assert bits(start(data)) == bits(start(other))
    chosen = [
        cross_validate(own, n_steps=5, n_folds=2, weights=(0.1,), rng=np.random.default_rng(0)) for own in (data, other)
    ]
    assert bits(chosen[0].network) == bits(chosen[1].network)


def test_losses_and_shares_that_do_not_fit_the_data_are_refused():
    data = plain_data()

    with pytest.raises(ValueError, match="validation_share"):
        start(data, validation_share=0.6)
    with pytest.raises((TypeError, ValueError), match=r"y_train|labels"):
        start(data, loss="cross_entropy")
    labels = kr.Data.split(data.x_train, ["a", "b"] * 30, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="cross_entropy"):
        start(labels)
    with pytest.raises(ValueError, match="initialization"):
        start(data, initialization="other")


def test_a_table_with_other_columns_gets_no_predictions():
    data = noisy(lambda x: x[:, :1], 4)
    data = kr.Data(data.x_train, data.y_train, data.x_test, data.y_test, names=("a", "b", "c"))
    run = choose(data)

    assert run.predict(Frame.of(["a", "b", "c"], data.x_test)).shape == (20, 1)
    with pytest.raises(ValueError, match="x"):
        run.predict(Frame.of(["b", "a", "c"], data.x_test))


def test_an_interrupt_is_passed_on():
    def interrupt(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start(plain_data(), callback=interrupt)


# --- cross-validation


def noisy(f, n=60, n_in=3, noise=0.3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n + 20, n_in)).clip(-2.0, 2.0)
    y = f(x) + noise * rng.standard_normal((n + 20, 1))
    return kr.Data(x[:n], y[:n], x[n:], y[n:])


def choose(data, seed=0, **options):
    options = {"n_steps": 30, "weights": (0.01, 0.1), **options}
    return cross_validate(data, **options, rng=np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("f", "n", "architecture"),
    [
        (lambda x: 0.0 * x[:, :1], 60, "constant"),
        (lambda x: x[:, :1], 60, "linear"),
        (lambda x: np.sin(2.0 * x[:, :1]), 120, "additive"),
        (lambda x: 2.0 * x[:, :1] * x[:, 1:2], 200, "hidden"),
    ],
)
def test_the_simplest_sufficient_architecture_is_chosen(f, n, architecture):
    assert choose(noisy(f, n), hidden=(3,)).chosen.architecture == architecture


def test_the_choice_is_the_first_candidate_within_one_standard_error_of_the_best():
    run = choose(noisy(lambda x: np.sin(2.0 * x[:, :1])), n_folds=3)

    labels = [(one.architecture, one.penalty_weight) for one in run.candidates]
    expected = [(name, w) for name in ("linear", "additive", "hidden") for w in (0.1, 0.01)]
    assert labels == [("constant", np.inf), *expected]
    best = min(run.candidates, key=lambda one: one.validation_loss)
    assert best.excess == 0.0
    within = [one for one in run.candidates if one.excess <= one.standard_error]
    assert run.chosen is within[0]
    assert "linear, penalty 0.1: held-out loss" in str(run.candidates[1])
    assert "chosen of 7" in repr(run)


@pytest.mark.parametrize(("n_steps", "half"), [(7, 4), (6, 3)])
def test_held_out_losses_are_of_networks_that_the_other_folds_train(runs, n_steps, half):
    data = noisy(lambda x: x[:, :1])
    run = choose(data, hidden=(), n_folds=2, n_steps=n_steps)

    folds = [made for made in runs if len(made.data.x_train) == 30]
    assert [made.options["penalty"].weight for made in folds] == [0.01, 0.1] * 4
    assert [made.options["n_steps"] for made in folds] == [n_steps, half] * 4
    for first, second in zip(folds[::2], folds[1::2], strict=True):  # each begins where one ended
        assert bits(second.start) == bits(first.run.network)
    losses = []
    x, grid = folds[0].data.x_train, folds[0].start.layers[0].breakpoints
    low, high = x.min(axis=0), x.max(axis=0)
    np.testing.assert_allclose(grid[:, 0], low - (0.05 + 10.0 * 1.1) * (high - low))
    np.testing.assert_allclose(grid[:, 1], high + (0.05 + 10.0 * 1.1) * (high - low))
    for made in (folds[0], folds[4]):  # lines of the smallest weight
        kept = {tuple(row) for row in made.data.x_train}
        out = np.array([tuple(row) not in kept for row in data.x_train])
        mean = data.y_train[~out].mean()
        low, high = data.x_train[~out].min(axis=0), data.x_train[~out].max(axis=0)
        prediction = made.run.network(data.x_train[out].clip(low, high)) + mean
        losses.append(mean_square(prediction, data.y_train[out]))
        assert made.data.y_train.mean() == pytest.approx(0.0, abs=1e-12)
    assert run.candidates[2].validation_loss == pytest.approx(np.mean(losses), rel=1e-9)


def test_the_chosen_network_is_trained_on_all_samples_up_to_its_weight(runs):
    data = noisy(lambda x: np.sin(2.0 * x[:, :1]))
    run = choose(data, n_folds=2, weights=(0.003, 0.01, 3.0))
    assert 0.0 < run.chosen.penalty_weight < 3.0  # which removes all edges
    last = [made for made in runs if len(made.data.x_train) == 60]

    path = [w for w in (0.003, 0.01, 3.0) if w <= run.chosen.penalty_weight]
    assert [made.options["penalty"].weight for made in last] == path
    assert bits(run.network) == bits(last[-1].run.network)


@pytest.mark.parametrize("loss", ["cross_entropy", "logistic"])
def test_classes_have_their_frequencies_as_constant(loss):
    rng = np.random.default_rng(0)
    x, right = rng.uniform(-1, 1, (60, 2)), np.arange(60) % 3 == 0
    y = right.astype(int) if loss == "cross_entropy" else right[:, None] * 1.0

    run = choose(kr.Data(x, y, x[:5], y[:5]), loss=loss, hidden=(), n_folds=2)

    assert run.chosen.architecture == "constant"
    logits = run.network(x)
    odds = np.exp(logits[:, 1] - logits[:, 0] if loss == "cross_entropy" else logits[:, 0])
    np.testing.assert_allclose(odds, 20.5 / 40.5, rtol=1e-9)


@pytest.mark.parametrize("n", [1, 4])
def test_fewer_than_five_samples_have_the_constant(n):
    data = noisy(lambda x: x[:, :1], n)
    run = choose(data)

    assert run.chosen.architecture == "constant"
    np.testing.assert_allclose(run.predict(data.x_test), data.y_train.mean())


@pytest.mark.parametrize(
    ("n", "names"), [(5, {"linear"}), (7, {"linear"}), (8, {"linear", "additive"}), (24, {"linear", "additive"})]
)
def test_an_architecture_is_compared_where_folds_have_as_many_samples_as_coefficients(n, names):
    data = noisy(lambda x: x[:, :1], n)  # 6 coefficients an input, 18 of the first hidden edges
    run = choose(data, n_steps=2, n_folds=5)

    found = {one.architecture for one in run.candidates} - {"constant"}
    fewest = n - -(-n // 5)
    expected = {"linear"} | ({"additive"} if fewest >= 6 else set())
    assert found == expected | ({"hidden"} if fewest >= 18 else set())


def test_of_more_than_a_thousand_samples_a_fifth_is_held_out_once_for_a_hundred_steps(runs):
    data, rng = noisy(lambda x: x[:, :1], 1001, n_in=1), np.random.default_rng(0)
    cross_validate(data, hidden=(), weights=(0.1,), rng=rng)

    assert runs[0].options["n_steps"] == 100
    assert {len(made.data.x_train) for made in runs} == {800, 1001}


def test_predictions_are_constant_beyond_the_training_inputs():
    data = noisy(lambda x: x[:, :1])
    run = choose(data, n_folds=2)
    ends = np.stack([data.x_train.min(axis=0), data.x_train.max(axis=0)])

    np.testing.assert_array_equal(run.predict(3.0 * ends), run.network(ends))
    assert run.test_rmse == pytest.approx(np.sqrt(mean_square(run.predict(data.x_test), data.y_test)))


@pytest.mark.parametrize(("fall", "ends"), [(0.9e-3, True), (1.1e-3, False)])
def test_a_fit_ends_when_ten_steps_have_lowered_the_objective_by_too_little(fall, ends):
    settled = _Settled()
    values = np.r_[5.0, np.linspace(1.0 + fall, 1.0, 11)]
    answers = [settled(SimpleNamespace(train_loss=v - 0.2, penalty=0.2)) for v in values]

    assert not any(answers[:-1])
    assert bool(answers[-1]) == ends


@pytest.mark.parametrize(("n", "powers"), [(99, 1.0), (100, 0.5)])
def test_weights_differ_by_half_a_power_of_ten_or_by_one_for_fewer_than_a_hundred_samples(n, powers):
    data = noisy(lambda x: x[:, :1], n, n_in=1)
    run = choose(data, hidden=(), n_folds=2, n_steps=1, weights=None)

    weights = [one.penalty_weight for one in run.candidates if one.architecture == "linear"]
    np.testing.assert_allclose(np.log10(weights), np.arange(0.0, -3.1, -powers), atol=0.03)


def test_the_same_seed_gives_the_same_choice():
    data = noisy(lambda x: x[:, :1], 120)
    runs = [choose(data, seed, n_folds=2, n_steps=4) for seed in (0, 0, 1)]

    assert bits(runs[0].network) == bits(runs[1].network)
    assert runs[0].candidates != runs[2].candidates


def test_an_interrupt_of_the_comparison_is_passed_on(monkeypatch):
    def interrupted(*arguments, **options):
        return SimpleNamespace(network=None, interrupted=True)

    monkeypatch.setattr(cross_validation, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        choose(noisy(lambda x: x[:, :1]), n_folds=2)


def test_an_interrupted_last_fit_ends_the_run(monkeypatch):
    sizes = []

    def interrupted(network, data, **options):
        run = kr.fit(network, data, **options)
        sizes.append(len(data.x_train))
        return replace(run, interrupted=len(data.x_train) == 60)

    monkeypatch.setattr(cross_validation, "fit", interrupted)
    run = choose(noisy(lambda x: x[:, :1]), n_folds=2, weights=(0.003, 0.03), hidden=())

    assert run.chosen.penalty_weight == 0.03
    assert run.interrupted
    assert sizes.count(60) == 1


@pytest.mark.parametrize("weights", [(), (0.1, 0.01), (0.1, 0.1), (0.0, 0.1)])
def test_weights_increase_from_above_zero(weights):
    with pytest.raises(ValueError, match="weights"):
        choose(noisy(lambda x: x[:, :1]), weights=weights)


# --- findings: each cause of bad results is found alone, by its subject and numbers, and a healthy run has none


def smooth(x):
    return np.sin(2.0 * x[:, :1]) + x[:, 1:]


def trained(data, *, domain=None, n_steps=20, widths=(2, 1), **options):
    rng = np.random.default_rng(0)
    shape = {"n_intervals": 3, "degree": 3, "domain": data.x_train if domain is None else domain}
    network = kr.init_network(widths, **shape, rng=rng)
    return kr.fit(network, data, n_steps=n_steps, **options)


def table(change=lambda data: None, f=smooth, **options):
    data = samples(f, 2, np.random.default_rng(0), **options)
    change(data)
    return data


def change_x(data, f):
    data.x_train, data.x_test = f(data.x_train), f(data.x_test)


def change_y(data, f):
    data.y_train, data.y_test = f(data.y_train), f(data.y_test)


def with_noise(y):
    return y + np.random.default_rng(1).normal(size=y.shape)


def test_a_healthy_run_has_no_finding():
    run = trained(table(), grids=(3, 6))

    assert run.findings == []
    assert "finding" not in repr(run)


def test_units_that_did_no_harm_are_no_finding():
    data = table(lambda data: change_y(data, lambda y: 5e-3 * y))

    assert trained(data, n_steps=60).findings == []


@pytest.mark.parametrize(
    ("change", "about", "words"),
    [
        (lambda d: change_y(d, lambda y: 1e-6 * with_noise(y)), "units", "std of 1.*e-06"),
        (lambda d: change_y(d, lambda y: 1e3 * with_noise(y)), "units", "std of 1"),
        (lambda d: change_y(d, lambda y: with_noise(y) + 1e8), "units", "output 0 has mean 1e+08"),
        (
            lambda d: change_y(d, lambda y: np.hstack([50.0, 5e-3]) * with_noise(np.hstack([y, y]))),
            "units",
            "output 1 varies",
        ),
    ],
    ids=["small", "large", "far from zero", "apart"],
)
def test_units_of_targets_are_found(change, about, words):
    data = table(change)
    run = trained(data, widths=(2, data.y_train.shape[1]), n_steps=5)

    assert [finding.about for finding in run.findings] == [about]
    assert all(word in run.findings[0].what for word in words.split(".*"))
    assert "kr.scaled" in run.findings[0].do
    assert "1 finding: see run.findings" in repr(run)
    assert str(run.findings[0]).startswith(about)


@pytest.mark.parametrize(
    ("means", "stds", "found"),
    [((100, 0), (1, 1), 0), ((101, 0), (1, 1), 1), ((0, 0), (60, 2), 0), ((0, 0), (62, 2), 1)],
)
def test_targets_are_judged_by_their_means_and_by_how_far_their_deviations_are_apart(means, stds, found):
    x = np.linspace(-0.9, 0.9, 20).reshape(10, 2)
    y = means + np.where(np.arange(10) % 2, 1.0, -1.0)[:, None] * stds
    mlp = kr.init_mlp((2, 2), activation="tanh", rng=np.random.default_rng(0))

    assert len(diagnose(mlp, kr.Data(x, y, x, y))) == found


def test_inputs_in_other_units_than_the_grids_are_found():
    data = table(lambda data: change_x(data, lambda x: 100.0 + 50.0 * x))

    (finding,) = trained(data, domain=(-1.0, 1.0)).findings

    assert finding.about == "grids"
    assert "100% of x_train" in finding.what


def test_an_outlier_that_leaves_an_input_a_tenth_of_an_interval_is_found():
    data = table(f=lambda x: np.sin(9.0 * x[:, :1]) + x[:, 1:], n_train=100)
    data.x_train[7, 0] = 300.0

    (finding,) = trained(data).findings

    assert finding.about == "grids"
    assert "input 0" in finding.what
    assert "percentile" in finding.do


@pytest.mark.parametrize(("share", "found"), [(0.03, 1), (0.07, 0)])
def test_inputs_are_crowded_between_their_5th_and_95th_percentile(share, found):
    data = table(f=lambda x: np.sin(9.0 * x[:, :1]) + x[:, 1:], n_train=100)
    data.x_train[: int(100 * share), 0] = -300.0 - np.arange(int(100 * share))
    low = data.x_train[: int(100 * share)].copy()

    findings = trained(data).findings
    data.x_train[: int(100 * share)] = -low  # above

    assert [finding.about for finding in findings] == ["grids"] * found
    assert [finding.about for finding in trained(data).findings] == ["grids"] * found


def test_test_samples_outside_the_grids_are_found_where_they_make_the_error():
    data = table()
    data.x_test = np.vstack([data.x_test, [[3.0, 0.0], [0.0, -4.0]]])
    data.y_test = smooth(data.x_test)

    (finding,) = trained(data).findings

    assert finding.about == "grids"
    assert finding.what.startswith("2 of 42 test samples leave the grids, with 100%")
    assert "kr.coverage" in finding.do


@pytest.mark.parametrize(("error", "found"), [(2.0, 0), (20.0, 1)])
def test_test_samples_outside_are_found_where_the_error_is_above_that_of_training(error, found):
    data = table()
    network = trained(data).network
    data.y_train = network(data.x_train) + np.array([[1.0], [-1.0]]).repeat(30, axis=0)
    data.x_test[0] = [3.0, 0.0]
    data.y_test = network(data.x_test)
    data.y_test[0] += error

    assert len(diagnose(network, data)) == found


def with_formula(data, name, affine):
    rng = np.random.default_rng(0)
    network = kr.init_network((2, 1), n_intervals=3, degree=3, domain=data.x_train, rng=rng)
    return kr.fix_symbolic(network, 0, output=0, input=0, name=name, affine=affine)


def test_an_edge_that_is_undefined_at_test_samples_is_the_only_finding():
    data = table(lambda data: change_x(data, np.abs))
    network = with_formula(data, "log", (1.0, 0.0, 1.0, 0.0))
    data.x_test[3, 0] = -1.0

    (finding,) = kr.fit(network, data, n_steps=2).findings

    assert finding.about == "undefined"
    assert "log" in finding.what
    assert "x_test" in finding.what


def test_an_error_that_rose_on_a_finer_grid_is_found():
    data = table(f=lambda x: np.sin(5.0 * x[:, :1]) * x[:, 1:] * [1.0, 0.0])
    run = trained(data, widths=(2, 2, 2), n_steps=0)
    history = SimpleNamespace(
        train_rmse=np.array([0.3, 0.1, 0.25]), n_intervals=np.array([3, 3, 6]), penalty=np.zeros(3)
    )

    (finding,) = diagnose(run.network, data, history=history)
    precise = SimpleNamespace(train_rmse=np.array([1e-12, 1e-7]), n_intervals=np.array([3, 6]), penalty=np.zeros(2))
    assert len(diagnose(run.network, data, history=precise)) == 1
    precise.train_rmse[-1] = 1e-9  # of no importance
    assert diagnose(run.network, data, history=precise) == []
    history.train_rmse[-1] = 0.19

    assert finding.about == "schedule"
    assert "0.1" in finding.what
    assert "0.25" in finding.what
    assert diagnose(run.network, data, history=history) == []


def test_a_run_knows_its_history():
    data = table()
    network = trained(data).network

    run = kr.fit(network, data, optimizer=Adam(5.0), grids=(3, 6), n_steps=3)

    assert "schedule" in [finding.about for finding in run.findings]


def test_a_run_that_diverged_is_found_without_a_schedule_but_not_one_with_a_penalty():
    data = table()
    network = trained(data, widths=(2, 1)).network

    for penalty, found in ((None, True), (1e-3, False)):
        run = kr.fit(network, data, optimizer=Adam(50.0), n_steps=10, penalty=penalty)
        assert ("schedule" in [finding.about for finding in run.findings]) == found


@pytest.mark.parametrize(
    ("length", "size", "words"), [(1000.0, 1.0, "input 0 extends over 1e+03"), (1.0, 1e4, "of size")]
)
def test_equations_in_units_far_from_one_are_found(length, size, words):
    x = np.linspace(0.0, length, 50)[:, None]
    ends = x[[0, -1]]
    terms = [
        kr.linear_term(x, second=np.ones((1, 1)), source=np.full((50, 1), size)),
        kr.value_term(ends, size * np.ones((2, 1))),
    ]
    network = kr.init_network((1, 1), n_intervals=4, degree=3, domain=x, rng=np.random.default_rng(0))

    findings = kr.fit(network, equations=terms, n_steps=10).findings

    assert [finding.about for finding in findings] == ["equations"] * len(findings)
    assert any(words in finding.what for finding in findings)
    assert all("kr.Scales" in finding.do for finding in findings)


def test_equations_that_a_known_solution_confirms_are_no_finding():
    x = np.linspace(0.0, 1000.0, 50)[:, None]
    terms = [kr.value_term(x, np.sin(x / 300.0)), kr.linear_term(x, first=np.ones(1), source=0.0)]
    network = kr.init_network((1, 1), n_intervals=4, degree=3, domain=x, rng=np.random.default_rng(0))
    known = SimpleNamespace(x_train=x[:0], y_train=x[:0], x_test=x, y_test=network(x))

    assert diagnose(network, known, terms) == []
    known.y_test = network(x) + 0.02 * np.std(network(x))
    assert {finding.about for finding in diagnose(network, known, terms)} == {"equations"}
    known.y_test = network(x) + 0.005 * np.std(network(x))
    assert diagnose(network, known, terms) == []


@pytest.mark.parametrize(
    ("length", "order", "found"),
    [
        *[(99.0, 2, False), (101.0, 2, True), (0.11, 2, False), (0.09, 2, True)],
        *[(0.011, 1, False), (0.009, 1, True), (1e-4, 0, False), (1e4, 0, False)],
    ],
)
def test_lengths_count_by_the_order_of_derivatives(length, order, found):
    x = np.linspace(0.0, length, 50)[:, None]
    parts = [{"zeroth": 1.0}, {"first": np.ones(1)}, {"second": np.ones((1, 1))}][order]
    network = kr.init_network(
        (1, 1), n_intervals=4, degree=3, domain=x, base="zero", rng=np.random.default_rng(0)
    ).with_theta(np.r_[np.ones(7), 0.0, 1.0])

    findings = diagnose(network, equations=[kr.linear_term(x, source=0.0, **parts)])

    assert [finding.what[:7] for finding in findings] == ["input 0"] * found


def test_a_solution_that_is_zero_and_met_is_no_finding():
    x = np.linspace(0.0, 1.0, 50)[:, None]
    network = kr.init_network(
        (1, 1), n_intervals=4, degree=3, domain=x, base="zero", rng=np.random.default_rng(0)
    ).with_theta(np.zeros(9))
    known = SimpleNamespace(x_train=x[:0], y_train=x[:0], x_test=x, y_test=0.0 * x)

    assert diagnose(network, known, [kr.value_term(x, x)]) == []


@pytest.mark.parametrize(("size", "found"), [(290.0, 0), (310.0, 1), (1 / 290, 0), (1 / 310, 1)])
def test_unknowns_are_judged_by_their_root_mean_square(size, found):
    x = np.linspace(0.0, 1.0, 50)[:, None]
    network = kr.init_network((1, 1), n_intervals=4, degree=3, domain=x, base="zero", rng=np.random.default_rng(0))
    network = network.with_theta(np.r_[size * np.ones(7), 0.0, 1.0])
    known = SimpleNamespace(x_train=x[:0], y_train=x[:0], x_test=x, y_test=2.0 * network(x))

    findings = diagnose(network, equations=[kr.value_term(x, x)])

    assert [finding.about for finding in findings] == ["equations"] * found
    by_solution = diagnose(network, known, [kr.value_term(x, x)])  # its size, if it is known
    assert len(by_solution) == (not 1 / 300 <= 2.0 * size <= 300)


@pytest.mark.parametrize(("n_outside", "found"), [(25, 0), (26, 1), (50, 1)])
def test_points_of_equations_are_found_of_which_more_than_half_lie_outside_the_grids(n_outside, found):
    x = np.linspace(0.0, 1.0, 50)[:, None]
    domain = (n_outside / 50, 2.0)
    network = kr.init_network((1, 1), n_intervals=4, degree=3, domain=domain, rng=np.random.default_rng(0))

    findings = diagnose(network, equations=[kr.value_term(x, x)])

    assert [finding.about for finding in findings] == ["grids"] * found
    assert all("points of equations" in finding.what for finding in findings)


def test_classes_and_models_without_grids_have_findings_of_their_own_kind_alone():
    data = table()
    mlp = kr.init_mlp((2, 3, 1), activation="tanh", rng=np.random.default_rng(0))
    assert diagnose(mlp, data) == []
    assert diagnose(mlp) == []
    far = table(lambda data: change_y(data, lambda y: y + 1e8))
    assert [finding.about for finding in diagnose(mlp, far)] == ["units"]

    data.y_train, data.y_test = (y[:, 0] > 0 for y in (data.y_train, data.y_test))
    data.y_train, data.y_test = data.y_train.astype(int), data.y_test.astype(int)
    assert trained(data, widths=(2, 2), loss="cross_entropy").findings == []
    (finding,) = trained(data, widths=(2, 2), loss="cross_entropy", domain=(50.0, 60.0), n_steps=2).findings
    assert finding.about == "grids"


def test_logits_are_not_compared_with_answers_of_0_and_1():
    data = table(lambda data: change_y(data, lambda y: (y > 0.0) * 1.0))
    data.x_test[0] = [5.0, -5.0]

    assert trained(data, loss="logistic", n_steps=40).findings == []
