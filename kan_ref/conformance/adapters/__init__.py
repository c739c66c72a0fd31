"""Adapters: one class for each tested implementation, with the methods of the protocol.

`reference` is kan_ref and SciPy, `torch_layers` and `pykan` are libraries on PyTorch, `jaxkan` is
one on JAX. An adapter imports its library when it is built, not before.
"""
