"""Figures from data to formulas: 2.4, 4.1, 4.2, C.1."""
