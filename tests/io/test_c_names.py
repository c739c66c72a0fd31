"""Names of functions in C: those that this machine's headers take are refused, all others compile."""

import re
import string
import subprocess

import numpy as np
import pytest
from c_code import COMPILER, build, call, close, needs_compiler
from cases import for_all
from networks import random_batch
from test_c_source import DEEP, FORMULAS

import kan_ref as kr
from kan_ref.io.c_source import is_allowed

HEADERS = """
assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdarg
stdbool stddef stdint stdio stdlib string tgmath time wchar wctype
"""
LOCALS = "x y n u d r t i j x1 x2 base low high active spline saved first sum c a kan NaN Nan kan_f"
NEAR = "doubles sinx sinus cround FPS M MATHS naN strain stress total isotherm memory K linux_model"
POWERS = "power powder logit maximum mean xfl tanhs c_abs f16 fl dadd_ Infinity mains void_ y_0"


def preprocess(source, *flags):
    done = subprocess.run(
        [COMPILER, *flags, "-E", "-x", "c", "-"], input=source, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def random_names(rng, count):
    letters = list(string.ascii_letters + string.digits + "_")
    for length in rng.integers(0, 31, count):
        yield str(rng.choice(list(string.ascii_letters))) + "".join(rng.choice(letters, length))


@needs_compiler
@pytest.mark.parametrize("standard", ["c99", "c11", "gnu99", "gnu17"])
def test_every_macro_that_math_h_defines_is_refused(standard):
    text = preprocess("#include <math.h>\n", f"-std={standard}", "-dM")
    macros = set(re.findall(r"^#define (\w+)", text, re.MULTILINE))

    assert {"NAN", "INFINITY", "HUGE_VAL", "math_errhandling"} <= macros
    assert not [name for name in macros if is_allowed(name)]


@needs_compiler
@pytest.mark.parametrize("standard", ["c99", "c11", "gnu99", "gnu17"])
def test_every_identifier_that_math_h_declares_is_refused(standard):
    text = preprocess("#include <math.h>\n", f"-std={standard}", "-P")
    declared = set(re.findall(r"[A-Za-z_]\w*", text))

    assert {"acos", "double_t", "lgammaf", "typedef"} <= declared
    assert not [name for name in declared if is_allowed(name)]


@needs_compiler
def test_every_function_of_the_standard_library_is_refused():
    text = preprocess(
        "".join(f"#include <{name}.h>\n" for name in HEADERS.split()), "-std=c11", "-P"
    )
    # the last word before an argument list, outside of attributes
    functions = set(re.findall(r"\bextern [^;({]*?\b([a-z]\w*) *\(", text))

    assert {"printf", "malloc", "cexpf", "isalpha", "feraiseexcept"} <= functions
    assert not [name for name in functions if is_allowed(name)]


LATER = (
    "NAN NANF INFINITY HUGE_VAL HUGE_VALL M_PI FP_NAN FP_FAST_FMA MATH_ERRNO math_errhandling "
    "_kan __f _F sinf32x fmulf64 cpowl lgamma_r _Bool alignof static_assert nullptr typeof main "
    "errno setjmp va_arg atomic_load thrd_sleep linux unix asm isalpha toupper signgam"
)


@for_all("name", LATER.split())
def test_names_of_later_standards_and_of_no_header_are_refused(name):
    with pytest.raises(ValueError, match=f"name is '{name}', but must be .* no keyword of C"):
        kr.to_c(DEEP["deep_0"], name=name)


@needs_compiler
@pytest.mark.parametrize("standard", ["c99", "gnu17"])
def test_every_name_that_is_allowed_compiles_and_gives_the_same_numbers(tmp_path, standard):
    names = [*LOCALS.split(), *NEAR.split(), *POWERS.split()]
    names += [name for name in random_names(np.random.default_rng(0), 12) if is_allowed(name)]
    assert all(map(is_allowed, names))
    networks = [FORMULAS["formula_1"], FORMULAS["formula_2"]]
    given = {name: networks[number % 2] for number, name in enumerate(dict.fromkeys(names))}

    library = build(
        "".join(kr.to_c(network, name=name) for name, network in given.items()),
        tmp_path,
        f"-std={standard}",
        "-O0",
    )

    x = [random_batch(np.random.default_rng(0), network.layers[0], 5) for network in networks]
    x = [0.2 + 0.1 * np.abs(one) for one in x]
    for number, (name, network) in enumerate(given.items()):
        close(call(library, network, x[number % 2], name), network(x[number % 2]))
