"""The estimators: scikit-learn's own checks, and what users do with estimators."""

import pickle

import numpy as np
import pandas as pd
import pytest
from matplotlib.cbook import is_math_text
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_iris, load_linnerud, make_friedman1, make_moons
from sklearn.exceptions import NotFittedError
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import kan_ref as kr
from benchmarks import estimators as benchmark
from benchmarks.estimators import Table, measure, verdict
from kan_ref.sklearn import KANClassifier, KANRegressor
from kan_ref.sklearn.base import own_names
from kan_ref.training import ValidatedRun

QUICK = {"n_steps": 4, "n_folds": 2, "penalty_weights": (1e-3,)}
SHORT = {"n_steps": 20, "n_folds": 2, "penalty_weights": (3e-3, 3e-2), "random_state": 0}
RNG = np.random.default_rng


@pytest.mark.parametrize("kind", [KANRegressor, KANClassifier])
def test_every_check_of_scikit_learn_passes(kind):
    results = check_estimator(kind(**QUICK), on_fail=None, on_skip=None)

    status = {result["check_name"]: result["status"] for result in results}
    assert len(status) > 40
    assert {one for one, how in status.items() if how != "passed"} <= {
        "check_array_api_input"  # only for arrays on other devices
    }


def table(n=150):
    rng = RNG(0)
    frame = pd.DataFrame(
        {
            "mass": rng.normal(70.0, 10.0, n),
            "speed": rng.normal(3e-3, 1e-3, n),
            "noise": rng.normal(size=n),
        }
    )
    return frame, pd.Series(0.5 * frame["mass"] * frame["speed"] ** 2, name="energy")


@pytest.fixture(scope="module")
def fitted():
    x, y = table()
    return KANRegressor(**SHORT).fit(x, y)


@pytest.fixture(scope="module")
def classified():
    x, y = load_iris(return_X_y=True, as_frame=True)
    names = np.array(["setosa", "versicolor", "virginica"])
    return KANClassifier(**SHORT).fit(x, names[y]), x, names[y]


def test_a_regressor_learns_a_product_in_any_units(fitted):
    assert fitted.score(*table()) > 0.95


def test_names_of_columns_are_kept_and_drawn(fitted):
    assert fitted.feature_names_in_.tolist() == ["mass", "speed", "noise"]
    assert fitted.n_features_in_ == 3
    texts = {text.get_text() for text in fitted.draw(title="energy").texts}
    assert {"mass", "speed"} <= texts


def test_what_is_no_table_of_numbers_is_refused_as_by_other_estimators(fitted):
    x, y = table()
    text = x.assign(noise=["Rome", "Oslo"] * (len(x) // 2))
    holes = x.assign(speed=x["speed"].where(x["speed"] > x["speed"].median()))

    for call in (lambda t: KANRegressor().fit(t, y), fitted.predict):
        with pytest.raises(ValueError, match="could not convert string to float"):
            call(text)
        with pytest.raises(ValueError, match="Input X contains NaN"):
            call(holes)
    with pytest.raises(TypeError, match="Sparse data was passed for X"):
        KANRegressor().fit(csr_matrix(x.to_numpy()), y)
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(x[["speed", "mass", "noise"]])


@pytest.mark.parametrize("y", [["u", 3] * 20, np.array(["u", None] * 20, dtype=object)])
def test_classes_are_of_one_type(y):
    x = np.linspace(-1.0, 1.0, 40)[:, None]

    for call in (
        lambda: KANClassifier(**QUICK).fit(x, np.array(y, dtype=object)),
        lambda: kr.Data.split(x, y, rng=RNG(0)),
    ):
        with pytest.raises((TypeError, ValueError)):
            call()


def test_a_data_frame_is_split_with_its_names():
    x, y = table(40)
    x["flag"] = x["noise"] > 0.0

    data = kr.Data.split(x, y, rng=RNG(0))

    assert data.names == ("mass", "speed", "noise", "flag")
    assert data.y_train.shape == (32, 1)
    classes = kr.Data.split(x, pd.Series(["no", "yes"] * 20), rng=RNG(0)).classes
    assert classes.tolist() == ["no", "yes"]
    with pytest.raises(TypeError, match=r"^x\['group'\] has dtype \S+, but needs real numbers$"):
        kr.Data.split(x.assign(group="a"), y, rng=RNG(0))
    with pytest.raises(ValueError, match=r"^x\['mass'\] contains nan at position 3, but"):
        kr.Data.split(x.assign(mass=x["mass"].where(x.index != 3)), y, rng=RNG(0))


def test_data_frames_with_columns_in_another_order_are_reported():
    x, y = table(40)
    other = x[["speed", "mass", "noise"]]
    data = kr.Data.split(x, y, rng=RNG(0))
    scaler = kr.scaled(data)[1]

    with pytest.raises(ValueError, match=r"^x has the columns \('speed', 'mass', 'noise'\)"):
        scaler.transform_x(other)
    np.testing.assert_array_equal(scaler.transform_x(x), scaler.transform_x(x.to_numpy()))
    with pytest.raises(ValueError, match=r"^x_test has the columns"):
        kr.Data(x, y.to_numpy()[:, None], other, y.to_numpy()[:, None])


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"hidden_layers": 5}, TypeError),
        ({"hidden_layers": (2, 0)}, ValueError),
        ({"penalty_weights": 1e-3}, ValueError),
        ({"penalty_weights": (1.0, 0.1)}, ValueError),
        ({"penalty_weights": ("a",)}, TypeError),
        ({"n_intervals": 0}, ValueError),
        ({"degree": -1}, ValueError),
        ({"n_steps": 0}, ValueError),
        ({"n_folds": 1}, ValueError),
    ],
)
def test_messages_name_the_settings_of_the_estimators(settings, kind):
    for estimator in (KANRegressor, KANClassifier):
        with pytest.raises(kind, match=rf"^{next(iter(settings))}[ \[]"):
            estimator(**settings).fit(np.arange(40.0)[:, None], [0, 1] * 20)


def test_messages_name_the_arrays_of_the_estimators():
    x, y = table(40)

    with pytest.raises(ValueError, match=r"^X has 2 training samples, but at least 10 are needed"):
        _ = KANRegressor(**QUICK).fit(x[:2], y[:2]).discovery_
    with own_names():
        pass
    text = "x is so large that standardized x lies beyond"
    with pytest.raises(ValueError, match=r"^X is so large that standardized X lies"), own_names():
        raise ValueError(text)
    for text in (
        "names has 'x', but",
        "names has 'x y', but",
        "the hidden layers have weights",
        "the data has rows",
        "no name",
    ):
        with pytest.raises(ValueError, match=f"^{text}$"), own_names():
            raise ValueError(text)


def test_an_input_without_effect_has_the_smallest_importance(fitted):
    importances = fitted.feature_importances_

    assert importances.sum() == pytest.approx(1.0)
    assert importances.argmin() == 2


def test_importances_agree_in_order_with_those_by_permutation(fitted):
    x, y = table()

    by_permutation = permutation_importance(fitted, x, y, random_state=0).importances_mean

    assert by_permutation.argsort().tolist() == fitted.feature_importances_.argsort().tolist()


def test_predictions_do_not_depend_on_other_rows_or_their_order(fitted):
    x, _ = table()
    order = RNG(1).permutation(len(x))

    np.testing.assert_allclose(fitted.predict(x.iloc[order]), fitted.predict(x)[order], rtol=1e-12)
    np.testing.assert_allclose(fitted.predict(x[:1]), fitted.predict(x)[:1], rtol=1e-12)


def test_an_estimator_predicts_the_same_after_pickling(fitted):
    x, _ = table()

    again = pickle.loads(pickle.dumps(fitted))

    np.testing.assert_array_equal(again.predict(x), fitted.predict(x))


def test_the_same_seed_gives_the_same_bits(fitted):
    x, y = table()

    np.testing.assert_array_equal(clone(fitted).fit(x, y).predict(x), fitted.predict(x))


def test_inputs_beyond_the_training_samples_count_as_the_nearest_of_them(fitted):
    x, _ = table()
    far = x.iloc[[0, 0]].copy()
    far.iloc[:, 0] = [x["mass"].max(), 1e9]

    end, beyond = fitted.predict(far)

    assert beyond == pytest.approx(end, rel=1e-9)


def test_the_run_is_kept_with_its_candidates(fitted):
    assert isinstance(fitted.run_, ValidatedRun)
    assert fitted.run_.chosen in fitted.run_.candidates


def test_several_targets_are_predicted_in_columns():
    x, y = table()
    both = np.column_stack([y, 1e6 * x["mass"]])

    model = KANRegressor(**SHORT).fit(x, both)

    assert model.predict(x).shape == (150, 2)
    assert model.score(x, both) > 0.9


def test_a_constant_target_is_predicted():
    x, _ = table()

    model = KANRegressor(**QUICK, random_state=0).fit(x, np.full(150, 7.5))

    np.testing.assert_allclose(model.predict(x), 7.5, rtol=1e-12)
    assert model.feature_importances_.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("kind", ["sums of shares", "nanoseconds"])
def test_a_column_that_is_constant_up_to_rounding_is_not_used(kind):
    x = RNG(0).dirichlet([1, 1, 1], 60)
    column = x.sum(axis=1) if kind == "sums of shares" else 1.7e18 + RNG(0).uniform(0, 2000, 60)
    assert np.ptp(column) > 0.0

    model = KANRegressor(**SHORT).fit(np.column_stack([x, column]), x[:, 0] ** 2)

    assert model.score(np.column_stack([x, column]), x[:, 0] ** 2) > 0.99
    assert model.feature_importances_[3] == 0.0
    assert model.scaler_.x_constant.tolist()[3]


def test_a_search_in_a_pipeline_finds_the_better_setting():
    x, y = table(60)
    line = make_pipeline(StandardScaler(), KANRegressor(**QUICK, random_state=0))

    search = GridSearchCV(line, {"kanregressor__hidden_layers": [(), (2,)]}, cv=2).fit(x, y)

    assert search.best_score_ == max(search.cv_results_["mean_test_score"])
    assert len(search.cv_results_["params"]) == 2


def test_a_pipeline_with_data_frames_keeps_the_names():
    x, y = table(60)
    line = make_pipeline(StandardScaler(), KANRegressor(**QUICK)).set_output(transform="pandas")

    line.fit(x, y)

    assert line[-1].feature_names_in_.tolist() == ["mass", "speed", "noise"]


def test_partial_dependence_is_computed(fitted):
    x, _ = table()

    found = partial_dependence(fitted, x, ["mass"], grid_resolution=5)

    assert (np.diff(found["average"][0]) > 0.0).all()


def test_a_fit_that_fails_or_is_interrupted_leaves_the_estimator_as_it_was(monkeypatch):
    x, y = table(40)
    few = x[["mass", "speed"]]
    regressor = KANRegressor(**QUICK, random_state=0).fit(few, y)
    labels = np.array(["low", "middle", "high"])[np.arange(40) % 3]
    classifier = KANClassifier(**QUICK, random_state=0).fit(few, labels)
    before = regressor.predict(few), classifier.predict_proba(few), dict(vars(classifier))

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with pytest.raises(ValueError, match="n_steps is 0"):
        regressor.set_params(n_steps=0).fit(x, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="y has the one class"):
        classifier.fit(x, ["rain"] * 40)
    monkeypatch.setattr(kr, "cross_validate", interrupted)
    for model in (regressor, classifier):
        with pytest.raises(KeyboardInterrupt):
            model.fit(x.to_numpy(), ["rain", "dry"] * 20 if model is classifier else x)

    np.testing.assert_array_equal(regressor.predict(few), before[0])
    np.testing.assert_array_equal(classifier.predict_proba(few), before[1])
    assert vars(classifier) == before[2]
    again = clone(classifier)
    with pytest.raises(KeyboardInterrupt):
        again.fit(few, labels)
    with pytest.raises(NotFittedError):
        again.predict(few)


def test_without_test_samples_an_estimator_has_no_test_error(fitted, classified):
    for model in (fitted, classified[0]):
        history = model.run_.history
        assert np.isnan(model.run_.test_rmse)
        assert np.isnan([history.test_rmse, history.test_loss, history.test_accuracy]).all()
    assert np.isnan([step.test_rmse for step in fitted.discovery_.steps]).all()
    assert "test_rmse" not in f"{fitted.discovery_!r} {fitted.discovery_.steps}"


def test_an_outlier_that_makes_the_curve_of_a_column_a_line_is_a_finding():
    x = RNG(0).uniform(-1.0, 1.0, (300, 2))
    y = np.sin(3.0 * x[:, 1]) + x[:, 0]
    x[5, 1] = 100.0

    findings = KANRegressor(**QUICK, random_state=0).fit(x, y).run_.findings

    assert any("input 1" in one.what and "outliers" in one.do for one in findings)


def test_settings_reach_the_fit():
    x, y = table(40)

    model = KANRegressor(np.array([2, 3]), n_intervals=4, degree=2, **QUICK, random_state=0)
    model.fit(x, y)
    candidates = {(one.architecture, one.penalty_weight) for one in model.run_.candidates}

    assert ("hidden", 1e-3) in candidates
    assert len(candidates) == 4


# --- classes


def test_classes_are_predicted_in_the_users_words(classified):
    model, x, y = classified

    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert model.score(x, y) > 0.94


def test_probabilities_belong_to_the_predicted_classes(classified):
    model, x, _ = classified
    p = model.predict_proba(x)

    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    assert (model.classes_[p.argmax(axis=1)] == model.predict(x)).all()
    assert (model.decision_function(x).argmax(axis=1) == p.argmax(axis=1)).all()


def test_two_classes_have_one_logit():
    x, y = make_moons(100, noise=0.1, random_state=0)
    model = KANClassifier(**SHORT).fit(x, y)

    logits, p = model.decision_function(x), model.predict_proba(x)

    assert logits.shape == (100,)
    np.testing.assert_allclose(p[:, 1], 1.0 / (1.0 + np.exp(-logits)), rtol=1e-12)
    assert (model.predict(x) == (logits > 0.0)).all()
    assert model.score(x, y) > 0.9


def test_small_probabilities_of_either_of_two_classes_keep_their_digits():
    x = np.linspace(-1.0, 1.0, 40)[:, None]
    model = KANClassifier(**QUICK, random_state=0).fit(x, x[:, 0] > 0.0)
    model.network_ = model.network_.with_theta(
        50.0 / np.abs(model.decision_function(x)).max() * model.network_.theta
    )

    logits, p = model.decision_function(x), model.predict_proba(x)

    assert logits.min() < -20.0
    assert logits.max() > 20.0
    np.testing.assert_allclose(p[:, 0], 1.0 / (1.0 + np.exp(logits)), rtol=1e-13)
    np.testing.assert_allclose(p[:, 1], 1.0 / (1.0 + np.exp(-logits)), rtol=1e-13)
    np.testing.assert_array_equal(p[:, 1:], kr.predict_proba(model.network_, model._points(x)))


@pytest.mark.parametrize("labels", [[False, True], [-5, 12], ["no", "yes"], [0.5, 0.25]])
def test_two_classes_may_be_of_any_type(labels):
    x = np.linspace(-1.0, 1.0, 40)[:, None]
    y = np.array(labels)[(x[:, 0] > 0.0).astype(int)]
    if y.dtype.kind == "f":
        with pytest.raises(ValueError, match="Unknown label type: continuous"):
            KANClassifier(**QUICK).fit(x, y)
        return

    model = KANClassifier(**SHORT).fit(x, y)

    assert (model.predict(x) == y).mean() > 0.9
    assert model.classes_.tolist() == sorted(labels)


def test_one_class_is_reported():
    with pytest.raises(ValueError, match="y has the one class 3, but a classifier needs at least"):
        KANClassifier(**QUICK).fit(np.zeros((5, 1)), [3] * 5)


# --- accuracy


def test_a_hidden_layer_learns_interactions_that_an_additive_model_cannot_represent():
    x, y = make_friedman1(400, noise=1.0, random_state=0)
    settings = {"n_steps": 60, "n_folds": 2, "penalty_weights": (0.01, 0.03), "random_state": 0}

    scores = [
        KANRegressor(hidden, **settings).fit(x[:300], y[:300]).score(x[300:], y[300:])
        for hidden in ((), (5,))
    ]

    assert scores[1] > scores[0] + 0.03


def test_fifteen_samples_are_predicted_about_as_well_as_by_their_mean():
    x, y = load_linnerud(return_X_y=True)
    errors = []
    for part in np.arange(20).reshape(4, 5):
        rest = np.delete(np.arange(20), part)
        model = KANRegressor(n_steps=20, n_folds=3, random_state=0).fit(x[rest], y[rest])
        for prediction in (model.predict(x[part]), y[rest].mean(axis=0)):
            errors += [np.mean((prediction - y[part]) ** 2 / y.var(axis=0))]

    assert sum(errors[::2]) < 1.2 * sum(errors[1::2])


# --- the benchmark


def test_the_benchmark_says_which_target_is_missed():
    good = {"kan_ref": [0.8, 0.9], "spline + ridge": [0.8, 0.8]}

    assert verdict("diabetes", good, classes=False) == "met"
    assert verdict("friedman1", good, classes=False) == "met"
    assert verdict("friedman1", good | {"spline + ridge": [0.9, 0.9]}, classes=False) == (
        "below 0.930"
    )
    assert verdict("cars", good | {"kan_ref": [-0.1, 2.0]}, classes=False) == "a fold below 0"
    assert verdict("wine", {"kan_ref": [0.9], "logistic": [0.95]}, classes=True) == "below 0.940"
    assert verdict("moons", {"kan_ref": [0.94], "logistic": [0.8]}, classes=True) == "below 0.950"


def test_every_method_is_measured_on_the_same_folds():
    x = np.arange(10.0)[:, None]
    seen = []

    def method(x, y):
        seen.append(x[:, 0].tolist())
        return lambda new: new[:, 0]

    for _ in range(2):
        scores, _ = measure(Table(x, x[:, 0], classes=False), method)

    assert scores == [1.0] * 5
    assert seen[:5] == seen[5:]


def test_the_formula_of_a_regressor_is_in_the_units_of_the_table_and_has_a_verdict(fitted):
    frame, energy = table()
    found = fitted.discovery_

    assert found is fitted.discovery_
    assert found.verdict.kind == "exact"
    assert {str(symbol) for symbol in fitted.formula_.free_symbols} == {"mass", "speed"}
    values = [fitted.formula_.subs(dict(row)) for _, row in frame.iloc[:3].iterrows()]
    np.testing.assert_allclose(np.array(values, dtype=float), energy[:3], rtol=1e-9)


def test_the_formula_of_a_table_with_a_constant_column_does_not_have_it():
    x = RNG(1).uniform(-2.0, 2.0, 150)
    frame = pd.DataFrame({"site": np.full(150, 7.0), "angle": x})
    model = KANRegressor(**QUICK, hidden_layers=(), random_state=0).fit(frame, np.sin(x))

    assert str(model.formula_) == "sin(angle)"
    assert model.discovery_.verdict.kind == "exact"
    assert "site = 7 at all training samples" in model.discovery_.verdict.why


def test_the_formula_of_two_classes_is_a_logit_with_a_verdict_that_is_never_exact():
    rng = RNG(3)
    x = rng.uniform(-2.0, 2.0, (300, 1))
    y = np.where(rng.uniform(size=300) < 1.0 / (1.0 + np.exp(-3.0 * x[:, 0])), "yes", "no")
    model = KANClassifier(**QUICK, hidden_layers=(), random_state=0).fit(x, y)

    assert model.discovery_.verdict.kind in ("within noise", "not explained")
    assert "accuracy" in str(model.discovery_.verdict)
    assert [str(symbol) for symbol in model.formula_.free_symbols] == ["x_1"]


def test_later_changes_of_the_callers_arrays_do_not_change_a_formula():
    x = RNG(0).uniform(1.0, 3.0, (60, 2))
    y = x[:, 0] * x[:, 1]
    for given, targets in ((x, y), (x, y[:, None]), (pd.DataFrame(x, copy=False), y)):
        model = KANRegressor(**QUICK, random_state=0).fit(given, targets)
        before = x.copy(), y.copy()

        x *= 10.0
        y[:] = 0.0

        assert str(model.formula_) == "x_1*x_2"
        x[:], y[:] = before


def test_headers_of_columns_are_the_names_in_the_formula():
    x = RNG(0).uniform(1.0, 3.0, (60, 3))
    frame = pd.DataFrame(x, columns=["mass ", "a\n(kg)", "b"])

    model = KANRegressor(**QUICK, random_state=0).fit(frame, x[:, 0] * x[:, 1] + x[:, 2])

    assert {str(symbol) for symbol in model.formula_.free_symbols} == {"mass", "a (kg)", "b"}
    np.testing.assert_array_equal(
        model.discovery_.predict(frame), model.discovery_.predict(frame.to_numpy())
    )
    assert {"mass", "a (kg)", "b"} <= {text.get_text() for text in model.draw().texts}


def test_the_name_of_a_column_is_drawn_as_it_is():
    x, y = table(40)

    for name in ("US$ per A$", "a$\\b$", "$x^{$"):
        model = KANRegressor(**QUICK, random_state=0).fit(x.rename(columns={"mass": name}), y)
        ax = model.draw()
        ax.figure.canvas.draw()
        assert name in {text.get_text().replace(r"\$", "$") for text in ax.texts}
        assert not any(
            is_math_text(text.get_text()) for text in ax.texts if text.get_text() != "$y$"
        )


def test_a_formula_is_found_only_after_a_fit():
    with pytest.raises(NotFittedError):
        _ = KANRegressor().formula_


def test_an_input_far_beyond_the_training_samples_is_clipped_before_it_is_standardized():
    x = RNG(0).uniform(-1.0, 1.0, (40, 2))
    model = KANRegressor(random_state=0, **QUICK).fit(1e-100 * x, x[:, 0])

    far = model.predict([[1e100, 0.0], [-1e100, 1e100]])

    assert far.tolist() == model.predict([[2e-100, 0.0], [-2e-100, 2e-100]]).tolist()


def test_the_benchmark_measures_no_empty_list_of_tables(capsys):
    with pytest.raises(SystemExit) as end:
        benchmark.main(["--only"])

    assert end.value.code == 2
    assert "argument --only: expected at least one argument" in capsys.readouterr().err
