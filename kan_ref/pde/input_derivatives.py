"""Derivatives of a model with respect to its inputs: gradients, Hessians, Laplacians.

    (J25)  input_jacobian    d u_o / d x_i
    (J26)  input_hessian     d^2 u_o / d x_p d x_q
    (J28)  input_laplacian   sum_i d^2 u_o / d x_i^2

All of them are components of jets (`jet_kind`), computed by a forward pass: through
splines, base functions and symbolic edges of a Network, through the activations of an
MLP (`jets`). At a knot a derivative is the limit from the right, at the last knot of a
knot vector from the left. This also holds where a curve has no second derivative (at
the knots of degree 1 and 2).
"""

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.network import Network, first_cause, layer_inputs
from kan_ref.pde.jet_kind import JetKind, directional_kind, operator_kind
from kan_ref.pde.jets import JetModel, check_model, jet_at


def input_jacobian(network: JetModel, x: object) -> FloatArray:
    """Return the first derivatives of every output with respect to every input.

    It takes about n_in + 1 forward passes. Implements :eq:`jet-forward`.

    Parameters
    ----------
    network : Network or MLP
    x : (batch, n_in)

    Returns
    -------
    jacobian : (batch, n_out, n_in)

    Examples
    --------
    >>> import kan_ref as kr
    >>> import sympy
    >>> net = kr.from_formula(sympy.sympify("x**2 + y**3"))
    >>> input_jacobian(net, [[3.0, 2.0]]).round(9)
    array([[[ 6., 12.]]])
    """
    points = _check_inputs(network, x)
    kind = directional_kind(np.eye(points.shape[1]), ())
    return _components(network, points, kind, kind.first)


def input_hessian(network: JetModel, x: object) -> FloatArray:
    """Return the second derivatives of every output by every pair of inputs.

    Parameters
    ----------
    network : Network or MLP
    x : (batch, n_in)

    Returns
    -------
    hessian : (batch, n_out, n_in, n_in)
        Exactly symmetric in the last two axes. ``numpy.einsum("bopp->bop", hessian)``
        is its diagonal.

    Examples
    --------
    >>> import kan_ref as kr
    >>> import sympy
    >>> net = kr.from_formula(sympy.sympify("x**2 + x*y**2"))
    >>> input_hessian(net, [[3.0, 2.0]]).round(9)
    array([[[[2., 4.],
             [4., 6.]]]])
    """
    points = _check_inputs(network, x)
    n_in = points.shape[1]
    hessian = np.empty((len(points), network.widths[-1], n_in, n_in))
    # a row at a time, so that memory grows with n_in, not with its square
    for p in range(n_in):
        pairs = [(p, q) for q in range(p, n_in)]
        kind = directional_kind(np.eye(n_in), pairs)
        row = _components(network, points, kind, kind.second)
        hessian[..., p, p:] = row
        hessian[..., p:, p] = row
    return hessian


def input_laplacian(network: JetModel, x: object) -> FloatArray:
    """Return the sum of the second derivatives of every output.

    It is one component of a jet, not n_in of them: about n_in + 2 forward passes.

    Parameters
    ----------
    network : Network or MLP
    x : (batch, n_in)

    Returns
    -------
    laplacian : (batch, n_out)

    Examples
    --------
    >>> import kan_ref as kr
    >>> import sympy
    >>> net = kr.from_formula(sympy.sympify("x**2 + y**3"))
    >>> input_laplacian(net, [[3.0, 2.0]]).round(9)
    array([[14.]])
    """
    points = _check_inputs(network, x)
    n_in = points.shape[1]
    kind = operator_kind(np.eye(n_in), np.zeros(n_in))
    return _components(network, points, kind, kind.second)[..., 0]


def check_jet(
    model: JetModel, x: FloatArray, jet: FloatArray, highest: int, name: str
) -> None:
    """Raise ValueError if components of a jet at x, called `name`, are not finite.

    `highest` is their highest order. The message has the sample and the edge.
    """
    if np.isfinite(jet).all():
        return
    why = ""
    if isinstance(model, Network):
        inputs = layer_inputs(model.layers, x)
        why = first_cause(model.layers, inputs, name, highest=highest)
    beyond = "values or derivatives beyond the largest float64: scale the data"
    raise ValueError(why or f"{name} gives {beyond}")


def _check_inputs(network: JetModel, x: object) -> FloatArray:
    """Return x as (batch, n_in); raise an error if it or the model is wrong."""
    check_model(network)
    return checks.array("x", x, ("batch", network.widths[0]))


def _components(
    network: JetModel, x: FloatArray, kind: JetKind, wanted: slice
) -> FloatArray:
    """Return some components of the outputs' jet, (batch, n_out, n_wanted).

    All of them are finite.
    """
    jet = jet_at(network, x, kind)
    check_jet(network, x, jet[:, :1], 0, "x")
    components = jet[:, wanted]
    check_jet(network, x, components, kind.order, "x")
    return np.ascontiguousarray(components.transpose(2, 0, 1))
