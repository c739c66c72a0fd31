"""The architectures among which a noisy table chooses, with their initial parameters.

Ordered from the simplest to the richest, they range from no dependence at all to interactions:

    constant    the mean of the targets, or the frequencies of the classes
    linear      one layer of lines
    additive    one layer of splines, y = sum_i phi_i(x_i)
    hidden      a network with hidden layers, which can represent interactions

The lines are a network of one layer, too: the identity is its base function, and one basis function
of degree 0, which is 1 far beyond the samples, gives the constant.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.network import Network, domain_of_samples, init_network
from kan_ref.training.data_goal import DataGoal

LARGEST_MEAN = 1.0  # absolute, of a standardised column
LEAST_STD, LARGEST_STD = 0.25, 4.0
WIDER = 10.0  # times the width of the samples: how far the constant of the lines reaches


def initial_networks(
    x: FloatArray,
    n_out: int,
    hidden: Sequence[int],
    *,
    n_intervals: int,
    degree: int,
    rng: np.random.Generator,
) -> dict[str, Network]:
    """Return the networks "linear", "additive" and, unless `hidden` is empty, "hidden"."""
    n_in, ends = x.shape[1], domain_of_samples(x)
    networks = {"linear": initial_line(x, n_out, rng)}
    widths = {"additive": (n_in, n_out), "hidden": (n_in, *hidden, n_out)}
    for name in ("additive", "hidden") if len(hidden) else ("additive",):
        networks[name] = init_network(
            widths[name], n_intervals=n_intervals, degree=degree, domain=ends, x=x, rng=rng
        )
    return networks


def initial_line(x: FloatArray, n_out: int, rng: np.random.Generator) -> Network:
    """Return the network of lines for samples x (batch, n_in)."""
    ends = domain_of_samples(x)
    wide = ends + WIDER * np.array([-1.0, 1.0]) * (ends[:, 1:] - ends[:, :1])
    widths = (x.shape[1], n_out)
    return init_network(widths, n_intervals=1, degree=0, domain=wide, base="identity", rng=rng)


def fewest_samples(name: str, n_basis: int, n_in: int) -> int:
    """Return how many samples a fold must train on so that an architecture is compared.

    One spline has n_basis coefficients, and a sum of curves has as many for each input. With fewer
    samples than one curve needs, only lines are compared; with fewer than the sum needs, the curves
    of single inputs are underdetermined, and no interactions of inputs are looked for.
    """
    return {"linear": 0, "additive": n_basis, "hidden": n_in * n_basis}[name]


def constant_network(line: Network, constant: FloatArray) -> Network:
    """Return the network of lines as a constant (n_out,), divided among its inputs."""
    (layer,) = line.layers
    each = constant / layer.coef.shape[1]
    coef = np.broadcast_to(each[:, None, None], layer.coef.shape)
    return Network((replace(layer, coef=coef, w_base=np.zeros_like(layer.w_base)),))


def sample_range(x: FloatArray) -> FloatArray:
    """Return the smallest and largest value of each column, (n_in, 2)."""
    return np.stack([x.min(axis=0), x.max(axis=0)], axis=1)


def clipped(x: FloatArray, domain: FloatArray) -> FloatArray:
    """Return the nearest inputs within the domain (n_in, 2)."""
    return np.clip(x, domain[:, 0], domain[:, 1])


def check_standardised(goal: DataGoal) -> None:
    """Raise ValueError where a column is far from mean 0 and standard deviation 1."""
    arrays = {"x_train": goal.x}
    if goal.loss.probabilities is None:
        arrays["y_train"] = goal.targets
    for name, array in arrays.items():
        means, stds = array.mean(axis=0), array.std(axis=0)
        constant = np.ptp(array, axis=0) == 0.0
        wrong = (np.abs(means) > LARGEST_MEAN) | (
            ~constant & ((stds < LEAST_STD) | (stds > LARGEST_STD))
        )
        if wrong.any():
            i = int(np.argmax(wrong))
            raise ValueError(
                f"{name} has mean {means[i]:.3g} and standard deviation {stds[i]:.3g} in column "
                f"{i}, but the weights of the penalty are those for standardised columns: the mean "
                f"must lie between -1 and 1, the standard deviation between {LEAST_STD:g} and "
                f"{LARGEST_STD:g}. Subtract the mean, and divide by the standard deviation"
            )
