"""The packages of kan_ref, one row each, and a checker that reads every import.

A module may import `checks`, its siblings, and what the packages in its row offer in their `__init__.py`. There are no exceptions,
no circle of packages and no circle of modules inside one. A package's `__init__.py` only hands names on. What a reader steps through in one
step of training and in one gradient, as modules, functions and lines, does not creep up.
"""

import ast
import inspect
import io
import subprocess
import sys
import textwrap
import tokenize
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from cases import for_all
from checkout import ROOT

import kan_ref as kr
from kan_ref.training.data_goal import check_batch
from kan_ref.training.objective import make_objective

PACKAGE = ROOT / "kan_ref"

# package or root module -> what it may import besides `checks`
MAY_IMPORT = {
    "plain": (),  # not even `checks`
    "checks": (),
    "bspline": (),
    "numerics": (),
    "functions": ("numerics",),
    "optimizers": ("numerics",),
    "network": ("bspline", "functions", "numerics"),
    "sparsity": ("network",),
    "symbolic": ("network", "functions"),
    "formulas": ("network", "functions", "pde"),
    "data": (),
    "targets": ("data",),
    "files": (),
    "program": (),
    "version": (),
    "baselines": ("network", "bspline", "functions"),
    "pde": ("network", "baselines", "bspline", "functions", "numerics"),
    "training": ("network", "sparsity", "optimizers", "numerics", "data"),
    "discovery": (
        "training",
        "sparsity",
        "symbolic",
        "formulas",
        "network",
        "functions",
        "optimizers",
        "data",
    ),
    "drawing": ("network", "files", "formulas"),
    "io": ("network", "functions", "files", "version"),
    "sklearn": ("__init__",),
    "conformance": ("plain", "files", "program"),
    "conformance.adapters.reference": ("__init__",),  # what a user has
    "__main__": ("__init__", "program"),
    "__init__": ("version",),
}

# (module, third-party package) -> why; besides NumPy, and only inside functions (but for programs), so that importing a
# module stays cheap
THIRD_PARTY = {
    ("targets", "scipy"): "special functions as data",
    ("training.one_grid", "tqdm"): "progress=True",
    ("drawing.painting", "matplotlib"): "it draws",
    ("drawing.text", "matplotlib"): "it measures formulas",
    ("drawing.film", "matplotlib"): "it draws",
    ("drawing.pieces", "matplotlib"): "it draws",
    ("discovery.records", "tqdm"): "progress=True",
    ("discovery.results", "sympy"): "it writes trees as formulas",
    ("discovery.sample_support", "sympy"): "it changes the numbers of a formula",
    ("discovery.spare_samples", "sympy"): "it counts the numbers of a formula",
    ("functions.record", "sympy"): "formulas of registered functions",
    ("functions.verification", "sympy"): "it evaluates them",
    ("formulas.values", "sympy"): "it evaluates formulas",
    ("formulas.presentation", "sympy"): "it rounds numbers, and writes LaTeX and MathML",
    ("formulas.equation", "sympy"): "it reads differential equations",
    ("formulas.equation_terms", "sympy"): "it derives their partial derivatives",
    ("formulas.construction", "sympy"): "it reads formulas",
    ("training.standardization", "sympy"): "it changes the units of a formula",
    ("formulas.compilation", "sympy"): "it reads formulas",
    ("formulas.graph", "sympy"): "it computes with exact numbers",
    ("formulas.recognition", "sympy"): "it writes exact numbers",
    ("formulas.expression", "sympy"): "it makes formulas",
    ("sklearn.base", "sklearn"): "estimators for it",
    ("sklearn.base", "matplotlib"): "they draw themselves",
    ("sklearn.estimators", "sklearn"): "estimators for it",
    ("io.scipy_spline", "scipy"): "it converts SciPy's splines",
    ("conformance.suite", "pytest"): "cases for adopters' own tests",
    ("conformance.plugin", "pytest"): "it is a plugin of it",
    ("conformance.adapters.scipy_splines", "scipy"): "SciPy is the subject",
    ("conformance.adapters.torch_layers", "torch"): "what adapters have in common",
    ("conformance.adapters.axes", "torch"): "what adapters have in common",
    ("conformance.adapters.pykan", "kan"): "its subject",
    ("conformance.adapters.efficient_kan", "ikan"): "its subject",
    ("conformance.adapters.efficient_kan", "efficient_kan"): "its subject",
    ("conformance.adapters.efficient_kan", "convkan"): "its subject",
    ("conformance.adapters.efficient_kan", "ConvKAN3D"): "its subject",
    ("conformance.adapters.efficient_kan", "deepkan"): "its subject",
    ("conformance.adapters.efficient_kan", "torch"): "what its subject runs on",
    ("conformance.adapters.torch_unscaled", "inkan"): "its subject",
    ("conformance.adapters.torch_unscaled", "flashkan"): "its subject",
    ("conformance.adapters.torch_unscaled", "torch"): "what its subject runs on",
    ("conformance.adapters.torch_unscaled", "keras"): "what its subject runs on",
    ("conformance.adapters.torch_unscaled", "keras_efficient_kan"): "its subject",
    ("conformance.adapters.jaxkan", "jax"): "what its subject runs on",
    ("conformance.adapters.jaxkan", "flax"): "what its subject runs on",
    ("conformance.adapters.kan_families", "jax"): "what its subject runs on",
    ("conformance.adapters.kan_families", "jaxkan"): "its subject",
    ("conformance.adapters.jaxkan", "jaxkan"): "its subject",
    ("conformance.adapters.kan_families", "torch"): "what its subjects run on",
    ("conformance.adapters.kan_families", "fastkan"): "its subject",
    ("conformance.adapters.kan_families", "ChebyKANLayer"): "its subject",
    ("conformance.adapters.kan_families", "torch_relu_kan"): "its subject",
    ("conformance.cards", "tqdm"): "it shows how far it is",
    ("conformance.generate.exact", "mpmath"): "60 digits, for the generator alone",
    ("conformance.__main__", "tqdm"): "it shows how far it is",
    ("__main__", "matplotlib"): "the demonstration draws its steps",
    ("__main__", "sympy"): "the demonstration prints a formula",
    ("__main__", "tqdm"): "the demonstration shows how far it is",
}

ON_LOADING = {"sklearn": "its classes inherit from those of scikit-learn"}

PROGRAMS = {  # they print, and nobody but a program imports them
    "__main__": "the demonstration",
    "conformance.__main__": "the runner of the conformance kit",
    "conformance.cards": "its `report`",
    "conformance.generate.__main__": "the generator of its vectors",
    "conformance.serve": "an adapter behind JSON lines",
    "program": "the last line of each of them after Ctrl-C",
}
DYNAMIC = {
    "checks.records": "a notebook shows a record by `drawing`",
    "__init__": "public names load their packages",
    "conformance.serve": "adapters are named on the command line",
    "conformance.plugin": "adapters are named in pytest's configuration",
}
WITH_CODE = {
    "__init__": "public names are loaded when they are used",
    "conformance": "so are those of the kit, whose plugin every run of pytest loads",
}
MOST_LINES, MOST_CODE, MOST_COLUMNS = (
    320,
    200,
    100,
)  # of a module: in all, and without docstrings and comments


NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
    tokenize.ENCODING,
}


@dataclass(frozen=True)
class Import:
    """One imported name: its module, the name (None for `import module`), and where the statement stands."""

    module: str
    name: str | None
    line: int
    in_function: bool
    for_types: bool

    @property
    def top(self):
        return self.module.split(".")[0]


def row_of(module):
    """The row of MAY_IMPORT that holds for a module: its own, else that of its package; None where there is none."""
    return (
        module
        if module in MAY_IMPORT
        else module.split(".")[0]
        if module.split(".")[0] in MAY_IMPORT
        else None
    )


parsed = cache(ast.parse)  # several tests read the same files


@cache
def imports(source, package):
    """All imports of a source text that is a module of `package`, also those inside functions and dynamic ones."""
    found = []

    def visit(node, *, in_function, for_types):
        if isinstance(node, ast.Import):
            found.extend(
                Import(alias.name, None, node.lineno, in_function, for_types)
                for alias in node.names
            )
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            base = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            origin = ".".join(part for part in (base, node.module) if part)
            found.extend(
                Import(origin, alias.name, node.lineno, in_function, for_types)
                for alias in node.names
            )
        elif isinstance(node, ast.Call) and _last_name(node.func) in (
            "import_module",
            "__import__",
        ):
            found.append(Import("<dynamic>", None, node.lineno, in_function, for_types))
        elif isinstance(node, ast.If) and _last_name(node.test) == "TYPE_CHECKING":
            for child in node.body:
                visit(child, in_function=in_function, for_types=True)
            for child in node.orelse:
                visit(child, in_function=in_function, for_types=for_types)
            return
        deeper = in_function or isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
        )
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.Constant | ast.Name | ast.expr_context):
                visit(child, in_function=deeper, for_types=for_types)

    visit(parsed(source), in_function=False, for_types=False)
    return found


def _last_name(node):
    return (
        node.attr
        if isinstance(node, ast.Attribute)
        else node.id
        if isinstance(node, ast.Name)
        else None
    )


def _is_module(dotted):
    """Whether a dotted name such as "network.layer" is a module or package of kan_ref."""
    file = PACKAGE.joinpath(*dotted.split("."))
    return file.with_suffix(".py").exists() or (file / "__init__.py").exists()


@cache
def offered(package):
    """The names that the `__init__.py` of a package hands on."""
    file = PACKAGE / package / "__init__.py"
    return (
        {item.name for item in imports(file.read_text(encoding="utf-8"), f"kan_ref.{package}")}
        if file.exists()
        else set()
    )


def target_of(item):
    """(package, module inside it or None for what its `__init__.py` offers) of an import of kan_ref; the root is "__init__"."""
    dotted = item.module.removeprefix("kan_ref").removeprefix(".")
    if (
        item.name is not None
        and item.name not in offered(dotted)
        and _is_module(f"{dotted}.{item.name}".removeprefix("."))
    ):
        dotted = f"{dotted}.{item.name}".removeprefix(".")
    package, _, inner = dotted.partition(".")
    return package or "__init__", inner or None


def faults(module, source, *, is_package=False):
    """Sentences on what is wrong with the module kan_ref.<module> that has this source text; empty if nothing is."""
    if row_of(module) is None:
        return [f"{module} has no row in the table"]
    package = ".".join(["kan_ref", *module.split(".")][: None if is_package else -1])
    found = []
    for item in imports(source, "kan_ref" if module == "__init__" else package):
        if item.module == "<dynamic>":
            problem = None if module in DYNAMIC else "a dynamic import hides what is imported"
        elif item.top == "kan_ref":
            problem = _internal_fault(module, item, is_package)
        else:
            problem = _external_fault(module, item)
        if problem:
            found.append(f"{module}, line {item.line}: {problem}")
    if is_package and module not in WITH_CODE:
        for node in parsed(source).body:
            is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if not is_docstring and not isinstance(node, ast.ImportFrom):
                found.append(f"{module}, line {node.lineno}: an __init__.py only hands names on")
    found += [
        f"{module}, line {line}: {what} outside {', '.join(PROGRAMS)}"
        for line, what in _outputs(source)
        if module not in PROGRAMS
    ]
    lines = source.splitlines()
    code = 0 if most_code(lines, source) <= MOST_CODE else code_lines(source)  # tokens are slow
    if len(lines) > MOST_LINES:
        found.append(f"{module} has {len(lines)} lines, more than {MOST_LINES}")
    if code > MOST_CODE:
        found.append(f"{module} has {code} lines of code, more than {MOST_CODE}")
    wide = [n for n, line in enumerate(lines, 1) if len(line) > MOST_COLUMNS]
    if wide:
        found.append(f"{module}, line {wide[0]}: wider than {MOST_COLUMNS} columns")
    return found


def code_lines(source):
    """Number of lines that hold code: neither empty, nor comments alone, nor docstrings."""
    rest = {
        n
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in NO_CODE
        for n in range(token.start[0], token.end[0] + 1)
    }
    return len(rest - docstring_lines(source))


def most_code(lines, source):
    """A number of lines that `code_lines` does not exceed: comments count, too."""
    return sum(map(bool, map(str.strip, lines))) - sum(
        bool(lines[n - 1].strip()) for n in docstring_lines(source)
    )


def statements(node):
    """Yield a node and all statements in it, without the expressions, which are most of a tree."""
    yield node
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(node, part, ()):
            yield from statements(child)


def docstring_lines(source):
    """Numbers of the lines that belong to docstrings."""
    found = set()
    for node in statements(parsed(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                found |= set(range(first.lineno, first.end_lineno + 1))
    return found


def _internal_fault(module, item, is_package):
    own, row = module.split(".")[0], row_of(module)
    package, inner = target_of(item)
    if package == own:
        return (
            None if inner or is_package else f"imports its own package {own} instead of a sibling"
        )
    if is_package and own not in WITH_CODE:
        return f"an __init__.py hands on names of its own package, not of {package}"
    if not _is_module(package) and package != "__init__":
        return f"imports {package}, which has no row in the table"
    if package == "checks" and own != "plain":
        return None
    if package not in MAY_IMPORT[row]:
        return f"{row} may not import {package}"
    if inner:
        return f"imports {package}.{inner}, a module inside another package"
    return None


def _external_fault(module, item):
    if item.top in sys.stdlib_module_names or (item.top == "numpy" and module != "__init__"):
        return None
    if (module, item.top) not in THIRD_PARTY:
        return f"imports {item.top}, but {module} has NumPy and the standard library"
    if item.in_function or item.for_types or module in PROGRAMS:
        return None
    if module.split(".")[0] in ON_LOADING:
        return None
    return f"imports {item.top} on loading, not where it is used"


def _outputs(source):
    if "print" not in source and "std" not in source:
        return
    for node in ast.walk(parsed(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "print"
        ):
            yield node.lineno, "print"
        elif (
            isinstance(node, ast.Attribute)
            and node.attr in ("stdout", "stderr")
            and _last_name(node.value) == "sys"
        ):
            yield node.lineno, f"sys.{node.attr}"


def modules():
    """(name, path) of every module of the package as it is."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts), path


def circle(arrows):
    """Names of which each imports another one of them; empty where there is no circle. `arrows`: name -> the names that it imports."""
    left = dict(arrows)
    while free := [
        name for name, others in left.items() if not any(other in left for other in others)
    ]:
        for name in free:
            del left[name]
    return sorted(left)


def arrows_inside(package):
    """Module -> its siblings that it imports when it is loaded."""
    found = defaultdict(set)
    for module, path in modules():
        if module.split(".")[0] == package and module != package:
            for item in imports(
                path.read_text(encoding="utf-8"), f"kan_ref.{module}".rpartition(".")[0]
            ):
                other, inner = target_of(item) if item.top == "kan_ref" else (None, None)
                if other == package and inner:
                    found[module].add(f"{package}.{inner}")
    return found


# --- the package as it is


@for_all(("module", "path"), [pytest.param(*found, id=found[0]) for found in modules()])
def test_a_module_imports_siblings_and_what_the_packages_of_its_row_offer(module, path):
    assert (
        faults(module, path.read_text(encoding="utf-8"), is_package=path.name == "__init__.py")
        == []
    )


def test_the_table_has_no_row_and_no_entry_without_a_module():
    names = {name for row, others in MAY_IMPORT.items() for name in (row, *others)}

    assert sorted(name for name in names if not _is_module(name)) == []


def test_packages_import_each_other_in_no_circle_and_by_few_arrows():
    assert circle(MAY_IMPORT) == []
    assert sum(len(others) for others in MAY_IMPORT.values()) <= 50


def test_training_loads_nothing_that_it_does_not_use():
    code = "import sys, kan_ref.training; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    packages = {name.split(".")[1] for name in loaded.stdout.split() if name.startswith("kan_ref.")}

    assert packages == {
        "bspline",
        "checks",
        "data",
        "functions",
        "network",
        "numerics",
        "optimizers",
        "sparsity",
        "training",
        "version",
    }


@pytest.mark.parametrize(
    "package",
    sorted({name for name, _ in modules() if "." not in name and (PACKAGE / name).is_dir()}),
)
def test_modules_of_a_package_import_each_other_in_no_circle(package):
    assert circle(arrows_inside(package)) == []


def test_every_reason_stands_beside_a_module_that_exists():
    modules_with_reasons = (
        {module: reason for (module, _), reason in THIRD_PARTY.items()}
        | PROGRAMS
        | ON_LOADING
        | DYNAMIC
        | WITH_CODE
    )

    assert all(reason and _is_module(module) for module, reason in modules_with_reasons.items())


# --- the checker can fail


@for_all(
    ("module", "source", "sentence"),
    [
        (
            "network.layer",
            "from kan_ref.training import fit",
            "network.layer, line 1: network may not import training",
        ),
        ("network.layer", "import kan_ref.training as above", "network may not import training"),
        ("network.layer", "from kan_ref import training", "network may not import training"),
        ("network.layer", "from .. import training", "network may not import training"),
        ("network.layer", "from ..training import fit", "network may not import training"),
        (
            "network.layer",
            "def f():\n    from kan_ref import training",
            "network.layer, line 2: network may not import training",
        ),
        (
            "network.layer",
            "class A:\n    async def f(self):\n        import kan_ref.training",
            "line 3: network may not import training",
        ),
        (
            "network.layer",
            "try:\n    import os\nexcept ImportError:\n    from kan_ref import fit",
            "line 4: network may not import __init__",
        ),
        (
            "network.layer",
            "if TYPE_CHECKING:\n    from kan_ref.training import fit",
            "network may not import training",
        ),
        (
            "network.layer",
            "from kan_ref.bspline.knots import check_knots",
            "imports bspline.knots, a module inside another package",
        ),
        (
            "network.layer",
            "from kan_ref.bspline import knots",
            "imports bspline.knots, a module inside another package",
        ),
        (
            "network.layer",
            "from kan_ref.network import Network",
            "imports its own package network instead of a sibling",
        ),
        ("checks", "from kan_ref.bspline import uniform_knots", "checks may not import bspline"),
        ("plain.layer", "from kan_ref.checks import FloatArray", "plain may not import checks"),
        ("plain.layer", "from kan_ref.bspline import basis", "plain may not import bspline"),
        ("network.layer", "from kan_ref.plain import forward", "network may not import plain"),
        (
            "optimizers.lbfgs",
            "from kan_ref.bspline import basis",
            "optimizers may not import bspline",
        ),
        (
            "conformance.judge",
            "from kan_ref.sparsity import penalty_value",
            "conformance may not import sparsity",
        ),
        ("conformance.judge", "import kan_ref", "conformance may not import __init__"),
        ("training.fitting", "from kan_ref import fit", "training may not import __init__"),
        (
            "training.fitting",
            "from kan_ref.cellar import wine",
            "imports cellar, which has no row in the table",
        ),
        ("cellar", "import numpy", "cellar has no row in the table"),
        (
            "network.network",
            "import torch",
            "imports torch, but network.network has NumPy and the standard library",
        ),
        (
            "network.network",
            "from scipy.special import j0",
            "imports scipy, but network.network has NumPy",
        ),
        (
            "network.network",
            "def f():\n    import matplotlib.pyplot",
            "line 2: imports matplotlib, but network.network has NumPy",
        ),
        (
            "network.network",
            "from oracles import slow_layer",
            "imports oracles, but network.network has NumPy",
        ),
        (
            "drawing.painting",
            "def f():\n    import sympy",
            "imports sympy, but drawing.painting has NumPy",
        ),
        (
            "targets",
            "from scipy.special import j0",
            "imports scipy on loading, not where it is used",
        ),
        (
            "network.network",
            "import importlib\nimportlib.import_module('kan_ref.training')",
            "line 2: a dynamic import hides",
        ),
        ("network.network", "__import__('torch')", "a dynamic import hides what is imported"),
        ("__init__", "from kan_ref.network import Layer", "__init__ may not import network"),
        ("__init__", "import numpy", "imports numpy, but __init__ has NumPy"),
        (
            "network.network",
            "def f():\n    print(1)",
            "network.network, line 2: print outside __main__",
        ),
        (
            "network.network",
            "import sys\nsys.stdout.write('1')",
            "network.network, line 2: sys.stdout outside __main__",
        ),
        ("network.network", "\n" * 321, "network.network has 321 lines, more than 320"),
        (
            "network.network",
            "a = 1\n" * 201,
            "network.network has 201 lines of code, more than 200",
        ),
        (
            "network.network",
            f"a = 1  # {'a' * 92}",
            "network.network, line 1: wider than 100 columns",
        ),
    ],
)
def test_an_injected_fault_is_found(module, source, sentence):
    found = faults(module, source)

    assert len(found) == 1
    assert sentence in found[0]


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (
            "from kan_ref.functions import LIBRARY",
            "hands on names of its own package, not of functions",
        ),
        (
            "from kan_ref.network.layer import Layer as Layer\nLAYERS = ()",
            "line 2: an __init__.py only hands names on",
        ),
        ("def forward(x):\n    return x", "line 1: an __init__.py only hands names on"),
    ],
)
def test_an_init_file_that_does_more_than_hand_on_names_is_found(source, sentence):
    (found,) = faults("network", source, is_package=True)

    assert sentence in found


@for_all(
    ("module", "source"),
    [
        (
            "network.layer",
            "import numpy as np\nfrom numpy.typing import NDArray\nimport dataclasses, collections.abc",
        ),
        (
            "network.layer",
            "from kan_ref.checks import FloatArray\nfrom kan_ref.bspline import basis\nfrom kan_ref.network.network import A",
        ),
        (
            "network.layer",
            "from kan_ref.network import network\nfrom .symbolic_edges import SymbolicEdge\nfrom . import editing",
        ),
        ("targets", "def f():\n    from scipy.special import j0"),
        ("drawing.painting", "if TYPE_CHECKING:\n    from matplotlib.axes import Axes"),
        (
            "conformance.adapters.reference",
            "import kan_ref as kr\nfrom kan_ref import fit",
        ),
        (
            "__main__",
            "import kan_ref as kr\nfrom kan_ref import fit\nprint(kr.__version__)\nimport tqdm",
        ),
        ("__init__", "import importlib\nimportlib.import_module('x')"),
        (
            "network.network",
            "text = 'import torch'  # import torch\ndef f(x):\n    return x.print(text)",
        ),
        ("network.network", "\n" * 320),
        ("network.network", "a = 1\n" * 200 + "# a comment\n" * 100),
        ("network.network", '"""a\nb\nc\n"""\n' + "a = 1\n" * 200),
    ],
)
def test_what_the_table_allows_passes(module, source):
    assert faults(module, source) == []


def test_a_circle_is_found_with_its_members():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set(), "e": {"d"}}) == ["a", "b", "c"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


# --- what a reader steps through


LOADED = Path(kr.__file__).parent
COMPREHENSIONS = {
    "<listcomp>",
    "<genexpr>",
    "<dictcomp>",
    "<setcomp>",
}  # their lines are those of their function


@contextmanager
def watched():
    """The code of all functions of the package that are called meanwhile, in order."""
    calls, before = [], sys.getprofile()

    def watch(frame, event, _):
        if event == "call" and Path(frame.f_code.co_filename).is_relative_to(LOADED):
            calls.append(frame.f_code)

    sys.setprofile(watch)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def sizes(calls, *loops):
    """Numbers of distinct modules, functions and lines; `loops` are modules whose loop is running."""
    functions = set(calls)
    modules = {Path(code.co_filename) for code in functions} | {LOADED / loop for loop in loops}
    own = [code for code in functions if code.co_name not in COMPREHENSIONS]
    return len(modules), len(functions), sum(len(inspect.getsourcelines(code)[0]) for code in own)


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    data = kr.sample("exp_sin", n_train=1000, n_test=1000, rng=rng)
    network = kr.init_network((2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    return network, data


def test_a_step_of_adam_in_fit_takes_8_modules_and_35_functions(problem):
    with watched() as calls:
        kr.fit(*problem, optimizer="adam", n_steps=66)

    begins = [place for place, code in enumerate(calls) if code.co_name == "mean_squared_error"]
    step = calls[begins[-4] : begins[-3]]  # behind the last check of grids, without test samples

    modules, functions, lines = sizes(step, "optimizers/adam.py")
    assert modules <= 8
    assert functions <= 35
    assert lines <= 450


def test_a_value_with_its_gradient_takes_6_modules_30_functions_and_350_lines_of_code(problem):
    network, data = problem
    value_and_grad = kr.value_and_grad

    with watched() as calls:
        value_and_grad(network, data.x_train, data.y_train)

    modules, functions, lines = sizes(calls)
    code = sum(code_lines(textwrap.dedent(inspect.getsource(each))) for each in set(calls))
    assert modules <= 6
    assert functions <= 30
    assert code <= 350
    assert lines <= 500


def test_an_evaluation_of_the_objective_takes_6_modules_and_28_functions(problem):
    network, data = problem
    objective = make_objective(
        network, check_batch(network, data.x_train, data.y_train).prepare(network)
    )
    theta = network.theta.copy()

    with watched() as calls:
        objective.value_and_grad(theta)

    modules, functions, lines = sizes(calls)
    assert modules <= 6
    assert functions <= 28
    assert lines <= 350


def test_a_longer_way_is_seen(problem):
    network, data = problem
    with watched() as short:
        network(data.x_test)
    with watched() as long:
        kr.value_and_grad(network, data.x_test, data.y_test)

    assert all(less < more for less, more in zip(sizes(short), sizes(long), strict=True))
