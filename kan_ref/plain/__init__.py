"""The paper by hand: a Kolmogorov-Arnold network in NumPy alone, to be read first.

One training step is `bases` (B-splines), `layer` (forward and backward), `network` (a list of
layers, loss and gradient) and `train` (Adam). Then come `grids` (finer grids) and `symbols` (from a
curve to a formula). In einsum strings b is the sample, j the output, i the input, m the basis
function. The derivative of the loss with respect to `array` is `d_array` and has the same shape.
"""

from kan_ref.plain.bases import basis_and_slope, uniform_knots
from kan_ref.plain.grids import extend_grid
from kan_ref.plain.layer import Layer, backward, forward, silu_and_slope
from kan_ref.plain.network import init_network, predict, to_layers, to_theta, value_and_grad
from kan_ref.plain.symbols import fit_affine, suggest
from kan_ref.plain.train import fit
