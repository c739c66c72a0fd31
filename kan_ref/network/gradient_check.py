"""Check derivatives by hand against differences, along random directions.

For a network f, a random upstream gradient u and a random direction v of one kind of argument (the
inputs, or one kind of parameter of one layer),

    (L25)  <u, J v> = d/dt <u, f(argument + t v)> at t = 0    by a central difference with step h
    (L26)  <u, J v> = <J^T u, v>                              by backward, which computes J^T u

must agree. Two forward passes check all entries of J^T u at once; a wrong one passes with
probability 0, unless the rounding error of the difference hides it. Nothing here depends on units.
v is so long that a step of h moves every input and every hidden activation by at most about h times
the length over which the curves there bend (`gradient_steps`). The difference is compared with the
sum of the absolute terms of <J^T u, v>, plus the rounding error of the outputs. u is in inverse
proportion to the size of each output at each sample: otherwise one far sample would hide the
others. Where a curve has no continuous second derivative within the step, (L25) is wrong by O(h) or
more; `gradient_kinks` finds such samples, which are left out, and those that the step takes out of
the domain of a symbolic edge. Where the derivative is 0, as for parameters that are all 0, (L25)
may give nothing but its own error of order h^2. So the two sides disagree only if they still do
after one step of Richardson's extrapolation, (4 D(h/2) - D(h)) / 3.

Where base functions and splines differ much in size, the larger part of dx hides the smaller one.
So dx is checked in three networks: as it is, without its splines, and without its base functions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kan_ref.checks import FloatArray, check_generator, check_integer, check_number
from kan_ref.network import gradient_digits as digits
from kan_ref.network.cache import Cache
from kan_ref.network.gradient_kinks import (
    check_some_clear,
    clear_of_kinks,
    clear_of_symbolic_kinks,
)
from kan_ref.network.gradient_steps import (
    ROUNDINGS,
    SINGLE,
    TOGETHER,
    Scales,
    activations,
    check_scales,
    input_direction,
    limit_to_values,
    measure_scales,
    paces,
    parameter_direction,
)
from kan_ref.network.jacobian import prediction_jacobian
from kan_ref.network.layer import PARAMETER_ARRAYS, Layer
from kan_ref.network.network import Network, check_inputs, forward, network_values
from kan_ref.network.network import backward as own_backward
from kan_ref.numerics import multiply

_Keeps = Callable[[], bool]
_Half = Callable[[], float]
_Numbers = tuple[float, float, float]

_ALL = "all parameters"
_STILL = 1e-100  # a slower change in units of a step is none
_RELIABLE = 1e-7  # errors are relative to at least the rounding error divided by this


def check_gradients(
    network: Network,
    x: object,
    *,
    rng: np.random.Generator,
    n_directions: int = 3,
    step: float = 1e-5,
    tolerance: float = 1e-7,
    backward: digits.Backward | None = None,
) -> digits.GradientReport:
    """Check a backward pass against differences of the forward pass; raise an error if it is wrong.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least one sample; inside and outside the grids.
    rng : numpy.random.Generator
        Draws directions.
    n_directions : int
        At least 1, for each part.
    step : float
        h of (L25), relative to the lengths over which the curves bend: at most the grid spacing.
    tolerance : float
        Largest relative error allowed, beside the rounding error of a difference: about 1e-10 at
        the default step and inputs of size one, below which no error can be found.
    backward : callable, optional
        (network, caches, dy) -> (dx, grads), checked instead of `kan_ref.backward`; the per-sample
        Jacobian is left out then.

    Returns
    -------
    report : GradientReport

    Raises
    ------
    ValueError
        "d_coef of layer 1 is wrong: along a random direction backward gives 0.52, a central
        difference 0.61 (relative error 0.1, allowed 1e-07)"; if all samples cross kinks of
        curves or ends of domains; if numbers overflow; "d_coef of layer 1 cannot be checked:
        ..." if products underflow; if rounding hides an error of 0.1 in every part, as with a step
        far too small.

    Notes
    -----
    Implements :eq:`gradient-check`. It takes 3 n_directions forward passes per part.

    The relative error of (L25) is about h^2 / 6 by Taylor's theorem and some eps / h by rounding.
    Their sum is smallest near h = eps^(1/3), about 1e-5, and there far below the tolerance. The
    step is relative, since an absolute one is longer than a small grid and below the rounding error
    of large inputs.
    """
    points = check_inputs(network, x)
    if len(points) == 0:
        raise ValueError(
            f"x has shape {points.shape}, but a gradient check needs at least one sample"
        )
    rng = check_generator("rng", rng)
    n_directions = check_integer("n_directions", n_directions, low=1)
    step = check_number("step", step, low=1e-300)
    tolerance = check_number("tolerance", tolerance, low=0.0)
    judged = own_backward if backward is None else digits.checked_backward(backward)
    with np.errstate(all="ignore"):  # `_Check` finds numbers that overflow
        check = _Check.of(network, points, step, tolerance, rng)
        variants = _partial(network, points)
        parts = [_Check.of(part, points, step, tolerance, rng) for part in variants]
        for _ in range(n_directions):
            for each in (check, *parts):
                each.judge_inputs(judged)
            check.judge_parameters(judged, jacobian=backward is None)
    digits.check_seen(check.hidden, step)
    errors = {"dx": max(each.errors["dx"] for each in (check, *parts))}
    n_samples = len(points) - max(check.left_out)
    return digits.GradientReport(check.errors | errors, check.hidden, n_samples, n_directions)


def _partial(network: Network, x: FloatArray) -> list[Network]:
    """Return the network without splines and without base functions, if it has both."""
    layers = network.layers
    if not all(
        any(part.any() for part in parts) for parts in zip(*map(_weights, layers), strict=True)
    ):
        return []
    zero = [layer.w_base * 0.0 for layer in layers]
    partial = [
        Network(tuple(replace(layer, w_spline=w) for layer, w in zip(layers, zero, strict=True))),
        Network(tuple(replace(layer, w_base=w) for layer, w in zip(layers, zero, strict=True))),
    ]
    return [part for part in partial if np.isfinite(network_values(part, x)).all()]


def _weights(layer: Layer) -> tuple[FloatArray, FloatArray]:
    """Return the base weights and the splines' weights of the edges that are not masked."""
    return layer.base_matrix, layer.spline_matrix


@dataclass(frozen=True, eq=False)
class _Check:
    """A network at a batch, and what is known of its gradients; `errors` and `left_out` grow."""

    network: Network
    x: FloatArray
    y: FloatArray
    caches: Sequence[Cache]
    scales: Scales
    step: float
    tolerance: float
    rng: np.random.Generator
    errors: dict[str, float] = field(default_factory=dict)
    hidden: dict[str, float] = field(default_factory=dict)
    left_out: list[int] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        network: Network,
        x: FloatArray,
        step: float,
        tolerance: float,
        rng: np.random.Generator,
    ) -> "_Check":
        """Evaluate a network for a check."""
        y, caches = forward(network, x)
        scales = measure_scales(network, x, caches)
        check_scales(network, x, scales)
        return cls(network, x, y, caches, scales, step, tolerance, rng)

    def judge_inputs(self, backward: digits.Backward) -> None:
        """Check dx along one direction; a sample moves less where its activations move too far."""
        direction = input_direction(self.scales, self.rng)
        for hidden, _ in paces(self.network, self.scales, self.step, direction, 0.0):
            direction /= np.maximum(hidden, 1.0)[:, None]
        self._judge("dx", direction, np.zeros_like(self.network.theta), backward)

    def judge_parameters(self, backward: digits.Backward, *, jacobian: bool) -> None:
        """Check each kind of parameter of each layer along one direction, and all together."""
        network, still = self.network, np.zeros_like(self.x)
        total, start = np.zeros_like(network.theta), 0
        for number, layer in enumerate(network.layers):
            for name in PARAMETER_ARRAYS.values():
                size = getattr(layer, name).size
                if not size:
                    continue
                drawn = self.rng.standard_normal(getattr(layer, name).shape)
                block = slice(start, start + size)
                start += size
                paced = []
                for least in (SINGLE, TOGETHER):
                    direction = np.zeros_like(network.theta)
                    direction[block] = parameter_direction(
                        self.scales, layer, number, name, self.caches[number], drawn, least
                    ).reshape(-1)
                    paced.append(self._paced(direction, grow=name != "affine"))
                self._judge(f"d_{name} of layer {number}", still, paced[0], backward)
                total[block] += limit_to_values(paced[1][block], getattr(layer, name))
        self._judge(_ALL, still, self._paced(total, grow=False), backward, jacobian=jacobian)

    def _paced(self, direction: FloatArray, *, grow: bool) -> FloatArray:
        """Scale a direction of theta so that activations move by about one unit a step."""
        for hidden, outputs in paces(self.network, self.scales, self.step, 0.0, direction):
            pace = float(hidden.max()) or outputs
            if pace > 1.0 or (grow and pace > _STILL):
                direction /= pace
        return direction

    def _judge(
        self,
        name: str,
        by_x: FloatArray,
        by_theta: FloatArray,
        backward: digits.Backward,
        *,
        jacobian: bool = False,
    ) -> None:
        """Compare both sides of (L25) and (L26) along a direction, and keep the error."""
        x, theta, step = self.x, self.network.theta, self.step

        def ends(step: float) -> list[tuple[FloatArray, FloatArray]]:
            return [(theta + s * by_theta, x + s * by_x) for s in (-step, step)]

        before, after = (activations(self.network, *end) for end in ends(step))
        smooth = clear_of_kinks(self.network, before, self.scales, after)
        thetas, points = zip(*ends(step), strict=True)
        smooth &= clear_of_symbolic_kinks(self.network, thetas, (before, after))
        self.left_out.append(int((~smooth).sum()))
        check_some_clear(smooth, step)
        u = smooth[:, None] * self.rng.standard_normal(self.y.shape) / self.scales.units
        # rounding moves the ends: what counts is how far apart they are
        v_x, v_theta = (high / 2.0 - low / 2.0 for low, high in (points, thetas))
        rounding = ROUNDINGS * float(np.abs(u * self.scales.errors[-1]).sum())
        # [eq:gradient-check]
        difference = float(np.vdot(u[smooth], (after[-1] / 2.0 - before[-1] / 2.0)[smooth]))
        dx, grads = backward(self.network, self.caches, u)
        pulled = np.concatenate([dx.reshape(-1), grads.theta])
        v = np.concatenate([v_x.reshape(-1), v_theta])
        terms = pulled[v != 0.0] * v[v != 0.0]  # others may be nan
        # [/eq:gradient-check]
        scale = max(float(np.abs(terms).sum()), abs(difference))
        # a step that is lost in rounding, or that of an input in all samples, shows nothing
        lost = not v.any() or (name == "dx" and dx[:, ~v_x.any(axis=0)].any())
        if scale > 0.0 or (lost and pulled.any()):
            seen = np.inf if lost else rounding / scale
            self.hidden[name] = min(self.hidden.get(name, np.inf), seen)

        def half() -> float:  # the same derivative, from a difference with half the step
            low, high = (activations(self.network, *end)[-1] for end in ends(step / 2.0))
            return float(np.vdot(u[smooth], (high - low)[smooth]))

        def judge(part: str, along: float, unit: float) -> None:
            own = (self.network, self.caches, u / unit, v, self.tolerance, rounding / unit)
            numbers = difference, scale, rounding
            self._compare(part, along, numbers, half, lambda: digits.keeps_digits(*own))

        judge(name, float(terms.sum()), 1.0)
        if jacobian:  # its rows belong to upstream gradients of size one
            rows = prediction_jacobian(self.network.layers, self.caches)
            along = float((u.reshape(-1) * multiply(rows, v_theta)).sum())
            judge("jacobian", along, float(np.abs(u).max()))

    def _compare(
        self, name: str, by_backward: float, numbers: _Numbers, half: _Half, keeps: _Keeps
    ) -> None:
        """Raise ValueError if a derivative is not the difference, up to tolerance and rounding.

        `numbers` are the difference, the size of the terms, and the rounding error. `half` returns
        the difference with half the step, `keeps` whether products keep their digits.
        """
        difference, scale, rounding = numbers
        apart, allowed = abs(by_backward - difference), self.tolerance * scale + rounding
        if not apart <= allowed:  # true for nan too
            apart = abs(by_backward - (4.0 * half() - difference) / 3.0)
        size = scale + rounding / _RELIABLE
        error = 0.0 if size == 0.0 else apart / size
        if not apart <= allowed:
            digits.check_digits(name, difference, scale)
            found = by_backward / self.step, difference / self.step
            raise ValueError(digits.disagreement(name, found, error, self.tolerance, keeps()))
        self.errors[name] = max(self.errors.get(name, 0.0), error)
