"""The 15 special functions of Table 1 (Liu et al. 2024, section 3.2): SciPy's values, with the paper's errors. Data.

The paper names SciPy's functions with the arguments (x, y) in SciPy's order. It leaves the following open; our choices are:

- `ellipj(u, m)` has four values; sn, the first, is taken. u covers about a period, m its unit interval without a tenth at each end.
- `ellipkinc`, `ellipeinc` (phi, m): a quarter turn of phi.
- `jv`, `yv`, `kv`, `iv` (v, x): real orders v of [0, 3], the same box for the four. Orders that are no integers make x = 0 singular
  for all of them.
- `lpmv(m, v, x)`: real degrees v of [0, 3]. For those x = -1 is singular, for odd m x = 1 too.
- `sph_harm(m, n, theta, phi)`, azimuth theta and colatitude phi, is today `sph_harm_y(n, m, phi, theta)`. Its real part is taken, which
  for m = 0 is all of it (the imaginary part is the real one turned by a quarter of 2 pi / m). The whole sphere.

`MLP` is the paper's best MLP, `minimal` the smallest KAN with a test RMSE below 1e-2 (for one row just the smallest).
"""

from typing import Any

from scipy import special

from figures.tables.problem import Box, Problem, Shape
from kan_ref.checks import FloatArray

TURN, HALF_TURN = 6.283185307179586, 3.141592653589793
ELLIPTIC: Box = ((0.0, HALF_TURN / 2), (0.1, 0.9))
BESSEL: Box = ((0.0, 3.0), (1.0, 6.0))
LEGENDRE: Box = ((0.0, 3.0), (-0.8, 0.8))
SPHERE: Box = ((0.0, TURN), (0.0, HALF_TURN))


def _row(
    name: str,
    plain: str,
    f: Any,
    names: tuple[str, str],
    box: Box,
    positive: tuple[str, ...],
    minimal: tuple[Shape, float],
    best: tuple[Shape, float],
    mlp: float,
) -> Problem:
    shapes = {"minimal": minimal[0], "best": best[0]}
    return Problem(
        name,
        plain,
        names,
        box,
        positive,
        shapes,
        {"minimal": minimal[1], "best": best[1], "MLP": mlp},
        special=f,
    )


def _legendre(m: int) -> Any:
    return lambda x: special.lpmv(m, x[:, 0], x[:, 1])


def _harmonic(m: int, n: int) -> Any:
    def real_part(x: FloatArray) -> Any:
        return special.sph_harm_y(n, m, x[:, 1], x[:, 0]).real

    return real_part


_ORDER = ("v", "x")
_SPHERE = ("theta", "phi")
SPECIAL_FUNCTIONS = (
    _row(
        "ellipj",
        "sn(u, m)",
        lambda x: special.ellipj(x[:, 0], x[:, 1])[0],
        ("u", "m"),
        ((-3.0, 3.0), (0.1, 0.9)),
        ("m", "1 - m"),
        ((2, 2, 1), 7.29e-3),
        ((2, 3, 2, 1, 1), 1.33e-4),
        6.48e-4,
    ),
    _row(
        "ellipkinc",
        "F(phi, m)",
        lambda x: special.ellipkinc(x[:, 0], x[:, 1]),
        ("phi", "m"),
        ELLIPTIC,
        ("1 - m*sin(phi)**2",),
        ((2, 2, 1, 1), 1.00e-3),
        ((2, 2, 1, 1, 1), 1.24e-4),
        5.52e-4,
    ),
    _row(
        "ellipeinc",
        "E(phi, m)",
        lambda x: special.ellipeinc(x[:, 0], x[:, 1]),
        ("phi", "m"),
        ELLIPTIC,
        ("1 - m*sin(phi)**2",),
        ((2, 2, 1, 1), 8.36e-5),
        ((2, 2, 1, 1), 8.26e-5),
        3.04e-4,
    ),
    _row(
        "jv",
        "J_v(x)",
        lambda x: special.jv(x[:, 0], x[:, 1]),
        _ORDER,
        BESSEL,
        ("x",),
        ((2, 2, 1), 4.93e-3),
        ((2, 3, 1, 1, 1), 1.64e-3),
        5.52e-3,
    ),
    _row(
        "yv",
        "Y_v(x)",
        lambda x: special.yv(x[:, 0], x[:, 1]),
        _ORDER,
        BESSEL,
        ("x",),
        ((2, 3, 1), 1.89e-3),
        ((2, 2, 2, 1), 1.49e-5),
        3.45e-4,
    ),
    _row(
        "kv",
        "K_v(x)",
        lambda x: special.kv(x[:, 0], x[:, 1]),
        _ORDER,
        BESSEL,
        ("x",),
        ((2, 1, 1), 4.89e-3),
        ((2, 2, 1), 2.52e-5),
        1.67e-4,
    ),
    _row(
        "iv",
        "I_v(x)",
        lambda x: special.iv(x[:, 0], x[:, 1]),
        _ORDER,
        BESSEL,
        ("x",),
        ((2, 4, 3, 2, 1, 1), 9.28e-3),
        ((2, 4, 3, 2, 1, 1), 9.28e-3),
        1.07e-2,
    ),
    _row(
        "lpmv m=0",
        "P^0_v(x)",
        _legendre(0),
        _ORDER,
        LEGENDRE,
        ("1 - x**2",),
        ((2, 2, 1), 5.25e-5),
        ((2, 2, 1), 5.25e-5),
        1.74e-2,
    ),
    _row(
        "lpmv m=1",
        "P^1_v(x)",
        _legendre(1),
        _ORDER,
        LEGENDRE,
        ("1 - x**2",),
        ((2, 4, 1), 6.90e-4),
        ((2, 4, 1), 6.90e-4),
        1.50e-3,
    ),
    _row(
        "lpmv m=2",
        "P^2_v(x)",
        _legendre(2),
        _ORDER,
        LEGENDRE,
        ("1 - x**2",),
        ((2, 2, 1), 4.88e-3),
        ((2, 3, 2, 1), 2.26e-4),
        9.43e-4,
    ),
    _row(
        "sph_harm m=0 n=1",
        "Y^0_1",
        _harmonic(0, 1),
        _SPHERE,
        SPHERE,
        (),
        ((2, 1, 1), 2.21e-7),
        ((2, 1, 1), 2.21e-7),
        1.25e-6,
    ),
    _row(
        "sph_harm m=1 n=1",
        "Re Y^1_1",
        _harmonic(1, 1),
        _SPHERE,
        SPHERE,
        (),
        ((2, 2, 1), 7.86e-4),
        ((2, 3, 2, 1), 1.22e-4),
        6.70e-4,
    ),
    _row(
        "sph_harm m=0 n=2",
        "Y^0_2",
        _harmonic(0, 2),
        _SPHERE,
        SPHERE,
        (),
        ((2, 1, 1), 1.95e-7),
        ((2, 1, 1), 1.95e-7),
        2.85e-6,
    ),
    _row(
        "sph_harm m=1 n=2",
        "Re Y^1_2",
        _harmonic(1, 2),
        _SPHERE,
        SPHERE,
        (),
        ((2, 2, 1), 4.70e-4),
        ((2, 2, 1, 1), 1.50e-5),
        1.84e-3,
    ),
    _row(
        "sph_harm m=2 n=2",
        "Re Y^2_2",
        _harmonic(2, 2),
        _SPHERE,
        SPHERE,
        (),
        ((2, 2, 1), 1.12e-3),
        ((2, 2, 3, 2, 1), 9.45e-5),
        6.21e-4,
    ),
)
