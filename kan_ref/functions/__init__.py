"""Functions of one variable: base functions, activations, the symbolic library."""

from kan_ref.functions.base_function import (
    ACTIVATION_NAMES, BASE_FUNCTIONS, BASE_NAMES, activation_values, base_function,
)
from kan_ref.functions.library import (
    BUILT_IN, LIBRARY, lookup, register_function, unregister_function,
)
from kan_ref.functions.record import (
    EVERYWHERE, Function, Redundancy, domain_rule, formula_of, singular_points,
)
from kan_ref.functions.values import Values
