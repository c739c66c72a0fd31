"""Derivatives of a model with respect to its inputs: gradients, Hessians, Laplacians.

    (J25)  input_jacobian      d u_o / d x_i
    (J26)  input_hessian       d^2 u_o / d x_p d x_q
    (J27)  input_hessian_diag  d^2 u_o / d x_i^2
    (J28)  input_laplacian     sum_i d^2 u_o / d x_i^2

All of them are components of one jet (`jet_kind`), computed by one forward pass: through splines,
base functions and symbolic edges of a Network (`jets`), through the activations of an MLP
(`mlp_jets`). At a knot a derivative is the limit from the right, at the last knot of a knot vector
from the left. This also holds where a curve has no second derivative (at the knots of degree 1 and
2).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.baselines import MLP
from kan_ref.checks import FloatArray, shown
from kan_ref.network import Network, first_cause, layer_inputs
from kan_ref.numerics import Block
from kan_ref.pde import jets, mlp_jets
from kan_ref.pde.jet_kind import JetKind, directional_kind, operator_kind

JetModel = Network | MLP


@dataclass(frozen=True)
class JetFunctions:
    """The functions that compute jets of one kind of model.

    `prepare(model, x, kind)` evaluates what a batch needs only once; `predict(model, inputs)` gives
    the jet (n_out, n_components, batch); `run_forward(model, inputs)` a flow with such a `jet`;
    `run_backward(model, flow, d_jet)` the gradient (n_params,); `jacobian(model, flow, seeds)` a
    block of rows for each seed.
    """

    prepare: Callable[[Any, FloatArray, JetKind], Any]
    predict: Callable[[Any, Any], FloatArray]
    run_forward: Callable[[Any, Any], Any]
    run_backward: Callable[[Any, Any, FloatArray], FloatArray]
    jacobian: Callable[[Any, Any, Sequence[FloatArray]], Sequence[Block]]


KAN_JETS = JetFunctions(
    jets.prepare_jet,
    jets.predict_jet,
    jets.run_jet_forward,
    jets.run_jet_backward,
    jets.jet_jacobian,
)
MLP_JETS = JetFunctions(
    mlp_jets.prepare_jet,
    mlp_jets.predict_jet,
    mlp_jets.run_jet_forward,
    mlp_jets.run_jet_backward,
    mlp_jets.jet_jacobian,
)


def jets_of(model: object) -> JetFunctions:
    """Return the functions for this kind of model; TypeError if it has no jets."""
    if isinstance(model, Network):
        return KAN_JETS
    if isinstance(model, MLP):
        return MLP_JETS
    raise TypeError(
        f"network is {shown(model)}, but derivatives with respect to the inputs need a Network "
        "or an MLP"
    )


def check_jet(
    model: JetModel, x: FloatArray, jet: FloatArray, *, highest: int, name: str = "x"
) -> None:
    """Raise ValueError if components (n_out, n_components, batch) of a jet at x are not finite.

    `highest` is their highest order; a message calls the samples `name`.
    """
    if np.isfinite(jet).all():
        return
    why = ""
    if isinstance(model, Network):
        why = first_cause(model.layers, layer_inputs(model.layers, x), name, highest=highest)
    if not why:
        output, _, sample = np.argwhere(~np.isfinite(jet))[0]
        why = (
            f"{name}[{sample}] gives output {output} a value or derivative beyond the largest "
            "float64: scale the network or its data"
        )
    raise ValueError(why)


def input_jacobian(network: JetModel, x: object) -> FloatArray:
    """Return the first derivatives (J25) of every output with respect to every input.

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
        If x has the wrong shape or is not finite, if a symbolic edge or its derivative is not
        finite, or if `network` is of another type.

    Notes
    -----
    Implements :eq:`jet-forward`. About n_in + 1 forward passes.

    Examples
    --------
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((2, 1), n_intervals=2, degree=3, domain=(-1, 1), rng=rng)
    >>> net = kr.fix_symbolic(net, 0, output=0, input=0, name="x^2")
    >>> net = kr.fix_symbolic(net, 0, output=0, input=1, name="x^3")
    >>> input_jacobian(net, [[3.0, 2.0]])
    array([[[ 6., 12.]]])
    """
    points = _check_inputs(network, x)
    kind = directional_kind(np.eye(points.shape[1]), ())
    return _components(network, points, kind, kind.first)


def input_hessian(network: JetModel, x: object) -> FloatArray:
    """Return the second derivatives (J26) of every output with respect to every pair of inputs.

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
    About 1 + n_in + n_in (n_in + 1) / 2 forward passes, at once.
    """
    points = _check_inputs(network, x)
    n_in = points.shape[1]
    p, q = np.triu_indices(n_in)
    kind = directional_kind(np.eye(n_in), list(zip(p.tolist(), q.tolist(), strict=True)))
    hessian = np.empty((len(points), network.widths[-1], n_in, n_in))
    hessian[..., p, q] = hessian[..., q, p] = _components(network, points, kind, kind.second)
    return hessian


def input_hessian_diag(network: JetModel, x: object) -> FloatArray:
    """Return the second derivatives (J27) of every output with respect to every input.

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
    points = _check_inputs(network, x)
    n_in = points.shape[1]
    kind = directional_kind(np.eye(n_in), [(i, i) for i in range(n_in)])
    return _components(network, points, kind, kind.second)


def input_laplacian(network: JetModel, x: object) -> FloatArray:
    """Return the sum (J28) of the second derivatives of every output.

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
    The Laplacian is one component of a jet, not n_in of them: about n_in + 2 forward passes.
    """
    points = _check_inputs(network, x)
    n_in = points.shape[1]
    kind = operator_kind(np.eye(n_in), np.zeros(n_in))
    return _components(network, points, kind, kind.second)[..., 0]


def _check_inputs(network: JetModel, x: object) -> FloatArray:
    """Return x as (batch, n_in) for the model; raise an error if one of them is wrong."""
    jets_of(network)
    return checks.array("x", x, ("batch", network.widths[0]))


def _components(network: JetModel, x: FloatArray, kind: JetKind, wanted: slice) -> FloatArray:
    """Return some components of the outputs' jet, (batch, n_out, n_wanted).

    Raise ValueError where a symbolic edge has no value, or one of the components is not finite.
    """
    functions = jets_of(network)
    jet = functions.predict(network, functions.prepare(network, x, kind))
    found = jet[:, wanted]
    check_jet(network, x, jet[:, :1], highest=0)
    check_jet(network, x, found, highest=2 if kind.n_second else 1)
    return np.ascontiguousarray(found.transpose(2, 0, 1))
