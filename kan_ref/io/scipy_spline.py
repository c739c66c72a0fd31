"""One edge as SciPy knows it: the spline part of phi_{l,j,i} as a scipy.interpolate.BSpline.

Theorem (de Boor, A Practical Guide to Splines, rev. ed., ch. IX). A knot row and coefficients make one spline, sum_m c_m B_m; on
[a, b] = [t_k, t_n], n the number of coefficients, all who evaluate it agree. Beyond, conventions part:

    (I1)  kan_ref          sum_m c_m B_m(x) on the whole row, fading on the outer k intervals, 0 outside the row
    (I2)  SciPy            the polynomials of the first and the last interval of [a, b], continued without end
          extrapolate=False   nan outside [a, b]

With k more copies of each end knot and k coefficients 0 at each side, the row's ends become SciPy's [a, b], and (I2) with
extrapolate=False is (I1) with nan in the place of 0.
"""

from typing import TYPE_CHECKING

from kan_ref.network import Network, check_edge_index

if TYPE_CHECKING:
    from scipy.interpolate import BSpline


def to_scipy(network: Network, layer: int, *, output: int, input: int) -> "BSpline":
    """The spline part of one edge, w_spline sum_m coef_m B_m, as a `scipy.interpolate.BSpline` on the extended knots.

    Parameters
    ----------
    network : Network
    layer, output, input : int
        l, j, i, from 0.

    Returns
    -------
    spline : scipy.interpolate.BSpline
        Holds copies; `c` has the weight in it, and is 0 where the edge is dead. The base part w_base b(x) is not in it: with the base
        "zero" it is the whole edge.

    Raises
    ------
    ValueError
        "network has the formula 'sin' on the edge from input 0 to output 0 of layer 1, but only a spline edge has a BSpline"
    IndexError, TypeError
        "output is 1, but must be between 0 and 0"

    Notes
    -----
    Implements :eq:`edge-spline`, Liu et al. 2024, eq. 2.12. It equals `edge_curve` without the base on [a, b] alone. Outside [a, b] SciPy
    extrapolates by default, spline(x, extrapolate=False) is nan, and a network's edge fades to 0 on the whole row. At b SciPy
    takes the left limit, kan_ref the right one unless b ends the row: they differ where a repeated knot makes the curve jump there.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> net = kr.init_network((2, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), base="zero", rng=np.random.default_rng(0))
    >>> spline = kr.to_scipy(net, 0, output=0, input=1)
    >>> x = np.linspace(-1.0, 1.0, 50)
    >>> bool(np.allclose(spline(x), kr.edge_curve(net, 0, output=0, input=1, x=x), rtol=0.0, atol=1e-14))
    True
    """
    number, j, i = check_edge_index(network, layer, output, input)
    chosen = network.layers[number]
    for edge in chosen.symbolic:
        if (edge.output, edge.input) == (j, i):
            raise ValueError(
                f"network has the formula {edge.name!r} on the edge from input {i} to output {j} of layer {number}, "
                "but only a spline edge has a BSpline"
            )
    from scipy.interpolate import BSpline

    # [eq:edge-spline]
    weighted = chosen.mask[j, i] * chosen.w_spline[j, i] * chosen.coef[j, i]
    # [/eq:edge-spline]
    return BSpline(chosen.knots[i].copy(), weighted, chosen.degree)
