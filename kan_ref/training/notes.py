"""Notes at the end of a run: samples outside grids, and units that may do harm.

Outside a grid the splines decay to zero, so a handful of test samples can determine the test error.
That note appears where the samples outside have more than half of the squared test error, although
their mean square is more than ten times that of the other samples. So it never appears where they
are predicted as well as the others. If all are outside, they are compared with the training samples
instead, and the note does not appear where the test error is small, or at most the training error.
Grids of inputs stay where they are; hidden grids follow the activations of training samples alone.
Few samples leave a network undetermined between them, so that others have activations outside. In
48 runs with that note, of two functions with 30 to 100 samples, three times as many samples gave a
smaller test error in all, and 2 intervals in place of 5 in 44. Another fit from the network at the
end, which places grids again, did in 20, and the note was there again in 35. A second note appears
where most training samples have an input outside its grid, as in a table with other units, and the
training error is not small. Of a problem it appears where most points have, however small the
residual is, since there the network is little more than its base functions. For samples it appears
as well where an input varies within a thousandth of an interval: the grid has other units, or the
range is at most 1e-9 max(1, |middle|) and counts as constant (B15). It appears where the central
90 % of the samples vary within a tenth of a mean interval, with one breakpoint at most: with one
number of 100 among 300 in [-1, 1] the median error of three functions over five seeds was 20 to 130
times as large as without it.

Random networks have outputs of size 1 for inputs of size 1. Two numbers of the network at the start
of a run tell whether the data have other units, with the error e and the outputs u on the training
data and the standard deviation of the targets over the samples:

    far = rms(e) / std(y),    short = std(y) / std(u)

With scaled variables a large `far` makes training fail, because the outputs have to lose most of
their digits. So does a very large `short`: scales are those of the start, where the parameters of
hidden layers have effects that are too small by this factor. For targets 10^8 times as large the
mean error of Levenberg-Marquardt on four functions was 5 times as large, and 10^30 times as large
ones were not learned at all. Without scaled variables steps have the wrong size already at smaller
numbers. `benchmarks.units` has more measurements.

Three more numbers are those of the targets. They count where the error at the end is above a
hundredth of the standard deviation, here of each output. No number here tells such an error from
noise, so the notes say that it may be noise. Medians of five seeds on two or three functions show
from where they harm, and `kr.scaled` undoes all three.

- The size: without scaled variables steps and tolerances suit numbers of size one. For standard
  deviations below 0.01 or above 100 the error of Adam and L-BFGS was 2 to 20 times as large, and
  Adam ended far above the start for 10^-6.
- The mean: rounding is relative to it. For a mean of 10^6 standard deviations two of five runs of
  Levenberg-Marquardt on one function had 10 times the error, and for 10^12 nearly all failed. Adam,
  whose steps have one length, had 2 to 7 times the error for a mean of 100.
- Another output: for 30 times smaller targets than those of the largest output the error, in
  standard deviations, was 5 to 40 times as large, and for 10^4 times smaller ones most were not
  learned. It must also be ten times that of the largest output, so that noise does not count.
"""

from typing import Any

import numpy as np

from kan_ref.checks import ROUNDING, BoolArray, FloatArray, counted
from kan_ref.network import Layer, Network, uncovered
from kan_ref.training.data_goal import MSE, DataGoal
from kan_ref.training.goal import deviation, values_at

MOST = 0.5  # of the sum of squared errors
TIMES = 10.0  # the mean square of the other samples
SMALL = 1e-3  # of an interval: a curve bends by less than a thousandth within it
CROWDED, CENTRAL = 0.1, (5.0, 95.0)  # of an interval, between these percentiles
OTHER_DOMAIN = "or start from domain=np.percentile(x_train, (5, 95), axis=0).T"
MOST_SORTED = 2000  # samples for percentiles
GOOD = 1e-2  # of std(y): a training error below says that grids and units did no harm

FAR_SCALED, FAR_PLAIN = 1e3, 30.0
SHORT_SCALED, SHORT_PLAIN = 1e6, 1e3
SIZE_PLAIN = 100.0  # of the standard deviation of the targets, or its inverse
MEAN_SCALED, MEAN_PLAIN = 1e6, 100.0  # in standard deviations
SMALLER = 30.0  # the standard deviation of the largest output


def note_on_grids(model: Any, test: DataGoal | None, name: str, error: float) -> str:
    """Return what to add to the reason of a run's end, "" where the grids cause no trouble.

    `error` is the root mean square of the training error at the end, 0 for a problem.
    """
    if test is None or test.loss is not MSE or not isinstance(model, Network):
        return ""
    by_layer = uncovered(model, test.x)
    outside: BoolArray = np.logical_or.reduce(by_layer, axis=0)
    n_outside = int(outside.sum())
    if n_outside == 0:
        return ""
    squares = ((values_at(model, test.x) - test.targets) ** 2).mean(axis=1)
    if not np.isfinite(squares).all() or squares.mean() <= error**2:
        return ""
    share = float(squares[outside].sum() / max(squares.sum(), np.finfo(float).tiny))
    small = GOOD * deviation(test.targets)
    others = squares[~outside].mean() if n_outside < len(squares) else max(error, small) ** 2
    if share <= MOST or squares[outside].mean() <= TIMES * others:
        return ""
    leave = "1 leaves" if n_outside == 1 else f"{n_outside} leave"
    shares = by_layer @ squares
    remedy = "a wider domain= includes them"
    if shares[0] <= MOST * shares.max():  # the inputs lie within their grids
        remedy = (
            f"most leave those of layer {np.argmax(shares)}, which follow activations of training: "
            "more samples, or fewer intervals, mostly make this error smaller"
        )
    return (
        f"; of {counted(len(outside), 'sample')} of {name} {leave} the grids, with {share:.0%} of "
        f"the squared test error: coverage(network, x) shows where, and {remedy}"
    )


def note_on_inputs(model: Any, source: Any, error: float) -> str:
    """Return what to add to the reason of a run's end if inputs do not fit their grids, else "".

    Most of them lie outside, or all lie within a small part of one interval.

    Parameters
    ----------
    model : Network, MLP or LAN
    source : DataGoal or Problem
    error : float
        Root mean square of the training error at the end, nan for classes.
    """
    if not isinstance(model, Network):
        return ""
    is_data = isinstance(source, DataGoal)
    if is_data and error <= GOOD * deviation(source.targets):
        return ""
    layer, x = model.layers[0], source.x if is_data else source.points
    low, high = layer.breakpoints[:, 0], layer.breakpoints[:, -1]
    outside = ((x < low) | (x > high)) & layer.mask.any(axis=0)
    n_outside = int(outside.any(axis=1).sum())
    if n_outside <= MOST * len(x):
        return _note_on_small_ranges(layer, x) if is_data else ""
    n = int(np.argmax(outside.sum(axis=0)))
    what, remedy = "points of the problem", "init_network(..., domain=) with their range"
    if is_data:
        what, remedy = (
            "training samples",
            "init_network(..., domain=x_train), or scale the data with kr.scaled",
        )
    return (
        f"; {n_outside} of {len(x)} {what} lie outside the grids of the inputs, where "
        f"splines decay to zero (input {n} has numbers from {x[:, n].min():.3g} to "
        f"{x[:, n].max():.3g}, its grid goes from {low[n]:.3g} to {high[n]:.3g}): start from "
        f"{remedy}"
    )


def _note_on_small_ranges(layer: Layer, x: FloatArray) -> str:
    """Return what to add where an input varies within a small part of an interval, else ""."""
    size, active = np.maximum(x.max(axis=0), -x.min(axis=0)), layer.mask.any(axis=0)
    low, high = layer.breakpoints[:, 0], layer.breakpoints[:, -1]
    interval = (high - low) / layer.n_intervals
    some = x[:: -(-len(x) // MOST_SORTED)]  # to sort all of a large table takes its memory again
    whole, (left, right) = np.ptp(x, axis=0), np.percentile(some, CENTRAL, axis=0)
    central = right - left
    grid = layer.breakpoints.T
    n_between = ((grid >= left) & (grid <= right)).sum(axis=0)
    small = active & (whole > ROUNDING * size) & (whole < SMALL * interval)
    crowded = active & (central > ROUNDING * size) & (central < CROWDED * interval)
    crowded &= (whole > interval) & (n_between < 2)
    if not (small | crowded).any():
        return ""
    n = int(np.argmax(small if small.any() else crowded))
    what, spread, remedy = "", whole, "scale the data with kr.scaled"
    if not small[n]:
        what, spread = " between percentiles 5 and 95", central
        remedy = (
            f"leave out outliers (it has numbers from {x[:, n].min():.3g} to "
            f"{x[:, n].max():.3g}), {OTHER_DOMAIN}"
        )
    return (
        f"; input {n} varies by {spread[n]:.3g} in the training samples{what}, which is "
        f"{spread[n] / interval[n]:.1g} times an interval of its grid (from {low[n]:.3g} to "
        f"{high[n]:.3g}), so its curves are {'lines' if small[n] else 'nearly lines'} there: "
        f"{remedy}"
    )


def note_on_units(model: Any, source: object, error: float, *, scaled: bool) -> str:
    """Return what to add to the reason of a run's end if the data have other units, else "".

    Parameters
    ----------
    model : Network, MLP or LAN
        At the start of the run.
    source : DataGoal or Problem
        Only a mean squared error over data is judged.
    error : float
        Root mean square of the training error at the end.
    scaled : bool
        Whether the optimizer had scaled variables.

    Notes
    -----
    One forward pass.
    """
    if not isinstance(source, DataGoal) or source.loss.name != "mse":
        return ""
    outputs = values_at(model, source.x)
    std, spread = deviation(source.targets), deviation(outputs)
    if not (std > 0.0 and error > GOOD * std):
        return ""
    far = float(np.sqrt(np.mean((outputs - source.targets) ** 2))) / std
    short = std / spread if spread > 0.0 else 0.0
    if spread <= ROUNDING * float(np.abs(outputs).max()):
        return _note_on_constant_outputs(model, source, error)
    if far > (FAR_SCALED if scaled else FAR_PLAIN):
        what = f"the error at the start was {far:.1g} times the standard deviation of the targets"
    elif short > (SHORT_SCALED if scaled else SHORT_PLAIN):
        what = f"the targets vary {short:.1g} times as much as the outputs at the start"
    elif not scaled and not 1.0 / SIZE_PLAIN <= std <= SIZE_PLAIN:
        return (
            f"; the targets have a standard deviation of {std:.3g}, but without scaled "
            "variables steps and tolerances of an optimizer suit numbers of size one: unless the "
            "training error is noise, scale the data with kr.scaled"
        )
    else:
        return ""
    low, high, mean = source.x.min(), source.x.max(), source.targets.mean()
    start = "start from kr.best_start or init_network(..., y=y_train), or "
    return (
        f"; the network was not initialized for the units of these data: {what} (inputs from "
        f"{low:.3g} to {high:.3g}, targets with mean {mean:.3g} and standard deviation "
        f"{std:.3g}): unless the training error is noise, "
        f"{start if isinstance(model, Network) else ''}scale the data with kr.scaled"
    )


def note_on_outputs(model: Any, source: object, *, scaled: bool) -> str:
    """Return what to add if an output was not learned because of its mean or its size, else "".

    Parameters
    ----------
    model : Network, MLP or LAN
        At the end of the run.
    source : DataGoal or Problem
        Only a mean squared error over data is judged.
    scaled : bool
        Whether the optimizer had scaled variables.

    Notes
    -----
    One forward pass, where the targets alone do not exclude both.
    """
    if not isinstance(source, DataGoal) or source.loss.name != "mse":
        return ""
    targets = source.targets
    means, spreads = np.abs(targets.mean(axis=0)), targets.std(axis=0)
    largest = int(np.argmax(spreads))
    far = means > (MEAN_SCALED if scaled else MEAN_PLAIN) * spreads
    small = spreads * SMALLER <= spreads[largest]
    suspect = (far | small) & (spreads > ROUNDING * means)
    if not suspect.any():
        return ""
    errors = np.sqrt(np.mean((values_at(model, source.x) - targets) ** 2, axis=0))
    relative = errors / np.where(spreads > 0.0, spreads, np.inf)
    suspect &= relative > GOOD
    small &= suspect & (relative > TIMES * relative[largest])
    far &= suspect
    n = int(np.argmax(far if far.any() else small))
    if far[n]:
        return (
            f"; the targets of output {n} have a mean of {targets[:, n].mean():.3g} and a standard "
            f"deviation of {spreads[n]:.3g}, so rounding and lengths of steps depend on the mean "
            "more than on what varies: unless the training error is noise, scale the data with "
            "kr.scaled"
        )
    if small[n]:
        return (
            f"; output {n} has an error of {relative[n]:.2g} standard deviations. Its targets vary "
            f"by {spreads[n]:.3g} and those of output {largest} by {spreads[largest]:.3g}, so it "
            "hardly counts in the loss: unless it is noise, scale the data with kr.scaled"
        )
    return ""


def _note_on_constant_outputs(model: Any, source: DataGoal, error: float) -> str:
    """Return what to add if the outputs at the start are the same for all samples."""
    x = source.x
    if (np.ptp(x, axis=0) <= ROUNDING * np.abs(x).max(axis=0)).all():
        return (
            "; every input is constant in the training samples, so nothing but the mean of the "
            "targets can be learned: give inputs that vary"
        )
    if note_on_inputs(model, source, error):  # the reason, which is stated by itself
        return ""
    return (
        "; the outputs at the start are the same for all samples: start from other parameters, "
        "such as random ones"
    )
