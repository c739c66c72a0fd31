"""Noisy tables: architectures, what cross-validation chooses, and that the choice is as robust as the mean of the targets."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from cases import for_all
from networks import Frame

import kan_ref as kr
from kan_ref.network import layer_inputs
from kan_ref.training import candidates
from kan_ref.training.candidates import check_standardised, initial_networks, with_frequencies
from kan_ref.training.data_goal import check_batch
from kan_ref.training.held_out import (
    Validation,
    best_constant,
    compare,
    held_out_parts,
    hold_out_classes,
    sample_losses,
    split_goal,
    strata,
)

FEW = {"n_steps": 30, "weights": (1e-2, 0.1), "n_folds": 3}


def table(f, n_inputs=2, *, n=120, noise=0.3, seed=0):
    """Standardised samples of f with noise."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.7, 1.7, (2 * n, n_inputs))
    y = f(x).reshape(2 * n, -1)
    y = (y - y.mean(axis=0)) / max(y.std(), 1e-12)
    noisy = y + noise * rng.standard_normal(y.shape)
    return kr.Data(x[:n], noisy[:n] - noisy[:n].mean(axis=0), x[n:], y[n:])


def validated(data, **changes):
    return kr.fit_validated(data, **({"rng": np.random.default_rng(0)} | FEW | changes))


@pytest.mark.long
@pytest.mark.parametrize(
    ("f", "architecture"),
    [
        (lambda x: 0.0 * x[:, 0], "constant"),
        (lambda x: x[:, 0] - x[:, 1], "linear"),
        (lambda x: np.sin(2.0 * x[:, 0]) + x[:, 1] ** 2, "additive"),
        (lambda x: x[:, 0] * x[:, 1], "hidden"),
    ],
    ids=["constant", "linear", "additive", "hidden"],
)
def test_the_simplest_sufficient_architecture_is_chosen(f, architecture):
    data = table(f, noise=0.3 if architecture != "constant" else 1.0, seed=1)

    run = validated(data)

    assert run.chosen.architecture == architecture
    assert run.chosen in run.candidates
    assert run.stopped.startswith("chosen of 7: " + architecture)


def test_the_choice_is_the_first_candidate_within_one_standard_error_of_the_best():
    run = validated(table(lambda x: x[:, 0] * x[:, 1]))

    losses = [one.validation_loss for one in run.candidates]
    best = int(np.argmin(losses))
    assert run.candidates[best].excess == 0.0
    for one in run.candidates:
        assert one.excess == pytest.approx(one.validation_loss - losses[best], abs=1e-12)
    within = [one for one in run.candidates if one.excess <= one.standard_error]
    assert run.chosen is within[0]
    names = [one.architecture for one in run.candidates]
    assert names == ["constant", *np.repeat(["linear", "additive", "hidden"], 2)]
    weights = [one.penalty_weight for one in run.candidates]
    assert weights == [np.inf, 0.1, 0.01, 0.1, 0.01, 0.1, 0.01]


def test_held_out_losses_of_lines_are_those_of_the_folds():
    data = table(lambda x: x[:, 0])
    rng = np.random.default_rng(0)
    one = validated(data, hidden=(), weights=(1e-2,), rng=rng)

    # the same networks and folds again, by hand
    rng = np.random.default_rng(0)
    shape = {"n_out": 1, "hidden": (), "n_intervals": 3, "degree": 3}
    losses = []
    for part in held_out_parts(np.zeros(120, dtype=int), 3, rng):
        kept = np.delete(np.arange(120), part)
        y = data.y_train + data.y_train.mean(axis=0) - data.y_train[kept].mean(axis=0)
        inside = kr.Data(data.x_train[kept], y[kept], data.x_train, y)
        line = initial_networks(inside.x_train, **shape, rng=np.random.default_rng(0))["linear"]
        run = kr.fit(
            line, inside, optimizer="lbfgs", n_steps=30, penalty_weight=1e-2, entropy_weight=0.0
        )
        losses.append((run.network(data.x_train[part]) - y[part]) ** 2)
    assert one.candidates[1].validation_loss == pytest.approx(
        np.concatenate(losses).mean(), rel=1e-2
    )


def test_a_network_that_a_penalty_shrinks_to_zero_predicts_held_out_noise_no_better_than_the_mean():
    y = np.random.default_rng(2).standard_normal((40, 2))
    x = np.random.default_rng(3).standard_normal((40, 2))
    y = (y - y.mean(axis=0)) / y.std(axis=0)
    run = validated(kr.Data(x, y, x, y), hidden=(), weights=(30.0,), n_folds=5)

    constant, line, _ = run.candidates

    assert line.validation_loss == pytest.approx(constant.validation_loss, rel=1e-3)
    assert constant.validation_loss > 1.02  # 0 without training has a mean square of exactly 1
    assert run.chosen is constant


def test_test_data_are_only_reported_and_the_same_seed_gives_the_same_network():
    data = table(lambda x: x[:, 0])
    other = kr.Data(data.x_train, data.y_train, data.x_test[:3], 100.0 + data.y_test[:3])

    first, second = validated(data), validated(other)

    np.testing.assert_array_equal(first.network.theta, second.network.theta)
    assert first.candidates == second.candidates
    assert second.history.test_rmse[-1] > 90.0 > first.history.test_rmse[-1]


def pure_noise(n, seed):
    """Standardised noise without any dependence, and new noise to predict."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, 3)), rng.standard_normal((n, 1))
    if n > 1:
        x, y = ((a - a.mean(axis=0)) / a.std(axis=0) for a in (x, y))
    new = rng.standard_normal((500, 3)), rng.standard_normal((500, 1))
    return kr.Data(x.clip(-1.0, 1.0) if n == 1 else x, y, *new)


@pytest.mark.long
@pytest.mark.parametrize("n", [7, 16])
def test_with_few_noisy_samples_the_median_error_stays_near_that_of_the_mean(n):
    """One draw in twelve at 7 samples, one in thirty at 16, has an error above 1.3: a line that fits the noise by chance."""
    runs = [validated(pure_noise(n, seed), n_folds=None) for seed in range(9)]

    errors = [run.history.test_rmse[-1] for run in runs]
    assert np.median(errors) < 1.05
    assert max(errors) < 2.0
    tried = {one.architecture for run in runs for one in run.candidates}
    assert n > 7 or tried <= {"constant", "linear"}


@pytest.mark.parametrize(
    ("n", "richest"), [(8, "linear"), (9, "additive"), (26, "additive"), (27, "hidden")]
)
def test_an_architecture_is_compared_where_each_fold_has_as_many_samples_as_coefficients(
    n, richest
):
    """6 for a spline with 3 intervals of degree 3, 18 for a sum of three; each fold trains on about 2 n / 3."""
    run = validated(pure_noise(n, 0), n_steps=1, weights=(0.1,))

    assert run.candidates[-1].architecture == richest


@pytest.mark.parametrize(
    ("n", "expected"),
    [(99, [1.0, 0.1, 0.01, 0.001]), (100, [1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001])],
)
def test_fewer_than_a_hundred_samples_have_every_other_weight(n, expected):
    run = validated(pure_noise(n, 0), n_steps=1, weights=None, hidden=(), n_folds=2)

    weights = [one.penalty_weight for one in run.candidates if one.architecture == "linear"]
    assert weights == expected


@pytest.mark.parametrize("n", [1, 4])
def test_fewer_than_five_samples_have_the_constant(n):
    data = pure_noise(n, 0)

    run = validated(data)

    np.testing.assert_allclose(run.network(2.0 * data.x_test), data.y_train.mean(), atol=1e-14)
    assert run.stopped == (
        "the constant, because fewer than 5 training samples cannot be compared; 0 steps are done"
    )


@pytest.mark.long
@pytest.mark.parametrize(
    "change",
    [
        lambda x, y: (np.column_stack([x, np.zeros(len(x))]), y),  # a constant column
        lambda x, y: (x[:, :1], y),  # one input
        lambda x, y: (x[np.arange(len(x)) // 2], y[np.arange(len(y)) // 2]),  # duplicates
        lambda x, y: (x, 0.0 * y),  # constant targets
        lambda x, y: (x, np.where(np.arange(len(y))[:, None] == 5, 8.0, y)),  # an outlier
        lambda x, y: (np.where(np.arange(len(x))[:, None] == 5, 8.0, x), y),  # one in x
        lambda x, y: (x, np.column_stack([y, -y])),  # two outputs
    ],
    ids=[
        "constant column",
        "one input",
        "duplicates",
        "constant y",
        "y far",
        "x far",
        "two outputs",
    ],
)
def test_unusual_tables_give_finite_predictions(change):
    data = table(lambda x: np.sin(2.0 * x[:, 0]), n=40)
    x, y = change(data.x_train, data.y_train)

    run = validated(kr.Data(x, y, x, y), n_steps=10)

    assert np.isfinite(run.predict(3.0 * x)).all()
    assert run.history.test_rmse[-1] < 1.2 * y.std() + 1e-6


@pytest.mark.parametrize(
    "labels",
    [np.repeat([0, 1, 2], 3), np.repeat([0, 1], [30, 1]), np.repeat([0, 1], 20), np.zeros(9, int)],
    ids=["three each", "one of a class", "separable", "one class"],
)
def test_few_and_separable_classes_give_finite_logits(labels):
    x = np.column_stack([labels + 0.01 * np.arange(len(labels)), np.cos(np.arange(len(labels)))])
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    data = kr.Data(x, labels, x, labels)

    run = validated(data, loss="cross_entropy", n_steps=10)

    assert np.isfinite(run.network(3.0 * x)).all()
    assert run.network.widths[-1] == labels.max() + 1
    if len(labels) == 40:
        assert run.history.test_accuracy[-1] == 1.0


def test_yes_no_answers_have_the_logistic_loss():
    data = table(lambda x: x[:, 0] * x[:, 1], n=150, noise=0.0)
    answers = [(one > 0.0).astype(float) for one in (data.y_train, data.y_test)]

    run = validated(kr.Data(data.x_train, answers[0], data.x_test, answers[1]), loss="logistic")

    assert run.chosen.architecture == "hidden"
    assert run.history.test_accuracy[-1] > 0.85


def classes_of_unequal_frequencies(n=300):
    """Labels of 52, 39 and 9 %: 0 and 2 depend on one input each."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.7, 1.7, (n, 2))
    logits = np.log([0.55, 0.39, 0.06]) + np.column_stack([x[:, 0], np.zeros(n), x[:, 1]])
    labels = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return kr.Data(x, labels, x, labels)


def rare_answers():
    data = classes_of_unequal_frequencies()
    answers = (data.y_train == 2).astype(float)[:, None]
    return kr.Data(data.x_train, answers, data.x_test, answers)


@pytest.mark.parametrize("hidden", [(), (3,)], ids=["sums of curves", "hidden"])
@pytest.mark.parametrize(
    ("loss", "data"),
    [("cross_entropy", classes_of_unequal_frequencies()), ("logistic", rare_answers())],
    ids=["three classes", "answers"],
)
def test_a_penalty_leaves_the_mean_probability_of_each_class_at_its_frequency(loss, data, hidden):
    run = validated(data, loss=loss, weights=(1e-2,), n_folds=2, hidden=hidden)

    assert run.chosen.architecture != "constant"
    goal = check_batch(run.network, data.x_train, data.y_train, loss=loss)
    probabilities = kr.predict_proba(run.network, data.x_train, loss=loss)
    frequencies = goal.targets.mean(axis=0)
    np.testing.assert_allclose(probabilities.mean(axis=0), frequencies, atol=1e-10)
    value, _ = goal.loss.value_and_grad(run.network(data.x_train), goal.targets)
    history = run.history
    assert history.train_loss[-1] == pytest.approx(value, rel=1e-12)
    assert history.test_loss[run.entry] == pytest.approx(value, rel=1e-12)
    assert history.train_loss[-1] < history.train_loss[-2]
    assert history.step[-1] == history.step[-2]
    assert history.seconds[-1] > history.seconds[-2]


@pytest.mark.parametrize("name", ["linear", "additive", "hidden"])
@pytest.mark.parametrize("loss", ["mse", "cross_entropy", "logistic"])
def test_only_logits_are_shifted_and_the_constants_have_the_smallest_loss(name, loss):
    data = classes_of_unequal_frequencies()
    labels = data.y_train if loss == "cross_entropy" else np.eye(3)[data.y_train]
    shape = {"n_intervals": 3, "degree": 3, "rng": np.random.default_rng(0)}
    network = initial_networks(data.x_train, 3, (4,), **shape)[name]
    goal = check_batch(network, data.x_train, labels, loss=loss)

    shifted = with_frequencies(network, goal)

    shift = shifted(goal.x) - network(goal.x)
    np.testing.assert_allclose(shift, np.tile(shift[0], (len(shift), 1)), atol=1e-13)
    if loss == "mse":
        assert shifted is network
        return
    least, _ = goal.loss.value_and_grad(shifted(goal.x), goal.targets)
    for change in 0.01 * np.vstack([np.eye(3), -np.eye(3)]):
        assert goal.loss.value_and_grad(shifted(goal.x) + change, goal.targets)[0] > least


@pytest.mark.parametrize("loss", ["cross_entropy", "logistic"])
def test_a_class_without_samples_counts_as_half_a_sample(loss):
    """Three outputs, labels 0 and 2 alone, five samples of each."""
    x, labels = np.linspace(-1.0, 1.0, 10)[:, None], np.repeat([0, 2], 5)
    network = initial_networks(x, 3, (), n_intervals=2, degree=1, rng=np.random.default_rng(0))[
        "additive"
    ]
    targets = labels if loss == "cross_entropy" else np.eye(3)[labels]

    shifted = with_frequencies(network, check_batch(network, x, targets, loss=loss))

    counts, total = np.array([5.0, 0.5, 5.0]), {"cross_entropy": 10.5, "logistic": 10.0}
    means = kr.predict_proba(shifted, x, loss=loss).mean(axis=0)
    np.testing.assert_allclose(means, counts / total[loss], atol=1e-10)


def test_lines_that_a_penalty_shrinks_to_zero_predict_held_out_classes_as_the_constant_does():
    """One half for each answer has a loss of 0.69; the frequencies have 0.31."""
    run = validated(rare_answers(), loss="logistic", hidden=(), weights=(30.0,))

    constant, line, _ = run.candidates

    assert constant.validation_loss < 0.4
    assert line.validation_loss == pytest.approx(constant.validation_loss, rel=1e-2)


def test_predictions_are_constant_beyond_the_training_inputs_and_errors_are_of_them():
    data = table(lambda x: np.sin(2.0 * x[:, 0]), n=60)
    far = kr.Data(data.x_train, data.y_train, 3.0 * data.x_test, data.y_test)

    run = validated(far)

    ends = np.stack([data.x_train.min(axis=0), data.x_train.max(axis=0)], axis=1)
    np.testing.assert_array_equal(run.domain, ends)
    np.testing.assert_allclose(run.predict(100.0 * ends.T), run.network(ends.T), rtol=1e-14)
    error = np.sqrt(np.mean((run.predict(far.x_test) - far.y_test) ** 2))
    assert run.history.test_rmse[-1] == pytest.approx(error, rel=1e-12)
    with pytest.raises(ValueError, match="x has shape"):
        run.predict(data.x_train[:, :1])


def test_a_table_with_its_columns_in_another_order_gets_no_predictions():
    data = table(lambda x: x[:, 0], n=8)
    data = kr.Data(data.x_train, data.y_train, data.x_test, data.y_test, ("age", "size"))

    run = validated(data, n_steps=1, weights=(0.1,), hidden=())

    same = run.predict(Frame.of(["age", "size"], data.x_test))
    np.testing.assert_array_equal(same, run.predict(data.x_test))
    with pytest.raises(ValueError, match=r"^x has the columns .*"):
        run.predict(Frame.of(["size", "age"], data.x_test[:, ::-1]))


def test_above_a_thousand_samples_a_fifth_is_held_out_once(monkeypatch):
    data = table(lambda x: x[:, 0], n=1100)
    fits = []
    real = candidates.fit
    monkeypatch.setattr(
        candidates,
        "fit",
        lambda net, data, **o: fits.append(len(data.x_train)) or real(net, data, **o),
    )

    validated(data, n_folds=None, hidden=(), weights=(0.1,), n_steps=2)

    assert fits == [880, 880, 1100]


def test_the_penalty_grows_from_fit_to_fit_and_each_begins_with_the_last(monkeypatch):
    data = table(lambda x: x[:, 0] * x[:, 1], n=40)
    begun, ended, weights = [], [], []
    real = candidates.fit

    def spy(network, data, **options):
        run = real(network, data, **options)
        begun.append(network.theta)
        ended.append(run.network.theta)
        weights.append(options.get("penalty_weight"))
        return run

    monkeypatch.setattr(candidates, "fit", spy)
    validated(data, n_folds=2, weights=(0.01, 0.03, 0.1), n_steps=2)

    for place in range(0, 18, 3):  # 2 folds of 3 architectures
        assert weights[place : place + 3] == [0.01, 0.03, 0.1]
        np.testing.assert_array_equal(begun[place + 1], ended[place])
        np.testing.assert_array_equal(begun[place + 2], ended[place + 1])
    np.testing.assert_array_equal(begun[0], begun[9])  # the same initial network in both folds


def test_the_first_weight_has_all_steps_and_each_other_one_half_of_them_rounded_up(monkeypatch):
    data = table(lambda x: x[:, 0], n=20)
    steps = []
    real = candidates.fit
    monkeypatch.setattr(
        candidates,
        "fit",
        lambda net, data, **o: steps.append(o["n_steps"]) or real(net, data, **o),
    )

    validated(data, n_folds=2, hidden=(), weights=(0.01, 0.03, 0.1), n_steps=5)

    assert steps[:6] == [5, 3, 3] * 2  # the lines, then the sums of curves


@pytest.mark.parametrize(("fall", "ends"), [(0.9e-3, True), (1.1e-3, False)])
def test_a_fit_ends_when_ten_steps_have_lowered_the_objective_by_less_than_a_thousandth(fall, ends):
    """The objective is loss and penalty, of which the penalty alone falls here."""
    settled = candidates.Settled()
    values = 1e4 * np.append([9.0, 5.0], np.linspace(1.0 + fall, 1.0, 11))

    ended = [settled(SimpleNamespace(train_loss=5e3, penalty=one - 5e3)) for one in values]

    assert ended == [False] * 12 + [ends]


def test_a_fit_ends_where_the_objective_stays_zero():
    settled = candidates.Settled()

    ended = [settled(SimpleNamespace(train_loss=0.0, penalty=0.0)) for _ in range(11)]

    assert ended == [False] * 10 + [True]


def test_an_interruption_of_the_comparison_is_passed_on(monkeypatch):
    data = table(lambda x: x[:, 0], n=20)
    real = candidates.fit
    monkeypatch.setattr(
        candidates, "fit", lambda net, data, **o: replace(real(net, data, **o), interrupted=True)
    )

    with pytest.raises(KeyboardInterrupt):
        validated(data)


def test_an_interruption_of_the_last_fit_ends_the_run_and_the_weight_is_reported(monkeypatch):
    data = table(lambda x: x[:, 0] - x[:, 1], n=20, noise=0.9)
    real = candidates.fit
    monkeypatch.setattr(
        candidates,
        "fit",
        lambda net, data, **o: replace(
            real(net, data, **o), interrupted=len(data.x_train) == 20, stopped="interrupted"
        ),
    )

    run = validated(data, hidden=(), weights=(0.01, 0.03), n_folds=2)

    assert run.interrupted
    assert run.chosen.penalty_weight == 0.03
    assert run.stopped == f"chosen of 5: {run.chosen}; interrupted; its penalty_weight is 0.01"


@for_all(
    ("options", "error", "sentence"),
    [
        ({"weights": (0.1, 0.01)}, ValueError, "must be strictly increasing numbers above 0"),
        ({"weights": (0.0, 0.1)}, ValueError, "must be strictly increasing numbers above 0"),
        ({"weights": (-1.0, 0.1)}, ValueError, "must be strictly increasing numbers above 0"),
        ({"weights": ()}, ValueError, "at least one"),
        ({"weights": 0.1}, TypeError, "must be a sequence of numbers"),
        ({"n_folds": 1}, ValueError, "n_folds is 1, but must be at least 2"),
        (
            {"n_folds": 21},
            ValueError,
            "n_folds is 21, but there are 20 training.*: give at most 20",
        ),
        ({"n_steps": 0}, ValueError, "n_steps is 0, but must be at least 1"),
        ({"loss": "mae"}, ValueError, "loss is 'mae'"),
        ({"hidden": (0,)}, ValueError, r"hidden\[0\] is 0, but must be at least 1"),
        ({"hidden": 5}, TypeError, "hidden is 5, but must be a sequence"),
        ({"hidden": "5"}, TypeError, "hidden is '5', but must be a sequence"),
        ({"rng": 0}, TypeError, "rng is 0"),
    ],
)
def test_settings_of_the_choice_are_checked(options, error, sentence):
    with pytest.raises(error, match=sentence):
        validated(table(lambda x: x[:, 0], n=20), **options)


def test_the_note_on_outliers_has_a_remedy_that_a_validated_fit_allows():
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (150, 2))
    y = np.sin(3.0 * x[:, 1:])
    x[7, 1] = 100.0
    remedy = (
        "or clip or transform the input, whose numbers here are standard deviations from its mean"
    )

    for names, shown in ((None, "1"), (("age", "size"), "'size'")):
        data = kr.scaled(kr.Data(x, y, x[:0], y[:0], names))[0]
        run = validated(data, hidden=np.array([2]), weights=(1e-3,), n_steps=5)
        assert run.chosen.architecture == "additive"
        assert f"; input {shown} varies by" in run.stopped
        assert run.stopped.endswith(remedy)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda x, y: (x + 3.0, y), "x_train has mean .* in column 0, but the weights"),
        (lambda x, y: (0.1 * x, y), "x_train has mean .* and standard deviation 0.0"),
        (lambda x, y: (x, 30.0 * y), "y_train has mean .* Subtract the mean"),
    ],
)
def test_columns_that_are_not_standardised_are_reported_with_the_remedy(change, sentence):
    data = table(lambda x: x[:, 0], n=20)
    x, y = change(data.x_train, data.y_train)

    with pytest.raises(ValueError, match=sentence):
        validated(kr.Data(x, y, x, y))


# --- its parts


@pytest.mark.parametrize(
    ("loss", "y_train", "y_test", "sentence"),
    [
        (
            "cross_entropy",
            [0, 1] * 10,
            [0, 3, 2],
            r"^y_test is 3 at position 1, but y_train has no sample of class 3: "
            "leave such samples out of the test data, or move some into the training data$",
        ),
        (
            "cross_entropy",
            [0, 1] * 10,
            [0, 1, -1],
            "^y_test is -1 at position 2, but 2 outputs have labels 0 to 1",
        ),
        (
            "logistic",
            [[0.0], [1.0]] * 10,
            [[0.0], [0.5], [1.0]],
            "^y_test is 0.5 at row 1, column 0, but every answer must be 0 or 1$",
        ),
    ],
)
def test_test_data_that_cannot_be_judged_are_reported_before_any_fit(
    loss, y_train, y_test, sentence, monkeypatch
):
    monkeypatch.setattr(candidates, "fit", lambda *_, **__: pytest.fail("a network is trained"))
    x = np.linspace(-1.7, 1.7, 20)[:, None]

    with pytest.raises(ValueError, match=sentence):
        validated(kr.Data(x, y_train, x[:3], y_test), loss=loss)


def test_paired_differences_have_their_mean_and_standard_error():
    found = compare(np.array([1.0, 3.0, 2.0, 6.0]), np.array([1.0, 1.0, 1.0, 1.0]))

    assert found.excess == 2.0
    assert found.standard_error == pytest.approx(np.sqrt(14.0 / 3.0) / 2.0)  # 0, 2, 1, 5 about 2
    assert found.as_good is (found.excess <= found.standard_error)
    assert compare(np.array([1.0]), np.array([1.0])).as_good
    assert not compare(np.array([1.1]), np.array([1.0])).as_good
    assert not compare(np.array([np.inf, 0.0]), np.array([1.0, 1.0])).as_good


def test_candidates_show_plain_numbers():
    found = compare(np.array([1.0, 3.0, 2.0, 6.0]), np.ones(4))

    assert type(found.excess) is type(found.standard_error) is float
    assert "np." not in repr(found)


def goal_of(loss, targets):
    network = kr.init_network(
        (1, 3), n_intervals=2, degree=1, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    return check_batch(network, np.linspace(-1.0, 1.0, len(targets))[:, None], targets, loss=loss)


GOALS = [
    goal_of("mse", np.random.default_rng(0).standard_normal((12, 3))),
    goal_of("cross_entropy", np.repeat([0, 1, 2], [6, 4, 2])),
    goal_of("logistic", np.random.default_rng(1).integers(0, 2, (12, 3)).astype(float)),
]


@pytest.mark.parametrize("goal", GOALS, ids=["mse", "cross_entropy", "logistic"])
def test_the_losses_of_the_samples_have_the_loss_as_their_mean(goal):
    prediction = np.random.default_rng(2).standard_normal((12, 3))

    losses = sample_losses(goal, prediction)

    assert losses.shape == (12,)
    value = goal.loss.value_and_grad(prediction, goal.targets)[0]
    assert losses.mean() == pytest.approx(value, rel=1e-14)
    prediction[3] = np.nan
    assert sample_losses(goal, prediction)[3] == np.inf


@pytest.mark.parametrize("goal", GOALS, ids=["mse", "cross_entropy", "logistic"])
def test_no_other_constant_has_a_smaller_loss(goal):
    constant = best_constant(goal)
    pseudo = 0.0 if goal.loss.name == "mse" else 0.5  # half a sample of each answer is added

    def loss(z):
        prediction = np.tile(z, (len(goal.targets), 1))
        total = goal.loss.value_and_grad(prediction, goal.targets)[0] * len(goal.targets)
        for answer in np.eye(3) if goal.loss.name == "cross_entropy" else (np.zeros(3), np.ones(3)):
            total += pseudo * goal.loss.value_and_grad(z[None, :], answer[None, :])[0]
        return total

    for step in 0.01 * np.random.default_rng(3).standard_normal((20, 3)):
        assert loss(constant) <= loss(constant + step)


def test_folds_hold_out_each_sample_once_and_keep_the_shares_of_the_classes():
    groups = np.repeat([0, 1, 2], [50, 25, 7])

    parts = list(held_out_parts(groups, 5, np.random.default_rng(0)))

    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(82))
    for part in parts:
        assert (np.abs(np.bincount(groups[part], minlength=3) - [10.0, 5.0, 1.4]) <= 1.0).all()


@pytest.mark.parametrize(
    ("loss", "targets", "n_strata"),
    [
        ("mse", [[1.0], [2.0], [1.0]], 1),
        ("cross_entropy", [2, 0, 2], 2),
        ("logistic", [[1.0], [0.0], [1.0]], 2),
        ("logistic", [[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]], 1),
    ],
)
def test_strata_are_classes_and_single_answers(loss, targets, n_strata):
    widths = (1, 3 if loss == "cross_entropy" else np.shape(targets)[1])
    network = kr.init_network(
        widths, n_intervals=2, degree=1, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )

    groups = strata(check_batch(network, [[-1.0], [0.0], [1.0]], np.array(targets), loss=loss))

    assert groups[0] == groups[2]
    assert len(set(groups.tolist())) == n_strata


def test_folds_are_drawn_by_rng_and_without_one_are_always_the_same():
    def folds(rng):
        return [part.tolist() for part in held_out_parts(np.zeros(30, dtype=int), 3, rng)]

    first, again, other = (folds(np.random.default_rng(seed)) for seed in (0, 0, 1))

    assert first == again != other
    assert folds(None) == folds(None) != first


# --- early stopping


def noisy(n=60, seed=0):
    """Few noisy samples of two inputs, which a fine grid overfits."""
    return table(lambda x: np.sin(2.0 * x[:, 0]) + x[:, 1] ** 2, n=n, noise=0.5, seed=seed)


def network_for(data, widths=(2, 5, 1), n_intervals=3):
    rng = np.random.default_rng(0)
    return kr.init_network(
        widths, n_intervals=n_intervals, degree=3, domain=(-2.0, 2.0), x=data.x_train, rng=rng
    )


def watched(data, network=None, **changes):
    options = {"n_steps": 40, "validation_share": 0.25, "rng": np.random.default_rng(0)}
    return kr.fit(network_for(data) if network is None else network, data, **(options | changes))


@pytest.mark.parametrize("optimizer", ["lm", "lbfgs", "adam"])
def test_the_network_with_the_smallest_held_out_loss_is_returned(optimizer):
    data = noisy()
    shown = []

    run = watched(data, optimizer=optimizer, callback=lambda step: shown.append(step) and None)

    place = int(np.argmin(run.history.validation_loss))
    np.testing.assert_array_equal(run.network.theta, shown[place].network.theta)
    assert f"the network is that of step {run.history.step[place]}," in run.stopped
    error = run.history.validation_rmse[place]
    assert f"with the smallest held-out loss: rmse {error:.3g} on 15 samples" in run.stopped


def test_held_out_losses_are_those_of_samples_that_training_does_not_see():
    data = noisy(n=40)
    seen = []
    train, held_out = split_goal(
        check_batch(network_for(data), data.x_train, data.y_train), 0.25, np.random.default_rng(0)
    )
    changed = data.y_train.copy()
    changed[np.isin(data.x_train[:, 0], held_out.x[:, 0])] += 7.0

    run = watched(data, callback=lambda step: seen.append(step.network) and None)
    other = watched(kr.Data(data.x_train, changed, data.x_test, data.y_test))

    assert len(train.x) == 30
    for entry, network in enumerate(seen):
        error = np.sqrt(np.mean((network(held_out.x) - held_out.targets) ** 2))
        assert run.history.validation_rmse[entry] == pytest.approx(error, rel=1e-12)
    np.testing.assert_array_equal(run.history.train_rmse, other.history.train_rmse)
    assert other.history.validation_rmse[0] > run.history.validation_rmse[0]


def test_overfitting_is_stopped():
    data = noisy()

    run, blind = watched(data, n_steps=100), kr.fit(network_for(data), data)

    error = np.sqrt(np.mean((run.network(data.x_test) - data.y_test) ** 2))
    assert blind.history.test_rmse[-1] > 2.0 * error


@pytest.mark.parametrize(
    ("patience", "steps"), [(1, "1 step"), (2, "2 steps in a row"), (4, "4 steps in a row")]
)
def test_patience_counts_steps_without_a_smaller_held_out_loss(patience, steps):
    run = watched(noisy(), patience=patience)

    best = int(np.argmin(run.history.validation_loss))
    assert run.history.step[-1] == run.history.step[best] + patience < 40
    assert run.stopped.startswith(f"no smaller held-out loss in {steps} (patience)")


def test_a_network_whose_held_out_loss_is_beyond_float64_is_better_than_none():
    x = np.linspace(-1.0, 1.0, 10)[:, None]
    network = network_for(kr.Data(x, x, x, x), (1, 1))
    watch = Validation(check_batch(network, x, np.full(x.shape, 1e200)), patience=3)
    watch.enter_grid(network)

    with np.errstate(over="ignore"):
        watch.judge(network, 0)

    assert watch.best is network
    assert watch.idle == ""


def test_held_out_samples_evaluated_by_chunks_stay_unprepared():
    data = noisy()
    network = network_for(data)
    goal = check_batch(network, data.x_train, data.y_train)
    whole, chunks = Validation(goal, patience=None), Validation(goal, patience=None)

    whole.enter_grid(network)
    chunks.enter_grid(network, by_chunks=True)

    assert whole.goal.inputs is not None
    assert chunks.goal.inputs is None
    np.testing.assert_allclose(chunks.judge(network, 0)[:2], whole.judge(network, 0)[:2])


def test_the_network_at_the_start_of_a_grid_is_not_a_step_of_patience():
    network = kr.init_network(
        (1, 1), n_intervals=3, degree=3, domain=(-1, 1), rng=np.random.default_rng(0)
    )
    x = np.linspace(-1.0, 1.0, 9)[:, None]
    watch = Validation(check_batch(network, x, np.zeros(x.shape)), patience=2)
    watch.judge(network, 0)

    watch.enter_grid(network, by_chunks=True)  # to the bit as before
    idle = []
    for step in range(3):  # the same network: its loss is no smaller than the first one
        watch.judge(network, step)
        idle.append(bool(watch.idle))

    assert idle == [False, False, True]


def test_patience_ends_a_grid_and_the_next_one_counts_anew():
    run = watched(noisy(), patience=3, grids=(3, 6, 12))

    history = run.history
    for n_intervals in np.unique(history.n_intervals):
        inside = history.n_intervals == n_intervals
        before = history.validation_loss[history.n_intervals < n_intervals]
        least = np.minimum.accumulate(np.append(before, history.validation_loss[inside]))
        fell = np.append(np.inf, least[len(before) - 1 if len(before) else 0 :])
        assert (np.diff(fell)[-3:] == 0.0).all()
    assert run.network.n_intervals == history.n_intervals[int(np.argmin(history.validation_loss))]


def test_a_grid_that_brings_no_smaller_loss_ends_a_run_with_patience():
    data = noisy(n=30)
    run = watched(data, network_for(data), patience=2, grids=(3, 6, 12, 24, 48))

    assert run.history.n_intervals[-1] < 48
    assert "patience" in run.stopped


def test_each_grid_begins_with_the_best_network_so_far():
    data = noisy()
    one_layer = network_for(data, (2, 1), n_intervals=8)  # its refinement keeps the function
    run = watched(data, one_layer, grids=(8, 16))

    history = run.history
    first_of_second = int(np.flatnonzero(history.n_intervals == 16)[0])
    least = history.validation_loss[:first_of_second].min()
    assert history.validation_loss[first_of_second] == pytest.approx(least, rel=1e-9)
    assert history.validation_loss[first_of_second - 1] > 1.01 * least


def test_without_a_share_nothing_is_held_out_and_nothing_changes():
    data = noisy()

    run, plain = watched(data, validation_share=0.0), kr.fit(network_for(data), data, n_steps=40)

    np.testing.assert_array_equal(run.network.theta, plain.network.theta)
    assert np.isnan(run.history.validation_rmse).all()
    assert np.isnan(run.history.validation_loss).all()


def test_classes_keep_their_shares_and_a_single_sample_is_trained_on():
    labels = np.repeat([0, 1, 2], [20, 8, 1])
    goal = check_batch(
        kr.init_network(
            (1, 3), n_intervals=2, degree=1, domain=(0.0, 29.0), rng=np.random.default_rng(0)
        ),
        np.arange(29.0)[:, None],
        labels,
        loss="cross_entropy",
    )

    for rng in (None, np.random.default_rng(3)):
        train, held_out = split_goal(goal, 0.25, rng)
        assert held_out.targets.sum(axis=0).tolist() == [5.0, 2.0, 0.0]
        assert len(train.x) + len(held_out.x) == 29


@pytest.mark.parametrize(("n", "held_out"), [(10, 2), (4, 0)])
def test_classes_of_too_few_samples_are_judged_on_all_of_them(n, held_out):
    x, labels = np.arange(float(n))[:, None], np.arange(n) % 2
    data = kr.Data(x, labels, x + 0.5, labels)

    part = hold_out_classes(data, "cross_entropy", 0.2)

    assert len(part.x_train) == n - held_out
    judged = np.setdiff1d(x, part.x_train) if held_out else x[:, 0]
    np.testing.assert_array_equal(part.x_test[:, 0], judged)
    np.testing.assert_array_equal(part.y_test, labels[part.x_test[:, 0].astype(int)])


def test_without_rng_no_column_of_a_rectangular_grid_is_held_out_whole():
    x = np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), axis=2).reshape(-1, 2)
    network = network_for(kr.Data(x, x[:, :1], x, x[:, :1]), (2, 1))

    train, held_out = split_goal(check_batch(network, x, x[:, :1]), 0.2, None)

    assert len(held_out.x) == 80
    for column in (0, 1):
        assert np.bincount(train.x[:, column].astype(int)).min() >= 12


def test_class_losses_choose_by_the_loss_and_batches_see_the_rest_alone():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (80, 2))
    labels = (x[:, 0] * x[:, 1] + 0.2 * rng.standard_normal(80) > 0.0).astype(int)
    network = kr.init_network((2, 3, 2), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    data = kr.Data(x, labels, x, labels)

    run = watched(
        data,
        network,
        loss="cross_entropy",
        optimizer="adam",
        batch_size=8,
        patience=30,
        n_steps=200,
    )

    best = int(np.argmin(run.history.validation_loss))
    value = run.history.validation_loss[best]
    assert f"{value:.3g} on 20 samples" in run.stopped
    assert 0.0 <= run.history.validation_accuracy[best] <= 1.0
    assert f"validation_rmse {run.history.validation_rmse[best]:.2e}" in repr(run)


def test_an_interrupted_run_returns_the_network_with_the_smallest_held_out_loss():
    def interrupt(step):
        if step.step == 30:
            raise KeyboardInterrupt

    run = watched(noisy(), callback=interrupt)
    full = watched(noisy(), n_steps=30)

    assert run.interrupted
    np.testing.assert_array_equal(run.network.theta, full.network.theta)
    assert "with the smallest held-out loss" in run.stopped


def test_undefined_held_out_losses_are_counted_and_the_first_sample_is_named():
    """The argument of log(x + b) at x = 0.1 is negative for b below -0.1."""
    x = np.linspace(0.1, 1.0, 10)[:, None]
    network = network_for(kr.Data(x, x, x, x), (1, 1))
    edge = {"output": 0, "input": 0, "name": "log"}
    logarithms = [
        kr.fix_symbolic(network, 0, **edge, affine=(1.0, b, 1.0, 0.0)) for b in (0, -0.2, -0.3, 0)
    ]
    watch = Validation(check_batch(network, x[:4], x[:4]), patience=None, x_train=x)
    watch.enter_grid(logarithms[0])

    with np.errstate(all="ignore"):
        for step, logarithm in enumerate(logarithms):
            watch.judge(logarithm, step)

    assert "the network is that of step" in watch.note()
    assert watch.note().endswith(
        "on 4 samples; held-out losses that are nan: 2 of 4, that of step 1 because x_train[0] "
        "gives log on the edge from input 0 to output 0 of layer 0 the argument -0.1, where it "
        "has no finite value"
    )


@pytest.mark.parametrize(
    ("n", "sentence"),
    [
        (1, "of 1 training sample it must hold out at least one: give more samples"),
        (
            3,
            "of 3 training samples it must hold out at least one: give a larger share, at most 0.5, or more samples",
        ),
    ],
)
def test_a_larger_share_is_advised_only_where_it_holds_out_a_sample(n, sentence):
    x = np.linspace(0.1, 1.0, n)[:, None]
    data = kr.Data(x, x, x, x)

    with pytest.raises(ValueError, match=f"{sentence}$"):
        watched(data, network_for(data, (1, 1)), validation_share=0.5 if n == 1 else 0.2)


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"validation_share": 0.6}, ValueError, "validation_share is 0.6"),
        ({"validation_share": "most"}, TypeError, "validation_share is 'most'"),
        ({"validation_share": 0.01}, ValueError, "of 60 training samples it must hold out"),
        ({"patience": 0}, ValueError, "patience is 0, but must be at least 1"),
        (
            {"patience": 5, "validation_share": 0.0},
            ValueError,
            "patience is 5, but without held-out samples .* give validation_share=0.2 too",
        ),
        ({"rng": 3}, TypeError, "rng is 3"),
    ],
)
def test_settings_of_early_stopping_are_checked(options, error, sentence):
    with pytest.raises(error, match=sentence):
        watched(noisy(), **options)


def test_a_problem_of_differential_equations_has_no_samples_to_hold_out():
    x = np.linspace(-1.0, 1.0, 9)[:, None]
    problem = kr.residual_problem([kr.value_term(x, 0.0)])
    network = kr.init_network(
        (1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )

    with pytest.raises(ValueError, match="leave it at 0"):
        kr.fit(network, problem=problem, validation_share=0.2)


def test_hidden_grids_cover_the_activations_of_the_samples_and_little_else():
    """Equal columns fill a line of the domain alone, so random points of the domain have wider activations."""
    x = np.random.default_rng(1).normal(size=(200, 1)) * np.ones((1, 2))

    network = initial_networks(x, 1, (4,), n_intervals=3, degree=3, rng=np.random.default_rng(0))[
        "hidden"
    ]

    activations = list(layer_inputs(network.layers, x))[1]
    ends = network.layers[1].breakpoints[:, [0, -1]]
    low, high = activations.min(axis=0), activations.max(axis=0)
    assert (ends[:, 0] <= low).all()
    assert (high <= ends[:, 1]).all()
    assert (high - low > 0.5 * np.ptp(ends, axis=1)).all()


@pytest.mark.parametrize("name", ["x_train", "y_train"])
@pytest.mark.parametrize("column", [0, 1, 2])
def test_the_column_that_is_not_standardised_is_named(name, column):
    even = np.linspace(-1.5, 1.5, 20)[:, None] * np.ones((1, 3))
    arrays = {"x_train": even, "y_train": even.copy()}
    arrays[name][:, column] += 3.0
    network = kr.init_network(
        (3, 3), n_intervals=2, degree=1, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )

    with pytest.raises(ValueError, match=rf"^{name} has mean 3 .* in column {column}, but"):
        check_standardised(check_batch(network, arrays["x_train"], arrays["y_train"]))
