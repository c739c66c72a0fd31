"""Figures of B-splines and grids: 2.2, 2.3, the U shape and its cure, scaling (3.1, Theorem 2.1), lattices (E), continual learning (3.4)."""
