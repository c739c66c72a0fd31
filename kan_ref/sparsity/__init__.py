"""Sparsification (paper, section 2.5.1): penalties, scores of edges and nodes, pruning."""

from kan_ref.sparsity.penalties import PENALTY_NAMES as PENALTY_NAMES
from kan_ref.sparsity.penalties import PenaltyWeights as PenaltyWeights
from kan_ref.sparsity.penalties import natural_entropy as natural_entropy
from kan_ref.sparsity.penalties import penalized_backward as penalized_backward
from kan_ref.sparsity.penalties import penalty_value as penalty_value
from kan_ref.sparsity.pruning import prune as prune
from kan_ref.sparsity.pruning import remove_edges as remove_edges
from kan_ref.sparsity.pruning import remove_nodes as remove_nodes
from kan_ref.sparsity.pruning import without_edges as without_edges
from kan_ref.sparsity.pruning import without_nodes as without_nodes
from kan_ref.sparsity.scores import edge_scores as edge_scores
from kan_ref.sparsity.scores import node_scores as node_scores
from kan_ref.sparsity.subnetwork import active_edges as active_edges
from kan_ref.sparsity.subnetwork import nodes_on_paths as nodes_on_paths
