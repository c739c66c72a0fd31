"""Multilayer perceptrons and learnable activation networks, to compare a KAN with."""

from kan_ref.baselines.lan import LAN, init_lan, lan_from_mlp
from kan_ref.baselines.mlp import MLP, init_mlp
