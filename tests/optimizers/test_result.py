"""What all optimizers share: arguments and the caller's answers are checked, callbacks change nothing, and ends have a reason."""

import numpy as np
import pytest
from cases import for_all

from kan_ref.optimizers import adam, lbfgs, levenberg_marquardt

LINEAR = np.array([[1, 0], [1, 1], [1, 2]]), np.array([1.0, 2.0, 4.0])
START = np.array([1.0, 2.0])


def bowl(theta):
    return float(theta @ theta), 2.0 * theta


def line(theta):
    return LINEAR[0] @ theta - LINEAR[1], LINEAR[0].astype(float)


OPTIMIZERS = {"adam": adam, "lbfgs": lbfgs, "lm": levenberg_marquardt}
GRADIENT_OPTIMIZERS = ["adam", "lbfgs"]
ANSWERS = {"adam": bowl, "lbfgs": bowl, "lm": line}


def run(name, function=None, theta=START, **options):
    function = ANSWERS[name] if function is None else function
    return OPTIMIZERS[name](function, theta, **{"n_steps": 3} | options)


def later(first, second):
    """A function that answers as `first` does at the start, and as `second` does at later points."""
    calls = []

    def answer(theta):
        calls.append(theta)
        return (first if len(calls) == 1 else second)(theta)

    return answer


# --- arguments


@for_all("name", OPTIMIZERS)
@for_all("theta", [[1.0, np.nan], [[1.0, 2.0]], [], ["a"]])
def test_a_start_that_is_no_vector_of_finite_numbers_is_refused(name, theta):
    with pytest.raises((TypeError, ValueError), match=r"^theta "):
        run(name, theta=theta)


@for_all(
    ("name", "option", "value"),
    [
        *((name, "n_steps", -1) for name in OPTIMIZERS),
        *((name, "gradient_tolerance", -1.0) for name in OPTIMIZERS),
        *(("adam", "learning_rate", value) for value in (0.0, np.inf, "fast")),
        *(("adam", "learning_rate", lambda step, rate=rate: rate) for rate in (-1.0, None)),
        *(("adam", name, value) for name in ("beta1", "beta2") for value in (1.0, -0.1)),
        ("adam", "epsilon", 0.0),
        ("lbfgs", "history", 0),
        ("lm", "damping", 0.0),
        ("lm", "step_tolerance", -1.0),
        ("lm", "value_tolerance", np.nan),
        ("lm", "metric", 3),
        *(("lm", "metric", lambda squares, d=d: d) for d in ([1.0, 0.0], [1.0, np.nan], [1.0])),
        ("lm", "residuals", line),
        *((name, "callback", 3) for name in OPTIMIZERS),
    ],
)
def test_options_outside_of_the_rules_are_named(name, option, value):
    with pytest.raises((TypeError, ValueError), match=f"^{option}"):
        run(name, **{option: value})


@for_all("name", OPTIMIZERS)
@for_all("function", [3, lambda theta: 1.0, lambda theta: (1.0, 2.0, 3.0), lambda theta: None])
def test_a_function_that_gives_no_pair_is_named(name, function):
    argument = "linearize" if name == "lm" else "value_and_grad"

    with pytest.raises(TypeError, match=f"^{argument} "):
        run(name, function)


# --- answers


@for_all("name", OPTIMIZERS)
@for_all(("bad", "remedy"), [(np.inf, "scale x, y"), (np.nan, "start at other parameters")])
def test_a_gradient_that_is_not_finite_at_the_start_is_named_by_position(name, bad, remedy):
    answers = {"lm": (np.ones(2), np.array([[1.0, bad], [0.0, 1.0]]))}
    answer = answers.get(name, (1.0, np.array([1.0, bad])))

    message = f"gradient at the start contains {bad} at position 1, .*: {remedy}"
    with pytest.raises(ValueError, match=message):
        run(name, lambda theta: answer)


@for_all("name", GRADIENT_OPTIMIZERS)
@for_all(
    ("answer", "message"),
    [
        (lambda t: (0.1, t * 1j), "the gradient has dtype complex128"),
        (lambda t: (0.1, t[:1]), r"the gradient has shape \(1,\), but needs shape \(2"),
        (lambda t: (0.1j, t), "the value is"),
        (lambda t: (t, t), "the value is"),
        (lambda t: 1.0, "value_and_grad gave 1.0"),
    ],
)
def test_later_values_and_gradients_must_be_of_real_numbers(name, answer, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        run(name, later(bowl, answer))


@for_all(
    ("answer", "message"),
    [
        (lambda t: (1j * line(t)[0], line(t)[1]), "the residual vector has dtype complex128"),
        (lambda t: (line(t)[0][:, None], line(t)[1]), "the residual vector has shape"),
        (lambda t: (line(t)[0], line(t)[1][:, :1]), "the Jacobian has shape"),
        (lambda t: (line(t)[0], line(t)[1].tolist()), ".*: make an array of nested lis"),
    ],
)
def test_later_residuals_and_jacobians_must_be_as_at_the_start(answer, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        run("lm", later(line, answer))


@for_all("name", OPTIMIZERS)
@for_all("call", [1, 2])
def test_a_function_cannot_change_the_point_at_which_it_is_called(name, call):
    calls = []

    def spoils(theta):
        calls.append(theta)
        answer = ANSWERS[name](theta)
        if len(calls) == call:
            theta *= 0.0
        return answer

    with pytest.raises(ValueError, match="read-only"):
        run(name, spoils)


@for_all("name", GRADIENT_OPTIMIZERS)
def test_values_and_gradients_of_any_real_kind_give_the_same_run(name):
    """Arrays without axes are values too, lists are gradients and pairs, and one array may be filled again and again."""
    plain, buffer = run(name), np.empty(2)

    def reusing(theta):
        buffer[:] = bowl(theta)[1]
        return bowl(theta)[0], buffer

    for other in (
        run(name, lambda t: [np.array(bowl(t)[0]), bowl(t)[1].tolist()]),
        run(name, reusing),
    ):
        np.testing.assert_array_equal(other.theta, plain.theta)
        assert other.value == plain.value


# --- callbacks and ends


@for_all("name", OPTIMIZERS)
def test_iterates_are_the_callbacks_own_and_the_start_stays(name):
    start, kept, copies = START.copy(), [], []

    def keep(iterate):
        copies.append(iterate.theta.copy())
        kept.append(iterate)
        iterate.theta[:] = 0.0

    result = run(name, theta=start, callback=keep)

    np.testing.assert_array_equal(start, START)
    np.testing.assert_array_equal(result.theta, run(name).theta)
    np.testing.assert_array_equal(copies[-1], result.theta)
    assert [iterate.step for iterate in kept] == list(range(1, result.n_steps + 1))
    assert all(iterate.own_theta.any() for iterate in kept[:-1])


@for_all("name", OPTIMIZERS)
def test_a_callback_ends_the_run_where_it_stands(name):
    result = run(name, callback=lambda iterate: True)

    assert result.stopped == "the callback asked to stop after step 1"
    assert result.n_steps == 1


@for_all("name", OPTIMIZERS)
def test_an_interrupt_reaches_the_caller(name):
    def interrupt(iterate):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(name, callback=interrupt)


@for_all("name", OPTIMIZERS)
def test_zero_steps_evaluate_the_start_once(name):
    result = run(name, n_steps=0)

    np.testing.assert_array_equal(result.theta, START)
    assert (result.n_steps, result.n_evaluations) == (0, 1)
    assert result.stopped == "0 steps are done"


@for_all("name", OPTIMIZERS)
def test_two_runs_give_the_same_bits_and_print_in_a_line(name):
    assert run(name).theta.tobytes() == run(name).theta.tobytes()
    assert repr(run(name)).startswith("OptimizeResult(theta of 2 numbers, value=")
