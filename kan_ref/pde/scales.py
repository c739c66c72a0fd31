"""Dimensionless variables: coordinates and unknowns of a differential equation in any units.

Let the coordinates lie between bounds with the middles c_i and half widths l_i, and let the
unknowns lie roughly between bounds with the middles m_o and half widths s_o. With

    (J39)  x_i = c_i + l_i xi_i,    u_o(x) = m_o + s_o v_o(xi)
    (J40)  d_i u_o = s_o / l_i d_i v_o,    d_p d_q u_o = s_o / (l_p l_q) d_p d_q v_o

all xi and v are of size one, whatever the units of x and u are. A network is trained as v(xi). Its
grids, its base function and its initial parameters suit variables of size one, and so do the
weights of conditions. Afterwards `Scales.network` returns u(x) as a network: (J39) is a layer of
symbolic edges before and one after the layers of v.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray, check_float_array, check_rectangular
from kan_ref.functions import LIBRARY
from kan_ref.network import EdgeSpec, Layer, Network, check_network, symbolic_layer


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
        values = np.atleast_2d(check_rectangular("values", self.values))
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
        points = check_float_array("x", x, ("n", len(self.domain)))
        # [eq:dimensionless]
        xi: FloatArray = (points - self.input_middle) / self.input_size
        # [/eq:dimensionless]
        return xi

    @np.errstate(all="ignore")
    def outputs(self, u: object) -> FloatArray:
        """Return v (n, n_out) of values u (n, n_out) of the unknowns."""
        given = check_float_array("u", u, ("n", "n_out"))
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


@np.errstate(all="ignore")
def _check_bounds(name: str, value: object, rows: str) -> FloatArray:
    """Return bounds (rows, 2) as a copy; raise an error where low is not below high."""
    bounds = check_float_array(name, value, (rows, 2)).copy()
    if len(bounds) == 0:
        raise ValueError(f"{name} is empty, but needs a pair (low, high) for each variable")
    # a smaller width could not be inverted; a wider one would overflow
    widths = 0.5 * bounds[:, 1] - 0.5 * bounds[:, 0]
    wrong = np.flatnonzero(~((widths > 1e-300) & (widths < 1e300)))
    if wrong.size:
        low, high = bounds[wrong[0]]
        raise ValueError(
            f"{name} is {low:g} to {high:g} in row {wrong[0]}, "
            "but low must be below high, by 1e-300 to 1e300"
        )
    return bounds


def _lines(factors: FloatArray, shifts: FloatArray, domain: FloatArray) -> Layer:
    """Return a layer that multiplies each of its inputs by a factor and adds a shift.

    Its grids are the intervals of `domain` (n, 2).
    """
    line = LIBRARY["x"]
    pairs = zip(factors.tolist(), shifts.tolist(), strict=True)
    edges = [EdgeSpec(n, n, line, (1.0, 0.0, c, d)) for n, (c, d) in enumerate(pairs)]
    return symbolic_layer(len(edges), len(edges), edges, domain)
