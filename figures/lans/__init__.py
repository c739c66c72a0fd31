"""Figures of LANs: B.1, B.2."""
