"""Measurements of kan_ref against plain NumPy in the same run; each module is a program."""
