"""Cases about other basis functions than B-splines: (C27) to (C30) of `backward`.

Each family has a topic with three methods: its basis functions and their derivatives, the sums of a
layer, and vector-Jacobian products. The paper has none of them, so that no case counts with those
of the B-splines. Errors are compared with the largest sum of absolute terms in the array.
"""

from collections.abc import Sequence
from typing import Any

from kan_ref.conformance.generate.backward import Collector, Family, basis_values, family_forward
from kan_ref.conformance.generate.coverage_cases import samples
from kan_ref.conformance.generate.encode import array, case, dice, drawn, topic
from kan_ref.conformance.generate.exact import precise
from kan_ref.conformance.generate.layer_case import Case, Rows, encode_sums, points

ERRORS = 1e-12
FLAGS = {
    "gaussian": "GaussianWidth",
    "chebyshev": "ChebyshevArgument ChebyshevKind",
    "fourier": "FourierOrder FourierFrequency",
    "relu": "ReluScale ReluSquare",
}
SOURCES = {
    "gaussian": "Li 2024, arXiv 2405.06721; not of the paper",
    "chebyshev": "Sidharth et al. 2024, arXiv 2405.07200; not of the paper",
    "fourier": "cosines and sines of n x; not of the paper",
    "relu": "Qiu et al. 2024, arXiv 2406.02075, eq. 6; not of the paper",
}

GAUSSIAN: Family = {"family": "gaussian", "centres": [-1.0, -0.5, 0.25, 1.0], "width": 0.625}
CHEBYSHEV: Family = {"family": "chebyshev", "degree": 5, "argument": "x"}
SQUASHED: Family = {"family": "chebyshev", "degree": 4, "argument": "tanh"}
FOURIER: Family = {"family": "fourier", "n_frequencies": 3}
RELU: Family = {
    "family": "relu",
    "starts": [-1.5, -0.75, -0.25, 0.5],
    "ends": [-0.25, 0.375, 1.0, 1.5],
}
# supports of one width, (k + 1) / g with k = 2 and g = 4
EVEN_RELU: Family = {
    "family": "relu",
    "starts": [-0.5, -0.25, 0.0, 0.25, 0.5, 0.75],
    "ends": [0.25, 0.5, 0.75, 1.0, 1.25, 1.5],
}


def gaussian() -> dict[str, Any]:
    """Return the cases of Gaussian basis functions."""
    wide: Family = {"family": "gaussian", "centres": [2.0, -3.0, 0.0], "width": 2.5}
    special = [
        _basis("far", "FamilyBasis", GAUSSIAN, [-40.0, 25.0], 0),
        _basis("unsorted-centres", "GaussianWidth FamilyBasis", wide, [-1.0, 0.0, 2.5], 0),
        _basis("unsorted-centres-slope", "FamilySlope", wide, [-1.0, 0.0, 2.5], 1),
    ]
    return _topic("gaussian", [GAUSSIAN, wide], special)


def chebyshev() -> dict[str, Any]:
    """Return the cases of Chebyshev polynomials, of x and of tanh x."""
    high: Family = {"family": "chebyshev", "degree": 14, "argument": "x"}
    constant: Family = {"family": "chebyshev", "degree": 0, "argument": "x"}
    special = [
        _basis("ends", "ChebyshevEnds", CHEBYSHEV, [-1.0, 1.0], 0),
        _basis("ends-slope", "ChebyshevEnds", CHEBYSHEV, [-1.0, 1.0], 1),
        _basis("high-degree", "ChebyshevKind FamilyBasis", high, [-0.9, 0.1, 0.97], 0),
        _basis("degree-0", "FamilyBasis", constant, [0.25, -0.5], 0),
        _basis("tanh-far", "ChebyshevArgument", SQUASHED, [-3.0, 2.0], 0),
        _basis("tanh-is-one", "ChebyshevEnds", SQUASHED, [-20.0, 25.0], 0, since=3),
        _basis("tanh-is-one-slope", "ChebyshevEnds", SQUASHED, [-20.0, 25.0], 1, since=3),
    ]
    return _topic("chebyshev", [CHEBYSHEV, SQUASHED], special)


def fourier() -> dict[str, Any]:
    """Return the cases of cosines and sines."""
    many: Family = {"family": "fourier", "n_frequencies": 20}
    special = [
        _basis("at-zero", "FourierFrequency FourierOrder", FOURIER, [0.0], 0),
        _basis("many-frequencies", "FourierFrequency FamilyBasis", many, [0.3, -2.7, 3.1], 0),
    ]
    return _topic("fourier", [FOURIER], special)


def relu() -> dict[str, Any]:
    """Return the cases of products of rectified linear functions, squared."""
    special = [
        _basis("at-ends", "FamilyBasis", RELU, [-1.5, -0.25, 1.5], 0),
        _basis("at-ends-slope", "FamilySlope", RELU, [-1.5, -0.25, 1.5], 1),
        _basis("outside", "ReluSquare FamilyBasis", RELU, [-2.0, 1.75], 0),
        _basis("outside-slope", "FamilySlope", RELU, [-2.0, 1.75], 1),
    ]
    return _topic("relu", [RELU, EVEN_RELU], special, sinces=(2, 3))


def _topic(
    name: str,
    families: Sequence[Family],
    special: Sequence[Case],
    *,
    sinces: Sequence[int] = (2, 2),
) -> dict[str, Any]:
    """Return a topic: the usual cases of each of its families, and its special ones."""
    cases: list[Case] = []
    for number, (family, since) in enumerate(zip(families, sinces, strict=False)):
        ending = f"-{number + 1}" if number else ""
        flags = FLAGS[name]
        x = dice(f"{name}-{number}", 4, low=-1.0, high=1.0)
        for order, (what, first) in enumerate(
            (("values", "FamilyBasis"), ("slopes", "FamilySlope"), ("curves", "FamilySlope"))
        ):
            title = f"{what}{ending}"
            cases.append(_basis(title, f"{first} {flags}", family, x, order, since=since))
        cases.append(_basis(f"no-points{ending}", "EmptyBatch", family, [], 0, since=since))
        two, three = points(f"{name}-2", 3, 2), points(f"{name}-3", 2, 3)
        nine = samples(1300 + number, 9, 1)
        for what, n_out, at in (
            ("two-to-three", 3, two),
            ("three-to-two", 2, three),
            ("nine-samples", 1, nine),
        ):
            title = f"{what}{ending}"
            coef = drawn(1700 + n_out, (n_out, len(at[0]), _size(family)), -2.0, 2.0)
            cases.append(_values(title, family, coef, at, since))
            dy = points(f"{title}-dy", len(at), n_out, -2.0, 2.0)
            cases.append(_gradient(f"{title}-gradient", family, coef, at, dy, since))
    return topic(
        name,
        level=1,
        needs=[],
        equation=SOURCES[name],
        cases=[*cases, *special],
        basis_family=name,
    )


def _size(family: Family) -> int:
    return len(basis_values(family, 0.5))


def _encoded(family: Family) -> dict[str, Any]:
    return {
        name: array(value) if isinstance(value, float | list) else value
        for name, value in family.items()
    }


def _basis(
    name: str, flags: str, family: Family, x: Sequence[float], order: int, *, since: int = 2
) -> Case:
    """Return the case of family_basis(family, x, order) -> (n, n_basis)."""
    shape = [len(x), _size(family)]
    right = [basis_values(family, at, order) for at in x]
    largest = max((abs(float(value)) for row in right for value in row), default=1.0)
    arguments = {"family": _encoded(family), "x": array(list(x), [len(x)]), "order": order}
    return case(
        name,
        "family_basis",
        flags,
        arguments,
        {"basis": array(right, shape)},
        {"basis": ERRORS * max(largest, 1.0)},
        since=since,
    )


def _arguments(family: Family, coef: Any, x: Rows) -> dict[str, Any]:
    return {"family": _encoded(family), "coef": array(coef), "x": array(x)}


def _values(name: str, family: Family, coef: Any, x: Rows, since: int) -> Case:
    """Return the case of family_forward(family, coef, x) -> y."""
    right, largest = family_forward(family, coef, x)
    return case(
        name,
        "family_forward",
        "BlockRemainder FamilySum" if len(x) > 8 else "FamilySum MeanOverInputs",
        _arguments(family, coef, x),
        {"y": array(right)},
        {"y": ERRORS * float(largest)},
        since=since,
    )


def _gradient(name: str, family: Family, coef: Any, x: Rows, dy: Rows, since: int) -> Case:
    """Return the case of family_vjp(family, coef, x, dy) -> {"dx", "d_coef"}."""
    found = _family_vjp(family, coef, x, dy)
    expected, tolerance = encode_sums(found)

    n = len(x)
    return case(
        name,
        "family_vjp",
        "FamilySlope MeanOverBatch DyIgnored" if n < 9 else "BlockRemainder OneSampleOnly",
        _arguments(family, coef, x) | {"dy": array(dy)},
        expected,
        {output: ERRORS / 2e-13 * bound for output, bound in tolerance.items()},
        since=since,
    )


def _family_vjp(family: Family, coef: Any, x: Rows, dy: Rows) -> dict[str, Collector]:
    n_out, n_in, n_basis = len(coef), len(coef[0]), len(coef[0][0])
    found = {"dx": Collector((len(x), n_in)), "d_coef": Collector((n_out, n_in, n_basis))}
    for b, row in enumerate(x):
        for i, at in enumerate(row):
            values, slopes = (basis_values(family, at, order) for order in (0, 1))
            for j in range(n_out):
                d = precise(dy[b][j])
                for m in range(n_basis):
                    found["d_coef"].add((j, i, m), d * values[m], abs(d * values[m]))
                    term = d * precise(coef[j][i][m]) * slopes[m]
                    found["dx"].add((b, i), term, abs(term))
    return found
