"""From the curve on an edge to a formula c f(a x + b) + d (Liu et al. 2024, section 2.5.1).

For given a and b the best c and d are the linear regression of y on g = f(a x + b). It explains the
part R^2 = cov(g, y)^2 / (var(g) var(y)) of the variance of y. The best a and b are searched on a
grid, then on finer grids around the best pair. Each is a quarter as wide as the one before: where
changes of a and b nearly cancel, R^2 has a ridge, and a better pair may be several steps away.
"""

import numpy as np

from kan_ref.plain.layer import forward

LIBRARY = {"x": np.positive, "x^2": np.square, "abs": np.abs, "exp": np.exp, "sin": np.sin}
LIBRARY |= {"tanh": np.tanh, "x^3": lambda u: u**3, "gaussian": lambda u: np.exp(-(u**2))}


def fit_affine(f, x, y, reach=10.0, n=41, n_rounds=7):
    """Return R^2 and (a, b, c, d) for y (n,) at x (n,); the first a and b are within reach of 0."""
    a, b, z = 0.0, 0.0, y - y.mean()
    for _ in range(n_rounds):
        # [eq:plain-affine]
        step = np.linspace(reach, -reach, n)  # of two equal curves a > 0 is taken
        a, b = np.repeat(a + step, n), np.tile(b + step, n)  # every pair
        with np.errstate(over="ignore"):
            g = f(a[:, None] * x + b[:, None])  # a curve in each row
        g = np.where(abs(g).max(axis=1, keepdims=True) < 1e100, g, 0.0)  # overflowed ones become 0
        mean = g.mean(axis=1)
        g = g - mean[:, None]
        size = np.maximum((g**2).sum(axis=1), 1e-12)  # a constant curve explains nothing
        r2 = (g @ z) ** 2 / (size * ((z @ z) or 1.0))  # 0 for a constant y
        best = np.argmax(r2)
        a, b, c, reach = a[best], b[best], g[best] @ z / size[best], reach / 4.0
        # [/eq:plain-affine]
    return r2[best], (a, b, c, y.mean() - c * mean[best])


def suggest(layer, j, i, n=200):
    """Return (R^2, (a, b, c, d), name) of edge (j, i) for every function of LIBRARY, best first."""
    a, b = layer.knots[:, layer.degree], layer.knots[:, -layer.degree - 1]
    x = np.linspace(a, b, n)
    _, (*_, phi) = forward(layer, x)
    y = layer.mask[j, i] * phi[:, j, i]  # 0 for a removed edge
    fits = [(*fit_affine(f, x[:, i], y), name) for name, f in LIBRARY.items()]
    return sorted(fits, reverse=True)
