"""Drawings without a run: Figs 0.1, 2.1, the notation of 2.2, and 6.1."""
