"""Adapters: one class for each tested implementation, with the methods of the protocol.

`reference` is kan_ref, `scipy_splines` is SciPy; `axes` converts layers to other libraries' shapes.
`efficient_kan` and `torch_unscaled` hold libraries of one layout each, `kan_families` those of
other basis functions. The adapter of another library is a class of 20 lines or fewer; it imports
that library inside its methods.
"""
