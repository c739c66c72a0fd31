"""Kolmogorov-Arnold networks: layers, initial draws, grids, editing, inspection."""

from kan_ref.network.constant_folding import fold_constants
from kan_ref.network.definedness import (
    check_defined, check_derivatives, chunk_size, first_cause, has_limits,
    layer_inputs, sample_numbers, sample_slices, undefined_values,
)
from kan_ref.network.editing import (
    EdgeSpec, check_edge_index, check_formula, check_layer_index, check_pairs,
    lock_edges, mask_edges, replace_layer, symbolic_layer, with_formula, with_spline,
)
from kan_ref.network.gradient_check import check_gradients
from kan_ref.network.initialization import (
    COEF_SCALE, check_widths, domain_of_samples, init_network, read_domain,
)
from kan_ref.network.inspection import (
    Coverage, coverage, distance, edge_curve, edge_outputs, edge_samples,
    layer_jump_weights,
)
from kan_ref.network.jacobian import prediction_jacobian
from kan_ref.network.layer import (
    PARAMETER_ARRAYS, PARAMETER_NAMES, Cache, Layer, evaluate, layer_backward,
    layer_edge_outputs, layer_outputs, new_workspaces, parameter_arrays,
    parameter_gradients, weight_gradients, with_parameters,
)
from kan_ref.network.network import (
    Model, Network, backward, check_inputs, check_network, forward, network_values,
)
from kan_ref.network.refinement import (
    extend_grid, place_hidden_grids, refine, update_grid,
)
from kan_ref.network.symbolic_edges import (
    SymbolicEdge, affine_slopes, derivatives, numbers, values,
)
