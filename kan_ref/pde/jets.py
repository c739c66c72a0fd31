"""Jets through a network or a multilayer perceptron (MLP): forward, backward, rows of
samples.

Theorem (Liu et al. 2024, eqs. 2.5, 2.7 and 2.10-2.12, with the chain rule (J2)-(J8) of
`jet_kind`). An edge phi_ji is a curve of its own argument, and a node sums its edges.
With the jet (phi(x)_k)_k of a curve, and dy = dR/dy of a scalar R, component by
component,

    (J9)   y_j,k   = sum_i phi_ji(x_i)_k    for every component k
    (J10)  dx      = (J5)-(J7) at sum_j phi'_ji dy_j, sum_j phi''_ji dy_j, sum_j phi'''_ji dy_j
    (J11)  spline edges, phi_ji = W_ji b + sum_m C_jim B_m, by (J8):
           d_C_jim = sum_b dy_j,0 B_m + t_1 B'_m + t_2 B''_m
           d_W_ji  = sum_b dy_j,0 b + t_1 b' + t_2 b''
    (J12)  symbolic edges: (J8) with the partial derivatives :eq:`symbolic-parameters`
    (J13)  where R = sum_b R_b, the rows dR_b / d parameters are (J11) and (J12) without sum_b

A layer of an MLP is the activation s of the layer before, a curve, then a linear map.
The map acts on all components alike, and its bias on the value alone
(:eq:`mlp-forward`):

    (J21)  y_k = s(x)_k W^T + (v where k = 0), in the first layer x in place of s(x)
    (J22)  d_W = sum_k dy_k^T s(x)_k,    d_v = sum_b dy_0;    rows without the sums over samples
    (J23)  dx = (J5)-(J7) at dy_k W

Through all layers, with x_0 = the jet of the inputs and u = x_L,

    (J17)  x_{l+1} = Phi_l(x_l) by (J9) or (J21)
    (J18)  dx_l = (J10) or (J23) at dx_{l+1};    dx_L = dR/du
    (J19)  d_theta = (J11), (J12) or (J22) of each layer at dx_{l+1}, in the order of theta
    (J20)  where R_b depends on sample b alone: the rows dR_b / d theta by (J13) or (J22)

If R_b is the residual of a differential equation at sample b, linearized in the
components of u, then (J20) is its row for Levenberg-Marquardt. A forward pass costs
about n_components ordinary passes in products and two in basis functions; only the
degree + 1 nonzero basis functions of a sample are evaluated. Memory is O(batch width
(degree + 1) n_components).

Derivatives of B_m are limits from the right; those of order above the degree are zero.
The axes of arrays are nodes, components, samples, as in memory. Numbers that overflow,
and undefined values of symbolic edges, become nan without a warning: the public
functions and the optimizers reject them.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from kan_ref import checks
from kan_ref.baselines import MLP
from kan_ref.bspline import ActiveBasis, evaluate_bases
from kan_ref.checks import FloatArray, IntArray
from kan_ref.functions import BASE_FUNCTIONS, activation_values
from kan_ref.network import (
    Layer,
    Network,
    affine_slopes,
    derivatives,
    numbers,
    weight_gradients,
)
from kan_ref.numerics import Block, RowSparse
from kan_ref.pde import jet_kind
from kan_ref.pde.jet_kind import JetKind

JetModel = Network | MLP
Edges = tuple[IntArray, IntArray]  # outputs and inputs of all symbolic edges of a layer


class DenseLayer(NamedTuple):
    """A layer of an MLP: the activation of the layer before ("" in the first), and a
    linear map.
    """

    activation: str
    weight: FloatArray
    bias: FloatArray


class SplineJet(NamedTuple):
    """What a layer of a Network computes from its input jet, before its parameters
    matter.

    `quadratic` (n_in, n_second, batch): the q_s. `active`: nonzero basis functions and
    their derivatives; `base`: the same of b, each (n_in, batch); both of orders 0 to 2,
    or 3.
    """

    kind: JetKind
    jet: FloatArray
    quadratic: FloatArray
    active: ActiveBasis
    base: tuple[FloatArray, ...]

    @classmethod
    def of(
        cls, layer: Layer, jet: FloatArray, kind: JetKind, highest: int
    ) -> "SplineJet":
        """Evaluate the layer's functions; `highest` is 3 where `input_gradient` is
        needed.
        """
        x = jet[:, 0]
        active = evaluate_bases(
            layer.rows, x.T, highest, gathered=True, workspace=None
        ).active
        base = tuple(BASE_FUNCTIONS[layer.base](x, range(highest + 1)))
        return cls(kind, jet, jet_kind.products_of(kind, jet), active, base)

    def outputs(self, layer: Layer) -> FloatArray:
        """Return the jets of the outputs, (n_out, n_components, batch), by (J9)."""
        y = np.empty((layer.n_out, *self.jet.shape[1:]))
        # [eq:jet-layer]
        for y_j, curves in zip(y, self._curves(layer, (0, 1, 2)), strict=True):
            jet_kind.chain(self.kind, self.jet, self.quadratic, curves).sum(
                axis=0, out=y_j
            )
        # [/eq:jet-layer]
        if layer.symbolic:
            _, inputs = numbers(layer.symbolic)
            curves = list(self._formulas(layer, (0, 1, 2)).swapaxes(0, 1))
            jets = jet_kind.chain(
                self.kind, self.jet[inputs], self.quadratic[inputs], curves
            )
            for edge, own in zip(layer.symbolic, jets, strict=True):
                y[edge.output] += own
            y[~np.isfinite(y)] = np.nan
        return y

    def input_gradient(self, layer: Layer, dy: FloatArray) -> FloatArray:
        """Return dR/d jet (n_in, n_components, batch), given dy (n_out, n_components,
        batch).
        """
        parts = jet_kind.upstream_slices(self.kind)
        sums = [np.zeros((layer.n_in, *dy[0, own].shape)) for own in parts]
        # [eq:jet-input-gradient]
        for dy_j, curves in zip(dy, self._curves(layer, (1, 2, 3)), strict=True):
            for total, curve, own in zip(sums, curves, parts, strict=True):
                total += curve[:, None] * dy_j[own]
        if layer.symbolic:
            for edge, curves in zip(
                layer.symbolic, self._formulas(layer, (1, 2, 3)), strict=True
            ):
                for total, curve, own in zip(sums, curves, parts, strict=True):
                    total[edge.input] += curve * dy[edge.output, own]
        return jet_kind.chain_back(self.kind, self.jet, self.quadratic, sums)
        # [/eq:jet-input-gradient]

    def gradient(self, layer: Layer, dy: FloatArray) -> FloatArray:
        """Return the layer's part of dR/d theta: the sums over samples (J11) and (J12).
        """
        d_matrix = np.empty((layer.n_out, layer.n_in * layer.n_basis))
        d_base_matrix = np.empty(layer.w_base.shape)
        places = self._places(layer).reshape(-1)
        for j, dy_j in enumerate(dy):
            by_basis, by_base = self._matrix_rows(dy_j)
            d_matrix[j] = np.bincount(
                places, by_basis.reshape(-1), minlength=d_matrix.shape[1]
            )
            d_base_matrix[j] = by_base.sum(axis=1)
        d_affine = np.zeros_like(layer.affine)
        for edge, row in zip(
            layer.symbolic, self._formula_rows(layer, dy), strict=True
        ):
            d_affine[edge.row] += row.sum(axis=1)
        pieces = (*weight_gradients(layer, d_matrix, d_base_matrix), d_affine)
        return np.concatenate([piece.reshape(-1) for piece in pieces])

    def rows(
        self, layer: Layer, dy: FloatArray
    ) -> tuple[list[IntArray], list[FloatArray]]:
        """Return the rows (J13): places in the layer's theta and numbers, (n_entries,
        batch) each.

        The entries of a spline edge are those of its degree + 1 active coefficients, of
        w_base and of w_spline; a symbolic edge has 4.
        """
        n_out, n_in, n_basis = layer.coef.shape
        active, batch = layer.degree + 1, dy.shape[2]
        rows = np.empty((n_out, n_in, active + 2, batch))
        columns = self._places(layer).swapaxes(0, 1)
        # [eq:jet-spline-rows]
        for row, coef, dy_j in zip(
            rows, layer.coef.reshape(n_out, -1), dy, strict=True
        ):
            by_basis, row[:, active] = self._matrix_rows(dy_j)
            row[:, :active] = by_basis.swapaxes(0, 1)
            np.einsum(
                "irb,irb->ib",
                coef.take(columns),
                row[:, :active],
                out=row[:, active + 1],
            )
        rows[:, :, :active] *= (layer.mask * layer.w_spline)[:, :, None, None]
        rows[:, :, active:] *= layer.mask[:, :, None, None]
        # [/eq:jet-spline-rows]
        places = np.empty(rows.shape, dtype=np.intp)
        edge = layer.coef.size + np.arange(n_out * n_in).reshape(n_out, n_in, 1)
        places[:, :, :active] = (
            columns + (n_in * n_basis * np.arange(n_out))[:, None, None, None]
        )
        places[:, :, active] = edge
        places[:, :, active + 1] = edge + layer.w_base.size
        first = (
            layer.coef.size + 2 * layer.w_base.size
        )  # of the parameters of symbolic edges
        formulas = [np.full((4, batch), first + 4 * one.row) for one in layer.symbolic]
        formulas = [own + np.arange(4)[:, None] for own in formulas]
        own_rows = [rows.reshape(-1, batch), *self._formula_rows(layer, dy)]
        return [places.reshape(-1, batch), *formulas], own_rows

    def _places(self, layer: Layer) -> IntArray:
        """Return the places (degree + 1, n_in, batch) of nonzero basis functions in a
        row of C.
        """
        places: IntArray = (
            self.active.columns.T + np.arange(layer.degree + 1)[:, None, None]
        )
        return places

    def _curves(
        self, layer: Layer, orders: Sequence[int]
    ) -> Iterator[list[FloatArray]]:
        """Yield phi^(order)_ji(x_0), (n_in, batch) for each order, of one output after
        another.
        """
        places = self._places(layer)
        for row, base_weights in zip(
            layer.spline_matrix, layer.base_matrix, strict=True
        ):
            coef = row.take(places)
            # [eq:jet-curves]
            yield [
                base_weights[:, None] * self.base[order]
                + np.einsum(
                    "rib,rib->ib", coef, self.active.planes[order].swapaxes(1, 2)
                )
                for order in orders
            ]
            # [/eq:jet-curves]

    def _formulas(self, layer: Layer, orders: Sequence[int]) -> FloatArray:
        """Return derivatives of the symbolic edges at x_0, (n_edges, n_orders, batch).
        """
        return derivatives(layer.symbolic, layer.affine, self.jet[:, 0].T, orders)

    def _matrix_rows(self, dy_j: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the summands of d_C_j (degree + 1, n_in, batch), of d_W_j (n_in,
        batch) (J11).
        """
        # [eq:jet-layer-backward]
        t_1, t_2 = jet_kind.parameter_weights(self.kind, self.jet, self.quadratic, dy_j)
        value, slope, curvature = (
            plane.swapaxes(1, 2) for plane in self.active.planes[:3]
        )
        by_basis = dy_j[0] * value + t_1 * slope + t_2 * curvature
        by_base = dy_j[0] * self.base[0] + t_1 * self.base[1] + t_2 * self.base[2]
        # [/eq:jet-layer-backward]
        return by_basis, by_base

    def _formula_rows(self, layer: Layer, dy: FloatArray) -> Iterator[FloatArray]:
        """Yield dR_b / d (a, b, c, d), (4, batch), of one symbolic edge after another
        (J12).
        """
        x = self.jet[:, 0].T
        slopes = [
            affine_slopes(layer.symbolic, layer.affine, x, order) for order in (0, 1, 2)
        ]
        for number, edge in enumerate(layer.symbolic):
            own, dy_j = slice(edge.input, edge.input + 1), dy[edge.output]
            value, slope, curvature = (by_order[:, number].T for by_order in slopes)
            # [eq:jet-formula-rows]
            t_1, t_2 = jet_kind.parameter_weights(
                self.kind, self.jet[own], self.quadratic[own], dy_j
            )
            yield dy_j[0] * value + t_1 * slope + t_2 * curvature
            # [/eq:jet-formula-rows]


class DenseJet(NamedTuple):
    """What a layer of an MLP computes from its input jet, before its weights matter.

    `entered` (n_in, n_components, batch): the jet that the linear map acts on. In all
    layers but the first `quadratic` are the q_s, and `slopes` s', s'' and s''', of the
    layer before.
    """

    kind: JetKind
    jet: FloatArray
    entered: FloatArray
    quadratic: FloatArray
    slopes: tuple[FloatArray, ...]

    @classmethod
    def of(
        cls, layer: DenseLayer, jet: FloatArray, kind: JetKind, highest: int
    ) -> "DenseJet":
        """Apply the activation; `highest` is 3 where `input_gradient` is needed."""
        quadratic = jet_kind.products_of(kind, jet)
        if not layer.activation:
            return cls(kind, jet, jet, quadratic, ())
        curves = activation_values(layer.activation, jet[:, 0], range(highest + 1))
        return cls(
            kind,
            jet,
            jet_kind.chain(kind, jet, quadratic, curves[:3]),
            quadratic,
            curves[1:],
        )

    def outputs(self, layer: DenseLayer) -> FloatArray:
        """Return the jets of the outputs, (n_out, n_components, batch), by (J21)."""
        # [eq:mlp-jet-forward]
        y = _mapped(layer.weight, self.entered)
        y[:, 0] += layer.bias[:, None]
        # [/eq:mlp-jet-forward]
        return y

    def input_gradient(self, layer: DenseLayer, dy: FloatArray) -> FloatArray:
        """Return dR/d jet of the layer before, given dy (n_out, n_components, batch),
        by (J23).
        """
        parts = jet_kind.upstream_slices(self.kind)
        # [eq:mlp-jet-backward]
        dx = _mapped(layer.weight.T, dy)
        sums = [
            slope[:, None] * dx[:, own]
            for slope, own in zip(self.slopes, parts, strict=True)
        ]
        return jet_kind.chain_back(self.kind, self.jet, self.quadratic, sums)
        # [/eq:mlp-jet-backward]

    def gradient(self, layer: DenseLayer, dy: FloatArray) -> FloatArray:
        """Return the layer's part of dR/d theta by (J22)."""
        # [eq:mlp-jet-gradient]
        d_weight = (
            dy.reshape(len(dy), -1) @ self.entered.reshape(len(self.entered), -1).T
        )
        return np.concatenate([d_weight.reshape(-1), dy[:, 0].sum(axis=1)])
        # [/eq:mlp-jet-gradient]

    def rows(
        self, layer: DenseLayer, dy: FloatArray
    ) -> tuple[list[IntArray], list[FloatArray]]:
        """Return the rows (J22) without places, since they are dense: (n_entries,
        batch) each.
        """
        # [eq:mlp-jet-jacobian]
        by_weight = np.einsum("jkb,ikb->jib", dy, self.entered)
        return [], [by_weight.reshape(-1, dy.shape[2]), dy[:, 0]]
        # [/eq:mlp-jet-jacobian]


def _mapped(matrix: FloatArray, jet: FloatArray) -> FloatArray:
    """Return a matrix times all components of a jet."""
    return (matrix @ jet.reshape(len(jet), -1)).reshape(len(matrix), *jet.shape[1:])


# --- a model of many layers


def check_model(model: object) -> None:
    """Raise TypeError for a model without jets."""
    if not isinstance(model, JetModel):
        checks.fail("network", model, "must be a Network or an MLP", TypeError)


def layers_of(model: JetModel) -> Sequence[Any]:
    """Return the layers of a Network, or those of an MLP as `DenseLayer`."""
    if isinstance(model, Network):
        return model.layers
    maps = zip(model.weights, model.biases, strict=True)
    return [
        DenseLayer(model.activation if place else "", *one)
        for place, one in enumerate(maps)
    ]


@np.errstate(all="ignore")
def prepare_jet(model: JetModel, x: FloatArray, kind: JetKind) -> Any:
    """Evaluate all that the first layer computes from x (batch, n_in) and its knots
    alone.

    The result can be used again for every theta.
    """
    kind_of_jet: Any = SplineJet if isinstance(model, Network) else DenseJet
    return kind_of_jet.of(layers_of(model)[0], kind.at(x), kind, 2)


@np.errstate(all="ignore")
def run_jet_forward(
    model: JetModel, inputs: Any, *, slopes: bool = True
) -> tuple[FloatArray, list[Any]]:
    """Compute the jet of the outputs (n_out, n_components, batch) by (J17), and caches.

    Without `slopes` the caches do not serve a backward pass, and third derivatives are
    left out.

    Notes
    -----
    Implements :eq:`jet-forward`.
    """
    layers, caches = layers_of(model), [inputs]
    # [eq:jet-forward]
    jet = inputs.outputs(layers[0])
    for layer in layers[1:]:
        caches.append(inputs.of(layer, jet, inputs.kind, 3 if slopes else 2))
        jet = caches[-1].outputs(layer)
    # [/eq:jet-forward]
    return jet, caches


def jet_at(model: JetModel, x: FloatArray, kind: JetKind) -> FloatArray:
    """Return the jet of the outputs at x (batch, n_in), (n_out, n_components, batch).
    """
    return run_jet_forward(model, prepare_jet(model, x, kind), slopes=False)[0]


def _pull_back(
    model: JetModel, caches: Sequence[Any], d_jet: FloatArray
) -> Iterator[tuple[Any, Any, FloatArray]]:
    """Yield each layer, the last one first, its cache, and dR/d outputs (J18)."""
    # [eq:jet-backward]
    layers = layers_of(model)
    for number in reversed(range(len(layers))):
        yield layers[number], caches[number], d_jet
        if number:
            d_jet = caches[number].input_gradient(layers[number], d_jet)
    # [/eq:jet-backward]


@np.errstate(all="ignore")
def run_jet_backward(
    model: JetModel, caches: Sequence[Any], d_jet: FloatArray
) -> FloatArray:
    """Return dR/d theta (n_params,), given dR/du (n_out, n_components, batch), by
    (J19).
    """
    upstream = _pull_back(model, caches, d_jet)
    return np.concatenate(
        [cache.gradient(layer, dy) for layer, cache, dy in upstream][::-1]
    )


@np.errstate(all="ignore")
def jet_jacobian(model: JetModel, caches: Sequence[Any], seed: FloatArray) -> Block:
    """Return the gradient (J20) of every sample, (batch, n_params).

    `seed` (n_out, n_components, batch) are the derivatives dR_b/du. A row of a Network
    has n_out n_in (degree + 3) entries for each layer, and 4 for each symbolic edge;
    those of an MLP are dense.

    Notes
    -----
    Implements :eq:`jet-jacobian`.
    """
    # [eq:jet-jacobian]
    upstream = _pull_back(model, caches, seed)
    parts = [cache.rows(layer, dy) for layer, cache, dy in upstream][::-1]
    # [/eq:jet-jacobian]
    rows = np.concatenate([row for _, rows in parts for row in rows]).T
    if isinstance(model, MLP):
        return rows
    columns: list[IntArray] = []
    for start, (places, _) in zip(_starts(model), parts, strict=True):
        columns += [np.add(own, start, out=own) for own in places]
    return RowSparse(np.concatenate(columns).T, rows, model.n_params)


def _starts(network: Network) -> IntArray:
    """Return where the parameters of each layer begin in theta."""
    sizes = [layer.n_params for layer in network.layers]
    return np.cumsum([0, *sizes[:-1]])
