"""Cases about edges, layers and networks: outputs, vector-Jacobian products, input derivatives.

    phi(x) = w_b b(x) + w_s sum_m c_m B_m(x)          (Liu et al. 2024, eqs. 2.10-2.12)

Each case depends on one feature: a mask, knots of each input, the order of the samples. Some hidden
values lie beyond the hidden grids, where the basis functions decay to zero. Sources: Liu et al.
2024, eqs. 2.5, 2.7 and 2.10-2.12, and the chain rule on them, (C2)-(C4) of `exact`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from kan_ref.conformance.generate import exact
from kan_ref.conformance.generate import recipes as make
from kan_ref.conformance.generate.encode import Case, Drawn, array, case, drawn, topic, within
from kan_ref.conformance.generate.exact import Layer, Rows, Sums, sizes

EVEN = make.EVEN
NETWORK_VALUES = 5e-13  # of the bound on rounding: later layers amplify the error of a hidden value
TENTHS, WIDER = make.uniform(-1.0, 1.0, 5, 3), make.uniform(-2.0, 1.0, 4, 3)
ZERO, ONE = [[0.0]], [[1.0]]
SQUARE_MASK = [[1.0, 0.0], [1.0, 1.0]]
Made = tuple[str, str, Layer, Rows]  # name, flags, layer, x


# --- edges and layers


@topic("edges", 2, "bases", "Liu et al. 2024, eqs. 2.10-2.12")
def edges() -> Iterator[Case]:
    """Yield the cases of layer_forward(layer, x) -> y for one edge."""
    one, thousand = make.points("layers-one", 4, 1), make.uniform(-1.0, 1.0, 1000, 3)
    many, uneven = [0.0] * 4 + [0.5] + [1.0] * 4, [-3.0, -1.0, -0.875, 0.0, 0.125, 0.25, 1.0, 3.0]
    double = [-0.5, -0.25, 0.0, 0.5, 0.5, 1.0, 1.25, 1.5]
    outer, inner = [[-2.25], [-1.125], [1.375], [2.0]], [[0.25], [0.5], [0.75]]
    for name, flags, knots, degree, x, weight in (
        ("alone", "SplineSum", EVEN, 3, one, 1.0),
        ("weighted", "MissingWSpline WSplineTwice", EVEN, 3, one, 1.75),
        ("fading", "FadeOutside", EVEN, 3, outer, 1.0),
        ("beyond-row", "ZeroOutside FadeOutside", EVEN, 3, [[-3.5], [4.0]], 1.0),
        ("end-of-grid", "GridEnd", EVEN, 3, [[-1.0], [1.0]], 1.0),
        ("last-knot", "LastEnd RepeatedKnots", many, 3, [[0.0], [1.0]], 1.0),
        ("thousand-intervals", "ManyIntervals", thousand, 3, [[-0.7], [0.123]], 1.0),
        ("uneven", "UnevenKnots", uneven, 2, one, 1.0),
        ("repeated-knots", "RepeatedKnots", double, 2, inner, 1.0),
    ):
        name = f"spline-{name}"
        spline = make.layer(name, 1, [knots], degree, w_base=ZERO, w_spline=[[weight]])
        yield make.values(name, flags, spline, x)
    near, distant = [[-3.0], [-0.5], [0.0], [2.5]], [[-800.0], [-100.0], [100.0], [800.0]]
    for name, flags, x, weight in (
        ("silu-alone", "SiluForm MissingBase", near, 1.0),
        ("silu-weighted", "MissingWBase SiluForm", one, -1.5),
        ("silu-far", "SiluOverflow", distant, 1.0),
        ("identity-alone", "BaseName MissingWBase", one, 1.5),
        ("zero-alone", "BaseName", one, 1.5),
    ):
        base = {"base": name.partition("-")[0], "w_base": [[weight]], "w_spline": ZERO}
        yield make.values(name, flags, make.layer(name, 1, [EVEN], **base), x)
    both, beyond = "MissingWBase MissingWSpline", [[-3.5], [-1.25], [4.0]]
    identity, changes = {"base": "identity"}, dict[str, Any]()
    for name, flags, seed, changes, x in (
        ("spline-and-silu", f"BaseScaled SiluForm {both}", "edge", {}, one),
        ("spline-and-identity", f"BaseName BaseScaled {both}", "identity", identity, one),
        ("spline-and-silu-outside", "FadeOutside SiluForm MissingWBase", "beyond", {}, beyond),
        ("masked", "MissingMask", "masked", {"mask": ZERO}, one),
    ):
        yield make.values(name, flags, make.layer(seed, 1, [EVEN], **changes), x)


@topic("layer_forward", 3, "edges", "Liu et al. 2024, eq. 2.5")
def layers() -> Iterator[Case]:
    """Yield the cases of layer_forward(layer, x) -> y for several edges."""
    plain = list(_plain_layers())
    of_degrees = [_of_degree(degree) for degree in (0, 1, 2, 4, 5, 6, 7)]
    yield from (make.values(*made) for made in plain)
    outside = [[-2.25], [-1.125], [1.375], [3.5]]
    twins = [made for made in plain if made[0] in ("two-to-three", "three-to-two", "square-mask")]
    twins += [
        ("fade", "FadeOutside", make.layer("u-fade", 1, [EVEN]), outside),
        ("at-knots", "KnotOwnership", make.layer("u-knots", 1, [EVEN]), [[-1.0], [1.0]]),
    ]
    for name, flags, layer, x in (*twins, *of_degrees):
        flags = {"two-to-three": "SplineSum", "three-to-two": "SharedRow"}.get(name, flags)
        since = 6 if name == "degree-6" else 2
        flags = f"UnevenKnots {flags}"
        yield make.values(f"{name}-uneven", flags, make.twin(layer), x, since=since)
    left = [-1.0 + n / 64.0 for n in range(12)]  # crowded near the left end, or near the right one
    rows = [[*left, 1.0], [-1.0, *(-knot for knot in reversed(left))]]
    x = [[-0.9765625, 0.9765625], [-0.8515625, -0.5], [0.5, 0.8515625]]
    crowded = make.layer("crowded", 2, rows, 1)
    yield make.values("crowded-uneven", "SharedRow UnevenKnots", crowded, x, since=3)
    yield from (make.values(*made, since=4) for made in _unusual_layers())
    for number, (name, n_out, n_in, n) in enumerate((*SHAPES, *LARGE)):
        large = number >= len(SHAPES)
        flags = "BlockRemainder" if large else "BlockRemainder UnevenKnots"
        layer, at = make.block(2000 + 19 * number, n_out, n_in), make.samples(97 + number, n, n_in)
        yield make.values(name, flags, layer, at, since=6 if large else 2)
    yield make.values(*_factor_layer("mask-factor"), kind="acceptable", since=2)
    yield from (make.values(*made, since=6 if made[0] == "degree-6" else 1) for made in of_degrees)
    zeros = "ZeroCoefficients SplineSum"
    yield make.values("zero-coefficients", zeros, _zeros(), make.points("zeros", 3, 2), since=5)


SHAPES = (
    # name, outputs, inputs, batch
    ("batch-9", 2, 2, 9),
    ("batch-17", 2, 1, 17),
    ("batch-33", 1, 2, 33),
    ("batch-257", 1, 1, 257),
    ("nine-inputs", 2, 9, 2),
    ("sixty-five-inputs", 1, 65, 2),
    ("nine-outputs", 9, 2, 2),
    ("sixty-five-outputs", 65, 1, 2),
)
LARGE = (
    ("batch-1030", 1, 1, 1030),
    ("hundred-thirty-inputs", 1, 130, 2),
    ("hundred-thirty-outputs", 130, 1, 2),
)  # in layer_forward alone


def _plain_layers() -> Iterator[Made]:
    """Yield layers of cubic splines on even knots."""
    sums, two, three = "MeanOverInputs SumAxis SplineSum", [EVEN] * 2, [EVEN] * 3
    wide, dead = [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]], [[0.0, 0.0], [1.0, 1.0]]
    changes: dict[str, Any]
    for name, flags, seed, n_out, rows, changes, n in (
        ("two-to-three", sums, "2-3", 3, two, {}, 3),
        ("three-to-two", sums, "3-2", 2, three, {}, 3),
        ("rows-of-their-own", "SharedRow", "rows", 2, [EVEN, WIDER], {}, 3),
        ("square-mask", "TransposedMask MissingMask", "mask", 2, two, {"mask": SQUARE_MASK}, 3),
        ("wide-mask", "MissingMask", "mask-3", 2, three, {"mask": wide}, 3),
        ("dead-output", "MissingMask", "dead", 2, two, {"mask": dead}, 2),
        ("square-weights", "TransposedWeights", "weights", 2, two, {}, 3),
    ):
        yield name, flags, make.layer(seed, n_out, rows, **changes), make.points(seed, n, len(rows))
    tenths = make.layer("tenths", 2, [TENTHS] * 2)
    yield "tenths", "Float32Inside SplineSum", tenths, [[0.1, -0.7], [0.33, 0.9]]


def _of_degree(degree: int) -> Made:
    """Return a square layer of one degree on even knots."""
    name, rows = f"degree-{degree}", [make.uniform(-1.0, 1.0, 4, degree)] * 2
    flag = "DegreeZero" if degree == 0 else "HighDegree" if degree > 3 else "SplineSum"
    return name, flag, make.layer(name, 2, rows, degree), make.points(name, 3, 2)


def _unusual_layers() -> Iterator[Made]:
    """Yield layers with other unusual knots for each input, and splines alone at 1e100."""
    for name, flags, row in make.KINDS:
        yield name, flags, make.layer(f"{name}-2", 2, [row(2, 0), row(2, 1)], 2), make.INSIDE
    layer = make.layer(
        "farthest", 1, [make.whole_steps(2, 2), make.whole_steps(2, 1)], 2, base="zero"
    )
    x = [[at, -at] for at in make.FARTHEST]
    yield "farthest-points", "ZeroOutside FadeOutside SiluOverflow", layer, x


def _factor_layer(seed: str) -> Made:
    """Return a layer whose mask has other numbers than 0 and 1, which the contract leaves open."""
    layer = make.layer(seed, 2, [EVEN] * 2, mask=[[0.5, 1.0], [0.25, 0.0]])
    return "mask-factor", "MaskFactor LeftOpen", layer, make.points(seed, 3, 2)


def _zeros() -> Layer:
    """Return a layer with an edge whose coefficients are all 0, and others as usual."""
    layer = make.layer("zeros", 2, [EVEN] * 2)
    layer["coef"][0][1] = [0.0] * 7
    return layer


@topic("batches", 4, "layer_forward", "a layer is a function of one sample")
def batches() -> Iterator[Case]:
    """Yield the cases about batches of layer_forward(layer, x) -> y.

    The same samples among others, the same shape with other numbers, one sample, and none.
    """
    layer, x = make.layer("batches", 2, [EVEN] * 2), make.points("batches", 4, 2)
    other, moved = make.layer("batches-2", 2, [EVEN] * 2), make.points("batches-2", 4, 2)
    shifted = layer | {"knots": [make.uniform(-1.5, 1.5, 4, 3)] * 2}
    rows: tuple[Made, ...] = (
        ("together", "SplineSum", layer, x),
        ("other-samples", "StaleCache", layer, moved),
        ("together-again", "StaleCache", layer, x),
        ("other-coefficients", "StaleCache", other, x),
        ("other-knots", "StaleCache", shifted, x),
        ("reversed", "BatchDependence PointOrder", layer, x[::-1]),
        ("with-a-far-sample", "BatchDependence", layer, [x[0], [50.0, -70.0], x[1]]),
        ("alone-first", "BatchOfOne BatchDependence", layer, x[:1]),
        ("alone-last", "BatchOfOne BatchDependence", layer, x[3:]),
        ("all-the-same", "BatchDependence PointOrder", layer, [x[2]] * 3),
        ("nobody", "EmptyBatch", layer, []),
    )
    yield from (make.values(*row) for row in rows)


@topic("separability", 4, "layer_forward", "Liu et al. 2024, eq. 2.5")
def separability() -> Iterator[Case]:
    """Yield the cases about y(p, q) - y(p, s) - y(r, q) + y(r, s) = 0 in one layer."""
    layer = make.layer("separable", 2, [EVEN, make.uniform(-2.0, 2.0, 4, 3)])
    corners = [[p, q] for p in (-0.75, 0.5) for q in (-1.5, 0.25)]
    scaled, single = [[0.125, 0.25], [0.5, 1.0], [0.25, 0.5]], make.layer("single", 1, [EVEN])
    yield make.values("corners", "NotSeparable", layer, corners)
    yield make.values("scaled-inputs", "NotSeparable", layer, scaled)
    yield make.values("one-input", "NotSeparable SplineSum", single, [[0.125], [0.875]])


# --- gradients of layers


@topic("layer_vjp", 4, "basis_derivatives layer_forward", "chain rule on Liu et al. 2024, eq. 2.5")
def layer_gradients() -> Iterator[Case]:
    """Yield the cases of layer_vjp(layer, x, dy) -> {"dx", "d_coef", "d_w_base", "d_w_spline"}."""
    edge_layers, up = list(_single_edges()), make.points("vjp-dy", 3, 1, -2.0, 2.0)
    yield from (make.vjp(*made, up) for made in edge_layers)
    for name, flags, layer, x in edge_layers:
        if name in ("spline-weighted", "fading", "beyond-the-row", "at-knots"):
            twin, flags = make.twin(layer), f"UnevenKnots {flags}"
            yield make.vjp(f"{name}-uneven", flags, twin, x, up, since=2)
    for name, flags, layer in _wide_layers():
        n_out, n_in, _ = sizes(layer)
        x, dy = make.points(f"v-{name}", 4, n_in), make.points(f"v-dy-{name}", 4, n_out, -2.0, 2.0)
        yield make.vjp(name, flags, layer, x, dy)
        twin, flags = make.twin(layer), f"UnevenKnots {flags}"
        yield make.vjp(f"{name}-uneven", flags, twin, x[:2], dy[:2], since=2)
    for degree in (4, 6, 7):
        name, flags = f"degree-{degree}", "DerivativeFactor HighDegree"
        x, dy = make.points(f"v-{name}", 2, 2), make.points(f"v-dy-{name}", 2, 2, -2.0, 2.0)
        yield make.vjp(name, flags, _square(degree), x, dy, since=6)
    square = make.layer("v-batch", 2, [EVEN] * 2)
    yield make.vjp(
        "one-sample", "BatchOfOne", square, make.points("v-single", 1, 2), [[1.5, -0.75]]
    )
    yield make.vjp("no-samples", "EmptyBatch", square, [], [])
    for number, (name, n_out, n_in, n) in enumerate(SHAPES):
        layer, x = make.block(3000 + 17 * number, n_out, n_in), make.samples(411 + number, n, n_in)
        dy = drawn(977 + number, (n, n_out), -2.0, 2.0)
        yield make.vjp(name, "BlockRemainder UnevenKnots", layer, x, dy, since=2)
    for name, flags, layer, x in _unusual_layers():
        dy = make.points(f"v-dy-{name}", len(x), sizes(layer)[0], -2.0, 2.0)
        yield make.vjp(name, flags, layer, x, dy, since=4)
    dy = make.points("v-dy-factor", 3, 2, -2.0, 2.0)
    yield make.vjp(*_factor_layer("v-factor"), dy, kind="acceptable", since=2)
    x, dy = make.points("zeros", 3, 2), make.points("zeros-dy", 3, 2, -2.0, 2.0)
    yield make.vjp("zero-coefficients", "ZeroCoefficients", _zeros(), x, dy, since=5)


def _square(degree: int) -> Layer:
    return make.layer(f"v-{degree}", 2, [make.uniform(-1.0, 1.0, 4, degree)] * 2, degree)


def _wide_layers() -> tuple[tuple[str, str, Layer], ...]:
    """Return (name, flags, layer) of layers with several edges."""
    two, three = [EVEN] * 2, [EVEN] * 3
    own = make.layer("v-rows", 2, [EVEN, WIDER])
    masked, tenths = make.layer("v-mask", 2, two, mask=SQUARE_MASK), [TENTHS] * 2
    sums = "MeanOverBatch OneSampleOnly DyIgnored"
    return (
        ("two-to-three", sums, make.layer("v-2-3", 3, two)),
        ("three-to-two", "MeanOverBatch DyIgnored", make.layer("v-3-2", 2, three)),
        ("rows-of-their-own", "SharedRow", own),
        ("square-mask", "UnmaskedGradient TransposedMask", masked),
        ("square-weights", "TransposedWeights", make.layer("v-weights", 2, two)),
        ("degree-1", "BasisSlope", _square(1)),
        ("degree-2", "DerivativeFactor", _square(2)),
        ("degree-0", "DegreeZero", _square(0)),
        ("degree-5", "DerivativeFactor HighDegree", _square(5)),
        ("tenths", "Float32Inside", make.layer("v-tenths", 2, tenths)),
    )


def _single_edges() -> Iterator[Made]:
    """Yield layers with one edge."""
    one, weighted = make.points("vjp-one", 3, 1), {"w_base": ZERO, "w_spline": [[1.75]]}
    spline, silu = {"w_base": ZERO, "w_spline": ONE}, {"w_base": [[1.5]], "w_spline": ZERO}
    identity, zero, beyond = {"base": "identity"}, {"base": "zero"}, "ZeroOutside FadeOutside"
    changes: dict[str, Any]
    for name, flags, seed, changes, x in (
        ("spline-alone", "DerivativeFactor BasisSlope", "spline", spline, one),
        ("spline-weighted", "DCoefWithoutWSpline DWSplineWithoutCoef", "w", weighted, one),
        ("silu-alone", "SiluSlope DxWithoutBase", "silu", silu, [[-2.0], [0.25], [1.5]]),
        ("silu-far", "SiluOverflow", "far", {}, [[-800.0], [100.0], [800.0]]),
        ("identity-base", "BaseName DxWithoutBase", "identity", identity, one),
        ("zero-base", "BaseName", "zero", zero, one),
        ("fading", "FadeOutside", "fade", {"w_base": ZERO}, [[-2.25], [-1.125], [1.375]]),
        ("beyond-the-row", beyond, "beyond", {}, [[-3.5], [4.0], [3.0]]),
        ("at-knots", "DerivativeAtKnot KnotOwnership", "knots", {}, [[-1.0], [0.0], [1.0]]),
    ):
        yield name, flags, make.layer(f"v-{seed}", 1, [EVEN], **changes), x


# --- products of sums


@topic("product_vjp", 5, "layer_vjp", "Liu et al. 2024, arXiv 2408.10205; product rule")
def products() -> Iterator[Case]:
    """Yield the cases of product_vjp(layer, n_products, x, dy) -> y and the gradients of layer_vjp.

    The last 2 n_products sums of the layer are multiplied in pairs (C34); the first ones stay.
    """
    two, three, rows = [EVEN] * 2, [EVEN] * 3, [make.uneven(EVEN, 3, turn) for turn in range(2)]
    low, high = make.uniform(-1.0, 1.0, 4, 1), make.uniform(-1.0, 1.0, 4, 5)
    line = {"base": "identity", "w_base": [[1.0], [1.5]], "w_spline": [[0.0], [0.0]]}
    alone, mixed, cut = "ProductFactor", "ProductFactor ProductPairs", [[1.0, 0.0], [0.0, 0.0]]
    wide: Rows = [[-1.25, 0.625], [0.375, 1.75], [-3.5, 4.5]]
    for name, flags, layer, n_products, n in (
        ("one-pair", alone, make.layer("pr-1", 2, [EVEN]), 1, 3),
        ("two-pairs", mixed, make.layer("pr-2", 4, three), 2, 3),
        ("sums-and-a-pair", mixed, make.layer("pr-s", 4, two), 1, 3),
        ("a-sum-and-two-pairs", mixed, make.layer("pr-m", 5, two), 2, 4),
        ("sums-alone", "ProductPairs", make.layer("pr-0", 2, two), 0, 3),
        (
            "masked-edges",
            "MissingMask UnmaskedGradient",
            make.layer("pr-k", 2, two, mask=SQUARE_MASK),
            1,
            3,
        ),
        ("masked-factor", "ProductZero MissingMask", make.layer("pr-f", 2, two, mask=cut), 1, 3),
        ("one-sample", "BatchOfOne ProductFactor", make.layer("pr-b", 3, two), 1, 1),
        ("no-samples", "EmptyBatch", make.layer("pr-e", 3, two), 1, 0),
        ("degree-1", f"BasisSlope {alone}", make.layer("pr-l", 2, [low] * 2, 1), 1, 3),
        ("degree-5", f"HighDegree {alone}", make.layer("pr-h", 3, [high] * 2, 5), 1, 2),
        ("uneven-knots", f"UnevenKnots {mixed}", make.layer("pr-u", 4, rows), 1, 3),
        ("nine-samples", f"OneSampleOnly {alone}", make.block(9001, 3, 2), 1, 9),
        ("zero-factors", "ProductZero", make.layer("pr-z", 2, [EVEN], **line), 1, 0),
        ("inputs-outside-grid", f"FadeOutside {alone}", make.layer("pr-o", 3, two), 1, 3),
    ):
        n_out, n_in, _ = sizes(layer)
        x: Rows = make.points(f"pr-{name}", n, n_in)
        x = {"zero-factors": [[0.0], [0.25]], "inputs-outside-grid": wide}.get(name, x)
        dy = make.points(f"pr-dy-{name}", len(x), n_out - n_products, -2.0, 2.0)
        answers = within(exact.product_vjp(layer, n_products, x, dy), 3.0 * make.GRADIENTS)
        given = make.layer_given(layer, x) | {"dy": array(dy, (len(x), n_out - n_products))}
        given["n_products"] = n_products
        yield case(name, "product_vjp", flags, given, answers, since=7)


# --- networks


@dataclass(frozen=True)
class Example:
    """A network of short binary numbers and its inputs.

    Flags of second derivatives come before `flags`, without `usual` behind them. `outside`: inputs
    lie outside the grid, and `flags` stand alone.
    """

    name: str
    flags: str
    layers: list[Layer]
    x: Rows
    since: int = 1
    usual: bool = True
    outside: bool = False

    def case(self, method: str, answers: Any, flags: str = "", dy: Rows | None = None) -> Case:
        """Return the case of a method of networks."""
        given = make.network_given(self.layers, self.x, dy)
        return case(self.name, method, flags or self.flags, given, answers, since=self.since)


@cache
def examples() -> list[Example]:
    """Return all networks: on even knots, their twins on uneven ones, and large ones."""
    found = _even_examples()
    for one in list(found):
        if one.name not in ("identity-base", "one-sample", "no-samples"):
            twin, flags = [make.twin(layer) for layer in one.layers], f"UnevenKnots {one.flags}"
            found.append(Example(f"{one.name}-uneven", flags, twin, one.x[:2], 2))
    four, at = make.network("four", (2, 2, 2, 2, 2), 2, 8.0), make.points("n-four", 2, 2)
    twin = [make.twin(layer) for layer in four]
    found.append(Example("four-layers", "LayerChain", four, at, 2, False))
    found.append(Example("four-layers-uneven", "LayerChain UnevenKnots", twin, at, 2, False))
    found += _unusual_examples()
    found += _low_and_outside()
    for number, (name, widths, n) in enumerate(
        (
            ("nine-samples", (2, 2, 1), 9),
            ("thirty-three-samples", (1, 2, 1), 33),
            ("nine-hidden", (2, 9, 1), 2),
            ("sixty-five-hidden", (1, 65, 1), 2),
        )
    ):
        layers = [
            make.block(5000 + 23 * number + 1009 * k, n_out, n_in, 8.0 if k else 1.0)
            for k, (n_in, n_out) in enumerate(pairwise(widths))
        ]
        x, flags = make.samples(617 + number, n, widths[0]), "BlockRemainder UnevenKnots"
        found.append(Example(name, flags, layers, x, 2, False))
    return found


def _even_examples() -> list[Example]:
    wide, deep = make.network("wide", (2, 3, 1)), make.network("deep", (2, 2, 2, 1), 3, 6.0)
    masked = make.network("masked", (2, 2, 2))
    masked[0]["mask"], masked[1]["mask"] = SQUARE_MASK, [[1.0, 1.0], [0.0, 1.0]]
    tight, high = make.network("tight", (1, 2, 1), 3, 0.5), "HighDegree LayerChain"
    identity = make.network("n-identity", (1, 2, 1), base="identity")
    five, two = make.network("n-5", (1, 2, 1), 5, 6.0), make.network("n-2", (2, 2, 1), 2)
    single, outside = make.network("single", (2, 1)), "FadeOutside LayerChain"
    return [
        Example("one-layer", "SplineSum", single, make.points("n-single", 3, 2)),
        Example("two-layers", "LayerChain", wide, make.points("n-wide", 3, 2)),
        Example("three-layers", "LayerChain", deep, make.points("n-deep", 2, 2)),
        Example("masked", "MissingMask TransposedMask", masked, make.points("n-masked", 2, 2)),
        Example("hidden-beyond-grid", outside, tight, make.points("n-tight", 3, 1)),
        Example("identity-base", "BaseName LayerChain", identity, make.points("n-identity", 3, 1)),
        Example("quadratic", "LayerChain", two, make.points("n-2", 2, 2)),
        Example("degree-5", high, five, make.points("n-5", 2, 1)),
        Example("one-sample", "BatchOfOne", wide, make.points("n-alone", 1, 2)),
        Example("no-samples", "EmptyBatch", wide, []),
    ]


def _unusual_examples() -> Iterator[Example]:
    """Yield networks with unusual knots, and with layers that differ in degree or base function."""
    for name, flags, row in (make.KINDS[0], make.KINDS[2]):
        wide = [[8.0 * knot for knot in row(3, turn)] for turn in (1, 0)]
        layers = [
            make.layer(f"n-{name}-0", 2, [row(3, 0), row(3, 1)]),
            make.layer(f"n-{name}-1", 1, wide),
        ]
        yield Example(name, flags, layers, make.INSIDE[:2], 4)
    x = [[-0.6875, 0.4375], [0.3125, -0.8125]]
    for name, flags, kinds in (
        ("degrees", "LayerChain HighDegree", ((2, "silu"), (4, "silu"), (3, "silu"))),
        ("bases", "BaseName LayerChain", ((3, "zero"), (3, "identity"), (3, "silu"))),
    ):
        layers = []
        for number, (degree, base) in enumerate(kinds):
            knots = [(8.0 if number else 1.0) * knot for knot in make.whole_steps(degree, 2)]
            seed, n_out = f"other-{number}-{degree}-{base}", 2 if number < 2 else 1
            layers.append(make.layer(seed, n_out, [knots] * 2, degree, base=base))
        yield Example(f"layers-of-other-{name}", flags, layers, x, 4)


def _low_and_outside() -> list[Example]:
    """Return networks of degrees 1 and 0, and two with inputs outside the grid of the first layer.

    On both sides, some lie on the outer knots, others beyond them, where all B-splines are 0.
    """
    one, zero = make.network("n-1", (2, 2, 1), 1), make.network("n-0", (2, 2, 1), 0)
    wide, far = make.network("n-outside", (2, 2, 1)), make.network("n-far", (1, 2, 1))
    x = [[0.3125, -0.1875], [-1.25, 0.625], [0.375, 1.75], [-3.5, 4.5]]
    x_far = [[-800.0], [0.375], [100.0], [800.0]]  # 0.375: second derivatives of a usual size
    return [
        Example("degree-1", "LayerChain", one, make.points("n-1", 2, 2), 6),
        Example("degree-0", "DegreeZero LayerChain", zero, make.points("n-0", 2, 2), 6),
        Example("inputs-outside-grid", "FadeOutside", wide, x, 6, outside=True),
        Example("silu-far", "SiluOverflow FadeOutside", far, x_far, 6, outside=True),
    ]


@topic("network_forward", 4, "layer_forward", "Liu et al. 2024, eq. 2.7")
def network_values() -> Iterator[Case]:
    """Yield the cases of network_forward(layers, x) -> y."""
    for one in examples():
        y = array(exact.flow(one.layers, one.x)[-1], (len(one.x), sizes(one.layers[-1])[0]))
        bound = NETWORK_VALUES * (exact.network_bound(one.layers, one.x) or 1.0)
        yield one.case("network_forward", {"y": (y, bound)})


@topic("network_vjp", 5, "network_forward layer_vjp", "chain rule on Liu et al. 2024, eq. 2.7")
def network_gradients() -> Iterator[Case]:
    """Yield the cases of network_vjp(layers, x, dy).

    The answer is {"dx", "layers": [{"d_coef", "d_w_base", "d_w_spline"}, ...]}.
    """
    for one in examples():
        if one.name in ("one-layer", "degree-5"):
            continue
        n, n_out = len(one.x), sizes(one.layers[-1])[0]
        dy: Rows = make.points(f"n-dy-{one.name}", n, n_out, -2.0, 2.0)
        if isinstance(one.x, Drawn):
            dy = drawn(733 + n, (n, n_out), -2.0, 2.0)
        found = exact.network_vjp(one.layers, one.x, dy)
        answers = within({"dx": found[0]["dx"]}, 3.0 * make.GRADIENTS)
        for number, sums in enumerate(found):
            del sums["dx"]
            answers |= within(sums, 3.0 * make.GRADIENTS, f"{number}.")
        yield one.case("network_vjp", answers, dy=dy)


@cache
def _derivatives() -> list[tuple[Example, Sums, Sums]]:
    """Return the networks of moderate size with their first and second derivatives."""
    some = [one for one in examples() if one.name != "sixty-five-hidden"]
    return [(one, *exact.input_derivatives(one.layers, one.x)) for one in some]


@topic(
    "input_jacobian",
    5,
    "network_forward basis_derivatives",
    "chain rule on Liu et al. 2024, eq. 2.7",
)
def input_jacobians() -> Iterator[Case]:
    """Yield the cases of input_jacobian(layers, x) -> (batch, n_out, n_in)."""
    for one, first, _ in _derivatives():
        yield one.case("input_jacobian", within({"jacobian": first}, 3.0 * make.GRADIENTS))


@topic(
    "input_hessian_diag",
    6,
    "input_jacobian higher_derivatives",
    "chain rule on Liu et al. 2024, eq. 2.7",
)
def input_curvatures() -> Iterator[Case]:
    """Yield the cases of input_hessian_diag(layers, x) -> (batch, n_out, n_in)."""
    for one, _, curves in _derivatives():
        first = "HessianSlopes HessianCurves" if len(one.layers) > 1 else "HigherDerivative"
        flags = f"{first} {one.flags}" if one.usual else f"{one.flags} {first}"
        answers = within({"hessian_diag": curves}, 3.0 * make.GRADIENTS)
        yield one.case("input_hessian_diag", answers, one.flags if one.outside else flags)
