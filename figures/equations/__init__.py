"""Figures of differential equations: 3.3 and further ones."""
