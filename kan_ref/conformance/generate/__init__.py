"""Generator of the conformance vectors, in exact fractions and 60-digit arithmetic.

It uses the standard library and mpmath, and none of the package's mathematics.
`python -m kan_ref.conformance.generate` rewrites `kan_ref/conformance/vectors`; the result is the
same byte for byte on every run.
"""
