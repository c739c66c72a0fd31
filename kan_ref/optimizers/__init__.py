"""Optimizers of flat vectors: they know functions of a vector and no network."""
