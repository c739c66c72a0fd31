"""Figures of scaling laws: 3.1 and Theorem 2.1."""
