"""Dimensionless variables: coordinates and unknowns of a differential equation in any units.

Let the coordinates lie between bounds with the middles c_i and half widths l_i, and let the
unknowns lie roughly between bounds with the middles m_o and half widths s_o. With

    (J39)  x_i = c_i + l_i xi_i,    u_o(x) = m_o + s_o v_o(xi)
    (J40)  d_i u_o = s_o / l_i d_i v_o,    d_p d_q u_o = s_o / (l_p l_q) d_p d_q v_o

all xi and v are of size one, whatever the units of x and u are. A network is trained as v(xi). Its
grids, its base function and its initial parameters suit variables of size one, and so do the
weights of conditions. Afterwards `Scales.network` returns u(x) as a network: (J39) is a layer of
symbolic edges before and one after the layers of v.

All conditions of a problem need the same variables. Terms with different scales are an error. A
term without scales beside others is taken as dimensionless, which nothing but its points can
contradict: xi lies in [-1, 1], or where the points of terms with scales lie. For u' = -u / 3 on
[0, 10] with u(0) = 1, the term u - 1 at t = 0 without scales holds at t = 5, and the solution is
wrong by 4.3 with a residual of 9e-5. So the run says where terms with and without scales are mixed.

Without scales the range L of an input counts: a derivative of order m is about L^-m times as large
as a value. Where this is large, conditions hardly influence the fit, and where L is large,
equations hardly do, whatever the residual is. The note appears for L^-m or L of 100 or more. For a
damped oscillation u'' + 2 a u' + b u = 0 with initial values, the error was below 1 % of the
solution for L from 1 to 95, and at least as large as the solution for 0.1 and for 5000.

So does the size of the unknowns, since random networks have values of size one, and their first
residual hides a small solution. An oscillation, Poisson's equation, a decay and a logistic equation
were solved with five seeds in units of u from 1e-9 to 1e6. Levenberg-Marquardt solved all for rms
values of 0.004 to 70. For 4e-4 and for 400 runs of one equation failed, and for 4e-10 nearly all
did. L-BFGS failed in some runs of three equations for 0.007. The residual is small there, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray, IntArray
from kan_ref.functions import LIBRARY
from kan_ref.network import EdgeSpec, Layer, Network, check_network, symbolic_layer

LONG = 100.0  # the range of an input of equations, or its derivatives in units of values
# rms values of unknowns beside 1, or their inverse, with Levenberg-Marquardt and with others
SIZE_LEAST_SQUARES, SIZE_OTHERS = 300.0, 100.0
_BEYOND = 1.0 + 1e-9  # rounding of the xi of a bound


@dataclass(frozen=True, eq=False)
class Scales:
    """Bounds of coordinates and of unknowns, which define dimensionless variables (J39).

    Parameters
    ----------
    domain : (n_in, 2)
        Low and high of each coordinate, in its unit.
    values : (2,) or (n_out, 2)
        Low and high of each unknown function, in its unit; the same for all if there is one pair.
        An estimate is enough: the solution may leave them.

    Raises
    ------
    ValueError, TypeError
        "domain is 1 to 0 in row 0, but low must be below high".

    Notes
    -----
    Implements :eq:`dimensionless`.

    Examples
    --------
    >>> rod = Scales(domain=[(0.0, 0.1), (0.0, 100.0)], values=(20.0, 100.0))  # m, s, degrees
    >>> rod.inputs([[0.05, 100.0]])
    array([[0., 1.]])
    >>> rod.outputs([[100.0]])
    array([[1.]])
    """

    domain: FloatArray
    values: FloatArray

    def __post_init__(self) -> None:
        domain = _check_bounds("domain", self.domain, "n_in")
        values = np.atleast_2d(checks.rectangular("values", self.values))
        values = _check_bounds("values", values, "n_out")
        self.__dict__.update(domain=domain, values=values)

    @property
    def input_middle(self) -> FloatArray:
        """The c of (J39), (n_in,)."""
        return self.domain[:, 0] + self.input_size

    @property
    def input_size(self) -> FloatArray:
        """The l of (J39), (n_in,)."""
        return 0.5 * (self.domain[:, 1] - self.domain[:, 0])

    def output_middle(self, n_out: int) -> FloatArray:
        """Return the m of (J39), (n_out,)."""
        values = self._values_of(n_out)
        return values[:, 0] + self.output_size(n_out)

    def output_size(self, n_out: int) -> FloatArray:
        """Return the s of (J39), (n_out,)."""
        values = self._values_of(n_out)
        return 0.5 * (values[:, 1] - values[:, 0])

    @np.errstate(all="ignore")
    def inputs(self, x: object) -> FloatArray:
        """Return xi (n, n_in) of coordinates x (n, n_in)."""
        points = checks.array("x", x, ("n", len(self.domain)))
        # [eq:dimensionless]
        xi: FloatArray = (points - self.input_middle) / self.input_size
        # [/eq:dimensionless]
        return xi

    @np.errstate(all="ignore")
    def outputs(self, u: object) -> FloatArray:
        """Return v (n, n_out) of values u (n, n_out) of the unknowns."""
        given = checks.array("u", u, ("n", "n_out"))
        n_out = given.shape[1]
        v: FloatArray = (given - self.output_middle(n_out)) / self.output_size(n_out)
        return v

    @np.errstate(all="ignore")
    def network(self, network: Network) -> Network:
        """Return u(x) as a network with the coordinates' and unknowns' own units.

        Parameters
        ----------
        network : Network
            v(xi), with n_in inputs.

        Returns
        -------
        in_units : Network
            With a symbolic layer before and one after the layers of `network`, on grids that
            contain `domain` and `values`.
        """
        check_network("network", network)
        n_in, n_out = network.widths[0], network.widths[-1]
        if n_in != len(self.domain):
            raise ValueError(
                f"network takes {n_in} inputs, but domain has bounds of {len(self.domain)}"
            )
        inner_scale = 1.0 / self.input_size
        before = _lines(inner_scale, -self.input_middle * inner_scale, self.domain)
        unit = np.tile([-1.0, 1.0], (n_out, 1))
        after = _lines(self.output_size(n_out), self.output_middle(n_out), unit)
        return Network((before, *network.layers, after))

    def __repr__(self) -> str:
        return f"Scales(domain={self.domain.tolist()}, values={self.values.tolist()})"

    def _values_of(self, n_out: int) -> FloatArray:
        """Return the bounds of each unknown, (n_out, 2)."""
        if len(self.values) not in (1, n_out):
            raise ValueError(
                f"values has bounds of {len(self.values)} unknowns, but there are {n_out}: "
                "give one pair for all, or one for each"
            )
        return np.broadcast_to(self.values, (n_out, 2))


def _check_bounds(name: str, value: object, rows: str) -> FloatArray:
    """Return bounds (rows, 2) as a read-only copy; raise an error where low is not below high."""
    bounds = checks.array(name, value, (rows, 2)).copy()
    if len(bounds) == 0:
        raise ValueError(f"{name} is empty, but needs a pair (low, high) for each variable")
    wrong = np.flatnonzero(bounds[:, 0] >= bounds[:, 1])
    if wrong.size:
        low, high = bounds[wrong[0]]
        raise ValueError(
            f"{name} is {low:g} to {high:g} in row {wrong[0]}, but low must be below high"
        )
    bounds.flags.writeable = False
    return bounds


def _lines(factors: FloatArray, shifts: FloatArray, domain: FloatArray) -> Layer:
    """Return a layer that multiplies each of its inputs by a factor and adds a shift.

    Its grids are the intervals of `domain` (n, 2).
    """
    line = LIBRARY["x"]
    pairs = zip(factors.tolist(), shifts.tolist(), strict=True)
    edges = [EdgeSpec(n, n, line, (1.0, 0.0, c, d)) for n, (c, d) in enumerate(pairs)]
    return symbolic_layer(len(edges), len(edges), edges, domain)


# --- the terms of a problem, each with `x`, `kind` and `scales`


def check_scales(terms: Sequence[Any]) -> None:
    """Raise ValueError for terms with different scales, or points that cannot be dimensionless."""
    scaled = [place for place, term in enumerate(terms) if term.scales is not None]
    for place in scaled[1:]:
        one, other = terms[scaled[0]].scales, terms[place].scales
        same = [np.array_equal(getattr(one, n), getattr(other, n)) for n in ("domain", "values")]
        if not all(same):
            raise ValueError(
                f"terms[{place}] has {other}, but terms[{scaled[0]}] has {one}: give all terms of "
                "a problem the same scales, since one network is trained in their variables"
            )
    for place, term in enumerate(terms):
        if term.scales is None:
            check_dimensionless(f"terms[{place}].x", term.x, terms)


def check_dimensionless(name: str, x: FloatArray, terms: Sequence[Any]) -> None:
    """Raise ValueError where points (n, n_in) without scales lie outside those of scaled terms."""
    scaled = [term for term in terms if term.scales is not None]
    if not scaled:
        return
    reach = np.maximum(1.0, np.max([np.abs(term.x).max(axis=0) for term in scaled], axis=0))
    outside = np.abs(x) > _BEYOND * reach
    if outside.any():
        point, n = np.argwhere(outside)[0]
        raise ValueError(
            f"{name} has {x[point, n]:.6g} in input {n}, but beside terms with scales points and "
            f"values are dimensionless, from {-reach[n]:.6g} to {reach[n]:.6g} in this input: "
            "convert those with units by Scales.inputs and values by Scales.outputs, or write a "
            "condition with equation_term(..., scales=), and give Scales a domain with all points"
        )


def note_on_scales(terms: Sequence[Any], *, tested: bool) -> str:
    """Return what to add to a run's end if only some conditions have scales, else "".

    With `tested`, a solution for comparison counts as a condition without scales.
    """
    without = [place for place, term in enumerate(terms) if term.scales is None]
    if len(without) == len(terms) or not (without or tested):
        return ""
    what = "the points of the test errors have no scales"
    if without:
        n = len(terms[without[0]].x)
        what = f"terms[{without[0]}], at {checks.counted(n, 'point')}, has no scales"
    return (
        f"; {what}, but other terms have, so points and values count as dimensionless there: "
        "if they have units, convert them by Scales.inputs and Scales.outputs, or write the "
        "condition with equation_term(..., scales=)"
    )


def note_on_lengths(terms: Sequence[Any]) -> str:
    """Return what to add if an input of equations extends over a range far from 1, else ""."""
    orders = np.max([_orders(term.kind) for term in terms], axis=0)
    short = LONG ** (-1.0 / np.maximum(orders, 1))
    lengths = np.ptp(np.concatenate([term.x for term in terms]), axis=0)
    far = (lengths >= LONG) | ((lengths > 0.0) & (lengths <= short))
    far &= orders > 0
    if not far.any():
        return ""
    n = int(np.argmax(far))
    return (
        f"; the points of the problem extend over {lengths[n]:.3g} in input {n}, but over "
        f"{short[n]:.3g} or less, and over {LONG:g} or more, derivatives and values can differ so "
        "much in size that some terms hardly influence the fit, which the residual does not show: "
        "give equation_term(..., scales=kr.Scales(domain, values)) with the range of the points"
    )


def _orders(kind: Any) -> IntArray:
    """Return the highest order of a derivative in each input, (n_in,).

    A mixed derivative counts as one of order two in both, of which both may be short. For u_xt with
    values at x = 0 and t = 0, x to 1 and t to L, the error was 0.4 to 0.8 % for L = 0.09, and 5 to
    17 % for 0.02, for which order one would have no note.
    """
    orders = np.zeros(kind.n_in, dtype=int)
    orders[kind.directions.any(axis=0) | kind.drifts.any(axis=(0, 2))] = 1
    for _, p, q, _ in kind.products:
        orders[kind.directions[[p, q]].any(axis=0)] = 2
    return orders


def note_on_sizes(sizes: FloatArray, *, least_squares: bool) -> str:
    """Return what to add if an unknown is of a size far from 1, else "".

    `sizes` are the root mean squares of the values of each, and of the residuals if they are
    larger. An unknown that is smaller than rounding of the largest is zero.
    """
    most = SIZE_LEAST_SQUARES if least_squares else SIZE_OTHERS
    far = np.maximum(sizes, 1.0 / np.maximum(sizes, 1e-300))
    far[sizes <= 1e-15 * sizes.max()] = 0.0
    size = float(sizes[np.argmax(far)])
    if far.max() <= most:
        return ""
    return (
        f"; the values or residuals of the problem are of size {size:.2g}, but below "
        f"{1.0 / most:.2g} and above {most:g} a run can end at a wrong solution, which the "
        "residual does not show: give equation_term(..., scales=kr.Scales(domain, values)) with "
        "the range of the solution's values"
    )
