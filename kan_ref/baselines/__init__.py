"""Multilayer perceptrons (MLPs) and learnable activation networks (LANs), to compare a KAN with."""

from kan_ref.baselines.lan import LAN as LAN
from kan_ref.baselines.lan_grids import init_lan as init_lan
from kan_ref.baselines.lan_grids import lan_from_mlp as lan_from_mlp
from kan_ref.baselines.lan_grids import update_lan_grids as update_lan_grids
from kan_ref.baselines.mlp import MLP as MLP
from kan_ref.baselines.mlp import init_mlp as init_mlp
