"""Write a tree of numbers, inputs and functions as a SymPy expression."""

from collections.abc import Sequence
from typing import Any

from kan_ref.discovery.trees import Apply, Input, Number, Sum, Tree
from kan_ref.formulas import apply_function, exact_number


def expression_of(tree: Tree, names: Sequence[str]) -> Any:
    """Return the tree as an expression of symbols called `names`.

    Numbers that were fixed are integers and fractions, trained ones have 17 digits.
    """
    import sympy

    real = [sympy.Dummy(real=True) for _ in names]
    plain = [sympy.Symbol(name) for name in names]
    return _written(tree, real).xreplace(dict(zip(real, plain, strict=True)))


def _written(tree: Tree, inputs: Sequence[Any]) -> Any:
    import sympy

    if isinstance(tree, Number):
        doubled = 2.0 * tree.value
        if tree.fixed and doubled.is_integer() and abs(doubled) < 2e6:
            return sympy.Rational(int(doubled), 2)
        return exact_number(float(tree.value))  # SymPy cannot read the text of a NumPy scalar
    if isinstance(tree, Input):
        return inputs[tree.index]
    if isinstance(tree, Apply):
        return apply_function(tree.function, _written(tree.part, inputs))
    parts = [_written(part, inputs) for part in tree.parts]
    return sympy.Add(*parts) if isinstance(tree, Sum) else sympy.Mul(*parts)
