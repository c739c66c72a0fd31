"""The estimators: scikit-learn's own checks, what users do with them, and `discover` as a method of SRBench."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import sympy
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_iris, make_friedman1, make_moons
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import kan_ref as kr
from benchmarks import srbench_method as method
from benchmarks.estimators import verdict
from kan_ref.sklearn import KANClassifier, KANRegressor

# --- the estimators: scikit-learn's own checks, and what users do with estimators

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
        {"mass": rng.normal(70.0, 10.0, n), "speed": rng.normal(3e-3, 1e-3, n), "noise": rng.normal(size=n)}
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


def test_a_data_frame_is_split_with_its_names():
    x, y = table(40)
    x["flag"] = x["noise"] > 0.0

    data = kr.Data.split(x, y, rng=RNG(0))

    assert data.names == ("mass", "speed", "noise", "flag")
    assert data.y_train.shape == (32, 1)
    classes = kr.Data.split(x, pd.Series(["no", "yes"] * 20), rng=RNG(0)).classes
    assert classes.tolist() == ["no", "yes"]
    with pytest.raises(TypeError, match=r"^x\['group'\] contains 'a' at position 0, but needs real numbers$"):
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


def test_settings_reach_the_fit_and_wrong_ones_are_named():
    x, y = table(40)
    model = KANRegressor((2, 3), n_intervals=4, degree=2, **QUICK, random_state=0).fit(x, y)
    candidates = {(one.architecture, one.penalty_weight) for one in model.run_.candidates}

    assert ("hidden", 1e-3) in candidates
    for name, value in {"n_intervals": 0, "degree": -1, "n_steps": 0, "n_folds": 1}.items():
        with pytest.raises(ValueError, match=name):
            KANRegressor(**{name: value}).fit(x, y)


def test_an_interrupted_fit_raises_keyboard_interrupt(monkeypatch):
    x, y = table(40)
    run = KANRegressor(**QUICK).fit(x, y).run_
    monkeypatch.setattr(kr, "cross_validate", lambda *_, **__: replace(run, interrupted=True))

    with pytest.raises(KeyboardInterrupt):
        KANRegressor(**QUICK).fit(x, y)


def test_a_fitted_estimator_keeps_its_own_samples():
    x = RNG(0).uniform(1.0, 3.0, (60, 2))
    y = x[:, 0] * x[:, 1]
    model = KANRegressor(**QUICK, random_state=0).fit(x, y)

    x *= 10.0
    y[:] = 0.0

    assert str(model.formula_) == "x_1*x_2"


def test_an_input_without_effect_has_the_smallest_importance(fitted):
    importances = fitted.feature_importances_

    assert importances.sum() == pytest.approx(1.0)
    assert importances.argmin() == 2


def test_predictions_do_not_depend_on_other_rows_or_their_order(fitted):
    x, _ = table()
    order = RNG(1).permutation(len(x))

    np.testing.assert_allclose(fitted.predict(x.iloc[order]), fitted.predict(x)[order], rtol=1e-12)
    np.testing.assert_allclose(fitted.predict(x[:1]), fitted.predict(x)[:1], rtol=1e-12)


def test_an_estimator_predicts_the_same_after_pickling(fitted):
    x, _ = table()

    again = pickle.loads(pickle.dumps(fitted))

    np.testing.assert_array_equal(again.predict(x), fitted.predict(x))


def test_inputs_beyond_the_training_samples_count_as_the_nearest_of_them(fitted):
    x, _ = table()
    far = x.iloc[[0, 0]].copy()
    far.iloc[:, 0] = [x["mass"].max(), 1e9]

    end, beyond = fitted.predict(far)

    assert beyond == pytest.approx(end, rel=1e-9)


def test_several_targets_are_predicted_in_columns():
    x, y = table()
    both = np.column_stack([y, 1e6 * x["mass"]])

    model = KANRegressor(**SHORT).fit(x, both)

    assert model.predict(x).shape == (150, 2)
    assert model.score(x, both) > 0.9


def test_a_search_in_a_pipeline_finds_the_better_setting():
    x, y = table(60)
    line = make_pipeline(StandardScaler(), KANRegressor(**QUICK, random_state=0))

    search = GridSearchCV(line, {"kanregressor__hidden_layers": [(), (2,)]}, cv=2).fit(x, y)

    assert search.best_score_ == max(search.cv_results_["mean_test_score"])
    assert len(search.cv_results_["params"]) == 2


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
    model.network_ = model.network_.with_theta(50.0 / np.abs(model.decision_function(x)).max() * model.network_.theta)

    logits, p = model.decision_function(x), model.predict_proba(x)

    assert logits.min() < -20.0
    assert logits.max() > 20.0
    np.testing.assert_allclose(p[:, 0], 1.0 / (1.0 + np.exp(logits)), rtol=1e-13)
    np.testing.assert_allclose(p[:, 1], 1.0 / (1.0 + np.exp(-logits)), rtol=1e-13)


@pytest.mark.parametrize("labels", [[False, True], [-5, 12], ["no", "yes"]])
def test_two_classes_may_be_of_any_type(labels):
    x = np.linspace(-1.0, 1.0, 40)[:, None]
    y = np.array(labels)[(x[:, 0] > 0.0).astype(int)]
    model = KANClassifier(**SHORT).fit(x, y)

    assert (model.predict(x) == y).mean() > 0.9
    assert model.classes_.tolist() == sorted(labels)


def test_one_class_is_reported():
    with pytest.raises(ValueError, match="y has the one class 3"):
        KANClassifier(**QUICK).fit(np.zeros((5, 1)), [3] * 5)


# --- accuracy


def test_a_hidden_layer_learns_interactions_that_an_additive_model_cannot_represent():
    x, y = make_friedman1(400, noise=1.0, random_state=0)
    settings = {"n_steps": 60, "n_folds": 2, "penalty_weights": (0.01, 0.03), "random_state": 0}

    scores = [KANRegressor(hidden, **settings).fit(x[:300], y[:300]).score(x[300:], y[300:]) for hidden in ((), (5,))]

    assert scores[1] > scores[0] + 0.03


# --- the benchmark


def test_the_benchmark_says_which_target_is_missed():
    good = {"kan_ref": [0.8, 0.9], "spline + ridge": [0.8, 0.8]}

    assert verdict("friedman1", good, classes=False) == "met"
    assert verdict("friedman1", good | {"spline + ridge": [0.9, 0.9]}, classes=False) == ("below 0.930")
    assert verdict("cars", good | {"kan_ref": [-0.1, 2.0]}, classes=False) == "a fold below 0"
    assert verdict("wine", {"kan_ref": [0.9], "logistic": [0.95]}, classes=True) == "below 0.940"
    assert verdict("moons", {"kan_ref": [0.94], "logistic": [0.8]}, classes=True) == "below 0.950"


def test_the_formula_of_a_regressor_is_in_the_units_of_the_table_and_has_a_verdict(fitted):
    frame, energy = table()
    found = fitted.discovery_

    assert found is fitted.discovery_
    assert found.verdict.kind == "exact"
    assert {str(symbol) for symbol in fitted.formula_.free_symbols} == {"mass", "speed"}
    values = [fitted.formula_.subs(dict(row)) for _, row in frame.iloc[:3].iterrows()]
    np.testing.assert_allclose(np.array(values, dtype=float), energy[:3], rtol=1e-9)


def test_the_formula_of_two_classes_is_a_logit_with_a_verdict_that_is_never_exact():
    rng = RNG(3)
    x = rng.uniform(-2.0, 2.0, (300, 1))
    y = np.where(rng.uniform(size=300) < 1.0 / (1.0 + np.exp(-3.0 * x[:, 0])), "yes", "no")
    model = KANClassifier(**QUICK, hidden_layers=(), random_state=0).fit(x, y)

    assert model.discovery_.verdict.kind in ("within noise", "not explained")
    assert "accuracy" in str(model.discovery_.verdict)
    assert [str(symbol) for symbol in model.formula_.free_symbols] == ["x_1"]


def test_headers_of_columns_are_the_names_in_the_formula():
    x = RNG(0).uniform(1.0, 3.0, (60, 3))
    frame = pd.DataFrame(x, columns=["mass ", "a\n(kg)", "b"])

    model = KANRegressor(**QUICK, random_state=0).fit(frame, x[:, 0] * x[:, 1] + x[:, 2])

    assert {str(symbol) for symbol in model.formula_.free_symbols} == {"mass", "a (kg)", "b"}
    np.testing.assert_array_equal(model.discovery_.predict(frame), model.discovery_.predict(frame.to_numpy()))
    assert {"mass", "a (kg)", "b"} <= {text.get_text() for text in model.draw().texts}


def test_the_name_of_a_column_is_drawn_as_it_is():
    x, y = table(40)

    model = KANRegressor(**QUICK).fit(x.rename(columns={"mass": "US$ per A$"}), y)

    assert r"US\$ per A\$" in {text.get_text() for text in model.draw().texts}


def test_a_formula_is_found_only_after_a_fit():
    with pytest.raises(NotFittedError):
        _ = KANRegressor().formula_


# --- `discover` as a method of SRBench: what its experiment calls, and the formula in the names of the columns


@pytest.fixture(scope="module")
def named_table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.uniform(1.0, 3.0, (200, 3)), columns=["m", "E_n", "c"])


@pytest.fixture(scope="module")
def by_srbench(named_table):
    est = clone(method.est)
    est.random_state, est.max_time = 1, 20.0
    return est.fit(named_table, (named_table.E_n / (named_table.m * named_table.c**2)).to_numpy())


def test_the_formula_has_the_names_of_the_columns(by_srbench, named_table):
    symbols = m, energy, c = sympy.symbols("m E_n c")
    local = {one.name: one for one in symbols}

    found = sympy.parse_expr(method.model(by_srbench, named_table), local)

    assert sympy.simplify(found - energy / (m * c**2)) == 0
    assert "x_2" in method.model(by_srbench)


def test_predictions_are_those_of_the_formula_for_tables_and_arrays(by_srbench, named_table):
    expected = named_table.E_n / (named_table.m * named_table.c**2)

    for x in (named_table, named_table.to_numpy()):
        np.testing.assert_allclose(by_srbench.predict(x), expected, rtol=1e-12)
    assert by_srbench.score(named_table, expected) == pytest.approx(1.0)


def test_where_the_formula_is_undefined_the_mean_is_predicted(by_srbench, named_table):
    expected = (named_table.E_n / (named_table.m * named_table.c**2)).mean()

    assert by_srbench.predict([[0.0, 1.0, 1.0]]) == pytest.approx([expected])


def test_complexity_counts_the_nodes_of_the_formula(by_srbench):
    assert method.complexity(by_srbench) == len(list(sympy.preorder_traversal(by_srbench.discovery_.formula)))
    assert 8 <= method.complexity(by_srbench) <= 12  # a product of x_2 and two powers


def test_time_and_seed_are_parameters_that_the_experiment_sets():
    test = clone(method.est).set_params(**method.eval_kwargs["test_params"])

    assert test.get_params() == {"max_time": 10.0, "random_state": None}
