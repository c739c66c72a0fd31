"""Derivatives of a model by its inputs: gradients, Hessians, Laplacians, along coordinates or any directions.

    (I1)  input_jacobian      d u_o / d x_i
    (I2)  input_hessian       d^2 u_o / d x_p d x_q
    (I3)  input_hessian_diag  d^2 u_o / d x_i^2
    (I4)  input_laplacian     sum_i d^2 u_o / d x_i^2
    (I5)  directional_jets    u_o, v_d . grad u_o, v_d^T (D^2 u_o) v_d

All are parts of one jet (`jet_kind`), from one forward sweep through splines, base functions and formulas, for a perceptron through its
activations. At a knot a derivative is the limit from the right; where a curve has no second derivative there (degree 1, degree 2 at its
knots), that of the piece on the right is meant.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray, check_float_array
from kan_ref.network import Network, check_defined
from kan_ref.pde.jet_families import JetModel, jets_of
from kan_ref.pde.jet_kind import JetKind, directional_kind, operator_kind


@dataclass(frozen=True, eq=False)
class DirectionalJets:
    """Values and derivatives along directions: `value` (batch, n_out), `first` and `second` (batch, n_out, n_directions)."""

    value: FloatArray
    first: FloatArray
    second: FloatArray

    def __repr__(self) -> str:
        return f"DirectionalJets(value {self.value.shape}, first {self.first.shape}, second {self.second.shape})"


def input_jacobian(network: JetModel, x: object) -> FloatArray:
    """First derivatives of every output by every input, (I1).

    Parameters
    ----------
    network : Network, MLP
    x : (batch, n_in)

    Returns
    -------
    jacobian : (batch, n_out, n_in)

    Raises
    ------
    ValueError, TypeError
        For a wrong shape or numbers that are not finite; where a formula, or its derivative, has no finite value; what is no model.

    Notes
    -----
    Implements :eq:`jet-forward`. About n_in + 1 forward passes.

    Examples
    --------
    >>> import kan_ref as kr
    >>> net = kr.init_network((2, 1), n_intervals=2, degree=3, domain=(-1, 1), rng=np.random.default_rng(0))
    >>> net = kr.fix_symbolic(net, 0, output=0, input=0, name="x^2")
    >>> net = kr.fix_symbolic(net, 0, output=0, input=1, name="x^3")
    >>> input_jacobian(net, [[3.0, 2.0]])
    array([[[ 6., 12.]]])
    """
    points = _check(network, x)
    return _parts(
        network, points, directional_kind(np.eye(points.shape[1]), ()), 1, points.shape[1]
    )


def input_hessian(network: JetModel, x: object) -> FloatArray:
    """Second derivatives of every output by every pair of inputs, (I2).

    Parameters
    ----------
    network : Network, MLP
    x : (batch, n_in)

    Returns
    -------
    hessian : (batch, n_out, n_in, n_in)
        Exactly symmetric in the last two axes.

    Raises
    ------
    ValueError, TypeError
        As `input_jacobian`.

    Notes
    -----
    About 1 + n_in + n_in (n_in + 1) / 2 forward passes.
    """
    points = _check(network, x)
    n_in = points.shape[1]
    p, q = np.triu_indices(n_in)
    kind = directional_kind(np.eye(n_in), list(zip(p.tolist(), q.tolist(), strict=True)))
    upper = _parts(network, points, kind, 1 + n_in, len(p))
    hessian = np.empty((*upper.shape[:2], n_in, n_in))
    hessian[..., p, q] = upper
    hessian[..., q, p] = upper
    return hessian


def input_hessian_diag(network: JetModel, x: object) -> FloatArray:
    """Second derivatives of every output by every input, (I3).

    Parameters
    ----------
    network : Network, MLP
    x : (batch, n_in)

    Returns
    -------
    diagonal : (batch, n_out, n_in)

    Raises
    ------
    ValueError, TypeError
        As `input_jacobian`.

    Notes
    -----
    About 2 n_in + 1 forward passes.
    """
    points = _check(network, x)
    n_in = points.shape[1]
    return _parts(
        network,
        points,
        directional_kind(np.eye(n_in), [(i, i) for i in range(n_in)]),
        1 + n_in,
        n_in,
    )


def input_laplacian(network: JetModel, x: object) -> FloatArray:
    """Sum of the second derivatives of every output by every input, (I4).

    Parameters
    ----------
    network : Network, MLP
    x : (batch, n_in)

    Returns
    -------
    laplacian : (batch, n_out)

    Raises
    ------
    ValueError, TypeError
        As `input_jacobian`.

    Notes
    -----
    One part of the jet, not n_in of them: about n_in + 2 forward passes.
    """
    points = _check(network, x)
    n_in = points.shape[1]
    return _parts(network, points, operator_kind(np.eye(n_in), np.zeros(n_in)), 1 + n_in, 1)[..., 0]


def directional_jets(network: JetModel, x: object, directions: object) -> DirectionalJets:
    """Value, slope and curvature of every output along each of some directions, (I5).

    Parameters
    ----------
    network : Network, MLP
    x : (batch, n_in)
    directions : (n_directions, n_in)
        At least one; of any length: the derivatives are those of t -> u(x + t v) at 0.

    Returns
    -------
    jets : DirectionalJets

    Raises
    ------
    ValueError, TypeError
        As `input_jacobian`; "directions has shape (3,), but needs shape (n_directions, 2)".

    Notes
    -----
    About 2 n_directions + 1 forward passes.
    """
    points = _check(network, x)
    along = check_float_array("directions", directions, ("n_directions", points.shape[1]))
    if len(along) == 0:
        raise ValueError(f"directions has shape {along.shape}, but needs at least one direction")
    n = len(along)
    found = _parts(
        network, points, directional_kind(along, [(d, d) for d in range(n)]), 0, 1 + 2 * n
    )
    return DirectionalJets(found[..., 0], found[..., 1 : 1 + n], found[..., 1 + n :])


def _check(network: JetModel, x: object) -> FloatArray:
    """The door: a model, and x (batch, n_in) for it."""
    jets_of(network)
    return check_float_array("x", x, ("batch", network.widths[0]))


def _parts(network: JetModel, x: FloatArray, kind: JetKind, first: int, n_parts: int) -> FloatArray:
    """Some parts of the outputs' jet, (batch, n_out, n_parts); ValueError where a formula has no value, or one of these is not finite."""
    functions = jets_of(network)
    jet = functions.predict(network, functions.prepare(network, x, kind))
    if isinstance(network, Network):
        check_defined(network, x, jet[:, 0].T)
    asked = jet[:, first : first + n_parts]
    if not np.isfinite(asked).all():
        sample, output = np.argwhere(~np.isfinite(asked).all(axis=1).T)[0]
        raise ValueError(
            f"x[{sample}] gives output {output} a derivative that is not finite: a formula has none there, or numbers overflow"
        )
    return np.ascontiguousarray(asked.transpose(2, 0, 1))
