"""Functions of one variable: base functions, activations, the library of symbolic candidates."""

from kan_ref.functions.base_function import ACTIVATION_NAMES as ACTIVATION_NAMES
from kan_ref.functions.base_function import BASE_FUNCTIONS as BASE_FUNCTIONS
from kan_ref.functions.base_function import BASE_NAMES as BASE_NAMES
from kan_ref.functions.base_function import activation_values as activation_values
from kan_ref.functions.base_function import base_function as base_function
from kan_ref.functions.library import BUILT_IN as BUILT_IN
from kan_ref.functions.library import LIBRARY as LIBRARY
from kan_ref.functions.library import lookup as lookup
from kan_ref.functions.library import register_function as register_function
from kan_ref.functions.library import unregister_function as unregister_function
from kan_ref.functions.record import EVERYWHERE as EVERYWHERE
from kan_ref.functions.record import Function as Function
from kan_ref.functions.record import Redundancy as Redundancy
from kan_ref.functions.record import Values as Values
from kan_ref.functions.record import domain_rule as domain_rule
from kan_ref.functions.record import formula_of as formula_of
from kan_ref.functions.record import near_domain as near_domain
from kan_ref.functions.record import singular_points as singular_points
