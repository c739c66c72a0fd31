"""Multilayer perceptrons (MLPs) and learnable activation networks (LANs), to compare a KAN with."""

from kan_ref.baselines.lan import LAN
from kan_ref.baselines.lan_grids import init_lan, lan_from_mlp, update_lan_grids
from kan_ref.baselines.mlp import MLP, init_mlp
