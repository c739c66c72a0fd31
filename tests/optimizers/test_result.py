"""What all optimizers share: the functions of the caller and their answers are checked, and cannot change the run."""

import numpy as np
import pytest
from cases import for_all

from kan_ref.optimizers import adam, bfgs, lbfgs, levenberg_marquardt, levenberg_marquardt_cg

LINEAR = np.array([[1, 0], [1, 1], [1, 2]]), np.array([1.0, 2.0, 4.0])


def bowl(theta):
    return float(theta @ theta), 2.0 * theta


def line(theta):
    return LINEAR[0] @ theta - LINEAR[1], LINEAR[0].astype(float)


RUNS = {
    "adam": lambda function, **options: adam(function, [1.0, 2.0], n_steps=3, **options),
    "lbfgs": lambda function, **options: lbfgs(function, [1.0, 2.0], n_steps=3, **options),
    "bfgs": lambda function, **options: bfgs(function, [1.0, 2.0], n_steps=3, **options),
    "lm": lambda function, **options: levenberg_marquardt(
        function, [1.0, 2.0], n_steps=3, **options
    ),
    "lm_cg": lambda function, **options: levenberg_marquardt_cg(
        function, [1.0, 2.0], n_steps=3, **options
    ),
}
SQUARES = ("lm", "lm_cg")
ANSWERS = {name: line if name in SQUARES else bowl for name in RUNS}


@pytest.mark.parametrize("call", [1, 2])
@for_all("name", RUNS)
def test_a_function_cannot_change_the_point_at_which_it_is_called(name, call):
    calls = []

    def spoils(theta):
        calls.append(theta)
        answer = ANSWERS[name](theta)
        if len(calls) == call:
            theta *= 0.0
        return answer

    with pytest.raises(ValueError, match="read-only"):
        RUNS[name](spoils)


@for_all("name", SQUARES)
def test_cheaper_residuals_cannot_change_the_point_either(name):
    def spoils(theta):
        theta *= 0.0
        return line(theta)[0]

    with pytest.raises(ValueError, match="read-only"):
        RUNS[name](line, residuals=spoils)


@for_all("name", RUNS)
def test_what_is_no_function_is_rejected_before_the_run(name):
    argument = "linearize" if name in SQUARES else "value_and_grad"
    calls = []

    def counted(theta):
        calls.append(theta)
        return ANSWERS[name](theta)

    with pytest.raises(TypeError, match=f"^{argument} is 3, but must be a function$"):
        RUNS[name](3)
    with pytest.raises(TypeError, match=f"^{argument} is None, but must be a function$"):
        RUNS[name](None)
    with pytest.raises(TypeError, match=r"^callback is 3, but must be a function$"):
        RUNS[name](counted, callback=3)
    assert calls == []


@for_all("name", RUNS)
def test_an_answer_that_is_no_pair_is_rejected(name):
    argument, pair = (
        ("linearize", r"\(residuals, Jacobian\)")
        if name in SQUARES
        else ("value_and_grad", r"\(value, gradient\)")
    )

    for answer in (1.0, (1.0, 2.0, 3.0), None):
        with pytest.raises(TypeError, match=f"^{argument} gave .*, but must give {pair}$"):
            RUNS[name](lambda theta, answer=answer: answer)


@for_all("name", ["adam", "lbfgs", "bfgs"])
def test_a_gradient_of_another_length_after_the_start_is_rejected(name):
    calls = []

    def shrinks(theta):
        calls.append(theta)
        value, gradient = bowl(theta)
        return value, gradient if len(calls) == 1 else gradient[:1]

    with pytest.raises(ValueError, match=r"has shape \(1,\), but needs shape \(2,\)"):
        RUNS[name](shrinks)


@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.float16])
@for_all("name", SQUARES)
def test_a_jacobian_of_other_real_numbers_gives_the_same_run(name, dtype):
    exact = RUNS[name](line)

    other = RUNS[name](lambda theta: (line(theta)[0], LINEAR[0].astype(dtype)))

    np.testing.assert_array_equal(other.theta, exact.theta)
    assert (other.value, other.n_steps) == (exact.value, exact.n_steps)


@for_all("name", SQUARES)
def test_squares_of_a_float32_jacobian_do_not_overflow(name):
    def far(theta):
        return 1e20 * (theta - 1.0), (1e20 * np.eye(2)).astype(np.float32)

    np.testing.assert_allclose(RUNS[name](far).theta, [1.0, 1.0], atol=0.1)


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        ([1.0, 0.0], ValueError, r"metric\(squares\) has 0 at position 1, but must be above 0"),
        ([1.0, -2.0], ValueError, "has -2 at position 1, but must be above 0 everywhere"),
        ([1.0, np.nan], ValueError, r"metric\(squares\) contains nan"),
        ([1.0], ValueError, r"metric\(squares\) has shape \(1,\), but needs shape \(2,\)"),
        (1.0, ValueError, r"metric\(squares\) has shape \(\), but needs shape \(2,\)"),
    ],
)
@for_all("name", SQUARES)
def test_a_metric_without_positive_numbers_is_rejected(name, answer, kind, message):
    with pytest.raises(kind, match=message):
        RUNS[name](line, metric=lambda squares: answer)
    with pytest.raises(TypeError, match=r"^metric is 3, but must be a function$"):
        RUNS[name](line, metric=3)


@for_all("name", RUNS)
def test_a_start_that_is_not_finite_is_one_sentence_with_a_remedy_that_helps(name):
    def answer(bad):
        if name in SQUARES:
            return lambda theta: (np.ones(2), np.array([[1.0, bad], [0.0, 1.0]]))
        return lambda theta: (1.0, np.array([1.0, bad]))

    with pytest.raises(
        ValueError,
        match="gradient at the start contains inf at position 1, but needs finite numbers: scale",
    ):
        RUNS[name](answer(np.inf))
    with pytest.raises(
        ValueError,
        match=r"gradient at the start contains nan at position 1, but needs finite numbers: start at oth",
    ):
        RUNS[name](answer(np.nan))


@for_all("name", SQUARES)
def test_residuals_as_a_column_are_rejected_without_code_that_is_none(name):
    with pytest.raises(
        ValueError,
        match=r"^the residual vector at the start has shape \(3, 1\), but needs shape \(n_residuals,\)$",
    ):
        RUNS[name](lambda theta: (line(theta)[0][:, None], LINEAR[0]))


def later(first, second):
    """A function that answers as `first` does at the start, and as `second` does at later points."""
    calls = []

    def answer(theta):
        calls.append(theta)
        return (first if len(calls) == 1 else second)(theta)

    return answer


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (lambda t: (0.1, t * 1j), TypeError, "the gradient has dtype complex128, but needs real"),
        (lambda t: (0.1, t > 0), TypeError, "the gradient has dtype bool, but needs real numbers"),
        (lambda t: (0.1, [[1.0], [2.0, 3.0]]), ValueError, "the gradient is not a rectangular arr"),
        (lambda t: (0.1, t[:1]), ValueError, r"the gradient has shape \(1,\), but needs shape \(2"),
        (lambda t: (0.1j, t), TypeError, "the value is 0.1j, but must be a real number"),
        (lambda t: (t, t), TypeError, "the value is .*, but must be a real number"),
    ],
)
@for_all("name", [name for name in RUNS if name not in SQUARES])
def test_later_values_and_gradients_must_be_of_real_numbers(name, answer, kind, message):
    with pytest.raises(kind, match=f"^{message}"):
        RUNS[name](later(bowl, answer))


@for_all("name", [name for name in RUNS if name not in SQUARES])
def test_values_and_gradients_of_any_real_kind_give_the_same_run(name):
    """Arrays without axes are values too, and lists are gradients."""
    plain = RUNS[name](bowl)

    other = RUNS[name](lambda t: (np.array(bowl(t)[0]), bowl(t)[1].tolist()))

    np.testing.assert_array_equal(other.theta, plain.theta)
    assert other.value == plain.value


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (
            lambda t: (1j * line(t)[0], line(t)[1]),
            TypeError,
            "the residual vector has dtype complex128",
        ),
        (lambda t: (line(t)[0], line(t)[1][:, :1]), ValueError, "the Jacobian has shape"),
        (lambda t: (line(t)[0], line(t)[1].tolist()), TypeError, ".*: make an array of nested lis"),
    ],
)
@for_all("name", SQUARES)
def test_later_residuals_and_jacobians_must_be_as_at_the_start(name, answer, kind, message):
    with pytest.raises(kind, match=f"^{message}"):
        RUNS[name](later(line, answer))


@for_all("name", SQUARES)
def test_residuals_with_a_jacobian_are_not_residuals(name):
    with pytest.raises(ValueError, match=r"^residuals\(theta\) "):
        RUNS[name](line, residuals=line)


@pytest.mark.parametrize("tolerance", [1.0, 2.0])
def test_conjugate_gradients_that_end_where_they_begin_are_rejected(tolerance):
    with pytest.raises(ValueError, match=f"^cg_tolerance is {tolerance:g}, but must be below 1"):
        RUNS["lm_cg"](line, cg_tolerance=tolerance)
