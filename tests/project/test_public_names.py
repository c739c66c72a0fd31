"""Public names: `import kan_ref` loads each when it is used and nothing before, and NOTATION.md stays true.

The names of NOTATION.md exist where it says, with the shapes it says. Docstrings name what signatures have.
"""

import ast
import dataclasses
import importlib
import inspect
import os
import pickle
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from cases import for_all
from checkout import ROOT

import kan_ref
import kan_ref as kr
from kan_ref.functions.library import LIBRARY
from kan_ref.network import layer as layer_passes
from kan_ref.network.symbolic_edges import SymbolicEdge
from kan_ref.pde import jet_kind, jets


def run(code, *flags, **variables):
    """Return the standard output of a fresh interpreter that finds the package on PYTHONPATH alone."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(
        [sys.executable, *flags, "-c", code], check=True, capture_output=True, text=True, env=environment
    ).stdout


def module_files():
    return {path.stem for path in ROOT.glob("kan_ref/*.py")} | {
        path.parent.name for path in ROOT.glob("kan_ref/*/__init__.py")
    }


# sklearn needs an extra, and is tested in tests/sklearn
PUBLIC_MODULES = sorted(module_files() - {"__init__", "__main__", "sklearn"})


@for_all("name", kan_ref.__all__)
def test_every_public_name_resolves_and_explains_itself(name):
    thing = getattr(kan_ref, name)

    if callable(thing):
        assert thing.__name__ == name
        assert inspect.getdoc(thing)
        assert f"{thing.__module__}.".startswith(f"kan_ref.{kan_ref._HOME[name]}.")
        assert pickle.loads(pickle.dumps(thing)) is thing


@for_all("name", [name for name in kan_ref.__all__ if callable(getattr(kan_ref, name))])
def test_public_docstrings_are_short_have_an_example_and_sentences_of_at_most_30_words(name):
    text = inspect.getdoc(getattr(kan_ref, name))
    prose, _, example = text.partition("\nExamples\n--------\n")
    prose = re.sub(r"^\S.* : .*$", "", prose, flags=re.MULTILINE)  # names and types of parameters
    parts = re.split(r"\n\s*\n|\n(?=\S)|(?<=[.;])\s+|:\s+(?=[A-Z])", prose)

    assert text.count("\n") < (60 if name == "discover" else 45)
    assert ">>>" in example or re.fullmatch(r"See `\w+`\.", example.strip())
    assert [part for part in parts if len(part.split()) > 30] == []


def test_every_module_is_reached_by_its_own_name_and_explains_itself():
    code = f"""
import kan_ref
for name in {PUBLIC_MODULES}:
    module = getattr(kan_ref, name)
    print(name, module.__name__, bool(module.__doc__))
"""

    assert run(code).splitlines() == [f"{name} kan_ref.{name} True" for name in PUBLIC_MODULES]


def test_the_table_names_every_public_name_once():
    assert kan_ref.__all__ == sorted(name for names in kan_ref._PUBLIC.values() for name in names.split())
    assert len(kan_ref.__all__) == len(set(kan_ref.__all__))


@pytest.mark.parametrize("name", ["__main__", "__wrapped__", "py", "optimizers.adam"])
def test_what_is_neither_public_nor_a_module_of_the_folder_is_no_attribute(name):
    """Run in a fresh interpreter, since an imported module becomes an attribute of its package."""
    assert run(f"import kan_ref; print(hasattr(kan_ref, {name!r}))").strip() == "False"


def test_type_checkers_see_the_names_of_the_table_and_the_modules_of_the_folder():
    body = ast.parse((ROOT / "kan_ref" / "__init__.pyi").read_text(encoding="utf-8")).body
    statements = [node for node in body if isinstance(node, ast.ImportFrom)]
    seen = [(statement.module, alias.name, alias.asname) for statement in statements for alias in statement.names]
    names = [(f"kan_ref.{module}", name, name) for module, names in kan_ref._PUBLIC.items() for name in names.split()]

    assert sorted(seen) == sorted(
        names
        + [("kan_ref", module, module) for module in [*PUBLIC_MODULES, "sklearn"]]
        + [("kan_ref.version", "__version__", "__version__")]
    )


def test_no_module_is_named_like_a_public_name():
    assert module_files().isdisjoint(kan_ref.__all__)


def test_dir_shows_every_public_name_before_it_is_loaded():
    shown = set(run("import kan_ref; print(*dir(kan_ref))").split())

    assert shown >= {*kan_ref.__all__, *PUBLIC_MODULES, "__version__"}


def test_importing_loads_the_standard_library_alone():
    code = "import sys; before = set(sys.modules); import kan_ref; print(*{m.split('.')[0] for m in set(sys.modules) - before})"

    loaded = set(run(code).split())

    assert loaded - set(sys.stdlib_module_names) == {"kan_ref"}


def test_the_first_use_of_a_name_loads_numpy_and_its_own_module():
    code = """
import sys, kan_ref
kan_ref.uniform_knots
print(*(module for module in ("numpy", "kan_ref.bspline", "kan_ref.training") if module in sys.modules))
"""

    assert run(code).split() == ["numpy", "kan_ref.bspline"]


def test_loading_everything_warns_of_nothing_and_prints_nothing():
    code = f"import kan_ref; [getattr(kan_ref, name) for name in kan_ref.__all__ + {PUBLIC_MODULES}]"

    assert run(code, "-W", "error") == ""


def test_a_name_that_is_not_there_is_an_attribute_error_that_names_it():
    with pytest.raises(AttributeError, match="'extent_grid'"):
        kan_ref.extent_grid  # noqa: B018


def test_without_scikit_learn_everything_else_loads_and_the_estimators_say_what_is_missing():
    code = f"""
import sys
sys.modules["sklearn"] = None  # as if it were not installed
import kan_ref
[getattr(kan_ref, name) for name in kan_ref.__all__ + {PUBLIC_MODULES}]
try:
    import kan_ref.sklearn
except ModuleNotFoundError as error:
    print(error)
"""
    assert run(code).strip() == ("kan_ref.sklearn needs scikit-learn 1.6 or newer: pip install 'kan_ref[sklearn]'")


def test_the_version_is_a_literal_that_the_build_can_read():
    lines = (ROOT / "kan_ref" / "version.py").read_text(encoding="utf-8").splitlines()

    assert lines.count(f'__version__ = "{kan_ref.__version__}"') == 1
    assert f"## [{kan_ref.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


# --- NOTATION.md


MODULES = sorted(
    f"kan_ref.{'.'.join(path.relative_to(ROOT / 'kan_ref').with_suffix('').parts)}"
    for path in ROOT.glob("kan_ref/**/*.py")
)
# kan_ref.sklearn imports scikit-learn, which only its own tests have
MODULES = [
    name.removesuffix(".__init__")
    for name in MODULES
    if not name.endswith("__main__") and not name.startswith("kan_ref.sklearn")
]


def table(text):
    """(paper, code names, shape, where) of every row of the first table in a Markdown text."""
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("|")]
    return [
        (paper.strip(), re.findall(r"`(\w+)`", code), shape.strip(), where.strip())
        for paper, code, shape, where in rows[2:]
    ]


ROWS = table((ROOT / "NOTATION.md").read_text(encoding="utf-8"))
NAMES = [pytest.param(name, shape, where, id=name) for _, names, shape, where in ROWS for name in names]


def bound_names(source):
    """Fields, arguments, functions and variables of a source text: every name that it binds."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def source_of(module):
    file = ROOT.joinpath(*module.split("."))
    return (file / "__init__.py" if file.is_dir() else file.with_suffix(".py")).read_text(encoding="utf-8")


@for_all(("name", "shape", "where"), NAMES)
def test_every_name_of_the_table_exists_where_it_says_or_is_marked_as_later(name, shape, where):
    if where == "*later*":
        assert not [module for module in MODULES if name in bound_names(source_of(module))]
    else:
        assert name in bound_names(source_of(f"kan_ref.{where}"))


def test_no_name_and_no_letter_stands_in_the_table_twice():
    names = [name for _, names, _, _ in ROWS for name in names]

    assert len(names) > 20
    assert len(set(names)) == len(names)
    assert len({paper for paper, *_ in ROWS}) == len(ROWS)


# --- shapes

DEGREE, N_INTERVALS, BATCH, N_IN, N_OUT, N_ROWS, N_POINTS, N_RESIDUALS = 2, 5, 7, 3, 4, 2, 9, 6


def shapes_in_the_code():
    """Of every array in the table its shape in one network layer of 3 inputs and 4 outputs, at a batch of 7."""
    rng = np.random.default_rng(0)
    network = kr.init_network((N_IN, N_OUT), n_intervals=N_INTERVALS, degree=DEGREE, domain=(-1.0, 1.0), rng=rng)
    x, dy = rng.uniform(-1, 1, (BATCH, N_IN)), rng.normal(size=(BATCH, N_OUT))
    (layer,) = network.layers
    formulas = tuple(SymbolicEdge(0, i, LIBRARY["sin"], i) for i in range(N_ROWS))
    mask = np.where(np.arange(N_IN) < N_ROWS, 0.0, 1.0) * np.ones((N_OUT, 1))
    layer = replace(layer, mask=mask, symbolic=formulas, affine=np.ones((N_ROWS, 4)))
    network = kr.Network((layer,))
    _, cache = layer_passes.layer_forward(layer, x)
    d_edges = rng.normal(size=(BATCH, N_OUT, N_IN))
    dx, _ = layer_passes.layer_backward(layer, cache, dy, d_edges)
    arrays = {
        name: getattr(layer, name) for name in ("knots", "breakpoints", "coef", "w_base", "w_spline", "mask", "affine")
    }
    arrays |= {
        "base": cache.base,
        "base_slope": cache.base_slope,
        "theta": network.theta,
        "dy": dy,
        "dx": dx,
        "d_edges": d_edges,
    }
    arrays |= {"edge_outputs": kr.edge_outputs(network, x)[0], "edge_scores": kr.edge_scores(network, x)[0]}
    derivatives = (kr.input_jacobian, kr.input_hessian, kr.input_laplacian)
    arrays |= {function.__name__: function(network, x) for function in derivatives}
    kind = jet_kind.directional_kind(np.eye(N_IN), [(0, 1)])
    arrays["directions"], arrays["jet"] = (kind.directions, jets.jet_at(network, x, kind))
    arrays["d_jet"] = np.ones(arrays["jet"].shape)
    arrays["basis"] = kr.bspline.basis(x, layer.knots, DEGREE)
    return {name: array.shape for name, array in (arrays | arrays_of_a_condition(network)).items()}


def arrays_of_a_condition(network):
    """What a user's function is handed and has to answer, as `fit` takes it: r_a = a sum of all numbers of u, du and d2u."""
    found = {}

    def function(x, u, du, d2u):
        factors = np.arange(1.0, 1 + N_RESIDUALS)
        found.update(u=u, du=du, d2u=d2u)
        found["residual"] = factors * (u.sum(axis=1) + du.sum(axis=(1, 2)) + d2u.sum(axis=(1, 2, 3)))[:, None]
        found["by_u"], found["by_du"], found["by_d2u"] = (
            np.broadcast_to(factors.reshape(-1, *[1] * (thing.ndim - 1)), (N_POINTS, N_RESIDUALS, *thing.shape[1:]))
            for thing in (u, du, d2u)
        )
        return found["residual"], found["by_u"], found["by_du"], found["by_d2u"]

    points = np.random.default_rng(1).uniform(-1, 1, (N_POINTS, N_IN))
    kr.fit(network, equations=[kr.function_term(points, function)], n_steps=0)
    return found


def shape_in_words(words):
    """A shape such as (n_in, n_intervals + 2 degree + 1) in numbers."""
    sizes = {
        "batch": BATCH,
        "n_in": N_IN,
        "n_out": N_OUT,
        "degree": DEGREE,
        "n_intervals": N_INTERVALS,
        "n_basis": N_INTERVALS + DEGREE,
    }
    sizes |= {"n_directions": N_IN, "n_components": 1 + N_IN + 1}
    sizes |= {"n": N_POINTS, "n_residuals": N_RESIDUALS}
    sizes |= {"n_rows": N_ROWS, "n_params": N_OUT * N_IN * (sizes["n_basis"] + 2) + 4 * N_ROWS}
    return tuple(
        sum(
            int(factor or 1) * (sizes[word] if word else 1)
            for factor, word in re.findall(r"(\d*) ?([a-z_]*)", axis)
            if factor or word
        )
        for axis in words.strip("()").split(",")
        if axis
    )


def test_every_array_has_the_shape_that_the_table_says():
    in_the_table = {
        name: shape_in_words(shape) for _, names, shape, where in ROWS for name in names if shape.startswith("(")
    }

    assert in_the_table == shapes_in_the_code()


def test_theta_runs_through_the_layers_as_the_page_says():
    network = kr.init_network((2, 3, 1), n_intervals=4, degree=3, domain=(0.0, 1.0), rng=np.random.default_rng(0))

    pieces = [
        getattr(layer, name).ravel(order="C") for layer in network.layers for name in ("coef", "w_base", "w_spline")
    ]

    np.testing.assert_array_equal(np.concatenate(pieces), network.theta)


# --- docstrings


def parameter_section(docstring, title="Parameters"):
    """(name, what stands after the colon) of every entry of a numpydoc section, in order; None if there is none."""
    lines = inspect.cleandoc(docstring).splitlines()
    starts = [n for n, line in enumerate(lines[:-1]) if line == title and set(lines[n + 1]) == {"-"}]
    if not starts:
        return None
    entries = []
    for n in range(starts[0] + 2, len(lines)):
        if n + 1 < len(lines) and lines[n + 1] and set(lines[n + 1]) == {"-"}:
            break
        if lines[n] and not lines[n].startswith(" "):
            names, _, kind = lines[n].partition(" : ")
            entries += [(name.strip(), kind.strip()) for name in names.split(",")]
    return entries


def functions_and_records():
    """Every function and class that a module of the package defines under a name without underscore."""
    for module in MODULES:
        for name, thing in vars(importlib.import_module(module)).items():
            own = getattr(thing, "__module__", None) == module and not name.startswith("_")
            if own and (inspect.isfunction(thing) or inspect.isclass(thing)):
                yield pytest.param(thing, id=f"{module.removeprefix('kan_ref.')}.{name}")


def parameters_of(thing):
    """(names that go by position, names that go by keyword alone), in order."""
    if dataclasses.is_dataclass(thing):
        return [field.name for field in dataclasses.fields(thing) if field.init], []
    parameters = [parameter for name, parameter in inspect.signature(thing).parameters.items() if name != "self"]
    keywords = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    return [parameter.name for parameter in parameters if parameter.name not in keywords], keywords


@for_all("thing", list(functions_and_records()))
def test_documented_parameters_are_those_of_the_signature_those_by_position_in_its_order(thing):
    documented = parameter_section(thing.__doc__)

    if documented is not None:
        names, (by_position, by_keyword) = ([name.lstrip("*") for name, _ in documented], parameters_of(thing))
        assert sorted(names) == sorted(by_position + by_keyword)
        assert [name for name in names if name in by_position] == by_position


@for_all("thing", list(functions_and_records()))
def test_documented_defaults_are_those_of_the_signature(thing):
    defaults = {name: parameter.default for name, parameter in inspect.signature(thing).parameters.items()}

    for name, kind in parameter_section(thing.__doc__) or []:
        if kind.endswith("optional"):
            assert defaults[name] is None
        if ", default " in kind:
            assert defaults[name] == ast.literal_eval(kind.partition(", default ")[2])


@for_all("name", kr.__all__)
def test_every_public_function_documents_its_parameters_and_what_it_returns(name):
    thing = getattr(kr, name)

    if inspect.isfunction(thing):
        assert parameter_section(thing.__doc__)
        assert parameter_section(thing.__doc__, "Returns")
    elif inspect.isclass(thing):  # of what only the library makes, the attributes are told
        assert parameter_section(thing.__doc__) or parameter_section(thing.__doc__, "Attributes")


# --- tags of formulas

TAGS = {module: re.findall(r"# \[(/?)eq:([a-z0-9-]+)\]", source_of(module)) for module in MODULES}
OPENED = [name for tags in TAGS.values() for slash, name in tags if not slash]


@for_all("module", MODULES)
def test_every_tag_is_closed_before_the_next_one_opens(module):
    tags = TAGS[module]

    assert [slash for slash, _ in tags] == ["", "/"] * (len(tags) // 2)
    assert [name for _, name in tags[::2]] == [name for _, name in tags[1::2]]


def test_no_tag_names_two_formulas():
    assert sorted(OPENED) == sorted(set(OPENED))


@for_all("module", MODULES)
def test_docstrings_point_at_formulas_that_are_tagged(module):
    assert set(re.findall(r":eq:`([^`]+)`", source_of(module))) <= set(OPENED)
