"""A network: layers one after another, and all their parameters as one vector theta.

Theorem (Liu et al. 2024, eqs. 2.5-2.7, and the chain rule). With layers Phi_0, ...,
Phi_{L-1},

    (L13)  y = Phi_{L-1}(... Phi_1(Phi_0(x))),    x_{l+1} = Phi_l(x_l),  x_0 = x
    (L14)  dx_l = (L6) of Phi_l at dx_{l+1},      dx_L = dy
    (L15)  d_theta = (L3)-(L5) and (L10) of the layers, each at its own dx_{l+1}

theta runs layer by layer; in each layer coef, w_base, w_spline, then a, b, c, d of the
symbolic edges, in C order. The layers' arrays are views of it.

What a network, an MLP and a LAN have in common is the class `Model`: optimizers know
flat vectors alone, so the arrays of a model are views of theta, and another theta makes
another model.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest
from typing import Any, Self

import numpy as np

from kan_ref import checks
from kan_ref.bspline import Workspace
from kan_ref.checks import FloatArray
from kan_ref.network.definedness import check_defined, check_derivatives
from kan_ref.network.jacobian import prediction_jacobian
from kan_ref.network.layer import (
    Cache,
    Flow,
    Layer,
    Rebuilt,
    evaluate,
    layer_backward,
    layer_outputs,
    parameter_arrays,
    parameter_gradients,
    with_parameters,
)
from kan_ref.numerics import RowSparse


@dataclass(frozen=True, eq=False, repr=False)
class Model(Rebuilt):
    """A base class of models.

    A kind of model has `views`, `prepare`, `run_flow` and `run_backward`.
    `theta` (n_params,): all parameters. `widths`: numbers of nodes (n_0, ..., n_L).
    """

    theta: FloatArray = field(init=False)
    widths: tuple[int, ...] = field(init=False)
    n_params: int = field(init=False)

    def with_theta(self, theta: object) -> Self:
        """Return the same model with other parameters (n_params,), copied once."""
        parameters = checks.array("theta", theta, (self.n_params,))
        return self.replace_theta(parameters.copy())

    @np.errstate(all="ignore")
    def __call__(self, x: object) -> FloatArray:
        """Compute outputs (batch, n_out) at x (batch, n_in)."""
        points = checks.array("x", x, ("batch", self.widths[0]))
        return self.values(self.prepare(points))

    # --- what training needs of a model; arguments are not checked

    def replace_theta(self, theta: FloatArray) -> Self:
        """Return the same model on `theta` itself, which becomes read-only."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new.set_theta(theta)
        return new

    def set_theta(self, theta: FloatArray) -> None:
        """Set theta and the fields that are views of it, while a model is made."""
        theta.flags.writeable = False
        theta = theta.view()  # stays read-only: nothing else refers to its memory
        self.__dict__.update(self.views(theta), theta=theta, n_params=theta.size)

    def views(self, theta: FloatArray) -> dict[str, object]:
        """Return the fields whose arrays are views of theta."""
        raise NotImplementedError

    def prepare(self, x: FloatArray, workspaces: Sequence[Any] = ()) -> Any:
        """Return what depends on x alone, the same for every theta: here x itself."""
        return x

    def values(self, inputs: Any) -> FloatArray:
        """Compute outputs (batch, n_out) from prepared inputs."""
        flow: list[FloatArray] = self.run_flow(inputs)[0]
        return flow[-1]

    def run_flow(self, inputs: Any, workspaces: Sequence[Any] = ()) -> tuple[Any, Any]:
        """Compute the outputs of every layer, and caches.

        The caches last until the workspaces are reused.
        """
        raise NotImplementedError

    def move_grids(self, x: FloatArray, knots_at: Callable[..., FloatArray]) -> Self:
        """Return the model with its grids, if any, moved to the activations at x.

        x: (batch, n_in). The grids are `knots_at(activations, n_intervals, degree)`.
        """
        return self


@dataclass(frozen=True, eq=False, repr=False)
class Network(Model):
    """Layers that fit together, and their parameters as one read-only vector.

    Parameters
    ----------
    layers : sequence of Layer
        At least one; each takes as many inputs as the one before has outputs.

    Attributes
    ----------
    theta : (n_params,)
        All parameters.
    widths : tuple of int
        Numbers of nodes (n_0, ..., n_L).
    n_params : int
        Length of theta. See tutorials/04_a_network.md, "the number of parameters", and
        tutorials/09_scaling_laws.md, "what is counted as a parameter".

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network(
    ...     (2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng
    ... )
    >>> net
    Network([2, 5, 1], n_intervals [5, 5], degree 3, 150 parameters)
    >>> net([[0.5, 0.5]]).shape
    (1, 1)
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        layers = tuple(self.layers)
        if not layers:
            checks.fail("layers", self.layers, "a network needs at least one layer")
        for number, layer in enumerate(layers):
            checks.instance(f"layers[{number}]", layer, Layer)
        for number, (before, layer) in enumerate(pairwise(layers), start=1):
            if layer.n_in != before.n_out:
                raise ValueError(
                    f"layers[{number}] takes {checks.counted(layer.n_in, 'input')}, "
                    f"but layers[{number - 1}] has "
                    f"{checks.counted(before.n_out, 'output')}"
                )

        widths = [layers[0].n_in]
        arrays: list[FloatArray] = []
        for layer in layers:
            widths.append(layer.n_out)
            arrays += parameter_arrays(layer)
        self.__dict__.update(layers=layers, widths=tuple(widths))
        self.set_theta(np.concatenate(arrays, axis=None))  # flattened

    @property
    def n_intervals(self) -> int | None:
        """The number of intervals that all layers have, None where they differ."""
        found = {layer.n_intervals for layer in self.layers}
        return found.pop() if len(found) == 1 else None

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """The number of parameters of each layer: consecutive parts of theta."""
        return tuple(layer.n_params for layer in self.layers)

    @property
    def n_active_params(self) -> int:
        """Number of parameters on edges that are not masked."""
        active = 0
        for layer in self.layers:
            active += int(layer.mask.sum()) * (layer.n_basis + 2) + layer.affine.size
        return active

    def __call__(self, x: object) -> FloatArray:
        """Compute outputs (batch, n_out) at x (batch, n_in).

        ValueError where one is undefined. Outside the grids the splines decay to zero
        and only base functions remain, without a message: `kan_ref.coverage(network,
        x)` says which samples lie there.
        """
        points = check_inputs(self, x)
        return check_defined(self.layers, points, network_values(self, points))

    # --- what training needs of a model; arguments are not checked

    def views(self, theta: FloatArray) -> dict[str, object]:
        """Return the layers on theta."""
        layers = []
        start = 0
        for layer in self.layers:
            parts = []
            for array in parameter_arrays(layer):
                end = start + array.size
                parts.append(theta[start:end].reshape(array.shape))
                start = end
            layers.append(with_parameters(layer, parts))
        return {"layers": tuple(layers)}

    def prepare(self, x: FloatArray, workspaces: Sequence[Workspace] = ()) -> Cache:
        """Evaluate what the first layer computes from x and its knots alone."""
        workspace = next(iter(workspaces), None)
        return evaluate(self.layers[0], x, slopes=False, workspace=workspace)

    def values(self, inputs: Cache) -> FloatArray:
        """Compute the outputs from prepared inputs, without caches."""
        return self.flow(inputs)[-1]

    def flow(
        self, inputs: Cache, workspaces: Sequence[Workspace] = ()
    ) -> list[FloatArray]:
        """Compute all outputs [(batch, n_1), ..., (batch, n_L)], without caches."""
        flow = [layer_outputs(self.layers[0], inputs)]
        for layer, workspace in zip_longest(self.layers[1:], workspaces[1:]):
            cache = evaluate(layer, flow[-1], slopes=False, workspace=workspace)
            flow.append(layer_outputs(layer, cache))
        return flow

    def run_flow(self, inputs: Cache, workspaces: Sequence[Workspace] = ()) -> Flow:
        """Compute the outputs of every layer, and caches.

        The caches last until the workspaces are reused.
        """
        caches = [inputs]
        # [eq:network-forward]
        flow = [layer_outputs(self.layers[0], inputs)]
        for layer, workspace in zip_longest(self.layers[1:], workspaces[1:]):
            cache = evaluate(layer, flow[-1], workspace=workspace)
            flow.append(layer_outputs(layer, cache))
            caches.append(cache)
        # [/eq:network-forward]
        return flow, tuple(caches)

    def run_backward(self, caches: Sequence[Cache], dy: FloatArray) -> FloatArray:
        """Compute dR/d theta (n_params,), but not dR/dx of the network's inputs."""
        d_theta = np.empty(self.n_params)
        pieces: list[FloatArray] = []
        # [eq:network-backward]
        first, *later = zip(self.layers, caches, strict=True)
        for layer, cache in reversed(later):
            dy, grads = layer_backward(layer, cache, dy)
            pieces[:0] = grads
        layer, cache = first
        # d_coef is first in theta: computed in its place, without a copy
        d_coef = d_theta[: layer.coef.size].reshape(layer.n_out, -1)
        _, *others = parameter_gradients(layer, cache, dy, out=d_coef)
        # the others are flattened behind it
        np.concatenate([*others, *pieces], axis=None, out=d_theta[d_coef.size :])
        # [/eq:network-backward]
        return d_theta

    def jacobian(self, caches: Sequence[Cache], scale: float = 1.0) -> list[RowSparse]:
        """Compute d (scale * prediction) / d theta: see `prediction_jacobian`."""
        return [prediction_jacobian(self.layers, caches, scale)]

    def __repr__(self) -> str:
        intervals = [layer.n_intervals for layer in self.layers]
        degrees = [layer.degree for layer in self.layers]
        degree = degrees[0] if len(set(degrees)) == 1 else degrees
        text = (
            f"Network({list(self.widths)}, n_intervals {intervals}, degree {degree}, "
            f"{self.n_params} parameters"
        )
        symbolic = sum(len(layer.symbolic) for layer in self.layers)
        if symbolic:
            text += f", {symbolic} symbolic edges"
        masked = sum(layer.mask.size - layer.n_active for layer in self.layers)
        if masked:
            text += f", {masked} masked edges"
        return text + ")"


@np.errstate(all="ignore")
def network_values(network: Network, x: FloatArray) -> FloatArray:
    """Compute outputs (batch, n_out) at x (batch, n_in), which is not checked."""
    return network.values(network.prepare(x))


def check_network(name: str, value: object) -> Network:
    """Return `value` if it is a Network, else raise TypeError."""
    return checks.instance(name, value, Network)


def check_inputs(network: Network, x: object, name: str = "x") -> FloatArray:
    """Check the network, and return x as a finite float64 array (batch, n_in)."""
    n_in = check_network("network", network).widths[0]
    return checks.array(name, x, ("batch", n_in))


def check_samples(network: Network, x: object) -> FloatArray:
    """Check the network, and return x as a finite array of at least one sample."""
    n_in = check_network("network", network).widths[0]
    return checks.samples("x", x, ("batch", n_in))


def forward(network: Network, x: object) -> tuple[FloatArray, tuple[Cache, ...]]:
    """Compute the outputs of a network and what `backward` needs.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        Finite; inside or outside the grids.

    Returns
    -------
    y : (batch, n_out)
    caches : tuple of Cache
        One per layer.

    Notes
    -----
    Implements :eq:`network-forward`, Liu et al. 2024, eq. 2.7. ValueError where a
    symbolic edge is undefined.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network(
    ...     (2, 3, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng
    ... )
    >>> y, caches = kr.forward(net, [[0.5, 0.5], [0.0, 1.0]])
    >>> y.shape, len(caches)
    ((2, 1), 2)
    """
    points = check_inputs(network, x)
    with np.errstate(all="ignore"):
        flow, caches = network.run_flow(evaluate(network.layers[0], points))
    return check_defined(network.layers, points, flow[-1]), caches


@np.errstate(all="ignore")
def backward(
    network: Network, caches: Sequence[Cache], dy: object
) -> tuple[FloatArray, Network]:
    """Compute the gradients of a scalar R with respect to inputs and parameters.

    Parameters
    ----------
    network : Network
    caches : sequence of Cache
        From `forward` of this network at the same x. Caches of another network with the
        same sizes are not noticed, and give wrong gradients.
    dy : (batch, n_out)
        dR/dy.

    Returns
    -------
    dx : (batch, n_in)
    grads : Network
        `grads.layers[l].coef` is d_coef of layer l, `grads.theta` is d_theta.

    Notes
    -----
    Implements :eq:`network-backward`. About two forward passes. ValueError where a
    symbolic edge has no finite derivative.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network(
    ...     (2, 3, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng
    ... )
    >>> y, caches = kr.forward(net, [[0.5, 0.5], [0.0, 1.0]])
    >>> dx, grads = kr.backward(net, caches, np.ones_like(y))
    >>> dx.shape, grads.layers[0].coef.shape, grads.theta.shape
    ((2, 2), (3, 2, 8), (90,))
    """
    check_network("network", network)
    for number, (cache, layer) in enumerate(zip_longest(caches, network.layers)):
        fits = isinstance(cache, Cache) and layer is not None
        sizes = fits and (len(cache.bases.values), cache.bases.n_columns)
        if not fits or sizes != (layer.degree + 1, layer.n_in * layer.n_basis):
            rule = f"must belong to {layer}: see forward"
            checks.fail(f"caches[{number}]", cache, rule)

    dx = checks.array("dy", dy, (len(caches[0].base), network.widths[-1]))
    collected: list[FloatArray] = []
    for layer, cache in zip(reversed(network.layers), reversed(caches), strict=True):
        dx, grads = layer_backward(layer, cache, dx)
        collected[:0] = grads
    d_theta = np.concatenate(collected, axis=None)  # flattened
    inputs = [cache.inputs for cache in caches]
    check_derivatives(network.layers, inputs, dx, d_theta)
    return dx, network.replace_theta(d_theta)
