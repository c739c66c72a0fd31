"""What may be wrong with a fit although its numbers look right: units, grids, samples.

Outside a grid the splines decay to zero and only base functions remain. Optimizers,
initial parameters and base functions suit inputs and targets of size one. No number
tells a large error from noise, so findings on units appear where the error is above a
hundredth of the standard deviation of the targets, and mostly vanish with
`kan_ref.scaled`. The limits are measured (`benchmarks.units`; medians of five seeds on
two or three functions):

    outside    a handful of test samples outside the grids makes most of the test error
    crowded    90 % of an input within a tenth of an interval: 20 to 130 times the error
    mean       100 standard deviations: Adam had 2 to 7 times the error
    apart      an output varying 30 times less than another one: 5 to 40 times its error
    size       a standard deviation below 0.01 or above 100:
               Adam had 2 to 20 times the error
    lengths    equations on inputs that extend over L: for L or L^-order above 100
               some terms hardly influence the fit, which the residual does not show
    sizes      unknowns of equations below 1/300 or above 300:
               runs ended at wrong solutions
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.data import Data, check_data
from kan_ref.network import Model, Network, first_cause, layer_inputs
from kan_ref.training.terms import values_at

GOOD = 1e-2  # of std(y): an error below says that grids and units did no harm
OUTSIDE = 0.5  # of the training samples
TIMES = 10.0  # the mean squared error of test samples inside the grids
CROWDED, CENTRAL = 0.1, (5.0, 95.0)  # of an interval, between these percentiles
MEAN = 100.0  # in standard deviations
APART = 30.0  # between the standard deviations of outputs
SIZE = 100.0  # of the standard deviation of targets, or its inverse
RISEN = 2.0  # times the smallest training error on a coarser grid
LENGTH, UNKNOWN = 100.0, 300.0  # of inputs and unknowns of equations, or their inverse
SCALE = "Unless the error is noise, scale the data with kr.scaled"


class Finding(NamedTuple):
    """A cause of bad results, from `diagnose`.

    Attributes
    ----------
    about : str
        One word, such as "units".
    what : str
        What is wrong, with numbers.
    do : str
        The remedy.

    Examples
    --------
    >>> import kan_ref as kr
    >>> print(kr.Finding("units", "x is near 1e8", "Scale it."))
    units: x is near 1e8. Scale it.
    """

    about: str
    what: str
    do: str

    def __str__(self) -> str:
        return f"{self.about}: {self.what}. {self.do}"


def diagnose(
    network: Model,
    data: Any = None,
    equations: Sequence[Any] = (),
    *,
    history: Any = None,
) -> list[Finding]:
    """Return what may be wrong with a trained network, its data and its equations.

    Parameters
    ----------
    network : Network, MLP or LAN
    data : Data, optional
        That it was trained on, with its test samples.
    equations : sequence of terms
        That it was trained on.
    history : History, optional
        Of the run; shows whether the training error rose on finer grids.

    Returns
    -------
    findings : list of Finding
        Each with `about`, `what` and `do`; empty if nothing is found. `fit` gives the
        same as `run.findings`.

    Examples
    --------
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> data = kr.sample(lambda x: 1e8 + x, n_in=1, n_train=50, n_test=10, rng=rng)
    >>> grid = {"n_intervals": 3, "degree": 3, "domain": data.x_train}
    >>> net = kr.init_network((1, 1), **grid, rng=rng)
    >>> diagnose(net, data)[0].about
    'units'
    """
    checks.instance("network", network, Model, "a Network, an MLP or a LAN")
    case = _Case(network, data, equations, history)
    with np.errstate(all="ignore"):
        found = list(_undefined(case))
        if not found:
            for rule in _RULES:
                found += rule(case)
        return found


class _Case:
    """A network with what it was trained on.

    `bad` are the outputs whose error is not small.
    """

    def __init__(
        self,
        network: Any,
        data: Any,
        equations: Sequence[Any],
        history: Any,
    ) -> None:
        self.network = network
        self.equations = equations
        self.history = history
        self.grids = None
        if isinstance(network, Network):
            self.grids = network.layers[0].breakpoints
        if data is None:
            x = np.empty((0, network.widths[0]))
            y = np.empty((0, network.widths[-1]))
            data = Data(x, y, x, y)

        known = check_data(data)
        self.x = known.x_train
        self.y = known.y_train
        self.x_test = known.x_test
        self.y_test = known.y_test
        # a label, or yes and no
        is_class = self.y.ndim == 1 or np.isin(self.y, (0, 1)).all()
        self.has_numbers = len(self.x) > 0 and not is_class
        self.std = np.zeros(0)
        self.errors = np.zeros(0)
        if self.has_numbers:
            self.std = self.y.std(axis=0)
            self.errors = _errors(network, self.x, self.y)
        self.bad = self.errors > GOOD * self.std


def _errors(network: Any, x: FloatArray, y: Any) -> FloatArray:
    """Return the root mean squared error of each output, (n_out,)."""
    squares = (values_at(network, x) - y) ** 2
    return np.asarray(np.sqrt(np.mean(squares, axis=0)))


def undefined_at(network: Any, x: FloatArray, name: str, highest: int = 0) -> str:
    """Return which symbolic edge has no value, or derivative, at a sample, or ""."""
    if not isinstance(network, Network):
        return ""
    layers = network.layers
    if not any(layer.symbolic for layer in layers):
        return ""
    return first_cause(layers, layer_inputs(layers, x), name, highest=highest)


def _undefined(case: _Case) -> Iterator[Finding]:
    for name, x in (("x_train", case.x), ("x_test", case.x_test)):
        if len(x) and (why := undefined_at(case.network, x, name)):
            yield Finding("undefined", why, "Take another function, or other samples")


def _outside(case: _Case) -> Iterator[Finding]:
    if case.grids is None:
        return
    parts = [("the points of equations", term.x) for term in case.equations]
    if len(case.x) and (case.bad.any() or not case.has_numbers):
        parts.append(("x_train", case.x))
    for name, x in parts:
        outside = (x < case.grids[:, 0]) | (x > case.grids[:, -1])
        share = outside.any(axis=1).mean()
        if share > OUTSIDE:
            what = f"{share:.0%} of {name} lie outside the grids"
            do = "Start from init_network(..., domain=) with their range"
            yield Finding("grids", f"{what}, where splines decay to zero", do)


def _crowded(case: _Case) -> Iterator[Finding]:
    if case.grids is None or not case.bad.any() or not case.network.layers[0].degree:
        return
    interval = np.ptp(case.grids, axis=1) / (case.grids.shape[1] - 1)
    low, high = np.percentile(case.x, CENTRAL, axis=0)
    share = (high - low) / interval
    for n in np.flatnonzero((high > low) & (high - low < CROWDED * interval)):
        what = f"90 % of input {n} lie within {share[n]:.1g} of an interval"
        domain = "domain=np.percentile(x_train, (5, 95), axis=0).T"
        do = f"Leave out outliers, or give {domain}"
        yield Finding("grids", f"{what}, so its curves are lines", do)


def _leaving(case: _Case) -> Iterator[Finding]:
    if case.grids is None or not case.has_numbers or not len(case.x_test):
        return
    layers = case.network.layers
    inputs = layer_inputs(layers, case.x_test)
    out = np.zeros(len(case.x_test), dtype=bool)
    for layer, x in zip(layers, inputs, strict=False):
        low = layer.breakpoints[:, 0]
        high = layer.breakpoints[:, -1]
        out |= ((x < low) | (x > high)).any(axis=1)
    if not out.any():
        return

    squares = np.mean((values_at(case.network, case.x_test) - case.y_test) ** 2, axis=1)
    train = float(np.mean(case.errors**2))
    others = max(train, float(np.mean((GOOD * case.std) ** 2)))
    if not out.all():
        others = float(squares[~out].mean())
    if squares.mean() <= train or squares[out].mean() <= TIMES * others:
        return

    share = squares[out].sum() / squares.sum()
    if share > OUTSIDE:
        what = f"{out.sum()} of {len(out)} test samples leave the grids"
        part = f"{share:.0%} of the squared test error"
        do = "A wider domain= includes them; kr.coverage(network, x_test) shows where"
        yield Finding("grids", f"{what}, with {part}", do)


def _units(case: _Case) -> Iterator[Finding]:
    if not case.bad.any():
        return
    means, std = np.abs(case.y.mean(axis=0)), case.std
    varies = case.bad & (std > 0.0)
    for n in np.flatnonzero(varies & (means > MEAN * std)):
        what = f"output {n} has mean {means[n]:.3g} and std {std[n]:.3g}"
        yield Finding("units", what, SCALE)
    for n in np.flatnonzero(varies & (APART * std < std.max())):
        what = f"output {n} varies {std.max() / std[n]:.2g} times less than another one"
        yield Finding("units", f"{what}, and hardly counts in the loss", SCALE)
    if not 1.0 / SIZE <= std.max() <= SIZE:
        yield Finding("units", f"the targets have a std of {std.max():.3g}", SCALE)


def _rose(case: _Case) -> Iterator[Finding]:
    if case.history is None or not case.has_numbers or case.history.penalty.any():
        return
    errors, grids = case.history.train_rmse, case.history.n_intervals
    # at the start, or on a coarser grid
    before = np.append(errors[0], errors[grids != grids[-1]]).min()
    if errors[-1] > max(RISEN * before, 1e-8 * case.std.max()):
        what = f"the training error rose from {before:.2g} to {errors[-1]:.2g}"
        do = "Take a smaller learning rate, more steps on each grid, or fewer intervals"
        yield Finding("schedule", what, do)


def _equations(case: _Case) -> Iterator[Finding]:
    if not len(case.equations):
        return
    solution = case.y_test
    is_known = len(solution) > 0
    if is_known:
        errors = _errors(case.network, case.x_test, solution)
        if (errors <= GOOD * solution.std()).all():
            return

    from kan_ref.pde import orders_of  # here: a fit of data needs no equations

    remedy = "Give equation_term(..., scales=kr.Scales(domain, values))"
    x = np.concatenate([term.x for term in case.equations])
    orders = np.max([orders_of(term.kind) for term in case.equations], axis=0)
    lengths = np.ptp(x, axis=0)
    short = LENGTH ** (-1.0 / np.maximum(orders, 1))
    far = (orders > 0) & (lengths > 0.0) & ((lengths >= LENGTH) | (lengths <= short))
    for n in np.flatnonzero(far):
        what = f"input {n} extends over {lengths[n]:.3g}"
        yield Finding("equations", f"{what}, so some terms may hardly count", remedy)

    values = solution if is_known else values_at(case.network, x)
    size = float(np.sqrt(np.mean(values**2, axis=0)).max())
    if not 1.0 / UNKNOWN <= size <= UNKNOWN:
        yield Finding("equations", f"the unknowns are of size {size:.2g}", remedy)


_RULES = (_outside, _crowded, _leaving, _units, _rose, _equations)
