"""Cases and checks for derivatives with respect to the inputs, by differences of exact derivatives one order lower.

A check returns its error relative to the largest sum of absolute terms. Differences are of fourth order, (8 d(h) - d(2h)) / (12 h) with
d(h) = f(h) - f(-h); samples keep clear of knots, beyond which a second derivative is another polynomial.
"""

import numpy as np
from networks import clear_samples, random_batch, random_network, with_formulas

from kan_ref.numerics.row_sparse import multiply
from kan_ref.pde import jets
from kan_ref.pde.jet_kind import directional_kind, operator_kind
from kan_ref.pde.jets import jet_at

TOLERANCE = 1e-7
WIDE = (2, 7, 7, 6)  # with a square layer, in which a transposed matrix has the right shape, too


def fourth_order(function, h=1e-5):
    """Derivative at 0 of a function of one number."""
    return (8.0 * (function(h) - function(-h)) - (function(2 * h) - function(-2 * h))) / (12.0 * h)


def some_case(seed, *, degrees=(2, 3, 4, 5), formulas=True, widths=None, dead=0.2):
    """A random network, 3 to 12 samples inside, beside and outside the grid, not near knots of any layer, and the generator."""
    rng = np.random.default_rng(seed)
    while True:
        network = random_network(rng, degrees=degrees, widths=widths, dead=dead)
        if formulas:
            network = with_formulas(rng, network, share=0.3)
        x = clear_samples(network, random_batch(rng, network.layers[0], 60), distance=1e-3)[:12]
        if len(x) >= 3:
            return network, x, rng


def random_operator(rng, n_in, n_samples=None):
    """Coefficients (matrix, drift) of an operator, not symmetric, with zeros; constant, or different at each sample."""
    batch = () if n_samples is None else (n_samples,)
    pattern = rng.random((n_in, n_in)) < 0.7
    return rng.normal(size=(*batch, n_in, n_in)) * pattern, rng.normal(size=(*batch, n_in))


def random_directions(rng, n_in):
    """First derivatives along three directions and second ones along four pairs of them, off the diagonal too."""
    return directional_kind(rng.normal(size=(3, n_in)), [(0, 0), (2, 1), (1, 1), (0, 2)])


def every_kind(rng, n_in, n_samples):
    """The kinds of jet that the checks go through."""
    return {
        "directions": random_directions(rng, n_in),
        "constant operator": operator_kind(*random_operator(rng, n_in)),
        "operator of each sample": operator_kind(*random_operator(rng, n_in, n_samples)),
        "laplacian": operator_kind(np.eye(n_in), np.zeros(n_in)),
    }


def flow_of(model, x, kind):
    """The outputs' jet and the caches of a backward pass."""
    return jets.run_jet_forward(model, jets.prepare_jet(model, x, kind))


def error(ours, theirs, terms=()):
    """Largest difference, relative to the largest number or sum of absolute terms."""
    size = max([np.abs(theirs).max(), np.abs(ours).max(), *np.atleast_1d(terms), 1e-300])
    return np.abs(ours - theirs).max() / size


def forward_error(model, x):
    """First derivatives against differences of values, second ones against differences of first ones, every number of them.

    The better of two steps: a steep symbolic edge needs a short one, large terms that cancel a long one.
    """
    return min(forward_error_of(model, x, h) for h in (1e-5, 1e-4))


def forward_error_of(model, x, h):
    n = x.shape[1]
    jet = jet_at(
        model, x, directional_kind(np.eye(n), [(p, q) for q in range(n) for p in range(n)])
    )
    first = directional_kind(np.eye(n), ())
    moved = np.stack(
        [
            fourth_order(lambda t, q=q: jet_at(model, x + t * np.eye(n)[q], first), h)
            for q in range(n)
        ],
        axis=1,
    )
    by_values, by_slopes = moved[:, :, 0], moved[:, :, 1:].reshape(len(jet), n * n, -1)
    return max(error(jet[:, 1 : 1 + n], by_values), error(jet[:, 1 + n :], by_slopes))


def gradient_errors(model, x, kind, rng):
    """Gradient and rows of samples against differences of all components along a direction in theta."""
    jet, caches = flow_of(model, x, kind)
    seed, direction = rng.normal(size=jet.shape), 0.1 * rng.normal(size=model.n_params)

    moved = fourth_order(
        lambda h: jet_at(model.replace_theta(model.theta + h * direction), x, kind) * seed
    )
    gradient = jets.run_jet_backward(model, caches, seed)
    by_sample = multiply(jets.jet_jacobian(model, caches, seed), direction)
    return {
        "gradient": error(gradient @ direction, moved.sum(), np.abs(gradient * direction).sum()),
        "rows": error(
            by_sample, moved.sum(axis=(0, 1)), np.abs(gradient * direction).sum() / len(x)
        ),
    }


def reverse_error(layer, x, kind, rng):
    """dR/d jet of one layer against differences in the value, the first and second derivatives, and all of them."""
    jet = kind.at(x)
    jet[:, 1:] = rng.normal(size=jet[:, 1:].shape)
    cache = jets.SplineJet.of(layer, jet, kind, 3)
    seed = rng.normal(size=cache.outputs(layer).shape)
    d_jet = cache.input_gradient(layer, seed)
    errors = []
    for parts in (slice(0, 1), kind.first, kind.second, slice(None)):
        direction = np.zeros(jet.shape)
        direction[:, parts] = rng.normal(size=direction[:, parts].shape)
        moved = fourth_order(
            lambda h, d=direction: np.vdot(
                seed, jets.SplineJet.of(layer, jet + h * d, kind, 2).outputs(layer)
            )
        )
        errors.append(error(np.vdot(d_jet, direction), moved, np.abs(d_jet * direction).sum()))
    return max(errors)
