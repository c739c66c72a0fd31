"""Adapters: how implementations are asked. `reference` is kan_ref, `scipy_splines` is SciPy; `axes` turns layers into others' shapes.

An adapter for another library is a class of 20 lines or fewer in a module here: imports of that library stand inside its methods.
"""
