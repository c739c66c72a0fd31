"""Which candidates of an edge compete, when one replaces a simpler one, and how the table of suggestions is set."""

import numpy as np
import pytest

import kan_ref as kr
from kan_ref.symbolic import symbolification
from kan_ref.symbolic.affine_fit import AffineFit
from kan_ref.symbolic.ranking import rank_functions
from kan_ref.symbolic.symbolification import decide_together, price

NAMES = ("0", "x", "x^2", "exp", "sin", "tanh")
X = np.random.default_rng(1).uniform(-1.0, 1.0, (60, 2))


def network(seed=0):
    rng = np.random.default_rng(seed)
    made = kr.init_network((2, 3), n_intervals=2, degree=3, domain=(-1.0, 1.0), rng=rng)
    return made.with_theta(made.theta + 0.3 * rng.normal(size=made.n_params))


def rivals_of(monkeypatch, **options):
    """The candidates that compete for each edge."""
    found = {}

    def keep(net, x, rivals):
        found.update(rivals)
        return net

    with monkeypatch.context() as patch:
        patch.setattr(symbolification, "decide_together", keep)
        kr.auto_symbolic(network(), X, names=NAMES, **options)
    return found


@pytest.mark.parametrize("rival_score", [0.0, 10.0, 1e9])
def test_at_most_four_candidates_compete_whose_scores_are_within_the_bound(
    monkeypatch, rival_score
):
    (curves,) = kr.edge_outputs(network(), X)

    found = rivals_of(monkeypatch, rival_score=rival_score)

    assert sorted(found) == [(0, j, i) for j in range(3) for i in range(2)]
    for j in range(3):
        fits, ranked = found[0, j, 0], rank_functions(X[:, 0], curves[:, j, 0], NAMES)
        bound = ranked[0].score + rival_score
        assert list(fits) == [fit for fit in ranked[:4] if fit.score <= bound]


def test_scores_within_10_of_the_best_compete_by_default(monkeypatch):
    default, same, more = (
        {place: len(fits) for place, fits in rivals_of(monkeypatch, **options).items()}
        for options in ({}, {"rival_score": 10.0}, {"rival_score": 20.0})
    )

    assert default == same != more


@pytest.mark.parametrize(
    ("error", "name"), [(0.05, "x"), (0.0899, "x"), (0.0901, "0"), (0.094, "0"), (0.2, "0")]
)
def test_a_simpler_candidate_stays_unless_another_one_lowers_the_error_by_a_tenth(error, name):
    """The network is 0 everywhere; the candidates are constants, so that their errors are known."""
    made = network()
    made = kr.mask_edges(made.with_theta(0.0 * made.theta), 0, np.eye(3, 2))
    place = (0, 0, 0)
    rivals = {place: [AffineFit("x", 1.0, 0.0, 0.0, error, 0.0, error)]}
    rivals[place].append(AffineFit("0", 1.0, 0.0, 0.0, -0.1, 0.0, 0.1))

    # an error of 0.1 in one of three outputs
    decided = decide_together(made, X, rivals)

    assert price(rivals[place][1]) < price(rivals[place][0])
    assert [edge.name for edge in decided.layers[0].symbolic] == [name]


def test_candidates_that_are_undefined_at_their_inputs_lose_and_are_reported_where_no_other_is():
    made, place = network(), (0, 0, 0)
    root = AffineFit("sqrt", 1.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    other = AffineFit("sin", 5.0, 0.0, 9.0, 0.0, 0.0, 0.0)

    decided = decide_together(made, X, {place: [root, other]})

    assert [edge.name for edge in decided.layers[0].symbolic] == ["sin"]
    with pytest.raises(ValueError, match="sqrt"):
        decide_together(made, X, {place: [root]})


@pytest.mark.parametrize("name", NAMES)
def test_the_price_of_a_fit_is_the_complexity_of_its_function_and_its_free_inner_parameters(name):
    inner = {"0": 0, "x": 0, "x^2": 1, "exp": 1, "sin": 2, "tanh": 2}[name]

    assert (
        price(AffineFit(name, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0)) == kr.LIBRARY[name].complexity + inner
    )


def test_a_symbolic_edge_gets_suggestions_too():
    made = kr.fix_symbolic(network(), 0, output=1, input=0, name="exp", affine=(0.5, 0.0, 2.0, 1.0))

    found = kr.suggest_symbolic(made, X, 0, output=1, input=0, names=NAMES)

    assert found.best.name == "exp"
    assert found.best.affine == pytest.approx((0.5, 0.0, 2.0, 1.0), abs=1e-9)
    assert (found.layer, found.output, found.input) == (0, 1, 0)


def test_the_columns_of_the_table_of_suggestions_end_below_their_names():
    found = kr.suggest_symbolic(network(), X, 0, output=1, input=0, names=NAMES)

    _, head, *rows = repr(found).splitlines()

    ends = np.cumsum([10, 10, 10, 12, 12, 12, 12])
    columns = ("f", "1 - R^2", "rms", "a", "b", "c", "d")
    assert [head[:end].split("  ")[-1].strip() for end in ends] == list(columns)
    assert len(rows) == len(NAMES)
    for fit, row in zip(found.fits, rows, strict=True):
        assert row[: ends[0]].strip() == fit.name
        for begin, end, number in zip(ends[2:-1], ends[3:], fit.affine, strict=True):
            assert float(row[begin:end]) == pytest.approx(number, rel=1e-3, abs=1e-12)
