"""Cases about the steps of an optimizer.

The gradients g_1, g_2, ... of the steps are given: they do not depend on theta, so that the errors
of one step are not amplified by the next. With m_0 = v_0 = 0

    (C25)  theta_t = theta_{t-1} - rate g_t
    (C26)  m_t = beta1 m_{t-1} + (1 - beta1) g_t,   v_t = beta2 v_{t-1} + (1 - beta2) g_t^2,
           theta_t = theta_{t-1} - rate (m_t / (1 - beta1^t))
                                   / (sqrt(v_t / (1 - beta2^t)) + epsilon)

Source: Kingma & Ba 2015, Algorithm 1.
"""

from collections.abc import Sequence
from typing import Any

from kan_ref.conformance.generate.encode import array, case, dice, topic
from kan_ref.conformance.generate.exact import Number, context, precise
from kan_ref.conformance.generate.layer_case import Case, Rows

STEPS = 2e-14  # of the largest parameter plus the sum of the absolute steps


def adam_points(
    theta: Sequence[float],
    gradients: Rows,
    rate: float,
    betas: tuple[float, float],
    epsilon: float,
) -> tuple[list[Number], Number]:
    """Return theta after all steps of (C26), and the largest sum of absolute steps."""
    points, sizes = [], []
    beta1, beta2 = map(precise, betas)
    for place, start in enumerate(theta):
        m, v, at, size = precise(0), precise(0), precise(start), precise(0)
        for t, row in enumerate(gradients, start=1):
            g = precise(row[place])
            m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
            left, right = (1 - beta**t for beta in (beta1, beta2))
            step = precise(rate) * (m / left) / (context().sqrt(v / right) + precise(epsilon))
            at, size = at - step, size + abs(step)
        points.append(at)
        sizes.append(size)
    return points, max(sizes)


def optimizer_steps() -> dict[str, Any]:
    """Return the cases of adam_steps(...) and gradient_steps(...) -> theta (n_params,)."""
    theta = dice("theta", 4, low=-2.0, high=2.0)
    slopes = [dice(f"slopes-{t}", 4, low=-4.0, high=4.0) for t in range(5)]
    tiny = [[1e-7 * g for g in row] for row in slopes]
    paused = [[0.0, *row[1:]] for row in slopes]
    many = [dice(f"many-{t}", 4, low=-1.0, high=1.0) for t in range(40)]
    usual, other = (0.9, 0.999), (0.5, 0.75)
    cases = [
        _adam("adam-one-step", "AdamBias StepSign", theta, slopes[:1], 0.125, usual, 1e-8),
        _adam("adam-two-steps", "AdamBias AdamRoot", theta, slopes[:2], 0.125, usual, 1e-8),
        _adam("adam-five-steps", "AdamBias AdamMoments", theta, slopes, 0.01, usual, 1e-8),
        _adam("adam-other-betas", "AdamMoments", theta, slopes[:3], 0.25, other, 1e-8),
        _adam("adam-large-epsilon", "AdamEpsilon", theta, slopes[:2], 0.25, usual, 0.5),
        _adam("adam-tiny-gradients", "AdamEpsilon", theta, tiny[:3], 0.125, usual, 1e-8),
        _adam("adam-no-gradient", "AdamEpsilon", theta, paused[:2], 0.125, usual, 1e-8),
        _adam("adam-forty-steps", "AdamBias AdamMoments", theta, many, 0.01, usual, 1e-8, 4),
        _adam("adam-no-momentum", "AdamMoments", theta, slopes[:3], 0.125, (0.0, 0.5), 1e-8, 4),
        _adam("adam-one-parameter", "AdamBias", theta[:1], [[1.5], [-0.25]], 0.25, other, 1e-8, 4),
        _descent("gradient-one-step", theta, slopes[:1], 0.125),
        _descent("gradient-five-steps", theta, slopes, 0.0625),
    ]
    equation = "Kingma & Ba 2015, Algorithm 1; gradient descent"
    return topic("optimizer_steps", level=1, needs=[], equation=equation, cases=cases)


def _given(theta: Sequence[float], gradients: Rows, rate: float) -> dict[str, Any]:
    return {"theta": array(theta), "gradients": array(gradients), "learning_rate": array(rate)}


def _adam(
    name: str,
    flags: str,
    theta: Sequence[float],
    gradients: Rows,
    rate: float,
    betas: tuple[float, float],
    epsilon: float,
    since: int = 2,
) -> Case:
    right, moved = adam_points(theta, gradients, rate, betas, epsilon)
    given = _given(theta, gradients, rate)
    given |= {"beta1": array(betas[0]), "beta2": array(betas[1]), "epsilon": array(epsilon)}
    expected, room = {"theta": array(right)}, {"theta": STEPS * float(max(map(abs, theta)) + moved)}
    options: dict[str, Any] = {"float32": False, "since": since}
    return case(name, "adam_steps", flags, given, expected, room, **options)


def _descent(name: str, theta: Sequence[float], gradients: Rows, rate: float) -> Case:
    columns = list(zip(*gradients, strict=True))
    sums = [sum(map(precise, column)) for column in columns]
    right = [at - precise(rate) * slope for at, slope in zip(theta, sums, strict=True)]
    size = max(map(abs, theta)) + rate * max(sum(map(abs, column)) for column in columns)
    expected, room = {"theta": array(right)}, {"theta": STEPS * size}
    given = _given(theta, gradients, rate)
    return case(name, "gradient_steps", "StepSign", given, expected, room, since=2)
