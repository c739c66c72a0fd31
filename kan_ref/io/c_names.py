"""Names that a function in C may not have: keywords, macros and functions of the standard library.

C11, 7.1.3 reserves the identifiers of each included header, here <math.h>; names that begin with an
underscore; and always every function of the standard library, included or not. Common compilers add
macros and functions of later standards to <math.h>, and a few macros without any header. The rules
cover these too. Where C11, 7.31 reserves all names that begin with str, mem, wcs, is or to, only
those are rejected here that exist: C23 calls the others potentially reserved, and a network may
be called `strain`.
"""

import re

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
