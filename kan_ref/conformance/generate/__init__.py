"""The generator of the conformance vectors: fractions and 60 digits; the standard library and mpmath, none of the package's mathematics.

`python -m kan_ref.conformance.generate` writes `kan_ref/conformance/vectors` and `schemas` anew, byte for byte the same each time.
"""
