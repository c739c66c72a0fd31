"""The spline part of one edge as a scipy.interpolate.BSpline.

On [a, b] = [t_k, t_n], with n coefficients, all libraries agree on the values of sum_m c_m B_m (de
Boor, A Practical Guide to Splines, ch. IX). Outside conventions differ:

    (I7)  kan_ref   sum_m c_m B_m(x) on the whole knot vector, which decays to zero on the outer k
                    intervals and is 0 outside
    (I8)  SciPy     the polynomials of the first and the last interval of [a, b], continued
                    without end; with extrapolate=False nan outside [a, b]

With k more copies of each end knot and k coefficients 0 on each side, the ends of the knot vector
become SciPy's [a, b]. Then (I8) with extrapolate=False is (I7) with nan in place of 0.
"""

from typing import TYPE_CHECKING

import numpy as np

from kan_ref.network import Network, check_edge_index

if TYPE_CHECKING:
    from scipy.interpolate import BSpline


@np.errstate(all="ignore")
def to_scipy(network: Network, layer: int, *, output: int, input: int) -> "BSpline":
    """Return the spline part of one edge, w_spline sum_m coef_m B_m, as a SciPy BSpline.

    Parameters
    ----------
    network : Network
    layer, output, input : int
        l, j, i, from 0.

    Returns
    -------
    spline : scipy.interpolate.BSpline
        On the extended knots; it holds copies. Its coefficients include the weight and are 0 where
        the edge is masked. The base part w_base b(x) is not included.

    Notes
    -----
    Implements :eq:`edge-spline`, Liu et al. 2024, eq. 2.12.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng, grid = np.random.default_rng(0), {"n_intervals": 5, "degree": 3, "domain": (-1.0, 1.0)}
    >>> net = kr.init_network((1, 1), **grid, base="zero", rng=rng)
    >>> x = np.array([0.3])
    >>> spline = kr.to_scipy(net, 0, output=0, input=0)
    >>> bool(np.allclose(spline(x), net([x]), rtol=1e-14))
    True
    """
    number, j, i = check_edge_index(network, layer, output, input)
    chosen = network.layers[number]
    for edge in chosen.symbolic:
        if (edge.output, edge.input) == (j, i):
            raise ValueError(
                f"network has {edge.name!r} from input {i} to output {j} of layer {number}, but "
                "only a spline edge has a BSpline"
            )
    from scipy.interpolate import BSpline

    # [eq:edge-spline]
    weighted = chosen.mask[j, i] * chosen.w_spline[j, i] * chosen.coef[j, i]
    # [/eq:edge-spline]
    return BSpline(chosen.knots[i].copy(), weighted, chosen.degree)
