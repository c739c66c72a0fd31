"""Build a network from a formula: the inverse of `formula`.

`compilation` writes the expression as sums of functions of one variable, and `graph` arranges them
in layers. The network is compared with the expression before it is returned: at probe points x_b,
the difference must be a rounding error of the larger of two sizes,

    (E7)  |network(x_b) - expression(x_b)| <= tolerance max(s_b, s),
          s_b = max(|expression(x_b)|, |term(x_b)|)

of the terms of the expression, whose sum has their rounding errors. s is the largest s_b, and (E7)
has to hold at all points. With bounds of the inputs these are evenly spread, or near the corners of
the box, and of inputs above 0 some have evenly spread logarithms, since 1/x is large near a small
bound. Without bounds they lie in boxes within -2 to 2, and products are balanced only if (E7) does
not hold otherwise. Some of these points may be near a pole, where values have no bound. So if (E7)
holds for neither network, it has to hold for the first one at 9 of 10 points, and s is the size
that 1 of 10 points exceeds.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.formulas.compilation import Compiler
from kan_ref.formulas.graph import Graph, network_of
from kan_ref.formulas.values import numeric_function
from kan_ref.network import Network, network_values, place_hidden_grids, read_domain

N_PROBES = 500
TOLERANCE = 1e-11
# whether products are balanced, and the share of the points at which (E7) has to hold
_WITH_DOMAIN = ((True, 1.0),)
_WITHOUT_DOMAIN = ((False, 1.0), (True, 1.0), (False, 0.9))
INSIDE = 2.0**-10  # of a range, times 1 to 2: how far from a corner its point is. At corners
# themselves sin(x - y) / (x - y) is 0 / 0, and x^0.3 has no edge at 0
# without a domain: points around 0 and positive ones, where roots and logarithms are defined
_DEFAULT_BOXES = ((-2.0, 2.0), (0.0, 2.0), (-1.0, 1.0), (0.0, 1.0), (-0.5, 0.5), (1.0, 2.0))


@np.errstate(all="ignore")
def from_formula(
    expression: Any, names: Sequence[str] | None = None, *, domain: object = None
) -> Network:
    """Return the network of symbolic edges that computes an expression.

    Parameters
    ----------
    expression : sympy.Expr, or sequence of them
        One for each output: sums, products, quotients, powers and compositions of functions in the
        library.
    names : sequence of str, optional
        The inputs in their order; by default the symbols of the expression, sorted by name. An
        input may be unused.
    domain : (2,) or (n_in, 2), optional
        Bounds of the inputs between which the network will be used. The network is compared with
        the expression there, and the factors of products are balanced there. Some of the
        points are near corners, and of bounds above 0 some have evenly spread logarithms. Without
        bounds, the points are between -2 and 2.

    Returns
    -------
    network : Network
        All edges are symbolic or masked. Its grids, which have no influence, have one interval
        between the bounds, without `domain` [-2, 2]. `formula(network, names=names)` is equal to
        the expression.

    Raises
    ------
    ValueError
        For a part of the expression that is not a composition of functions in the library
        ("expression has floor(x), but ..."), a symbol that is not in `names`; if the expression has
        no finite value at any probe point, or the network differs from it by more than rounding.
    TypeError
        If `expression` is not a SymPy expression.

    Notes
    -----
    Implements :eq:`quarter-squares`. A product is the difference of two squares, so its rounding
    error is relative to the largest product of the factors, balanced in size over the box: where
    values of an expression differ much, small ones may have no digits. Without `domain`, an
    expression with a pole may agree at only 9 of 10 points, and then its size is what 1 of 10
    exceeds. At an isolated point an edge may be undefined where the expression has a limit
    (sin(x) / x at 0); the network raises an error there. Near it a factor as large as 1 / x costs
    digits, by its square: about 7 are right at x = 1e-5, none at 1e-9. Powers with a symbol in the
    exponent, and roots other than 1/2, 1/4 and 1/8, need a base above 0. Each product of two nodes
    costs two nodes and one layer.

    Examples
    --------
    >>> import sympy
    >>> x, y = sympy.symbols("x y")
    >>> net = from_formula(sympy.exp(sympy.sin(sympy.pi * x) + y**2), ("x", "y"))
    >>> net
    Network([2, 1, 1], n_intervals [1, 1], degree 3, 30 parameters, 3 symbolic edges)
    >>> from_formula(x * y, ("x", "y")).widths
    (2, 2, 1)
    """
    import sympy

    written = tuple(expression) if isinstance(expression, tuple | list) else (expression,)
    for place, one in enumerate(written):
        if not isinstance(one, sympy.Expr):
            name = f"expression[{place}]" if len(written) > 1 else "expression"
            hint = f": write sympy.sympify({one!r})" if isinstance(one, str) else ""
            raise TypeError(f"{name} is {one!r}, but must be a SymPy expression{hint}")
    if not written:
        raise ValueError("expression is empty, but a network needs at least one output")
    symbols = sorted(set().union(*(one.free_symbols for one in written)), key=lambda one: one.name)
    if names is None:
        names = [symbol.name for symbol in symbols]
        if not names:
            raise ValueError("expression has no symbol: give names= of the network's inputs")
    labels = checks.names("names", names)
    if not labels:
        raise ValueError("names is empty, but a network needs at least one input")
    by_name: dict[str, Any] = {name: sympy.Dummy(name, real=True) for name in labels}
    for symbol in symbols:
        if symbol.name not in by_name:
            raise ValueError(
                f"expression has the symbol {symbol}, but names has {', '.join(map(repr, labels))}"
            )
    found = tuple(
        one.xreplace({symbol: by_name[symbol.name] for symbol in symbols}).doit() for one in written
    )
    probe, bounds, n_ends = _probe_points(len(labels), domain)
    inputs = list(by_name.values())
    for is_balanced, share in _WITHOUT_DOMAIN if domain is None else _WITH_DOMAIN:
        graph = Graph(probe)
        compiler = Compiler(graph, inputs, n_ends if is_balanced else None)
        network = network_of(graph, [compiler.sum_of(one) for one in found], bounds)
        values, sizes = _values_and_sizes(found, inputs, probe)
        defined = np.isfinite(values).all(axis=1)
        if not defined.any():
            where = "between the bounds of domain=" if domain is not None else "at the probe points"
            raise ValueError(
                f"expression has no finite value {where}, so that the network cannot be compared "
                "with it: give domain= with bounds of inputs for which it is defined"
            )
        points, values, sizes = probe[defined], values[defined], sizes[defined]
        hint = ", and the base of a power such as x^67 or x^0.3 positive" * compiler.has_logarithms
        reason = _difference(network, points, values, sizes, written, share, hint)
        if reason is None:
            return place_hidden_grids(network, points)
    raise ValueError(reason)


def _values_and_sizes(
    expressions: Sequence[Any], symbols: Sequence[Any], points: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the values at the points, and the s_b of (E7), both (n_points, n_expressions)."""
    import sympy

    terms = [sympy.Add.make_args(one) for one in expressions]
    every = numeric_function(
        [*expressions, *(term for all_ in terms for term in all_)], (), symbols
    )(np.empty((len(points), 0)), *points.T)
    ends = np.cumsum([len(expressions), *(len(one) for one in terms)])[:-1]
    values, *parts = np.split(every, ends, axis=1)
    largest = np.column_stack([np.abs(part).max(axis=1) for part in parts])
    return values, np.maximum(np.abs(values), largest)


def _probe_points(n_in: int, domain: object) -> tuple[FloatArray, FloatArray, int]:
    """Return points between bounds, (n_probes, n_in), the bounds (n_in, 2), and a number.

    The points are irregular but the same in every call. The last ones, as many as the number, are
    near corners, and nearest those whose inputs have a small bound above 0.
    """
    # additive recurrence with roots of primes, whose multiples fill the unit interval evenly
    primes = [n for n in range(2, 30 + 20 * n_in) if all(n % m for m in range(2, n))][:n_in]
    unit = np.outer(np.arange(1.0, N_PROBES + 1.0), np.sqrt(primes)) % 1.0
    if domain is not None:
        low, high, samples = read_domain(domain, n_in)
        if samples is not None:
            raise ValueError(
                f"domain has shape {samples.shape}, but must be bounds, (2,) or ({n_in}, 2)"
            )
        inside = INSIDE * (1.0 + np.arange(n_in) / n_in)
        corners = np.unique(np.where(unit > 0.5, 1.0 - inside, inside), axis=0)
        bounds, unit = np.column_stack([low, high]), np.vstack([unit, corners])
        even = low + unit * (high - low)
        if not (low > 0.0).any():
            return even, bounds, 0
        logarithms = np.log(bounds.T)
        spread = np.exp(logarithms[0] + unit * (logarithms[1] - logarithms[0]))
        return np.vstack([even, np.where(low > 0.0, spread, even)]), bounds, len(corners)
    boxes = np.array(_DEFAULT_BOXES)[np.arange(N_PROBES) % len(_DEFAULT_BOXES)]
    points: FloatArray = boxes[:, :1] + unit * (boxes[:, 1:] - boxes[:, :1])
    return points, np.tile(_DEFAULT_BOXES[0], (n_in, 1)), 0


def _difference(
    network: Network,
    points: FloatArray,
    values: FloatArray,
    sizes: FloatArray,
    written: Sequence[Any],
    share: float,
    hint: str,
) -> str | None:
    """Return None if (E7) holds at a share of the points, else the message; `hint` on its domain.

    `values` and `sizes` (n_points, n_out) are those of the expressions, of `_values_and_sizes`.
    """
    found = network_values(network, points)
    undefined = ~np.isfinite(found)
    usual = ~undefined.any(axis=1)
    if usual.mean() < share:
        sample, output = (int(n) for n in np.argwhere(undefined)[0])
        place = ", ".join(f"{value:.6g}" for value in points[sample])
        return (
            f"the network of {written[output]} is undefined at ({place}), where the expression is "
            f"{values[sample, output]:.6g}: give domain= with bounds of inputs for which every "
            f"part of the expression is defined{hint}"
        )
    # [eq:formula-comparison]
    size = np.maximum(sizes, np.quantile(sizes, share, axis=0, method="lower"))[usual]
    errors = np.abs(found - values)[usual] / np.where(size > 0.0, size, 1.0)
    # [/eq:formula-comparison]
    errors = np.quantile(errors, share, axis=0, method="lower")
    worst = int(errors.argmax())
    if errors[worst] <= TOLERANCE:
        return None
    bounds = "bounds" if share < 1.0 else "narrower bounds"
    return (
        f"the network of {written[worst]} differs from it by {errors[worst]:.1e} of its size, "
        f"more than {TOLERANCE:g}: rounding errors grow where large numbers cancel; give domain= "
        f"with {bounds} of the inputs, or a formula in variables of size one"
    )
