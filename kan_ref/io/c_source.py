"""A network as one C99 function without dependencies, for any target that has a C compiler.

It evaluates one sample by :eq:`cox-de-boor`, :eq:`silu`, :eq:`symbolic-edge` and
:eq:`network-forward`:

    (I9)   find mu with t_mu <= x < t_{mu+1}; compute B_{mu-k}(x), ..., B_mu(x) by the triangular
           scheme of the recursion; all are 0 where x lies outside the knot vector
    (I10)  y_j = sum_i W_ji b(x_i) + sum_i sum_{m=mu-k..mu} C_jim B_m(x_i)  (+ c f(a x_i + b) + d)

Numbers are written as hexadecimal floating constants (C99, 6.4.4.2), which keep every bit. Masks
and w_spline are multiplied in. Where the network raises an error (x that is not finite, a symbolic
function without a finite value, an output beyond float64), the outputs without a value are nan.

Its name may be none of C's own. C11, 7.1.3 reserves the identifiers of each included header, here
<math.h>; names that begin with an underscore; and always every function of the standard library,
included or not. Common compilers add macros and functions of later standards to <math.h>, and a few
macros without any header. The rules cover these too. Where C11, 7.31 reserves all names that begin
with str, mem, wcs, is or to, only those are rejected here that exist: C23 calls the others
potentially reserved, and a network may be called `strain`.
"""

import re
from collections.abc import Iterable

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.functions import LIBRARY
from kan_ref.io.c_texts import AUXILIARY, BASES, FORMULAS, HEAD, LAYER
from kan_ref.network import Layer, Network, SymbolicEdge, check_network


@np.errstate(all="ignore")
def to_c(network: Network, name: str = "kan") -> str:
    """Return the network as a C99 function `void name(const double *x, double *y)` for one sample.

    Parameters
    ----------
    network : Network
    name : str
        1 to 31 letters, digits and underscores, the first a letter; no keyword of C, no name of
        <math.h>, no function of C's library, and no other function built into gcc, such as index.
        All other names in the text are static and begin with `name` and an underscore. So several
        networks can be in one file if the name of none is that of another one with an underscore
        and more, as f_layer beside f.

    Returns
    -------
    source : str
        ASCII, with a line break at its end. About 25 characters for each number.

    Raises
    ------
    ValueError
        "network has 'cube' on the edge from input 0 to output 1 of layer 0, but C has only the
        built-in functions of the library"; a name that C does not allow.
    TypeError
        Something else than a Network; a name that is not text.

    Notes
    -----
    Implements (I9) and (I10). The result equals the network's up to the order of sums and the last
    digits of the compiler's <math.h>, which count more where large terms cancel. It costs
    degree (degree + 1) / 2 divisions for each input and degree + 1 products for each edge, masked
    edges included: prune first. No file is written:
    `pathlib.Path("kan.c").write_text(kr.to_c(net))` does that.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((2, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> kr.to_c(net, name="f").splitlines()[-5]
    '    f_layer(x, y, 2, 1, 12, 3, f_silu, f_knots_0, f_base_0, f_spline_0);'
    """
    check_network("network", network)
    _check_name(name)
    body = [*_tables(network), "", *_function(network)]
    text = (
        LAYER.replace("@DEGREE", str(max(layer.degree for layer in network.layers)))
        + "\n"
        + "\n".join(body)
        + "\n"
    )
    for called, definition in AUXILIARY.items():
        if re.search(rf"{called}\b", text):
            text = f"{definition}\n{text}"
    head = HEAD.format(
        widths=" -> ".join(map(str, network.widths)),
        n_in=network.widths[0],
        n_out=network.widths[-1],
    )
    return head + text.replace("@", name)


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"name is {name!r}, but must be text")
    if not is_allowed(name):
        raise ValueError(
            f"name is {name!r}, but must be a name that is new in C, of 1 to {LONGEST} letters, "
            "digits and underscores, such as 'kan'"
        )


def _tables(network: Network) -> Iterable[str]:
    """Yield the knots, base weights and spline coefficients of every layer."""
    for number, layer in enumerate(network.layers):
        arrays = {"knots": layer.knots, "base": layer.base_matrix, "spline": layer.spline_matrix}
        for kind, array in arrays.items():
            yield from _table(f"@_{kind}_{number}", array)


def _table(name: str, array: FloatArray) -> Iterable[str]:
    numbers = _hexadecimal(array.reshape(-1))
    yield f"static const double {name}[{len(numbers)}] = {{"
    for start in range(0, len(numbers), 4):
        yield f"    {', '.join(numbers[start : start + 4])},"
    yield "};"


def _function(network: Network) -> Iterable[str]:
    """Yield the function itself: one call for each layer, one line for each symbolic edge."""
    last = len(network.layers) - 1
    yield "void @(const double *x, double *y) {"
    for number, layer in enumerate(network.layers[:-1], start=1):
        yield f"    double x{number}[{layer.n_out}];"
    yield "    int n;"
    yield f"    for (n = 0; n < {network.widths[0]}; n++) {{"
    yield "        if (!isfinite(x[n])) {"
    yield f"            for (n = 0; n < {network.widths[-1]}; n++) y[n] = NAN;"
    yield "            return;"
    yield "        }"
    yield "    }"
    for number, layer in enumerate(network.layers):
        source, target = f"x{number or ''}", "y" if number == last else f"x{number + 1}"
        sizes = f"{layer.n_in}, {layer.n_out}, {layer.knots.shape[1]}, {layer.degree}"
        arrays = f"@_knots_{number}, @_base_{number}, @_spline_{number}"
        yield f"    @_layer({source}, {target}, {sizes}, {BASES[layer.base]}, {arrays});"
        yield from _formulas(number, layer, source, target)
        if layer.symbolic or number == last:  # the network rejects what is not finite there
            yield f"    for (n = 0; n < {layer.n_out}; n++) {{"
            yield f"        if (!isfinite({target}[n])) {target}[n] = NAN;"
            yield "    }"
    yield "}"


def _formulas(number: int, layer: Layer, source: str, target: str) -> Iterable[str]:
    for edge in layer.symbolic:
        a, b, c, d = _hexadecimal(layer.affine[edge.row])
        yield f"    {{   /* {edge.name} */"
        yield f"        const double u = {a} * {source}[{edge.input}] + {b};"
        yield f"        {target}[{edge.output}] += {c} * ({_formula_of(number, edge)}) + {d};"
        yield "    }"


def _formula_of(number: int, edge: SymbolicEdge) -> str:
    """Return the C expression of the function of an edge."""
    if edge.name not in FORMULAS or edge.function != LIBRARY.get(edge.name):
        raise ValueError(
            f"network has {edge.name!r} on the edge from input {edge.input} to "
            f"output {edge.output} of layer {number}, but C has only the built-in functions "
            "of the library"
        )
    return FORMULAS[edge.name]


def _hexadecimal(values: FloatArray) -> list[str]:
    return [value.hex() for value in values.tolist()]


LONGEST = 31  # characters of an external name that C99, 5.2.4.1 lets every linker tell apart
_KEYWORDS = """
alignas alignof asm auto bool break case char const constexpr continue default do double else enum
extern false float for fortran goto if inline int long main nullptr register restrict return short
signed sizeof static static_assert struct switch thread_local true typedef typeof typeof_unqual
union unsigned void volatile while
"""
_PREDEFINED = "arm hpux i386 linux mips sgi sparc sun unix vax"  # macros of compilers, C11 or not
_MATH = """
acos acosh acospi asin asinh asinpi atan atan2 atan2pi atanh atanpi canonicalize cbrt ceil
compoundn copysign cos cosh cospi double_t drem erf erfc exp exp10 exp10m1 exp2 exp2m1 expm1 fabs
fdim finite float_t floor fma fmax fmaximum fmaximum_mag fmaximum_mag_num fmaximum_num fmin
fminimum fminimum_mag fminimum_mag_num fminimum_num fmod frexp fromfp fromfpx gamma getpayload
hypot ilogb isinf isnan j0 j1 jn ldexp lgamma llogb llrint llround log log10 log10p1 log1p log2
log2p1 logb logp1 lrint lround modf nan nearbyint nextafter nextdown nexttoward nextup pow pow10
pown powr remainder remquo rint rootn round roundeven rsqrt scalb scalbln scalbn setpayload
setpayloadsig significand sin sincos sinh sinpi sqrt tan tanh tanpi tgamma totalorder
totalordermag trunc ufromfp ufromfpx y0 y1 yn encodebin encodedec decodebin decodedec quantize
samequantum quantum llquantexp
"""
_COMPLEX = """
abs acos acosh acospi arg asin asinh asinpi atan atanh atanpi compoundn cos cosh cospi erf erfc
exp exp10 exp10m1 exp2 exp2m1 expm1 imag lgamma log log10 log10p1 log1p log2 log2p1 logp1 pow pown
powr proj real rootn rsqrt sin sinh sinpi sqrt tan tanh tanpi tgamma
"""
_MACROS = """
fpclassify iscanonical iseqsig isfinite isgreater isgreaterequal isless islessequal islessgreater
isnormal issignaling issubnormal isunordered iszero math_errhandling matherr signbit signgam
DOMAIN HUGE INFINITY MAXFLOAT NAN OVERFLOW PLOSS SING TLOSS UNDERFLOW X_TLOSS
"""
_LIBRARY = """
abort abs aligned_alloc asctime at_quick_exit atexit atof atoi atol atoll bsearch btowc c16rtomb
c32rtomb call_once calloc clearerr clock ctime difftime div errno exit fclose feclearexcept
fegetenv fegetexceptflag fegetround feholdexcept feof feraiseexcept ferror fesetenv
fesetexceptflag fesetround fetestexcept feupdateenv fflush fgetc fgetpos fgets fgetwc fgetws fopen
fprintf fputc fputs fputwc fputws fread free freopen fscanf fseek fsetpos ftell fwide fwprintf
fwrite fwscanf getc getchar getenv gets getwc getwchar gmtime imaxabs imaxdiv labs ldiv llabs
lldiv localeconv localtime longjmp malloc mblen mbrlen mbrtoc16 mbrtoc32 mbrtowc mbsinit mbsrtowcs
mbstowcs mbtowc memchr memcmp memcpy memmove memset mktime perror printf putc putchar puts putwc
putwchar qsort quick_exit raise rand realloc remove rename rewind scanf setbuf setjmp setlocale
setvbuf signal snprintf sprintf srand sscanf strcat strchr strcmp strcoll strcpy strcspn strerror
strftime strlen strncat strncmp strncpy strpbrk strrchr strspn strstr strtod strtof strtoimax
strtok strtol strtold strtoll strtoul strtoull strtoumax strxfrm swprintf swscanf system time
timespec_get tmpfile tmpnam towctrans ungetc ungetwc va_arg va_copy va_end va_start vfprintf
vfscanf vfwprintf vfwscanf vprintf vscanf vsnprintf vsprintf vsscanf vswprintf vswscanf vwprintf
vwscanf wcrtomb wcscat wcschr wcscmp wcscoll wcscpy wcscspn wcsftime wcslen wcsncat wcsncmp
wcsncpy wcspbrk wcsrchr wcsrtombs wcsspn wcsstr wcstod wcstof wcstoimax wcstok wcstol wcstold
wcstoll wcstombs wcstoul wcstoull wcstoumax wcsxfrm wctob wctomb wctrans wctype wmemchr wmemcmp
wmemcpy wmemmove wmemset wprintf wscanf
"""
# of POSIX and GNU: gcc rejects other functions of these names unless -std= names a standard
_SYSTEM = """
alloca bcmp bcopy bzero dcgettext dgettext execl execle execlp execv execve execvp ffs ffsimax ffsl
ffsll fork fprintf_unlocked fputc_unlocked fputs_unlocked fwrite_unlocked gettext index mempcpy
posix_memalign printf_unlocked putc_unlocked putchar_unlocked puts_unlocked rindex stpcpy stpncpy
strcasecmp strdup strfmon strncasecmp strndup strnlen
"""


def _one_of(words: str) -> str:
    return f"(?:{'|'.join(words.split())})"


_SIZE = r"(?:f|l|[fd][0-9]+x?)"  # sinf, sinl, sinf32x, sind64
_KINDS = "alnum alpha ascii blank cntrl digit graph lower print punct space upper xdigit"


RESERVED = re.compile(
    "|".join(
        (
            "_.*",
            _one_of(_KEYWORDS),
            _one_of(_PREDEFINED),
            _one_of(_MACROS),
            _one_of(_LIBRARY),
            _one_of(_SYSTEM),
            rf"signbit{_SIZE}",
            rf"{_one_of(_MATH)}{_SIZE}?(?:_r)?",
            rf"(?:conj|c{_one_of(_COMPLEX)}){_SIZE}?",
            # sums and products that are rounded to a smaller type: fadd, f32mulf64
            rf"(?:f|d|[fd][0-9]+x?)(?:add|sub|mul|div|fma|sqrt){_SIZE}?",
            "(?:FP|M|MATH)_[A-Z0-9].*",
            "(?:HUGE_VAL|INFINITY|NAN|SNAN|DEC_).*",
            rf"isw?{_one_of(_KINDS)}|iswctype|tow?(?:lower|upper|ascii)",
            "(?:atomic|cnd|mtx|thrd|tss)_[a-z].*",
        )
    )
)


def is_allowed(name: str) -> bool:
    """Return whether a function with external linkage may have this name."""
    letters = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name)
    return letters is not None and len(name) <= LONGEST and RESERVED.fullmatch(name) is None
