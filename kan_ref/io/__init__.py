"""Files, arrays of other libraries, SciPy splines and C code."""

from kan_ref.io.c_source import to_c as to_c
from kan_ref.io.other_libraries import from_efficient_kan as from_efficient_kan
from kan_ref.io.other_libraries import from_jaxkan as from_jaxkan
from kan_ref.io.other_libraries import to_efficient_kan as to_efficient_kan
from kan_ref.io.other_libraries import to_jaxkan as to_jaxkan
from kan_ref.io.pykan import from_pykan as from_pykan
from kan_ref.io.pykan import to_pykan as to_pykan
from kan_ref.io.scipy_spline import to_scipy as to_scipy
from kan_ref.io.storage import load as load
from kan_ref.io.storage import save as save
