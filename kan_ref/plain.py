"""The paper by hand: a Kolmogorov-Arnold network in NumPy alone.

Read it from top to bottom, start `python -i -m kan_ref.plain`, change a line, and see.
These lines learn exp(sin(pi x_1) + x_2^2) from 300 samples and name its functions:

    >>> rng = np.random.default_rng(0)
    >>> x = rng.uniform(-1.0, 1.0, (300, 2))
    >>> y = np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2)
    >>> grid = {"n_intervals": 5, "degree": 3, "low": -1.0, "high": 1.0}
    >>> layers = init_network((2, 1, 1), **grid, rng=rng)
    >>> layers, errors = fit(layers, x, y, n_steps=300, alpha=0.03)
    >>> [suggest(layers[l], j=0, i=i, n=50)[0][2] for l, i in ((0, 0), (0, 1), (1, 0))]
    ['sin', 'x^2', 'exp']

The paper is Liu et al. 2024 (arXiv 2404.19756); tutorials 1 to 8 derive its formulas.
In einsum strings b is the sample, j the output, i the input and m the basis function.
"""

import numpy as np


# --- 1. B-splines: bumps B_m, whose weighted sums are smooth curves
def basis_and_slope(x, knots, degree):
    """Return B_m(x) and B'_m(x), (batch, n_in, n_basis), at the rows of x.

    x is (batch, n_in) and knots (n_in, n_knots). The recursion of Cox and de Boor (A
    Practical Guide to Splines, ch. IX and X), with 0/0 := 0:

        B_{m,0}(x)  = 1 where t_m <= x < t_{m+1}, else 0
        T_{m,d}(x)  = B_{m,d-1}(x) / (t_{m+d} - t_m)
        B_{m,d}(x)  = (x - t_m) T_{m,d}(x) + (t_{m+d+1} - x) T_{m+1,d}(x)
        B'_{m,d}(x) = d (T_{m,d}(x) - T_{m+1,d}(x))
    """
    # [eq:plain-basis]
    x = x[:, :, None]
    start = knots[:, :-1]
    end = knots[:, 1:]
    last = (start < end) & (end == knots[:, -1:])  # this interval contains its end, too
    inside = (start <= x) & ((x < end) | (last & (x == end)))
    basis = inside + 0.0 * x  # nan stays nan
    basis_slope = 0.0 * inside

    for d in range(1, degree + 1):
        width = knots[:, d:] - knots[:, :-d]  # t_{m+d} - t_m
        T = basis / np.where(width > 0, width, 1.0)  # no width, no basis: 0/0 := 0
        T, T_next = T[:, :, :-1], T[:, :, 1:]  # T_{m,d} and T_{m+1,d}
        basis_slope = d * (T - T_next)
        basis = (x - knots[:, : -d - 1]) * T + (knots[:, d + 1 :] - x) * T_next
    # [/eq:plain-basis]
    return basis, basis_slope


def uniform_knots(low, high, n_intervals, degree):
    """Return knots t_m = a + (m - k) h, m = 0, ..., G + 2k, row by row (section 2.4).

    a = low and b = high, (n_in,) each, G = n_intervals, k = degree, h = (b - a) / G.
    """
    # [eq:plain-knots]
    h = (high - low) / n_intervals
    first = low - degree * h
    last = high + degree * h
    return np.linspace(first, last, n_intervals + 2 * degree + 1, axis=1)
    # [/eq:plain-knots]


# --- 2. A layer: a learnable curve phi_ji on each edge, from input i to output j
class Layer:
    """Copies of a layer's arrays, given flat or in shape. Mask 0 removes an edge."""

    def __init__(self, knots, coef, w_base, w_spline, mask):
        self.knots = np.array(knots)  # (n_in, n_knots)
        self.mask = np.array(mask)  # (n_out, n_in)
        self.coef = np.array(coef).reshape(*mask.shape, -1)  # (n_out, n_in, n_basis)
        self.w_base = np.array(w_base).reshape(mask.shape)
        self.w_spline = np.array(w_spline).reshape(mask.shape)
        self.degree = self.knots.shape[1] - self.coef.shape[2] - 1


def silu_and_slope(x):
    """Return the base function b(x) = x / (1 + exp(-x)) and b'(x) (eq. 2.11)."""
    # [eq:plain-silu]
    sigmoid = 1.0 / (1.0 + np.exp(-x))
    base = x * sigmoid
    base_slope = sigmoid + base * (1.0 - sigmoid)
    # [/eq:plain-silu]
    return base, base_slope


def forward(layer, x):
    """Return y_j = sum_i mask_ji phi_ji(x_i), (batch, n_out), and `backward`'s cache.

    phi_ji(x) = w_base_ji b(x) + w_spline_ji sum_m coef_jim B_m(x) (eqs. 2.5, 2.10-2.12)
    """
    # [eq:plain-forward]
    basis, basis_slope = basis_and_slope(x, layer.knots, layer.degree)  # line 1
    base, base_slope = silu_and_slope(x)  # line 2
    spline = np.einsum("bim,jim->bji", basis, layer.coef)  # line 3
    phi = layer.w_base * base[:, None, :] + layer.w_spline * spline  # line 4
    y = np.einsum("bji,ji->bj", phi, layer.mask)  # line 5
    # [/eq:plain-forward]
    return y, (basis, basis_slope, base, base_slope, spline, phi)


def backward(layer, cache, dy):
    """Return dx (batch, n_in), [d_coef, d_w_base, d_w_spline] from dy (batch, n_out).

    The chain rule takes the lines of `forward` from the last to the first. `d_array` is
    d loss / d array, in the shape of `array`; other indices are summed over.
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
    dx = d_base * base_slope  # of line 2
    dx += np.einsum("bim,bim->bi", d_basis, basis_slope)  # of line 1
    # [/eq:plain-backward]
    return dx, [d_coef, d_w_base, d_w_spline]


def multiply(u, n, dy):
    """Return y and du of n products: the first m sums u stay, the others form pairs.

    y_{m+p} = u_{m+2p} u_{m+2p+1} (KAN 2.0, arXiv 2408.10205). `backward` takes du.
    """
    # [eq:plain-product]
    m = u.shape[1] - 2 * n
    a, b = u[:, m::2], u[:, m + 1 :: 2]
    y = np.hstack([u[:, :m], a * b])

    d_product = dy[:, m:]
    d_pairs = np.stack([d_product * b, d_product * a], axis=2)
    du = np.hstack([dy[:, :m], d_pairs.reshape(len(u), 2 * n)])
    # [/eq:plain-product]
    return y, du


# --- 3. A network: a list of layers, each on the outputs of the one before (eq. 2.7)
def init_network(widths, n_intervals, degree, low, high, rng):
    """Return random layers of widths (n_0, ..., n_L) on [low, high] (section 2.2)."""
    layers = []
    for n_in, n_out in zip(widths[:-1], widths[1:], strict=True):
        a = np.full(n_in, low)
        b = np.full(n_in, high)
        knots = uniform_knots(a, b, n_intervals, degree)
        ones = np.ones((n_out, n_in))
        # [eq:plain-initialization]
        coef = rng.normal(0.0, 0.1, (n_out, n_in, n_intervals + degree))
        xavier = np.sqrt(6.0 / (n_in + n_out))
        w_base = rng.uniform(-1.0, 1.0, (n_out, n_in)) * xavier
        # [/eq:plain-initialization]
        layers.append(Layer(knots, coef, w_base, w_spline=ones, mask=ones))
    return layers


def predict(layers, x):
    """Return the outputs (batch, n_out) at x (batch, n_in)."""
    for layer in layers:
        x, _ = forward(layer, x)
    return x


def value_and_grad(layers, x, y):
    """Return the mean squared error to y (batch, n_out) and its gradient (n_params,).

    dx_L = 2 (x_L - y) / N for the N numbers of y; `backward` turns dx_{l+1} to dx_l.
    """
    # [eq:plain-network]
    caches = []
    for layer in layers:
        x, cache = forward(layer, x)
        caches.append(cache)

    error = x - y
    value = np.mean(error**2)
    dx = 2.0 * error / y.size
    grads = []
    for layer in reversed(layers):
        dx, of_layer = backward(layer, caches.pop(), dx)
        grads = of_layer + grads
    # [/eq:plain-network]
    return value, np.concatenate([grad.ravel() for grad in grads])


# --- 4. Training: an optimizer changes one vector theta, which holds all parameters
def parameters(layer):
    """Return the arrays of a layer that training changes."""
    return layer.coef, layer.w_base, layer.w_spline


def to_theta(layers):
    """Return theta (n_params,): layer by layer coef, w_base, w_spline."""
    # [eq:plain-theta]
    parts = []
    for layer in layers:
        parts += [array.ravel() for array in parameters(layer)]
    return np.concatenate(parts)
    # [/eq:plain-theta]


def to_layers(theta, layers):
    """Return layers with the grids and masks of `layers` and the parameters theta."""
    filled = []
    for layer in layers:
        parts = []
        for array in parameters(layer):
            parts.append(theta[: array.size])
            theta = theta[array.size :]
        filled.append(Layer(layer.knots, *parts, layer.mask))
    return filled


def fit(layers, x, y, n_steps, alpha=1e-2, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Return trained layers, and errors before each step of Adam (Kingma, Ba 2015)."""
    theta = to_theta(layers)
    g_mean = 0.0
    g_square = 0.0
    errors = []
    for q in range(1, n_steps + 1):
        error, g = value_and_grad(to_layers(theta, layers), x, y)
        errors.append(error)
        # [eq:plain-adam]
        g_mean = beta1 * g_mean + (1.0 - beta1) * g
        g_square = beta2 * g_square + (1.0 - beta2) * g**2
        mean = g_mean / (1.0 - beta1**q)  # g_mean and g_square began at 0
        square = g_square / (1.0 - beta2**q)
        theta = theta - alpha * mean / (np.sqrt(square) + epsilon)
        # [/eq:plain-adam]
    return to_layers(theta, layers), errors


# --- 5. Finer grids: every spline is fitted again, with more basis functions
def extend_grid(layers, n_intervals):
    """Return layers with nearly the same functions on uniform grids of n_intervals.

    coef' = argmin sum_n (sum_m coef'_m N_m(x_n) - sum_m coef_m B_m(x_n))^2, with N_m on
    the new grid (eq. 2.16). The sum is 0 on [a, b] if the old grid is a part of the new
    one. Outside [a, b] the functions change: train again.
    """
    finer = []
    for old in layers:
        low, high = old.knots[:, old.degree], old.knots[:, -old.degree - 1]  # a and b
        knots = uniform_knots(low, high, n_intervals, old.degree)
        n_points = 4 * (old.degree + 1) * n_intervals
        x = np.linspace(low, high, 2 * n_points + 1)[1::2]  # n_points midpoints
        old_basis, _ = basis_and_slope(x, old.knots, old.degree)
        new_basis, _ = basis_and_slope(x, knots, old.degree)
        # [eq:plain-extension]
        spline = np.einsum("bim,jim->ibj", old_basis, old.coef)
        inverse = np.linalg.pinv(new_basis.swapaxes(0, 1))  # one for each input
        coef = np.einsum("imb,ibj->jim", inverse, spline)
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
    "tanh": np.tanh,
    "x^3": lambda u: u**3,
    "gaussian": lambda u: np.exp(-(u**2)),
}


def fit_affine(f, x, y, reach=10.0, n=41, n_rounds=7):
    """Return R^2 and (a, b, c, d) of the nearest c f(a x + b) + d to y at x.

    x and y are (n_points,). For given a and b, linear regression of y on g = f(a x + b)
    gives c, d and the share of variance R^2 = (g . y)^2 / ((g . g) (y . y)), with g and
    y without their means. The best of n x n pairs (a, b) is searched within reach of 0,
    then on grids a quarter as wide around it (section 2.5.1).
    """
    a, b = 0.0, 0.0
    centred = y - y.mean()
    for _ in range(n_rounds):
        # [eq:plain-affine]
        step = np.linspace(reach, -reach, n)  # of two equal curves, a > 0 comes first
        a = np.repeat(a + step, n)
        b = np.tile(b + step, n)  # all n * n pairs
        with np.errstate(over="ignore"):
            g = f(a[:, None] * x + b[:, None])  # one curve in each row
        g[abs(g).max(axis=1) > 1e100] = 0.0  # leave out those that overflow

        mean = g.mean(axis=1)
        g -= mean[:, None]
        gy = g @ centred
        gg = np.maximum((g**2).sum(axis=1), 1e-12)  # R^2 is 0 for a constant g
        yy = (centred @ centred) or 1.0  # and for a constant y
        r2 = gy**2 / (gg * yy)

        best = np.argmax(r2)
        a = a[best]
        b = b[best]
        c = gy[best] / gg[best]
        reach /= 4.0
        # [/eq:plain-affine]
    d = y.mean() - c * mean[best]
    return r2[best], (a, b, c, d)


def suggest(layer, j, i, n=200):
    """Return (R^2, (a, b, c, d), name) of edge (j, i), the best of LIBRARY first."""
    low, high = layer.knots[:, layer.degree], layer.knots[:, -layer.degree - 1]
    x = np.linspace(low, high, n)
    _, (*_, phi) = forward(layer, x)
    y = layer.mask[j, i] * phi[:, j, i]  # 0 for a removed edge
    fits = []
    for name, f in LIBRARY.items():
        r2, affine = fit_affine(f, x[:, i], y)
        fits.append((r2, affine, name))
    return sorted(fits, reverse=True)
