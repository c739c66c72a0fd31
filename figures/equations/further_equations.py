"""Five more differential equations with their exact solutions, and a sixth whose solution becomes a formula.

Every equation is solved by Levenberg-Marquardt on weighted mean squares of its residual and of its conditions, (J32) of
`kan_ref.pde.equations`; errors are taken at fresh points or on a mesh, none of which were trained on.

    pendulum    u'' + sin u = 0 on [0, 10], u(0) = 2, u'(0) = 0; exact by Jacobi's functions: sin(u/2) = k cd(t, k), k = sin 1
                (DLMF 22.19.2). A [1,1] network is a spline: this is least-squares collocation
    burgers     u u_x = 0.2 u_xx on [-1, 1], u(-1) = 1, u(1) = -1; exact u = -a tanh(a x / 0.4), a tanh(a / 0.4) = 1
    layer       u' - 0.01 u'' = 1 on [0, 1], u(0) = u(1) = 0; exact u = x - (e^((x - 1) / 0.01) - e^(-100)) / (1 - e^(-100)): a boundary
                layer of width 0.01 at x = 1, which holds half of the points and which only fine grids resolve
    heat        u_t = 0.1 u_xx on [0, 1] x [-1, 1], u = sin(pi x) at t = 0, 0 on the sides; exact exp(-0.1 pi^2 t) sin(pi x)
    helmholtz   u_xx + u_yy + u = f on [-1, 1]^2, 0 on the boundary, u = sin(pi x) sin(4 pi y), a common test of such methods
    formula     u_xx + u_yy = -2 pi^2 sin(pi x) sin(pi y), 0 on the boundary (see `poisson`): solved, the solution given to
                `kr.discover`, and the formula's parameters trained on the equation itself

The viscosity 0.2 is our choice: for a smaller one the position of the layer depends on the boundary
only through exp(-1 / viscosity), and every method that uses residuals alone converges slowly.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import kan_ref as kr
from figures.equations.poisson import PI, around
from kan_ref.checks import FloatArray

VISCOSITY, DIFFUSION, SWING, DURATION, THICKNESS = 0.2, 0.1, 2.0, 10.0, 0.01


@dataclass(frozen=True)
class Equation:
    """An equation and its settings.

    `terms(rng)`: its conditions at freshly drawn points; `exact` solution at x (n, n_in) -> (n,); `box`: bounds of each variable; `widths`,
    `degree`, `grids`, `n_steps` on each grid; `formula` and `label`s in TeX; `seconds` of CPU, roughly.
    """

    title: str
    formula: str
    labels: tuple[str, ...]
    box: tuple[tuple[float, float], ...]
    terms: Callable[[np.random.Generator], list[Any]]
    exact: Callable[[FloatArray], FloatArray]
    widths: tuple[int, ...]
    degree: int
    grids: tuple[int, ...]
    n_steps: int
    seconds: float

    def quick(self) -> "Equation":
        """Return the same equation with fewer grids."""
        return replace(self, grids=self.grids[:2], seconds=0.5 * self.seconds)

    def mesh(self, n: int) -> FloatArray:
        """Return the points of a mesh with n on each axis, (n^n_in, n_in)."""
        axes = [np.linspace(low, high, n) for low, high in self.box]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


def _line(low: float, high: float, n: int) -> FloatArray:
    return np.linspace(low, high, n)[:, None]


# --- the equations


def _pendulum_terms(rng: np.random.Generator) -> list[Any]:
    def residual(
        x: FloatArray, u: FloatArray, du: FloatArray | None, d2u: FloatArray | None
    ) -> tuple[FloatArray | None, ...]:
        assert d2u is not None  # order 2 was asked for
        # [eq:pendulum]
        return d2u[:, 0, 0, 0] + np.sin(u[:, 0]), np.cos(u), None, np.ones((len(x), 1, 1, 1))
        # [/eq:pendulum]

    start = np.zeros((1, 1))
    equation = kr.function_term(_line(0.0, DURATION, 400), residual)
    return [equation, kr.value_term(start, SWING), kr.linear_term(start, first=[1.0])]


def _pendulum(x: FloatArray) -> FloatArray:
    from scipy.special import ellipj, ellipk

    m = np.sin(SWING / 2.0) ** 2
    return np.asarray(2.0 * np.arcsin(np.sqrt(m) * ellipj(ellipk(m) - x[:, 0], m)[0]))


def _burgers_terms(rng: np.random.Generator) -> list[Any]:
    def residual(
        x: FloatArray, u: FloatArray, du: FloatArray | None, d2u: FloatArray | None
    ) -> tuple[FloatArray | None, ...]:
        assert du is not None and d2u is not None  # noqa: PT018 - order 2 was asked for
        # [eq:burgers]
        left = u[:, 0] * du[:, 0, 0] - VISCOSITY * d2u[:, 0, 0, 0]
        return left, du[:, :, 0], u[:, :, None], np.full((len(x), 1, 1, 1), -VISCOSITY)
        # [/eq:burgers]

    ends = np.array([[-1.0], [1.0]])
    return [kr.function_term(_line(-1.0, 1.0, 400), residual), kr.value_term(ends, -ends)]


def _burgers(x: FloatArray) -> FloatArray:
    from scipy.optimize import brentq

    a = brentq(lambda a: a * np.tanh(a / (2.0 * VISCOSITY)) - 1.0, 0.5, 2.0, xtol=1e-15)
    return np.asarray(-a * np.tanh(a * x[:, 0] / (2.0 * VISCOSITY)))


def _layer_terms(rng: np.random.Generator) -> list[Any]:
    points = np.concatenate([_line(0.0, 1.0, 400), _line(1.0 - 10.0 * THICKNESS, 1.0, 400)])
    # [eq:layer]
    equation = kr.linear_term(points, first=[1.0], second=[-THICKNESS], source=np.ones((800, 1)))
    # [/eq:layer]
    return [equation, kr.value_term(np.array([[0.0], [1.0]]))]


def _layer(x: FloatArray) -> FloatArray:
    far = np.exp(-1.0 / THICKNESS)
    return np.asarray(x[:, 0] - (np.exp((x[:, 0] - 1.0) / THICKNESS) - far) / (1.0 - far))


def _heat_terms(rng: np.random.Generator) -> list[Any]:
    inside = np.stack([rng.uniform(0.0, 1.0, 1600), rng.uniform(-1.0, 1.0, 1600)], axis=1)
    begin = np.stack([np.zeros(100), rng.uniform(-1.0, 1.0, 100)], axis=1)
    sides = np.stack([rng.uniform(0.0, 1.0, 200), np.repeat([-1.0, 1.0], 100)], axis=1)
    # [eq:heat]
    equation = kr.linear_term(inside, first=[1.0, 0.0], second=[0.0, -DIFFUSION], weight=0.1)
    # [/eq:heat]
    return [equation, kr.value_term(begin, _heat(begin)[:, None]), kr.value_term(sides)]


def _heat(x: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-DIFFUSION * PI**2 * x[:, 0]) * np.sin(PI * x[:, 1]))


def _helmholtz_terms(rng: np.random.Generator) -> list[Any]:
    inside = rng.uniform(-1.0, 1.0, (2500, 2))
    source = (1.0 - 17.0 * PI**2) * _helmholtz(inside)[:, None]
    # [eq:helmholtz]
    equation = kr.linear_term(inside, second=[1.0, 1.0], zeroth=1.0, source=source, weight=1e-3)
    # [/eq:helmholtz]
    return [equation, kr.value_term(around(rng.uniform(-1.0, 1.0, (4, 100))))]


def _helmholtz(x: FloatArray) -> FloatArray:
    return np.asarray(np.sin(PI * x[:, 0]) * np.sin(4.0 * PI * x[:, 1]))


SQUARE = ((-1.0, 1.0), (-1.0, 1.0))
EQUATIONS = {
    "pendulum": Equation(
        "pendulum",
        r"u'' + \sin u = 0",
        ("$t$",),
        ((0.0, DURATION),),
        _pendulum_terms,
        _pendulum,
        (1, 1),
        5,
        (20, 40, 80),
        100,
        1.0,
    ),
    "burgers": Equation(
        "steady Burgers",
        r"u\,u_x = 0.2\,u_{xx}",
        ("$x$",),
        ((-1.0, 1.0),),
        _burgers_terms,
        _burgers,
        (1, 1),
        5,
        (10, 20, 40),
        50,
        1.0,
    ),
    "layer": Equation(
        "boundary layer",
        r"u' - 0.01\,u'' = 1",
        ("$x$",),
        ((0.0, 1.0),),
        _layer_terms,
        _layer,
        (1, 1),
        5,
        (20, 40, 80, 160, 320),
        30,
        2.0,
    ),
    "heat": Equation(
        "heat",
        r"u_t = 0.1\,u_{xx}",
        ("$t$", "$x$"),
        ((0.0, 1.0), (-1.0, 1.0)),
        _heat_terms,
        _heat,
        (2, 5, 1),
        5,
        (5, 10),
        50,
        5.0,
    ),
    "helmholtz": Equation(
        "Helmholtz",
        r"u_{xx} + u_{yy} + u = f",
        ("$x$", "$y$"),
        SQUARE,
        _helmholtz_terms,
        _helmholtz,
        (2, 10, 1),
        5,
        (5, 10, 20),
        40,
        20.0,
    ),
}
