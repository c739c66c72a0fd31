"""Cases about what real networks do: uneven knots, large batches and widths, masks as factors."""

from typing import Any

from kan_ref.conformance.generate.backward import layer_vjp
from kan_ref.conformance.generate.blocks import (
    SHAPES,
    block_layer,
    padded,
    samples,
    without_last,
)
from kan_ref.conformance.generate.encode import drawn
from kan_ref.conformance.generate.exact import Layer, forward, sizes
from kan_ref.conformance.generate.gradient_case import nested, vjp_case
from kan_ref.conformance.generate.layer_case import (
    Case,
    Rows,
    make_layer,
    points,
    value_case,
    with_defects,
)
from kan_ref.conformance.generate.topics_knots import uniform_knots
from kan_ref.conformance.generate.uneven import even_readings, uneven_twin
from kan_ref.conformance.generate.unusual_knots import farthest_layer, unusual_layers


def factor_layer() -> Case:
    """Return the case of a mask of other numbers than 0 and 1, which the contract leaves open."""
    rows, mask = [uniform_knots(-1.0, 1.0, 4, 3)] * 2, [[0.5, 1.0], [0.25, 0.0]]
    layer = make_layer("mask-factor", 2, 2, rows, 3, mask=mask)
    x = points("mask-factor", 3, 2)
    read = with_defects(layer)["MaskFactor"][0]
    return value_case(
        "mask-factor",
        "MaskFactor LeftOpen",
        layer,
        x,
        wrong={"MaskFactor": forward(read, x)},
        defects=False,
        kind="acceptable",
        since=2,
    )


def uneven_layers() -> list[Case]:
    """Return the twins on uneven knot vectors."""
    knots, outside = uniform_knots(-1.0, 1.0, 4, 3), [[-2.25], [-1.125], [1.375], [3.5]]
    mask = [[1.0, 0.0], [1.0, 1.0]]
    shapes: list[tuple[str, str, Layer, Rows]] = [
        ("two-to-three", "SplineSum", make_layer("2-3", 3, 2, [knots] * 2, 3), points("2-3", 3, 2)),
        ("three-to-two", "SharedRow", make_layer("3-2", 2, 3, [knots] * 3, 3), points("3-2", 3, 3)),
        (
            "square-mask",
            "TransposedMask MissingMask",
            make_layer("mask", 2, 2, [knots] * 2, 3, mask=mask),
            points("mask", 3, 2),
        ),
        ("fade", "FadeOutside", make_layer("u-fade", 1, 1, [knots], 3), outside),
        ("at-knots", "KnotOwnership", make_layer("u-knots", 1, 1, [knots], 3), [[-1.0], [1.0]]),
    ]
    for degree in (0, 1, 2, 4, 5, 7):
        rows = [uniform_knots(-1.0, 1.0, 4, degree)] * 2
        layer = make_layer(f"degree-{degree}", 2, 2, rows, degree)
        flag = "DegreeZero" if degree == 0 else "HighDegree" if degree > 3 else "SplineSum"
        shapes.append((f"degree-{degree}", flag, layer, points(f"degree-{degree}", 3, 2)))
    return [
        *(
            value_case(f"{name}-uneven", f"UnevenKnots {flags}", uneven_twin(layer), x, since=2)
            for name, flags, layer, x in shapes
        ),
        _crowded_layer(),
        *(
            value_case(name, flags, layer, x, defects=layer["base"] == "silu", since=4)
            for name, flags, layer, x in (*unusual_layers(), farthest_layer())
        ),
    ]


def _crowded_layer() -> Case:
    """Return the case of two inputs, one with its knots near the left end, one near the right."""
    left = [-1.0 + n / 64.0 for n in range(12)]
    rows = [[*left, 1.0], [-1.0, *(-knot for knot in reversed(left))]]
    layer = make_layer("crowded", 2, 2, rows, 1)
    x = [[-0.9765625, 0.9765625], [-0.8515625, -0.5], [0.5, 0.8515625]]
    return value_case("crowded-uneven", "SharedRow UnevenKnots", layer, x, since=3)


def block_layers() -> list[Case]:
    """Return the cases of large batches and widths, with the answers that lose the last element."""
    cases = []
    for number, (name, n_out, n_in, n) in enumerate(SHAPES):
        layer, x = block_layer(2000 + 19 * number, n_out, n_in), samples(97 + number, n, n_in)
        if name.startswith("batch"):
            lost = padded(forward(layer, x[:-1]), (n, n_out))
        else:
            lost = forward(without_last(layer, inputs=n_in > n_out), x)
        flags, wrong = "BlockRemainder UnevenKnots", {"BlockRemainder": lost}
        cases.append(value_case(name, flags, layer, x, wrong=wrong, defects=False, since=2))
    return cases


def block_gradients() -> list[Case]:
    """Return the cases of large batches and widths, with the answers that lose the last element."""
    cases = []
    for number, (name, n_out, n_in, n) in enumerate(SHAPES):
        layer, x = block_layer(3000 + 17 * number, n_out, n_in), samples(411 + number, n, n_in)
        dy = drawn(977 + number, (n, n_out), -2.0, 2.0)
        if name.startswith("batch"):
            lost = nested(layer_vjp(layer, x[:-1], dy[:-1]))
            lost["dx"] = padded(lost["dx"], (n, n_in))
        else:
            lost = nested(layer_vjp(without_last(layer, inputs=n_in > n_out), x, dy))
        wrong = [("BlockRemainder", lost)]
        if n < 17 and n_in * n_out < 65:
            wrong += [
                (flag, nested(layer_vjp(one, x, dy, rules)))
                for flag, one, rules in even_readings(layer, derivatives=True)
            ]
        cases.append(
            vjp_case(name, "BlockRemainder UnevenKnots", layer, x, dy, wrong=wrong, since=2)
        )
    return cases


def unusual_gradients() -> list[Case]:
    """Return the cases on the knot vectors of `unusual_knots`."""
    cases = []
    for name, flags, layer, x in (*unusual_layers(), farthest_layer()):
        dy = points(f"v-dy-{name}", len(x), sizes(layer)[0], -2.0, 2.0)
        # exp(1e100), which silu would need, exceeds every float
        wrong: list[tuple[str, Any]] | None = None if layer["base"] == "silu" else []
        cases.append(vjp_case(name, flags, layer, x, dy, wrong=wrong, since=4))
    return cases


def factor_gradient() -> Case:
    """Return the case of a mask of other numbers than 0 and 1, which the contract leaves open."""
    layer = make_layer(
        "v-factor", 2, 2, [uniform_knots(-1.0, 1.0, 4, 3)] * 2, 3, mask=[[0.5, 1.0], [0.25, 0.0]]
    )
    x, dy = points("v-factor", 3, 2), points("v-dy-factor", 3, 2, -2.0, 2.0)
    wrong = [
        (flag, nested(layer_vjp(one, x, dy, rules)))
        for flag, (one, rules) in with_defects(layer).items()
        if flag in ("MaskFactor", "MissingMask")
    ]
    flags = "MaskFactor LeftOpen"
    return vjp_case("mask-factor", flags, layer, x, dy, wrong=wrong, kind="acceptable", since=2)
