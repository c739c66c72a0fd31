"""Derivatives with respect to the inputs, and differential equations (paper, section 3.4)."""

from kan_ref.pde.equations import function_term, linear_term, value_term
from kan_ref.pde.input_derivatives import (
    input_hessian, input_hessian_diag, input_jacobian, input_laplacian,
)
from kan_ref.pde.problem import ResidualProblem, residual_problem
from kan_ref.pde.residual_terms import FunctionTerm, LinearTerm
from kan_ref.pde.scales import Scales
from kan_ref.pde.user_residual import check_partials
from kan_ref.pde.scales import _orders as orders_of
from kan_ref.pde.problem import residual_problem as _rp
class Equations:
    def __init__(self, terms): self.p=_rp(list(terms)); self.points=self.p.points
    def check(self, m): self.p.check(m)
    def prepare(self, m): return self.p.prepare(m)
