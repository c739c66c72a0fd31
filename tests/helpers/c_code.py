"""Generated C code: compiled by this machine's C compiler, and called for one sample at a time."""

import ctypes
import os
import shutil
import subprocess

import numpy as np
import pytest

COMPILER = shutil.which("cc")
# a reader without a compiler may go without these tests; continuous integration may not
needs_compiler = pytest.mark.skipif(
    COMPILER is None and "CI" not in os.environ, reason="no C compiler called cc on this machine"
)
STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror", "-O2")


def build(source, folder, *flags):
    """Return the compiled text as a loaded library."""
    (folder / "kan.c").write_text(source, encoding="ascii")
    made = subprocess.run(
        [COMPILER, *STRICT, *flags, "-shared", "-fPIC", "-o", folder / "kan.so", folder / "kan.c", "-lm"],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    return ctypes.CDLL(str(folder / "kan.so"))


def call(library, network, x, name="kan"):
    """Return the outputs (batch, n_out) of the function of that name, called for one sample at a time."""
    pointer = ctypes.POINTER(ctypes.c_double)
    function = getattr(library, name)
    function.argtypes, function.restype = (pointer, pointer), None
    y = np.full((len(x), network.widths[-1]), 123.0)
    for sample, answer in zip(np.ascontiguousarray(x), y, strict=True):
        function(sample.ctypes.data_as(pointer), answer.ctypes.data_as(pointer))
    return y


def close(found, expected, tolerance=1e-13):
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=tolerance * np.abs(expected).max())
