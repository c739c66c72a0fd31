"""Sparsification (paper, section 2.5.1): penalties, scores, pruning."""

from kan_ref.sparsity.penalties import (
    PENALTY_NAMES, Penalty, natural_entropy, penalized_backward, penalty_value,
)
from kan_ref.sparsity.pruning import prune, remove
from kan_ref.sparsity.scores import edge_scores, node_scores
from kan_ref.sparsity.subnetwork import active_edges, nodes_on_paths
