"""Derivatives with respect to the inputs, and differential equations (paper, section 3.4)."""

from kan_ref.pde.equations import function_term as function_term
from kan_ref.pde.equations import linear_term as linear_term
from kan_ref.pde.equations import value_term as value_term
from kan_ref.pde.input_derivatives import input_hessian as input_hessian
from kan_ref.pde.input_derivatives import input_hessian_diag as input_hessian_diag
from kan_ref.pde.input_derivatives import input_jacobian as input_jacobian
from kan_ref.pde.input_derivatives import input_laplacian as input_laplacian
from kan_ref.pde.problem import ResidualProblem as ResidualProblem
from kan_ref.pde.problem import residual_problem as residual_problem
from kan_ref.pde.residual_terms import FunctionTerm as FunctionTerm
from kan_ref.pde.residual_terms import LinearTerm as LinearTerm
from kan_ref.pde.scales import Scales as Scales
from kan_ref.pde.user_residual import check_partials as check_partials
