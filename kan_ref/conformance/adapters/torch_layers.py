r"""Libraries on PyTorch, a class for each; derivatives are those of PyTorch.

A class says which layer of the library is tested (`library`), where that keeps its arrays
(attributes of our names) and how one of them is seen with our axes (`view`). The same view
fills a layer, reads it, and reads the gradients of its parameters. If a library has

    no w_spline     coefficients are multiplied by it, and gradients need w_spline = 1
    no mask         all edges must be present
    one even grid   for all inputs (`any_knots` is False), then the knots must be of that kind

and other cases are skipped. In sum_b v_b each v_b depends on x_b alone, so that one backward pass
gives a column of derivatives for all samples, and a second pass differentiates them.

Libraries on no package index are tested from checkouts, which environment variables name:

    EFFICIENT_KAN=~/efficient-kan python -m kan_ref.conformance \
        --adapter kan_ref.conformance.adapters.torch_layers:EfficientKanCheckout
"""

import importlib.util
import io
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from itertools import pairwise
from operator import attrgetter
from typing import Any

import numpy as np

from kan_ref.conformance.adapters import Adapter, Answer, Array, Layer, Layers, needs

PARAMETERS = ("coef", "w_base", "w_spline")
ARRAYS = (*PARAMETERS, "mask", "knots")
SUMS = {"l1": (1.0, 0.0), "entropy": (0.0, 1.0)}  # weights with which a penalty is one of the two
Family = Mapping[str, Any]
Sizes = tuple[int, int, int, int]  # n_in, n_out, n_intervals, degree


def tensor(values: Any) -> Any:
    """Return a tensor of PyTorch's default precision."""
    import torch

    return torch.tensor(np.asarray(values), dtype=torch.get_default_dtype())


def array(values: Any) -> Array:
    """Return the numbers of a tensor."""
    found: Array = values.detach().numpy()
    return found


def stacked(columns: Iterable[Any]) -> Array:
    """Return tensors (n, ...) as one array (n, number of columns, ...)."""
    found: Array = np.stack([array(column) for column in columns], axis=1)
    return found


def gradients(y: Any, wanted: Sequence[Any], dy: Any) -> Sequence[Any]:
    """Return vector-Jacobian products dy^T dy/dw; zeros for arrays w on which y does not depend."""
    import torch

    if not y.requires_grad:
        return [torch.zeros_like(one) for one in wanted]
    options = {"create_graph": True, "allow_unused": True, "materialize_grads": True}
    found: Sequence[Any] = torch.autograd.grad(y, wanted, dy, **options)
    return found


def slope(values: Any, points: Any) -> Any:
    """Return the derivative of values (n,) with respect to points (n, ...), for each sample."""
    import torch

    return gradients(values, [points], torch.ones_like(values))[0]


class OnTorch:
    """A library: an installed distribution, or a checkout whose folder `variable` names.

    It is loaded at once: what cannot be loaded fails no case.
    """

    distribution = variable = ""
    library: str  # "module:Class"

    def __init__(self) -> None:
        self.name = self.distribution or self.library
        self.version = version(self.distribution) if self.distribution else "checkout"
        if self.variable:
            named = os.environ.get(self.variable, "")
            sys.path[:0] = [os.path.expanduser(f"{named}/src"), os.path.expanduser(named)]
            module = self.library.partition(":")[0]
            rule = f"must be the folder of a checkout with {module}"
            if not named or importlib.util.find_spec(module) is None:
                raise FileNotFoundError(f"{self.variable} is {named!r}, but {rule}")
        self.use_dtype("float64")
        self.layer = self.load()

    def load(self) -> Any:
        """Return the library's class of layers."""
        import torch

        torch.set_num_threads(1)
        module, _, name = self.library.partition(":")
        return getattr(importlib.import_module(module), name)

    def use_dtype(self, dtype: str) -> None:
        """Set PyTorch's default precision, in which the library makes its layers."""
        import torch

        torch.set_default_dtype(getattr(torch, dtype))


# --- layers of B-splines


class TorchLayers(OnTorch, Adapter):
    """A library's layer of B-splines.

    `coef` to `knots` say which attributes of its layer hold these arrays, "" for none.
    `base_option` is the parameter of its base function, `options` are further ones; `degrees` are
    those that it supports, if not all.
    """

    coef = w_base = w_spline = mask = knots = ""
    base_option = "base_activation"
    options: Mapping[str, Any] = {}
    any_knots = True
    degrees: tuple[int, ...] = ()

    def fresh(self, sizes: Sizes, low: float = -1.0, high: float = 1.0, base: str = "silu") -> Any:
        """Return a layer with the library's own defaults."""
        options = {self.base_option: self.base_function(base), **self.options}
        return self.layer(*sizes, grid_range=[low, high], **options)

    def base_function(self, base: str) -> Any:
        """Return a base function as the library takes it, here the class of its modules."""
        import torch

        others = {"identity": torch.nn.Identity, "zero": lambda: torch.zeros_like}
        return others.get(base, torch.nn.SiLU)

    def view(self, module: Any, name: str, theirs: Any) -> Any:
        """Return a tensor of a layer with our axes; what is written into it is in the tensor."""
        return theirs

    def bases(self, module: Any, x: Any) -> Any:
        """Return the B-splines (n, 1, n_basis) of a layer of one input, at x (n, 1)."""
        return module.b_splines(x)

    def chain(self, layers: Layers) -> tuple[Any, list[Any]]:
        """Return a model of several layers, and its layers."""
        import torch

        modules = [self.make(layer) for layer in layers]
        return torch.nn.Sequential(*modules), modules

    def make(self, layer: Layer) -> Any:
        """Return the library's layer with the arrays of ours."""
        module = self.empty(layer)
        self.fill(module, layer)
        return module

    def empty(self, layer: Layer) -> Any:
        """Return a fresh layer of the right sizes, if it can hold the knots."""
        knots, degree, (n_out, n_in, _) = layer["knots"], layer["degree"], np.shape(layer["coef"])
        n_intervals = knots.shape[1] - 1 - 2 * degree
        needs(n_intervals >= 1 and (not self.degrees or degree in self.degrees))
        low, high = -1.0, 1.0
        if not self.any_knots:
            low, high = float(knots[0, degree]), float(knots[0, -degree - 1])
            even = low + (high - low) / n_intervals * np.arange(-degree, n_intervals + degree + 1)
            room = 8.0 * np.finfo(knots.dtype).eps * np.abs(knots).max()
            needs(low < high and (np.abs(knots - even) <= room).all())
        return self.fresh((n_in, n_out, n_intervals, degree), low, high, layer["base"])

    def fill(self, module: Any, layer: Layer) -> None:
        """Write the arrays of a layer into the library's tensors."""
        needs(self.mask or np.all(layer["mask"] == 1.0))
        if not self.w_spline:
            layer = {**layer, "coef": layer["coef"] * layer["w_spline"][:, :, None]}
        for name in self.held(ARRAYS):
            self.ours(module, name).data.copy_(tensor(layer[name]))

    def held(self, names: Sequence[str]) -> list[str]:
        """Return those of our arrays that the library's layer has."""
        return [name for name in names if getattr(self, name)]

    def theirs(self, module: Any, name: str) -> Any:
        """Return the library's tensor for one of our arrays."""
        return attrgetter(getattr(self, name))(module)

    def ours(self, module: Any, name: str) -> Any:
        """Return one of our arrays, as a view of the library's tensor."""
        return self.view(module, name, self.theirs(module, name))

    def read(self, module: Any, degree: int, base: str) -> Answer:
        """Return our layer from the library's."""
        arrays = {name: array(self.ours(module, name)) for name in self.held(ARRAYS)}
        ones = np.ones(arrays["coef"].shape[:2])
        return {"w_spline": ones, "mask": ones, **arrays, "degree": degree, "base": base}

    # --- the protocol

    def basis_derivative(self, x: Array, knots: Array, degree: int, order: int) -> Array:
        """Return derivatives (n, n_basis) by autograd."""
        points = tensor(x).requires_grad_()
        columns = self.bases_at(points, knots, degree).unbind(dim=1)
        for _ in range(order):
            columns = [slope(column, points) for column in columns]
        return stacked(columns)

    def bases_at(self, points: Any, knots: Array, degree: int) -> Any:
        """Return the B-splines (n, n_basis) at points (n,)."""
        knots = knots[None]
        module = self.empty({"knots": knots, "degree": degree, "coef": [[[0.0]]], "base": "silu"})
        if self.knots:
            self.ours(module, "knots").data.copy_(tensor(knots))
        return self.bases(module, points[:, None])[:, 0]

    def network_forward(self, layers: Layers, x: Array) -> Array:
        """Return the outputs (batch, n_out)."""
        return array(self.chain(layers)[0](tensor(x)))

    def network_vjp(self, layers: Layers, x: Array, dy: Array) -> Answer:
        """Return dx and the gradients of every layer; None for an array that it does not have."""
        model, modules = self.chain(layers)
        points, names = tensor(x).requires_grad_(), self.held(PARAMETERS)
        wanted = [self.theirs(module, name) for module in modules for name in names]
        dx, *slopes = gradients(model(points), [points, *wanted], tensor(dy))
        found, rest = [], iter(slopes)
        for module, layer in zip(modules, layers, strict=True):
            mine = {name: array(self.view(module, name, next(rest))) for name in names}
            exact = self.w_spline or np.all(layer["w_spline"] == 1.0)
            found.append({f"d_{name}": mine.get(name) if exact else None for name in PARAMETERS})
        return {"dx": array(dx), "layers": found}

    def input_jacobian(self, layers: Layers, x: Array) -> Array:
        """Return (batch, n_out, n_in) by autograd."""
        points = tensor(x).requires_grad_()
        y = self.chain(layers)[0](points)
        return stacked([slope(column, points) for column in y.unbind(dim=1)])

    def input_hessian_diag(self, layers: Layers, x: Array) -> Array:
        """Return (batch, n_out, n_in) by two passes of autograd."""
        points = tensor(x).requires_grad_()
        rows: list[Array] = []
        for column in self.chain(layers)[0](points).unbind(dim=1):
            slopes = enumerate(slope(column, points).unbind(dim=1))
            rows.append(stacked(slope(one, points)[:, i] for i, one in slopes))
        return np.stack(rows, axis=1)

    def uniform_knots(self, low: float, high: float, n_intervals: int, degree: int) -> Array:
        """Return a knot vector of a fresh layer."""
        needs(self.any_knots)
        module = self.fresh((1, 1, n_intervals, degree), low, high)
        row: Array = array(self.ours(module, "knots"))[0]
        return row

    def count_parameters(self, widths: Sequence[int], n_intervals: int, degree: int) -> int:
        """Return how many numbers fresh layers train; the contract counts w_spline."""
        needs(self.w_spline)
        made = [self.fresh((*pair, n_intervals, degree)) for pair in pairwise(widths)]
        parameters = [one for module in made for one in module.parameters()]
        return sum(int(one.numel()) for one in parameters if one.requires_grad)

    def initial_layer(
        self, n_in: int, n_out: int, n_intervals: int, degree: int, seed: int
    ) -> Answer:
        """Return a layer before training, with the library's own defaults."""
        import torch

        needs(self.any_knots)
        torch.manual_seed(seed)
        return self.read(self.fresh((n_in, n_out, n_intervals, degree)), degree, "silu")

    def save_load(self, layer: Layer) -> Answer:
        """Return the layer after `torch.save` and `torch.load` of its state dict."""
        import torch

        needs(self.w_spline)
        file = io.BytesIO()
        torch.save(self.make(layer).state_dict(), file)
        file.seek(0)
        fresh = self.empty(layer)
        fresh.load_state_dict(torch.load(file))
        return self.read(fresh, layer["degree"], layer["base"])


# --- efficient-kan, and libraries of its layout


class EfficientKan(TorchLayers):
    """The layout; penalties depend on the coefficients alone, not on samples."""

    coef, w_base, w_spline, knots = "spline_weight", "base_weight", "spline_scaler", "grid"

    def update_grid(self, layer: Layer, x: Array, share: float, margin: float) -> Answer:
        """Return the layer on a grid moved to the samples; `share` is the blending weight."""
        module = self.make(layer)
        self.move(module, tensor(x), share, margin)
        return self.read(module, layer["degree"], layer["base"])

    def move(self, module: Any, x: Any, share: float, margin: float) -> None:
        """Call the library's method that moves the grid."""
        module.grid_eps = share
        module.update_grid(x, margin=margin)

    def penalties(self, layers: Layers, x: Array) -> dict[str, float]:
        """Return l1 and entropy by `regularization_loss`."""
        modules = [self.make(layer) for layer in layers]
        return {name: self.penalty(modules, *weights) for name, weights in SUMS.items()}

    def penalty(self, modules: Sequence[Any], l1: float, entropy: float) -> float:
        """Return the weighted penalty of all layers."""
        return sum(float(module.regularization_loss(l1, entropy)) for module in modules)


class EfficientKanCheckout(EfficientKan):
    """efficient-kan itself."""

    variable, library = "EFFICIENT_KAN", "efficient_kan:KANLinear"


class Ikan(EfficientKan):
    """A distribution of efficient-kan."""

    distribution, library = "ikan", "ikan.KAN:KANLinear"


class Convkan3d(EfficientKan):
    """The linear layer that its convolutions over volumes use."""

    distribution, library = "ConvKAN3D", "ConvKAN3D.efficient_kan:KANLinear"


class Convkan(EfficientKan):
    """`convkan.KANLinear`, whose arrays and samples have a first axis of groups, here one."""

    distribution, library = "convkan", "convkan:KANLinear"

    def load(self) -> Any:
        """Return the library's class of layers, for samples without groups."""

        class OneGroup(super().load()):  # type: ignore[misc]
            """The layer on samples without groups."""

            def forward(self, x: Any) -> Any:
                return super().forward(x[None])[0]

        return OneGroup

    def view(self, module: Any, name: str, theirs: Any) -> Any:
        """Return the one group."""
        return theirs[0]

    def bases(self, module: Any, x: Any) -> Any:
        """Return the B-splines of the one group."""
        return super().bases(module, x[None])[0]

    def move(self, module: Any, x: Any, share: float, margin: float) -> None:
        """Call `update_grid`."""
        super().move(module, x[None], share, margin)


class DeepKan(EfficientKan):
    """`deepkan.SplineLinearLayer`, and `DeepKAN` for its penalties."""

    distribution, library = "Deep-KAN", "deepkan:SplineLinearLayer"
    coef, w_base, w_spline, knots = "spline_weights", "base_weights", "spline_scales", "knots"
    base_option = "activation"

    def bases(self, module: Any, x: Any) -> Any:
        """Return the values that its forward pass and its `_update_knots` use."""
        return module._compute_b_splines(x)

    def move(self, module: Any, x: Any, share: float, margin: float) -> None:
        """Call the method that `DeepKAN(...)(x, update_knots=True)` calls."""
        module.grid_epsilon = share
        module._update_knots(x, margin=margin)

    def penalty(self, modules: Sequence[Any], l1: float, entropy: float) -> float:
        """Return `regularization_loss` of a model of the layers."""
        import torch
        from deepkan import DeepKAN

        model = DeepKAN(modules[0].input_dim, [module.output_dim for module in modules])
        model.layers = torch.nn.ModuleList(modules)
        return float(model.regularization_loss(l1, entropy))


# --- without w_spline


class KerasEfficientKan(TorchLayers):
    """`keras_efficient_kan.KANLinear` on Keras' PyTorch backend, without layer norm and bias.

    spline_weight (n_in * n_basis, n_out), base_weight (n_in, n_out), grid (1, n_in, n_knots)
    """

    distribution, library = "keras-efficient-kan", "keras_efficient_kan:KANLinear"
    coef, w_base, knots = "spline_weight.value", "base_weight.value", "grid.value"
    use_layernorm = False

    def use_dtype(self, dtype: str) -> None:
        """Set the default precision of PyTorch and of Keras."""
        os.environ["KERAS_BACKEND"] = "torch"
        import keras

        super().use_dtype(dtype)
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)

    def fresh(self, sizes: Sizes, low: float = -1.0, high: float = 1.0, base: str = "silu") -> Any:
        """Return a layer, built for n_in inputs."""
        needs(base == "silu")
        n_in, n_out, n_intervals, degree = sizes
        grid = {"grid_size": n_intervals, "spline_order": degree, "grid_range": [low, high]}
        options = {"base_activation": "silu", "use_bias": False}
        module = self.layer(n_out, **grid, **options, use_layernorm=self.use_layernorm)
        module.build((None, n_in))
        return module

    def view(self, module: Any, name: str, theirs: Any) -> Any:
        """Return a tensor with our axes."""
        if name == "coef":
            return theirs.reshape(module.in_features, -1, module.units).permute(2, 0, 1)
        return theirs[0] if name == "knots" else theirs.T

    def bases(self, module: Any, x: Any) -> Any:
        """Return the B-splines, of which the library puts all inputs in one axis."""
        return super().bases(module, x)[:, None]

    def initial_layer(
        self, n_in: int, n_out: int, n_intervals: int, degree: int, seed: int
    ) -> Answer:
        """Return a layer before training. Keras draws with a generator of its own."""
        import keras

        keras.utils.set_random_seed(seed)
        return super().initial_layer(n_in, n_out, n_intervals, degree, seed)


class KerasEfficientKanNormed(KerasEfficientKan):
    """The layer with its default options: a layer norm of its inputs."""

    use_layernorm = True


class Inkan(TorchLayers):
    """`inkan.KANLayer`, cubic, with one uniform grid for all inputs.

    weight (n_out, n_in * n_basis + n_in): for each output the coefficients of all inputs, then the
    base weights. Not compiled, as its documentation says for second derivatives.
    """

    distribution, library, options = "inkan", "inkan:KANLayer", {"compile_basis": False}
    any_knots, degrees = False, (3,)
    coef = w_base = "weight"

    def view(self, module: Any, name: str, theirs: Any) -> Any:
        """Return the coefficients, or the base weights, of all weights."""
        n_splines = module.in_features * module.n_bases
        if name == "w_base":
            return theirs[:, n_splines:]
        return theirs[:, :n_splines].view(len(theirs), module.in_features, module.n_bases)

    def bases(self, module: Any, x: Any) -> Any:
        """Return the values of the function that its forward pass calls."""
        from inkan.basis import bspline_basis_local_eager

        return bspline_basis_local_eager(x, module.grid_starts, module.inv_h, module.n_bases)


class Flashkan(TorchLayers):
    """`flashkan.KANLayer`, with one uniform grid for all inputs.

    A layer of any degree can be requested, but the cubic is computed. Not compiled: for each shape
    that takes longer than a case may take.
    """

    distribution, library, any_knots = "flashkan", "flashkan:KANLayer", False
    coef, w_base = "spline_weight", "base_weight"

    def load(self) -> Any:
        """Return the library's class of layers, which does not compile."""
        import torch

        torch.compiler.set_stance("force_eager")
        return super().load()

    def bases(self, module: Any, x: Any) -> Any:
        """Return the values of the function that its forward pass calls."""
        from flashkan.basis import bspline_basis

        return bspline_basis(x, module.grid_starts, module.inv_h)


# --- layers of other basis functions


class TorchFamily(OnTorch):
    """A library's layer of another family, with coefficients in `weight` (n_out, n_in n_basis).

    Basis functions are those of a layer with one input, whose outputs have one coefficient 1 each.
    """

    weight: str

    def fresh(self, family: Family, n_in: int, n_out: int) -> Any:
        """Return a layer with the family's basis functions and without further terms."""
        raise NotImplementedError

    def view(self, theirs: Any, n_in: int) -> Any:
        """Return coefficients with our axes; what is written into it is in the tensor."""
        return theirs.reshape(len(theirs), n_in, -1)

    def call(self, module: Any, x: Any) -> Any:
        """Return the outputs (batch, n_out) of a layer."""
        return module(x)

    def apply(self, family: Family, coef: Array, x: Any) -> tuple[Any, Any]:
        """Return the outputs of a layer with the given coefficients, and the library's tensor."""
        n_out, n_in, _ = np.shape(coef)
        module = self.fresh(family, n_in, n_out)
        weight = attrgetter(self.weight)(module)
        self.view(weight.data, n_in).copy_(tensor(coef))
        return self.call(module, x), weight

    def family_basis(self, family: Family, x: Array, order: int) -> Array:
        """Return the basis functions or derivatives of them, (n, n_basis)."""
        counted = {"gaussian": "centres", "relu": "starts"}.get(family["family"])
        n_basis = len(family[counted]) if counted else family["degree"] + 1
        points = tensor(x)[:, None].requires_grad_()
        columns = self.apply(family, np.eye(n_basis)[:, None], points)[0].unbind(dim=1)
        for _ in range(order):
            columns = [slope(column, points)[:, 0] for column in columns]
        return stacked(columns)

    def family_forward(self, family: Family, coef: Array, x: Array) -> Array:
        """Return the outputs (batch, n_out)."""
        return array(self.apply(family, coef, tensor(x))[0])

    def family_vjp(self, family: Family, coef: Array, x: Array, dy: Array) -> Answer:
        """Return dx and d_coef."""
        points = tensor(x).requires_grad_()
        y, weight = self.apply(family, coef, points)
        dx, d_coef = gradients(y, [points, weight], tensor(dy))
        return {"dx": array(dx), "d_coef": array(self.view(d_coef, np.shape(coef)[1]))}


class FastKan(TorchFamily):
    """`fastkan.FastKANLayer` without layer norm and base function, its centres replaced."""

    variable, library = "FAST_KAN", "fastkan:FastKANLayer"
    weight = "spline_linear.weight"

    def fresh(self, family: Family, n_in: int, n_out: int) -> Any:
        """Return a FastKANLayer."""
        needs(family["family"] == "gaussian")
        options = {"use_layernorm": False, "use_base_update": False}
        module = self.layer(n_in, n_out, num_grids=len(family["centres"]), **options)
        module.rbf.grid.data = tensor(family["centres"])
        module.rbf.denominator = family["width"]
        return module


class ChebyKan(TorchFamily):
    """`ChebyKANLayer`, whose polynomials are of tanh x; cheby_coeffs (n_in, n_out, n_basis)."""

    variable, library = "CHEBY_KAN", "ChebyKANLayer:ChebyKANLayer"
    weight = "cheby_coeffs"

    def fresh(self, family: Family, n_in: int, n_out: int) -> Any:
        """Return a ChebyKANLayer."""
        needs(family["family"] == "chebyshev" and family["argument"] == "tanh")
        return self.layer(n_in, n_out, family["degree"])

    def view(self, theirs: Any, n_in: int) -> Any:
        """Return coefficients with our axes."""
        return theirs.transpose(0, 1)


class ReluKan(TorchFamily):
    """`ReLUKANLayer` with its bias set to 0 and its supports replaced by those of the case.

    It has one factor for all functions, so that their supports must have one width, (k + 1) / g.
    The weight of its convolution has shape (n_out, 1, g + k, n_in), but the numbers that it meets
    are in the order n_in, g + k.
    """

    variable, library = "RELU_KAN", "torch_relu_kan:ReLUKANLayer"
    weight = "equal_size_conv.weight"

    def fresh(self, family: Family, n_in: int, n_out: int) -> Any:
        """Return a ReLUKANLayer with (k + 1) / g equal to the width."""
        needs(family["family"] == "relu")
        starts, ends = np.asarray(family["starts"]), np.asarray(family["ends"])
        width, n_basis = ends[0] - starts[0], len(starts)
        fitting = [k for k in range(n_basis) if (k + 1) / (n_basis - k) == width]
        needs(fitting and (ends - starts == width).all())
        module = self.layer(n_in, n_basis - fitting[0], fitting[0], n_out)
        module.phase_low.data = tensor(np.tile(starts, (n_in, 1)))
        module.phase_height.data = tensor(np.tile(ends, (n_in, 1)))
        module.equal_size_conv.bias.data.zero_()
        return module

    def call(self, module: Any, x: Any) -> Any:
        """Return the outputs; its samples are (batch, n_in, 1)."""
        return module(x[:, :, None])[:, :, 0]
