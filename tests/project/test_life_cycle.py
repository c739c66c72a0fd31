"""A network's life: initialized, trained, refined, edited, saved and exported in any order, and consistent after every step."""

import copy
import pickle
import tempfile
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
import sympy
from c_code import COMPILER, build, call
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from oracles_training import bits

import kan_ref as kr

# defined everywhere, so that no step can leave their domain
FUNCTIONS = ("sin", "tanh", "gaussian", "x^2", "x")
SHAPES = [(1, 1), (2, 3, 1), (2, 2, 2), (3, 2, 2, 1)]


def everything(network):
    """The network as bytes, with its symbolic edges."""
    edges = [(edge.output, edge.input, edge.name) for layer in network.layers for edge in layer.symbolic]
    affine = [layer.affine.tobytes() for layer in network.layers]
    return bits(network), repr(edges), affine


def arrays_within(record):
    """(name, array) of a record of arrays and records."""
    for name, value in vars(record).items():
        if isinstance(value, np.ndarray):
            yield name, value
        elif name in ("rows", "layers"):
            for part in value if isinstance(value, tuple) else (value,):
                yield from ((f"{name}.{inner}", array) for inner, array in arrays_within(part))


class LifeCycle(RuleBasedStateMachine):
    """Every rule does one thing that a user may do, and states what it must keep."""

    @initialize(
        seed=st.integers(0, 2**32 - 1),
        widths=st.sampled_from(SHAPES),
        degree=st.integers(0, 4),
        n_intervals=st.integers(1, 4),
        base=st.sampled_from(["silu", "identity", "zero"]),
    )
    def init(self, seed, widths, degree, n_intervals, base):
        self.rng = np.random.default_rng(seed)
        self.x = self.rng.uniform(-1.0, 1.0, (40, widths[0]))
        self.network = kr.init_network(
            widths, n_intervals=n_intervals, degree=degree, domain=(-1.0, 1.0), base=base, rng=self.rng
        )
        self.bytes = everything(self.network)

    def __init__(self):
        super().__init__()
        self.folder, self.compiled = tempfile.TemporaryDirectory(), False

    def teardown(self):
        self.folder.cleanup()

    @property
    def targets(self):
        """Smooth targets of the network's own shape."""
        y = np.sin(2.0 * self.x.sum(axis=1, keepdims=True))
        return y * np.arange(1.0, self.network.widths[-1] + 1.0)

    def become(self, network):
        """Go on with another network; the one before has not changed."""
        assert everything(self.network) == self.bytes
        self.network, self.bytes = network, everything(network)

    def scale(self):
        """The size of the outputs on the batch, at least 1."""
        return max(1.0, np.abs(self.network(self.x)).max())

    def tolerance(self, x):
        """1e-10 of the outputs, and what rounding may do: c f(a x + b) + d with large c and d cancels.

        A tanh that is fitted to a part of an exponential has |c| and |d| of 1e10 and outputs of size one.
        """
        y, signs = (self.network(x), np.random.default_rng(0).choice([-1.0, 1.0], (3, self.network.n_params)))
        nearby = [self.network.with_theta(self.network.theta * (1.0 + 4e-16 * each)) for each in signs]
        moved = max(np.abs(network(x) - y).max() for network in nearby)
        return 1e-10 * max(1.0, np.abs(y).max()) + 100.0 * moved

    def clear(self):
        """Samples of which no hidden activation lies, up to rounding, on a knot where a curve jumps: there the last bit decides.

        A grid by quantiles has its knots at activations.
        """
        flow, clear = self.x, np.ones(len(self.x), dtype=bool)
        for layer, above in pairwise(self.network.layers):
            flow = kr.Network((layer,))(flow)
            for knots, activations in zip(above.knots, flow.T, strict=True):
                values, multiplicity = np.unique(knots, return_counts=True)
                jumps = values[multiplicity > above.degree]
                apart = np.abs(activations[:, None] - jumps).min(axis=1, initial=np.inf)
                clear &= apart > 1e-8 * (1.0 + np.abs(activations).max())
        return clear

    def edges(self, kind):
        """Places (layer, output, input) of the edges of a kind."""
        found = []
        for number, layer in enumerate(self.network.layers):
            symbolic = {(edge.output, edge.input) for edge in layer.symbolic}
            for j, i in product(range(layer.n_out), range(layer.n_in)):
                is_kind = {"spline": layer.mask[j, i] == 1.0, "symbolic": (j, i) in symbolic}[kind]
                if is_kind:
                    found.append((number, j, i))
        return found

    # --- training and grids

    @rule(optimizer=st.sampled_from(["lm", "lbfgs", "adam"]), n_steps=st.integers(0, 4), update_grids=st.booleans())
    def fit(self, optimizer, n_steps, update_grids):
        data = kr.Data(self.x, self.targets, self.x, self.targets)
        run = kr.fit(self.network, data, optimizer=optimizer, n_steps=n_steps, update_grids=update_grids)
        assert run.stopped
        assert np.isfinite(run.history.train_rmse).all()
        if optimizer != "adam":
            error = np.sqrt(np.mean((run.network(self.x) - self.targets) ** 2))
            assert error <= run.history.train_rmse[0] * (1.0 + 1e-9)
        self.become(run.network)

    @precondition(lambda self: max(layer.n_intervals for layer in self.network.layers) <= 8)
    @rule(outer=st.sampled_from(["kept", "even"]))
    def extend(self, outer):
        finest = max(layer.n_intervals for layer in self.network.layers)
        finer = kr.extend_grid(self.network, self.x, n_intervals=2 * finest, outer=outer)
        assert [layer.n_intervals for layer in finer.layers] == [2 * finest] * len(finer.layers)
        if outer == "kept" and all(finest % layer.n_intervals == 0 for layer in self.network.layers):
            wide = 3.0 * self.x
            change = kr.distance(self.network, finer, wide).max
            size = max(np.abs(layer.coef * layer.w_spline[:, :, None]).max() for layer in finer.layers)
            size = max(size, self.scale(), np.abs(self.network(wide)).max())
            assert change <= 1e-9 * size + self.tolerance(wide)
        self.become(finer)

    @rule(share=st.sampled_from([0.0, 0.5, 1.0]), margin=st.sampled_from([0.0, 1.0]))
    def update(self, share, margin):
        moved = kr.update_grid(self.network, self.x, uniform_share=share, margin=margin)
        first = moved.layers[0].breakpoints
        assert (first[:, 0] <= self.x.min(axis=0)).all()
        assert (first[:, -1] >= self.x.max(axis=0)).all()
        self.become(moved)

    # --- edges

    @rule(data=st.data())
    def mask(self, data):
        number = data.draw(st.integers(0, len(self.network.layers) - 1))
        shape = self.network.layers[number].mask.shape
        mask = np.array(data.draw(st.lists(st.integers(0, 3), min_size=9, max_size=9))) > 0
        self.become(kr.mask_edges(self.network, number, np.resize(mask, shape).astype(float)))

    @precondition(lambda self: self.edges("spline"))
    @rule(data=st.data(), name=st.sampled_from(FUNCTIONS), fitted=st.booleans())
    def fix(self, data, name, fitted):
        number, j, i = data.draw(st.sampled_from(self.edges("spline")))
        options = {"x": self.x} if fitted else {"affine": (0.7, 0.1, -0.4, 0.2)}
        self.become(kr.fix_symbolic(self.network, number, output=j, input=i, name=name, **options))
        assert (number, j, i) in self.edges("symbolic")

    @precondition(lambda self: self.edges("symbolic"))
    @rule(data=st.data())
    def unfix(self, data):
        number, j, i = data.draw(st.sampled_from(self.edges("symbolic")))
        self.become(kr.unfix_symbolic(self.network, number, output=j, input=i))
        assert (number, j, i) in self.edges("spline")

    @precondition(lambda self: self.lockable())
    @rule(data=st.data())
    def lock(self, data):
        number, places = data.draw(st.sampled_from(self.lockable()))
        locked = kr.lock_edges(self.network, number, places)
        layer = locked.layers[number]
        rows = {edge.row for edge in layer.symbolic if (edge.output, edge.input) in places}
        assert len(rows) == 1
        again = kr.lock_edges(locked, number, places, shared=False)
        np.testing.assert_array_equal(again(self.x), locked(self.x))
        self.become(data.draw(st.sampled_from([locked, again])))

    def lockable(self):
        """Layers with two or more symbolic edges of one function: the layer and the places."""
        found = []
        for number, layer in enumerate(self.network.layers):
            for name in FUNCTIONS:
                places = [(e.output, e.input) for e in layer.symbolic if e.name == name]
                if len(places) > 1:
                    found.append((number, places))
        return found

    @rule(threshold=st.sampled_from([0.0, 0.01, 0.2]))
    def prune(self, threshold):
        try:
            smaller = kr.prune(self.network, self.x, threshold=threshold)
        except ValueError as error:
            if "path" not in str(error):  # the only reason not to prune
                raise
            return
        assert smaller.widths[0] == self.network.widths[0]
        assert smaller.widths[-1] == self.network.widths[-1]
        assert all(a <= b for a, b in zip(smaller.widths, self.network.widths, strict=True))
        self.become(smaller)

    # --- copies and exports, which change nothing

    @rule()
    def store_and_copy(self):
        path = Path(self.folder.name) / "network.npz"
        kr.save(self.network, path)
        copies = [
            kr.load(path),
            pickle.loads(pickle.dumps(self.network)),
            copy.deepcopy(self.network),
            self.network.with_theta(self.network.theta),
        ]
        for one in copies:
            assert everything(one) == everything(self.network)
        self.become(copies[0])

    @rule()
    def export(self):
        source = kr.to_c(self.network)
        assert source == kr.to_c(pickle.loads(pickle.dumps(self.network)))
        if COMPILER is not None and not self.compiled:  # a compiler takes a while: once in a life
            self.compiled = True
            library = build(source, Path(self.folder.name))
            found = call(library, self.network, self.x)
            at = self.clear()
            np.testing.assert_allclose(found[at], self.network(self.x)[at], rtol=0, atol=self.tolerance(self.x))

    @precondition(lambda self: not self.edges("spline"))
    @rule()
    def formula(self):
        names = tuple(f"x{i}" for i in range(self.network.widths[0]))
        found = kr.formula(self.network, names=names)
        expressions = found if isinstance(found, tuple) else (found,)
        values = [sympy.lambdify(names, one, "numpy")(*self.x.T) for one in expressions]
        values = np.stack([np.broadcast_to(one, len(self.x)) for one in values], axis=1)
        np.testing.assert_allclose(values, self.network(self.x), rtol=0, atol=self.tolerance(self.x))

    @precondition(lambda self: self.edges("spline"))
    @rule()
    def no_formula(self):
        with pytest.raises(ValueError, match="spline"):
            kr.formula(self.network)

    @precondition(lambda self: self.network.layers[0].degree >= 2)  # without kinks
    @rule()
    def gradients(self):
        assert kr.check_gradients(self.network, self.x, rng=self.rng).worst < 1e-5

    # --- what holds at any time

    @invariant()
    def layers_are_views_of_theta_and_read_only(self):
        theta, start = self.network.theta, 0
        assert not theta.flags.writeable
        for layer in self.network.layers:
            for array in (layer.coef, layer.w_base, layer.w_spline, layer.affine):
                assert np.shares_memory(array, theta) or array.size == 0
                assert not array.flags.writeable or array.size == 0
                np.testing.assert_array_equal(theta[start : start + array.size], array.ravel())
                start += array.size
        assert start == theta.size == self.network.n_params

    @invariant()
    def an_edge_is_of_exactly_one_kind(self):
        for layer in self.network.layers:
            assert np.isin(layer.mask, (0.0, 1.0)).all()
            places = [(edge.output, edge.input) for edge in layer.symbolic]
            assert places == sorted(set(places))
            assert all(layer.mask[place] == 0.0 for place in places)
            assert sorted({edge.row for edge in layer.symbolic}) == list(range(len(layer.affine)))

    @invariant()
    def outputs_are_finite_and_the_sums_of_the_edges(self):
        flow = self.x
        for number, outputs in enumerate(kr.edge_outputs(self.network, self.x)):
            layer = self.network.layers[number]
            assert outputs.shape == (len(self.x), layer.n_out, layer.n_in)
            flow = outputs.sum(axis=2)
        assert np.isfinite(flow).all()
        np.testing.assert_allclose(self.network(self.x), flow, rtol=0, atol=self.tolerance(self.x))

    @invariant()
    def no_array_can_be_written(self):
        found = list(arrays_within(self.network))
        names = {"theta", "layers.breakpoints", "layers.knots", "layers.rows.knots"}
        assert names <= {name for name, _ in found}
        assert [name for name, array in found if array.flags.writeable] == []

    @invariant()
    def it_prints_its_widths(self):
        assert str(list(self.network.widths)) in repr(self.network)


TestLifeCycle = LifeCycle.TestCase
# an example takes half a second
TestLifeCycle.settings = settings(max_examples=max(3, settings().max_examples // 2), stateful_step_count=20)
