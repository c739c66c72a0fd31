"""Files, arrays of other libraries, SciPy splines and C code."""

from kan_ref.io.c_source import to_c
from kan_ref.io.other_libraries import (
    from_efficient_kan, from_jaxkan, to_efficient_kan, to_jaxkan,
)
from kan_ref.io.pykan import from_pykan, to_pykan
from kan_ref.io.scipy_spline import to_scipy
from kan_ref.io.storage import load, save
