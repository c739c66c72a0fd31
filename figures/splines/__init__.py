"""Figures of B-splines and grids: 2.2, 2.3, the U shape and its cure, lattices (E), continual learning (3.4)."""
