"""`import kan_ref`: every public name is loaded when it is used, and nothing before."""

import ast
import inspect
import os
import subprocess
import sys

import pytest
from cases import for_all
from checkout import ROOT

import kan_ref


def run(code, *flags, **variables):
    """Return the standard output of a fresh interpreter that finds the package on PYTHONPATH alone."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(
        [sys.executable, *flags, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    ).stdout


def module_files():
    return {path.stem for path in ROOT.glob("kan_ref/*.py")} | {
        path.parent.name for path in ROOT.glob("kan_ref/*/__init__.py")
    }


# sklearn needs an extra, and is tested in tests/sklearn
MODULES = sorted(module_files() - {"__init__", "__main__", "sklearn"})


def test_public_data_say_what_they_are():
    body = ast.parse((ROOT / "kan_ref" / "targets.py").read_text(encoding="utf-8")).body
    (place,) = [n for n, line in enumerate(body) if ast.unparse(line).startswith("TARGETS: ")]

    assert "name -> `Target`" in ast.unparse(body[place + 1])  # its docstring for Sphinx
    assert "functions by name" in inspect.getdoc(kan_ref.LIBRARY)


@for_all("name", kan_ref.__all__)
def test_every_public_name_resolves_and_explains_itself(name):
    thing = getattr(kan_ref, name)

    if callable(thing):
        assert thing.__name__ == name
        assert inspect.getdoc(thing)
        assert f"{inspect.unwrap(thing).__module__}.".startswith(f"kan_ref.{kan_ref._HOME[name]}.")


def test_every_module_is_reached_by_its_own_name_and_explains_itself():
    code = f"""
import kan_ref
for name in {MODULES}:
    module = getattr(kan_ref, name)
    print(name, module.__name__, bool(module.__doc__))
"""

    assert run(code).splitlines() == [f"{name} kan_ref.{name} True" for name in MODULES]


def test_loaded_names_do_not_enter_the_namespace_where_doctest_would_run_their_examples_again():
    code = """
import doctest, kan_ref
for name in kan_ref.__all__:
    getattr(kan_ref, name)
print([test.name for test in doctest.DocTestFinder().find(kan_ref) if test.examples])
"""

    assert run(code).strip() == "[]"


def test_the_table_names_every_public_name_once():
    assert kan_ref.__all__ == sorted(
        name for names in kan_ref._PUBLIC.values() for name in names.split()
    )
    assert len(kan_ref.__all__) == len(set(kan_ref.__all__))


def test_the_modules_that_the_package_finds_are_those_of_its_folder():
    assert list(kan_ref._modules()) == sorted([*MODULES, "sklearn"])


@pytest.mark.parametrize("name", ["__main__", "__wrapped__", "py", "optimizers.adam"])
def test_what_is_neither_public_nor_a_module_of_the_folder_is_no_attribute(name):
    """Run in a fresh interpreter, since an imported module becomes an attribute of its package."""
    assert run(f"import kan_ref; print(hasattr(kan_ref, {name!r}))").strip() == "False"


def test_type_checkers_see_the_names_of_the_table_and_the_modules_of_the_folder():
    body = ast.parse((ROOT / "kan_ref" / "__init__.pyi").read_text(encoding="utf-8")).body
    statements = [node for node in body if isinstance(node, ast.ImportFrom)]
    seen = [
        (statement.module, alias.name, alias.asname)
        for statement in statements
        for alias in statement.names
    ]
    names = [
        (f"kan_ref.{module}", name, name)
        for module, names in kan_ref._PUBLIC.items()
        for name in names.split()
    ]

    assert sorted(seen) == sorted(
        names
        + [("kan_ref", module, module) for module in [*MODULES, "sklearn"]]
        + [("kan_ref.version", "__version__", "__version__")]
    )


def test_type_checkers_are_told_nothing_else():
    body = ast.parse((ROOT / "kan_ref" / "__init__.pyi").read_text(encoding="utf-8")).body

    assert [ast.unparse(node) for node in body[1:] if not isinstance(node, ast.ImportFrom)] == [
        "__all__: list[str]",
        "def __dir__() -> list[str]:\n    ...",
    ]
    assert (ROOT / "kan_ref" / "py.typed").exists()


def test_no_module_is_named_like_a_public_name():
    assert module_files().isdisjoint(kan_ref.__all__)


def test_dir_shows_every_public_name_before_it_is_loaded():
    shown = set(run("import kan_ref; print(*dir(kan_ref))").split())

    assert shown >= {*kan_ref.__all__, *MODULES, "__version__"}


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


def test_a_star_import_gives_exactly_the_public_names():
    code = "before = set(globals()) | {'before'}; from kan_ref import *; print(*set(globals()) - before)"

    assert set(run(code).split()) == set(kan_ref.__all__)


def test_loading_everything_warns_of_nothing_and_prints_nothing():
    code = f"import kan_ref; [getattr(kan_ref, name) for name in kan_ref.__all__ + {MODULES}]"

    assert run(code, "-W", "error") == ""


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "extent_grid",
            r"module 'kan_ref' has no attribute 'extent_grid' \(did you mean 'extend_grid'\?\)",
        ),
        ("bsplines", r"module 'kan_ref' has no attribute 'bsplines' \(did you mean 'bspline'\?\)"),
        ("qqqqq", "module 'kan_ref' has no attribute 'qqqqq'$"),
    ],
)
def test_a_name_that_is_not_there_is_refused_with_the_nearest_one(name, sentence):
    with pytest.raises(AttributeError, match=sentence):
        getattr(kan_ref, name)


def test_without_scikit_learn_everything_else_loads_and_the_estimators_say_what_is_missing():
    code = f"""
import sys
sys.modules["sklearn"] = None  # as if it were not installed
import kan_ref
[getattr(kan_ref, name) for name in kan_ref.__all__ + {MODULES}]
try:
    import kan_ref.sklearn
except ModuleNotFoundError as error:
    print(error)
"""
    assert run(code).strip() == (
        "kan_ref.sklearn needs scikit-learn 1.6 or newer: pip install 'kan_ref[sklearn]'"
    )


def test_the_version_is_a_literal_that_the_build_can_read():
    lines = (ROOT / "kan_ref" / "version.py").read_text(encoding="utf-8").splitlines()

    assert lines.count(f'__version__ = "{kan_ref.__version__}"') == 1
    assert f"## [{kan_ref.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
