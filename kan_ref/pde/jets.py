"""Jets through a network or a multilayer perceptron (MLP): forward, backward, rows.

Theorem (Liu et al. 2024, eqs. 2.5, 2.7 and 2.10-2.12, with the chain rule (J2)-(J8) of
`jet_kind`). An edge phi_ji is a curve of its own argument, and a node sums its edges.
With the jet (phi(x)_k)_k of a curve, and dy = dR/dy of a scalar R, component by
component,

    (J9)   y_j,k  = sum_i phi_ji(x_i)_k    for every component k
    (J10)  dx     = (J5)-(J7) with sum_j phi'_ji dy_j   in place of phi' dy,
                                   sum_j phi''_ji dy_j  in place of phi'' dy,
                                   sum_j phi'''_ji dy_j in place of phi''' dy
    (J11)  spline edges, phi_ji = W_ji b + sum_m C_jim B_m, by (J8):
           d_C_jim = sum_b dy_j,0 B_m + t_1 B'_m + t_2 B''_m
           d_W_ji  = sum_b dy_j,0 b + t_1 b' + t_2 b''
    (J12)  symbolic edges: (J8) with the partial derivatives :eq:`symbolic-parameters`
    (J13)  where R = sum_b R_b, the rows dR_b / d parameters:
           (J11) and (J12) without sum_b

A layer of an MLP is the activation s of the layer before, a curve, then a linear map.
The map acts on all components alike, and its bias on the value alone
(:eq:`mlp-forward`):

    (J21)  y_k = s(x)_k W^T + (v where k = 0),    in the first layer x in place of s(x)
    (J22)  d_W = sum_k dy_k^T s(x)_k,    d_v = sum_b dy_0;
           rows without the sums over samples
    (J23)  dx  = (J5)-(J7) at dy_k W

Through all layers, with x_0 = the jet of the inputs and u = x_L,

    (J17)  x_{l+1} = Phi_l(x_l) by (J9) or (J21)
    (J18)  dx_L    = dR/du,    dx_l = (J10) or (J23) at dx_{l+1}
    (J19)  d_theta = (J11), (J12) or (J22) of each layer at dx_{l+1},
           in the order of theta
    (J20)  where R_b depends on sample b alone:
           the rows dR_b / d theta by (J13) or (J22)

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
from kan_ref.bspline import evaluate_bases
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


class SplineJet(NamedTuple):
    """What a layer of a Network computes from its input jet, before its parameters.

    `quadratic` (n_in, n_second, batch): the q_s. `columns` (n_in, batch): the place of
    the first nonzero basis function in a row of C. `basis`: the nonzero basis functions
    B_m, each order (degree + 1, n_in, batch); `base`: the base function b, each order
    (n_in, batch). Orders are 0 to 2, or 3.
    """

    kind: JetKind
    jet: FloatArray
    quadratic: FloatArray
    columns: IntArray
    basis: tuple[FloatArray, ...]
    base: tuple[FloatArray, ...]

    @classmethod
    def of(
        cls,
        layer: Layer,
        jet: FloatArray,
        kind: JetKind,
        highest: int,
    ) -> "SplineJet":
        """Evaluate the functions; `highest` is 3 where `input_gradient` is needed."""
        x = jet[:, 0]
        quadratic = jet_kind.products_of(kind, jet)
        bases = evaluate_bases(layer.rows, x.T, highest, gathered=True, workspace=None)
        basis = tuple(plane.swapaxes(1, 2) for plane in bases.active.planes)
        base = tuple(BASE_FUNCTIONS[layer.base](x, range(highest + 1)))
        return cls(kind, jet, quadratic, bases.active.columns.T, basis, base)

    @property
    def x_0(self) -> FloatArray:
        """Values of the input jet, (batch, n_in)."""
        return self.jet[:, 0].T

    # --- forward

    def outputs(self, layer: Layer) -> FloatArray:
        """Return the jets of the outputs, (n_out, n_components, batch), by (J9)."""
        y = np.empty((layer.n_out, *self.jet.shape[1:]))
        # [eq:jet-layer]
        for y_j, curves in zip(y, self._curves(layer, (0, 1, 2)), strict=True):
            phi_j = jet_kind.chain(self.kind, self.jet, self.quadratic, curves)
            phi_j.sum(axis=0, out=y_j)
        # [/eq:jet-layer]

        if layer.symbolic:
            _, inputs = numbers(layer.symbolic)
            jet = self.jet[inputs]
            quadratic = self.quadratic[inputs]
            formulas = derivatives(layer.symbolic, layer.affine, self.x_0, (0, 1, 2))
            by_order = formulas.swapaxes(0, 1)
            phi = jet_kind.chain(self.kind, jet, quadratic, by_order)
            for edge, phi_ji in zip(layer.symbolic, phi, strict=True):
                y[edge.output] += phi_ji
            y[~np.isfinite(y)] = np.nan

        return y

    def _curves(
        self, layer: Layer, orders: Sequence[int]
    ) -> Iterator[list[FloatArray]]:
        """Yield phi^(order)_ji(x_0) of one output after another, by spline edges.

        Each order is (n_in, batch).
        """
        places = self._places()
        for row, w_base in zip(layer.spline_matrix, layer.base_matrix, strict=True):
            coef = row.take(places)
            # [eq:jet-curves]
            curves = []
            for order in orders:
                base = w_base[:, None] * self.base[order]
                spline = np.einsum("rib,rib->ib", coef, self.basis[order])
                curves.append(base + spline)
            yield curves
            # [/eq:jet-curves]

    def _places(self) -> IntArray:
        """Return the places (degree + 1, n_in, batch) of the basis in a row of C."""
        active = np.arange(len(self.basis[0]))
        return np.add(self.columns, active[:, None, None])

    # --- backward

    def input_gradient(self, layer: Layer, dy: FloatArray) -> FloatArray:
        """Return dR/d jet (n_in, n_components, batch) by (J10).

        `dy` is (n_out, n_components, batch).
        """
        second = self.kind.second
        by_slope = np.zeros((layer.n_in, *dy.shape[1:]))
        by_curvature = np.zeros_like(by_slope[:, 1:])
        by_third = np.zeros_like(by_slope[:, second])
        formulas = derivatives(layer.symbolic, layer.affine, self.x_0, (1, 2, 3))
        # [eq:jet-input-gradient]
        for dy_j, curves in zip(dy, self._curves(layer, (1, 2, 3)), strict=True):
            slope, curvature, third = curves
            by_slope += slope[:, None] * dy_j
            by_curvature += curvature[:, None] * dy_j[1:]
            by_third += third[:, None] * dy_j[second]
        for edge, curves in zip(layer.symbolic, formulas, strict=True):
            slope, curvature, third = curves
            dy_j = dy[edge.output]
            by_slope[edge.input] += slope * dy_j
            by_curvature[edge.input] += curvature * dy_j[1:]
            by_third[edge.input] += third * dy_j[second]
        sums = by_slope, by_curvature, by_third
        return jet_kind.chain_back(self.kind, self.jet, self.quadratic, sums)
        # [/eq:jet-input-gradient]

    def gradient(self, layer: Layer, dy: FloatArray) -> FloatArray:
        """Return the layer's part of dR/d theta: the sums over samples (J11), (J12)."""
        places = self._places().reshape(-1)
        n_columns = layer.n_in * layer.n_basis
        d_matrix = np.empty((layer.n_out, n_columns))
        d_base_matrix = np.empty(layer.w_base.shape)
        for j, dy_j in enumerate(dy):
            by_basis, by_base = self._matrix_rows(dy_j)
            d_matrix[j] = np.bincount(places, by_basis.reshape(-1), n_columns)
            d_base_matrix[j] = by_base.sum(axis=1)

        d_affine = np.zeros_like(layer.affine)
        rows = self._formula_rows(layer, dy)
        for edge, by_affine in zip(layer.symbolic, rows, strict=True):
            d_affine[edge.row] += by_affine.sum(axis=1)

        d_weights = weight_gradients(layer, d_matrix, d_base_matrix)
        return np.concatenate([*d_weights, d_affine], axis=None)

    def rows(
        self, layer: Layer, dy: FloatArray, start: int
    ) -> tuple[list[IntArray], list[FloatArray]]:
        """Return the rows (J13): places in theta, from `start` on, and numbers.

        Each is (n_entries, batch). The entries of a spline edge are those of its
        degree + 1 active coefficients, of w_base and of w_spline; a symbolic edge has
        four.
        """
        n_out, n_in, n_basis = layer.coef.shape
        active = layer.degree + 1
        batch = dy.shape[2]
        columns = self._places().swapaxes(0, 1)
        spline_rows = np.empty((n_out, n_in, active + 2, batch))
        by_coef = spline_rows[:, :, :active]
        weights = spline_rows[:, :, active:]
        by_w_base = weights[:, :, 0]
        by_w_spline = weights[:, :, 1]
        # [eq:jet-spline-rows]
        for j, dy_j in enumerate(dy):
            by_basis, by_w_base[j] = self._matrix_rows(dy_j)
            by_coef[j] = by_basis.swapaxes(0, 1)
            coef = layer.coef[j].take(columns)
            np.einsum("irb,irb->ib", coef, by_coef[j], out=by_w_spline[j])
        by_coef *= (layer.mask * layer.w_spline)[:, :, None, None]
        weights *= layer.mask[:, :, None, None]
        # [/eq:jet-spline-rows]

        # theta has coef, w_base, w_spline and affine, one after another
        row_of_c = n_in * n_basis * np.arange(n_out)
        edge = np.arange(n_out * n_in).reshape(n_out, n_in, 1)
        spline_places = np.empty(spline_rows.shape, dtype=np.intp)
        spline_places[:, :, :active] = columns + (start + row_of_c)[:, None, None, None]
        start += layer.coef.size
        spline_places[:, :, active] = start + edge
        start += layer.w_base.size
        spline_places[:, :, active + 1] = start + edge
        start += layer.w_spline.size

        places = [spline_places.reshape(-1, batch)]
        rows = [spline_rows.reshape(-1, batch), *self._formula_rows(layer, dy)]
        for symbolic in layer.symbolic:
            first = np.full(batch, start + 4 * symbolic.row)
            places.append(first + np.arange(4)[:, None])
        return places, rows

    def _matrix_rows(self, dy_j: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the summands of (J11): of d_C_j (degree + 1, n_in, batch), and d_W_j.

        Those of d_W_j are (n_in, batch).
        """
        basis, basis_slope, basis_curvature, *_ = self.basis
        base, base_slope, base_curvature, *_ = self.base
        # [eq:jet-layer-backward]
        t_1, t_2 = jet_kind.parameter_weights(self.kind, self.jet, self.quadratic, dy_j)
        by_basis = dy_j[0] * basis + t_1 * basis_slope + t_2 * basis_curvature
        by_base = dy_j[0] * base + t_1 * base_slope + t_2 * base_curvature
        # [/eq:jet-layer-backward]
        return by_basis, by_base

    def _formula_rows(self, layer: Layer, dy: FloatArray) -> Iterator[FloatArray]:
        """Yield dR_b / d (a, b, c, d), (4, batch), of each symbolic edge, by (J12)."""
        by_order = []
        for order in (0, 1, 2):
            slopes = affine_slopes(layer.symbolic, layer.affine, self.x_0, order)
            by_order.append(slopes.transpose(1, 2, 0))

        edges = zip(layer.symbolic, *by_order, strict=True)
        for edge, value, slope, curvature in edges:
            own = slice(edge.input, edge.input + 1)
            dy_j = dy[edge.output]
            jet = self.jet[own]
            quadratic = self.quadratic[own]
            # [eq:jet-formula-rows]
            t_1, t_2 = jet_kind.parameter_weights(self.kind, jet, quadratic, dy_j)
            yield dy_j[0] * value + t_1 * slope + t_2 * curvature
            # [/eq:jet-formula-rows]


class DenseLayer(NamedTuple):
    """A layer of an MLP: the activation of the layer before, then a linear map.

    The activation is "" in the first layer.
    """

    activation: str
    weight: FloatArray
    bias: FloatArray

    @property
    def n_params(self) -> int:
        """Number of weights and biases."""
        return self.weight.size + self.bias.size


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
        cls,
        layer: DenseLayer,
        jet: FloatArray,
        kind: JetKind,
        highest: int,
    ) -> "DenseJet":
        """Apply the activation; `highest` is 3 where `input_gradient` is needed."""
        quadratic = jet_kind.products_of(kind, jet)
        if not layer.activation:
            return cls(kind, jet, jet, quadratic, ())
        curves = activation_values(layer.activation, jet[:, 0], range(highest + 1))
        entered = jet_kind.chain(kind, jet, quadratic, curves[:3])
        return cls(kind, jet, entered, quadratic, curves[1:])

    def outputs(self, layer: DenseLayer) -> FloatArray:
        """Return the jets of the outputs, (n_out, n_components, batch), by (J21)."""
        # [eq:mlp-jet-forward]
        y = _mapped(layer.weight, self.entered)
        y[:, 0] += layer.bias[:, None]
        # [/eq:mlp-jet-forward]
        return y

    def input_gradient(self, layer: DenseLayer, dy: FloatArray) -> FloatArray:
        """Return dR/d jet of the layer before by (J23).

        `dy` is (n_out, n_components, batch).
        """
        slope, curvature, third = self.slopes
        # [eq:mlp-jet-backward]
        dx = _mapped(layer.weight.T, dy)
        by_slope = slope[:, None] * dx
        by_curvature = curvature[:, None] * dx[:, 1:]
        by_third = third[:, None] * dx[:, self.kind.second]
        sums = by_slope, by_curvature, by_third
        return jet_kind.chain_back(self.kind, self.jet, self.quadratic, sums)
        # [/eq:mlp-jet-backward]

    def gradient(self, layer: DenseLayer, dy: FloatArray) -> FloatArray:
        """Return the layer's part of dR/d theta by (J22)."""
        n_out, n_in = layer.weight.shape
        # [eq:mlp-jet-gradient]
        d_weight = dy.reshape(n_out, -1) @ self.entered.reshape(n_in, -1).T
        d_bias = dy[:, 0].sum(axis=1)
        # [/eq:mlp-jet-gradient]
        return np.concatenate([d_weight, d_bias], axis=None)

    def rows(
        self, layer: DenseLayer, dy: FloatArray, start: int
    ) -> tuple[list[IntArray], list[FloatArray]]:
        """Return the rows (J22), (n_entries, batch) each; dense rows need no places."""
        # [eq:mlp-jet-jacobian]
        by_weight = np.einsum("jkb,ikb->jib", dy, self.entered)
        by_bias = dy[:, 0]
        # [/eq:mlp-jet-jacobian]
        return [], [by_weight.reshape(-1, dy.shape[2]), by_bias]


def _mapped(matrix: FloatArray, jet: FloatArray) -> FloatArray:
    """Return a matrix times all components of a jet."""
    flat = matrix @ jet.reshape(len(jet), -1)
    return flat.reshape(len(matrix), *jet.shape[1:])


# --- a model of many layers


def check_model(model: object) -> None:
    """Raise TypeError for a model without jets."""
    if not isinstance(model, JetModel):
        checks.fail("network", model, "must be a Network or an MLP", TypeError)


def layers_of(model: JetModel) -> Sequence[Any]:
    """Return the layers of a Network, or those of an MLP as `DenseLayer`."""
    if isinstance(model, Network):
        return model.layers
    layers = []
    activation = ""
    for weight, bias in zip(model.weights, model.biases, strict=True):
        layers.append(DenseLayer(activation, weight, bias))
        activation = model.activation
    return layers


@np.errstate(all="ignore")
def prepare_jet(model: JetModel, x: FloatArray, kind: JetKind) -> Any:
    """Evaluate what the first layer computes from x (batch, n_in) and its knots alone.

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
    layers = layers_of(model)
    caches = [inputs]
    highest = 3 if slopes else 2
    # [eq:jet-forward]
    jet = inputs.outputs(layers[0])
    for layer in layers[1:]:
        cache = inputs.of(layer, jet, inputs.kind, highest)
        jet = cache.outputs(layer)
        caches.append(cache)
    # [/eq:jet-forward]
    return jet, caches


def jet_at(model: JetModel, x: FloatArray, kind: JetKind) -> FloatArray:
    """Return the outputs' jet at x (batch, n_in), (n_out, n_components, batch)."""
    jet, _ = run_jet_forward(model, prepare_jet(model, x, kind), slopes=False)
    return jet


def _pull_back(
    model: JetModel, caches: Sequence[Any], d_jet: FloatArray
) -> Iterator[tuple[Any, Any, FloatArray]]:
    """Yield each layer, the last one first, its cache, and dR/d outputs (J18)."""
    layers = layers_of(model)
    # [eq:jet-backward]
    for n in reversed(range(len(layers))):
        yield layers[n], caches[n], d_jet
        if n:
            d_jet = caches[n].input_gradient(layers[n], d_jet)
    # [/eq:jet-backward]


@np.errstate(all="ignore")
def run_jet_backward(
    model: JetModel, caches: Sequence[Any], d_jet: FloatArray
) -> FloatArray:
    """Return dR/d theta (n_params,) by (J19), given dR/du.

    `d_jet`, dR/du, is (n_out, n_components, batch).
    """
    d_theta: list[FloatArray] = []
    for layer, cache, dy in _pull_back(model, caches, d_jet):
        d_theta.insert(0, cache.gradient(layer, dy))
    return np.concatenate(d_theta)


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
    places: list[IntArray] = []
    rows: list[FloatArray] = []
    start = model.n_params
    # [eq:jet-jacobian]
    for layer, cache, dy in _pull_back(model, caches, seed):
        start -= layer.n_params
        own_places, own_rows = cache.rows(layer, dy, start)
        places[:0] = own_places
        rows[:0] = own_rows
    # [/eq:jet-jacobian]
    entries = np.concatenate(rows).T
    if isinstance(model, MLP):
        return entries
    return RowSparse(np.concatenate(places).T, entries, model.n_params)
