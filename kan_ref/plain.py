"""The paper by hand: a Kolmogorov-Arnold network in NumPy alone.

Read this file from top to bottom, start `python -i -m kan_ref.plain`, change a line and
see what happens. These lines learn exp(sin(pi x_1) + x_2^2) from 300 samples and name
its functions:

    >>> rng = np.random.default_rng(0)
    >>> x = rng.uniform(-1.0, 1.0, (300, 2))
    >>> y = np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2)
    >>> layers = init_network((2, 1, 1), n_intervals=5, degree=3, low=-1.0, high=1.0, rng=rng)
    >>> layers, errors = fit(layers, x, y, n_steps=300, alpha=0.03)
    >>> [suggest(layers[l], j=0, i=i, n=50)[0][2] for l, i in ((0, 0), (0, 1), (1, 0))]
    ['sin', 'x^2', 'exp']

The paper is Liu et al. 2024 (arXiv 2404.19756); tutorials 1 to 8 derive its formulas.
In einsum strings b is the sample, j the output, i the input and m the basis function.
"""

import numpy as np


# --- 1. B-splines: bumps B_m, whose weighted sums are smooth curves
def basis_and_slope(x, knots, degree):
    """Return B_m(x) and B'_m(x), (batch, n_in, n_basis), at x (batch, n_in), knots
    (n_in, n_knots).

    The recursion of Cox and de Boor (A Practical Guide to Splines, ch. IX and X), with
    0/0 := 0:

        B_{m,0}(x)  = 1 where t_m <= x < t_{m+1}, else 0
        T_{m,d}(x)  = B_{m,d-1}(x) / (t_{m+d} - t_m)
        B_{m,d}(x)  = (x - t_m) T_{m,d}(x) + (t_{m+d+1} - x) T_{m+1,d}(x)
        B'_{m,d}(x) = d (T_{m,d}(x) - T_{m+1,d}(x))
    """
    # [eq:plain-basis]
    x, start, end = x[:, :, None], knots[:, :-1], knots[:, 1:]
    last = (start < end) & (
        end == knots[:, -1:]
    )  # the last interval contains its end, too
    inside = (start <= x) & ((x < end) | (last & (x == end)))
    basis, basis_slope = inside + 0.0 * x, 0.0 * inside  # nan stays nan
    for d in range(1, degree + 1):
        width = knots[:, d:] - knots[:, :-d]  # t_{m+d} - t_m
        T = basis / np.where(
            width > 0, width, 1.0
        )  # where the width is 0, so is the basis
        basis_slope = d * (T[:, :, :-1] - T[:, :, 1:])
        basis = (x - knots[:, : -d - 1]) * T[:, :, :-1] + (knots[:, d + 1 :] - x) * T[
            :, :, 1:
        ]
    # [/eq:plain-basis]
    return basis, basis_slope


def uniform_knots(low, high, n_intervals, degree):
    """Return the knots t_m = a + (m - k) h, m = 0, ..., G + 2k, with h = (b - a) / G
    (section 2.4).

    a is low and b is high, (n_in,) each, G is n_intervals and k the degree. Each input
    has its row.
    """
    # [eq:plain-knots]
    h = (high - low) / n_intervals
    return np.linspace(
        low - degree * h, high + degree * h, n_intervals + 2 * degree + 1, axis=1
    )
    # [/eq:plain-knots]


# --- 2. A layer: a learnable curve phi_ji on the edge from each input i to each output
# j
class Layer:
    """Copies of a layer's arrays, given flat or in shape; a mask of 0 removes an edge
    (j, i).
    """

    def __init__(self, knots, coef, w_base, w_spline, mask):
        self.knots, self.mask = (
            np.array(knots),
            np.array(mask),
        )  # (n_in, n_knots), (n_out, n_in)
        self.coef = np.array(coef).reshape(*mask.shape, -1)  # (n_out, n_in, n_basis)
        self.w_base, self.w_spline = (
            np.array(w).reshape(mask.shape) for w in (w_base, w_spline)
        )
        self.degree = self.knots.shape[1] - self.coef.shape[2] - 1


def silu_and_slope(x):
    """Return the base function b(x) = x / (1 + exp(-x)) and its derivative b'(x) (eq.
    2.11).
    """
    # [eq:plain-silu]
    sigmoid = 1.0 / (1.0 + np.exp(-x))
    return x * sigmoid, sigmoid + x * sigmoid * (1.0 - sigmoid)
    # [/eq:plain-silu]


def forward(layer, x):
    """Return y_j = sum_i phi_ji(x_i) (batch, n_out) at x (batch, n_in), and a cache for
    `backward`.

    phi_ji(x) = w_base_ji b(x) + w_spline_ji sum_m coef_jim B_m(x) (eqs. 2.5, 2.10 and
    2.12)
    """
    # [eq:plain-forward]
    basis, basis_slope = basis_and_slope(x, layer.knots, layer.degree)  # line 1
    base, base_slope = silu_and_slope(x)  # line 2
    spline = np.einsum(
        "bim,jim->bji", basis, layer.coef
    )  # line 3, (batch, n_out, n_in)
    phi = layer.w_base * base[:, None, :] + layer.w_spline * spline  # line 4
    y = np.einsum("bji,ji->bj", phi, layer.mask)  # line 5
    # [/eq:plain-forward]
    return y, (basis, basis_slope, base, base_slope, spline, phi)


def backward(layer, cache, dy):
    """Return dx (batch, n_in) and [d_coef, d_w_base, d_w_spline] from dy (batch,
    n_out).

    The chain rule takes the lines of `forward` from the last to the first. The loss has
    the derivative `d_array` with respect to `array`, in its shape; other indices are
    summed over.
    """
    basis, basis_slope, base, base_slope, spline, _ = cache
    # [eq:plain-backward]
    d_phi = dy[:, :, None] * layer.mask  # of line 5
    d_w_base = np.einsum("bji,bi->ji", d_phi, base)  # of line 4
    d_base = np.einsum("bji,ji->bi", d_phi, layer.w_base)  # of line 4
    d_w_spline = np.einsum("bji,bji->ji", d_phi, spline)  # of line 4
    d_spline = d_phi * layer.w_spline  # of line 4
    d_coef = np.einsum("bji,bim->jim", d_spline, basis)  # of line 3
    d_basis = np.einsum("bji,jim->bim", d_spline, layer.coef)  # of line 3
    dx = d_base * base_slope + np.einsum(
        "bim,bim->bi", d_basis, basis_slope
    )  # of lines 2, 1
    # [/eq:plain-backward]
    return dx, [d_coef, d_w_base, d_w_spline]


def multiply(u, n, dy):
    """Return y and du of n products: the first m sums u stay, the others are multiplied
    in pairs.

    These are y_{m+p} = u_{m+2p} u_{m+2p+1} as in KAN 2.0 (arXiv 2408.10205); `backward`
    takes du.
    """
    # [eq:plain-product]
    m = u.shape[1] - 2 * n
    a, b, d = u[:, m::2], u[:, m + 1 :: 2], dy[:, m:]
    pairs = np.stack([d * b, d * a], axis=2).reshape(len(u), 2 * n)
    return np.hstack([u[:, :m], a * b]), np.hstack([dy[:, :m], pairs])
    # [/eq:plain-product]


# --- 3. A network: a list of layers, each on the outputs of the one before (eq. 2.7)
def init_network(widths, n_intervals, degree, low, high, rng):
    """Return random layers of widths (n_0, ..., n_L), all grids on [low, high] (section
    2.2).
    """
    layers = []
    for n_in, n_out in zip(widths[:-1], widths[1:], strict=True):
        knots = uniform_knots(
            np.full(n_in, low), np.full(n_in, high), n_intervals, degree
        )
        # [eq:plain-initialization]
        coef = rng.normal(0.0, 0.1, (n_out, n_in, n_intervals + degree))
        w_base = rng.uniform(-1.0, 1.0, (n_out, n_in)) * np.sqrt(
            6.0 / (n_in + n_out)
        )  # Xavier
        # [/eq:plain-initialization]
        layers.append(
            Layer(knots, coef, w_base, np.ones_like(w_base), np.ones_like(w_base))
        )
    return layers


def predict(layers, x):
    """Return the outputs (batch, n_out) at x (batch, n_in)."""
    for layer in layers:
        x, _ = forward(layer, x)
    return x


def value_and_grad(layers, x, y):
    """Return the mean squared error at targets y (batch, n_out) and its gradient
    (n_params,).

    With outputs x_L and N numbers in y, dx_L is 2 (x_L - y) / N. `backward` turns
    dx_{l+1} to dx_l.
    """
    # [eq:plain-network]
    caches, grads = [], []
    for layer in layers:
        x, cache = forward(layer, x)
        caches.append(cache)
    value, dx = np.mean((x - y) ** 2), 2.0 * (x - y) / y.size
    for layer, cache in zip(layers[::-1], caches[::-1], strict=True):
        dx, of_layer = backward(layer, cache, dx)
        grads = [grad.ravel() for grad in of_layer] + grads
    # [/eq:plain-network]
    return value, np.concatenate(grads)


# --- 4. Training: an optimizer changes one vector theta, which holds all parameters
def parameters(layer):
    """Return the arrays of a layer that training changes."""
    return layer.coef, layer.w_base, layer.w_spline


def to_theta(layers):
    """Return theta (n_params,): layer by layer coef, w_base, w_spline."""
    # [eq:plain-theta]
    return np.concatenate(
        [array.ravel() for one in layers for array in parameters(one)]
    )
    # [/eq:plain-theta]


def to_layers(theta, layers):
    """Return layers with the grids and masks of `layers` and the parameters theta."""
    ends = np.cumsum([array.size for one in layers for array in parameters(one)])
    parts = iter(np.split(theta, ends))
    return [
        Layer(one.knots, next(parts), next(parts), next(parts), one.mask)
        for one in layers
    ]


def fit(layers, x, y, n_steps, alpha=1e-2, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Return layers trained on x (batch, n_in), y (batch, n_out) by Adam (Kingma and Ba
    2015), and the error before each step.
    """
    theta, g_mean, g_square, errors = to_theta(layers), 0.0, 0.0, []
    for q in range(1, n_steps + 1):
        error, g = value_and_grad(to_layers(theta, layers), x, y)
        errors.append(error)
        # [eq:plain-adam]
        g_mean = beta1 * g_mean + (1.0 - beta1) * g
        g_square = beta2 * g_square + (1.0 - beta2) * g**2
        mean, square = (
            g_mean / (1.0 - beta1**q),
            g_square / (1.0 - beta2**q),
        )  # both began at 0
        theta = theta - alpha * mean / (np.sqrt(square) + epsilon)
        # [/eq:plain-adam]
    return to_layers(theta, layers), errors


# --- 5. Finer grids: every spline is fitted again, with more basis functions
def extend_grid(layers, n_intervals):
    """Return layers with nearly the same functions on uniform grids of n_intervals
    intervals.

    coef' = argmin sum_n (sum_m coef'_m B'_m(x_n) - sum_m coef_m B_m(x_n))^2, with B'_m
    on the new grid (eq. 2.16). It is 0 on [a, b] if the new grid contains the old one;
    outside, train again.
    """
    finer = []
    for old in layers:
        low, high = old.knots[:, old.degree], old.knots[:, -old.degree - 1]  # a and b
        knots = uniform_knots(low, high, n_intervals, old.degree)
        n_points = 4 * (old.degree + 1) * n_intervals
        x = np.linspace(low, high, 2 * n_points + 1)[
            1::2
        ]  # midpoints of n_points equal parts
        old_basis, _ = basis_and_slope(x, old.knots, old.degree)
        new_basis, _ = basis_and_slope(x, knots, old.degree)
        # [eq:plain-extension]
        spline = np.einsum("bim,jim->ibj", old_basis, old.coef)
        coef = np.einsum(
            "imb,ibj->jim", np.linalg.pinv(new_basis.swapaxes(0, 1)), spline
        )
        # [/eq:plain-extension]
        finer.append(Layer(knots, coef, old.w_base, old.w_spline, old.mask))
    return finer


# --- 6. Symbolic fitting: from the curve on an edge to a formula c f(a x + b) + d
LIBRARY = {
    "x": np.positive,
    "x^2": np.square,
    "abs": np.abs,
    "exp": np.exp,
    "sin": np.sin,
}
LIBRARY |= {
    "tanh": np.tanh,
    "x^3": lambda u: u**3,
    "gaussian": lambda u: np.exp(-(u**2)),
}


def fit_affine(f, x, y, reach=10.0, n=41, n_rounds=7):
    """Return R^2 and (a, b, c, d) of the nearest c f(a x + b) + d to y at x, both
    (n_points,).

    For given a and b, linear regression of y on g = f(a x + b) gives c, d and the share
    of variance R^2 = (g . y)^2 / ((g . g) (y . y)), with g and y without their means.
    The best of n x n pairs (a, b) is searched within reach of 0, then on grids a
    quarter as wide around it (section 2.5.1).
    """
    a, b, centred = 0.0, 0.0, y - y.mean()
    for _ in range(n_rounds):
        # [eq:plain-affine]
        step = np.linspace(
            reach, -reach, n
        )  # of two equal curves the one with a > 0 comes first
        a, b = np.repeat(a + step, n), np.tile(b + step, n)  # all n * n pairs
        with np.errstate(over="ignore"):
            g = f(a[:, None] * x + b[:, None])  # one curve in each row
        g[abs(g).max(axis=1) > 1e100] = 0.0  # leave out those that overflow
        mean = g.mean(axis=1)
        g = g - mean[:, None]
        gy, gg = (
            g @ centred,
            np.maximum((g**2).sum(axis=1), 1e-12),
        )  # R^2 is 0 for a constant g
        r2 = gy**2 / (gg * ((centred @ centred) or 1.0))  # and for a constant y
        best = np.argmax(r2)
        a, b, c, reach = a[best], b[best], gy[best] / gg[best], reach / 4.0
        # [/eq:plain-affine]
    return r2[best], (a, b, c, y.mean() - c * mean[best])


def suggest(layer, j, i, n=200):
    """Return (R^2, (a, b, c, d), name) of edge (j, i) for every function of LIBRARY,
    best first.
    """
    low, high = layer.knots[:, layer.degree], layer.knots[:, -layer.degree - 1]
    x = np.linspace(low, high, n)
    _, (*_, phi) = forward(layer, x)
    y = layer.mask[j, i] * phi[:, j, i]  # 0 for a removed edge
    fits = [(*fit_affine(f, x[:, i], y), name) for name, f in LIBRARY.items()]
    return sorted(fits, reverse=True)
