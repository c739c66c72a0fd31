"""Derivatives by the inputs, and differential equations (paper, section 3.4)."""

from kan_ref.pde.equations import Equations
from kan_ref.pde.input_derivatives import input_hessian, input_jacobian, input_laplacian
from kan_ref.pde.scales import Scales, orders_of
from kan_ref.pde.terms import (
    FunctionTerm, LinearTerm, function_term, linear_term, value_term,
)
from kan_ref.pde.user_residual import check_partials
