"""The hash of a figure's code: prose leaves it alone, code of the import closure changes it, other code does not."""

import itertools
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from checkout import ROOT
from toy_runs import compute_all, plan_of

from figures import __main__ as program
from figures.machine import computing, records, source, stale
from figures.machine.catalog import all_figures
from figures.machine.machine import Claim, sources
from figures.scaling import theorem_2_1
from figures.splines import fig_2_2_b_splines
from figures.tables import table_2_human

PACKAGE = {
    "__init__.py": "",
    "figure.py": '''"""A figure."""
import numpy as np
from shop import tools
from shop.lib import chosen
from shop import lazy as quick

SIZE = 3  # points

def run(config):
    """Return a number."""
    from shop.late import later
    return chosen(SIZE) + later() + tools.used.value + quick.fast()
''',
    "late.py": "def later():\n    return 1\n",
    "lib/__init__.py": '"""Names."""\nfrom shop.lib.a import chosen as chosen\nfrom shop.lib.b import other as other\n',
    "lib/a.py": "from . import shared\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from shop.typed import T\n\ndef chosen(x):\n    return shared.double(x)\n",
    "lib/b.py": "def other():\n    return 2\n",
    "lib/shared.py": "def double(x):\n    return 2 * x\n",
    "tools/__init__.py": "from shop.tools import used as used, unused as unused\n",
    "tools/used.py": "value = 1\n",
    "tools/unused.py": "value = 2\n",
    "lazy/__init__.py": "def __getattr__(name):\n    raise AttributeError(name)\n",
    "lazy/__init__.pyi": "from shop.lazy.quick import fast as fast\nfrom shop.lazy.slow import slow as slow\n",
    "lazy/quick.py": "def fast():\n    return 5\n",
    "lazy/slow.py": "def slow():\n    return 6\n",
    "typed.py": "T = int\n",
}
CLOSURE = ["figure", "late", "lazy.quick", "lib.a", "lib.shared", "tools.used"]


def ask(folder, expression):
    """The value of an expression about `source` in a fresh process, which reads the package `shop` of the folder."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    code = f"from figures.machine import source; print({expression})"
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return ended.stdout.strip()


def write_package(folder, files):
    for name, text in files.items():
        path = folder / "shop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def hash_with(tmp_path):
    """A function: the hash of the package's figure with some of its files changed."""
    numbers = itertools.count()

    def hash_of(**changes):
        folder = tmp_path / str(next(numbers))
        named = {name.replace("__", "/", 1) + ".py": text for name, text in changes.items()}
        write_package(folder, PACKAGE | named)
        return ask(folder, "source.source_hash('shop.figure')")

    return hash_of


def test_the_closure_is_what_is_imported_and_through_packages_only_what_is_named(tmp_path):
    write_package(tmp_path, PACKAGE)

    found = ask(tmp_path, "sorted(source.import_closure('shop.figure'))")

    assert found == str([f"shop.{name}" for name in CLOSURE])


def test_a_package_used_as_a_value_counts_as_a_whole(tmp_path):
    changed = PACKAGE["figure.py"].replace("tools.used.value", "len(dir(tools))")
    write_package(tmp_path, PACKAGE | {"figure.py": changed})

    found = ask(tmp_path, "sorted(source.import_closure('shop.figure'))")

    assert "shop.tools.unused" in found
    assert "shop.lib.b" not in found


def test_comments_docstrings_and_form_keep_the_hash(hash_with):
    plain = hash_with()
    reworded = PACKAGE["figure.py"].replace("# points", "# of points, three of them")
    reworded = reworded.replace("A figure.", "Something else.").replace(
        "Return a number", "Give one"
    )
    undocumented = PACKAGE["figure.py"].replace('"""A figure."""', "")
    spread_out = PACKAGE["figure.py"].replace("SIZE = 3", "\n\nSIZE = (\n    3\n)")
    documented = "# new\ndef double(x):\n    'Return twice x.'\n    return 2 * x\n"

    assert hash_with(figure=reworded) == plain
    assert hash_with(figure=undocumented) == plain
    assert hash_with(figure=spread_out) == plain
    assert hash_with(lib__shared=documented) == plain


def test_a_constant_and_the_code_of_imported_modules_change_the_hash(hash_with):
    figure = PACKAGE["figure.py"]
    hashes = [
        hash_with(),
        hash_with(figure=figure.replace("SIZE = 3", "SIZE = 4")),
        hash_with(figure=figure.replace("SIZE = 3", "SIZE = 3.0")),
        hash_with(figure=figure.replace("chosen(SIZE) +", "chosen(SIZE) -")),
        hash_with(late="def later():\n    return -1\n"),
        hash_with(lib__shared="def double(x):\n    return x + x\n"),
        hash_with(tools__used="value = 3\n"),
        hash_with(lazy__quick="def fast():\n    return 55\n"),
        hash_with(lib____init__="from shop.lib.b import other as chosen\n"),
    ]

    assert len(set(hashes)) == len(hashes)


def test_modules_outside_the_closure_do_not_change_the_hash(hash_with):
    plain = hash_with()

    assert hash_with(lib__b="def other():\n    return 3\n") == plain
    assert hash_with(tools__unused="value = 4\n") == plain
    assert hash_with(lazy__slow="def slow():\n    return 7\n") == plain
    assert hash_with(typed="T = float\n") == plain
    assert hash_with(new="x = 1\n") == plain


@pytest.mark.parametrize(
    "figure", [fig_2_2_b_splines, theorem_2_1, table_2_human], ids=lambda figure: figure.NAME
)
def test_every_function_that_a_run_calls_is_in_the_closure(figure):
    config = figure.configs(False, None)[0]
    figure.run(config)  # what loads lazily is there then
    called = set()

    def note(frame, event, argument):
        if event == "call":
            called.add(frame.f_code.co_filename)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        figure.run(config)
    finally:
        sys.setprofile(before)

    ours = {path for path in called if path.startswith((f"{ROOT}/kan_ref/", f"{ROOT}/figures/"))}
    closure = {str(path) for path in source.import_closure(figure.__name__).values()}
    assert ours - {f"{ROOT}/kan_ref/__init__.py"} <= closure  # it only finds public names
    assert len(ours) >= 3


@pytest.mark.parametrize("figure", all_figures().values(), ids=lambda figure: figure.NAME)
def test_a_figure_depends_on_its_own_module_and_not_on_all_of_the_package(figure):
    closure = source.import_closure(figure.__name__)

    # a module, or a value in one
    assert {figure.__name__, figure.__name__.rpartition(".")[0]} & closure.keys()
    assert "kan_ref.checks.values" in closure
    assert not any(name.startswith("kan_ref.conformance") for name in closure)
    assert "figures.machine.records" not in closure
    assert not any(path.name == "__init__.py" for path in closure.values())


def test_a_module_without_a_source_file_is_named():
    with pytest.raises(
        ImportError, match=r"nowhere\.figure is imported, but nowhere has no source"
    ):
        source.source_hash("nowhere.figure")


# --- records of other code


def test_a_record_holds_the_hash_of_its_figure(toy, tmp_path):
    list(computing.compute_all(plan_of(toy, tmp_path).missing))

    hashes = {record["versions"]["source"] for record in plan_of(toy, tmp_path).finished}
    assert hashes == {source.source_hash("toy_figure")}
    assert hashes.pop().startswith(source.PREFIX)


def origin_messages(said):
    return [line for line in said.splitlines() if "stem from" in line or "other code" in line]


def test_records_of_other_code_are_used_but_counted_for_each_figure(
    toy_program, tmp_path, monkeypatch, capsys
):
    arguments = ["--out", str(tmp_path / "out"), "--seeds", "2"]
    toy_program(arguments)
    assert origin_messages(capsys.readouterr().err) == []
    monkeypatch.setattr(
        "figures.machine.catalog.source_hash", lambda module: f"{source.PREFIX}other"
    )

    assert toy_program(arguments) == 0

    said = capsys.readouterr().err
    assert origin_messages(said) == ["records of other code than the present: toy 2 of 2"]
    assert f"delete them in {tmp_path / 'out' / 'records'}" in said
    assert (tmp_path / "log").read_text().split() == ["1", "0"]


def test_records_with_a_hash_of_the_whole_package_count_as_other_code(
    toy_program, tmp_path, monkeypatch, capsys
):
    arguments = ["--out", str(tmp_path / "out"), "--seeds", "2", "--list"]
    monkeypatch.setattr(computing, "source_hash", lambda module: "f0d85498741e")
    toy_program(arguments[:-1])
    capsys.readouterr()

    toy_program(arguments)

    assert origin_messages(capsys.readouterr().err) == [
        "records of other code than the present: toy 2 of 2"
        " (2 of them have a hash of another kind, of the whole package)"
    ]


def test_other_versions_are_named(toy_program, tmp_path, monkeypatch, capsys):
    arguments = ["--out", str(tmp_path / "out"), "--seeds", "2"]
    toy_program(arguments)
    capsys.readouterr()
    changed = {**computing.versions(), "numpy": "9.9"}
    monkeypatch.setattr("figures.machine.catalog.versions", lambda: changed)

    toy_program(arguments)

    (message,) = origin_messages(capsys.readouterr().err)
    assert message.startswith("figure toy: 2 of 2 records stem from other versions than ")
    assert "numpy 9.9" in message


# --- stale records


@pytest.fixture
def stale_records(toy_program, toy, tmp_path, monkeypatch, capsys):
    """The arguments of a program whose six records are of other code; a claim says yes to small squares."""
    arguments = ["--out", str(tmp_path / "out"), "--seeds", "6"]
    toy_program(arguments)
    capsys.readouterr()
    monkeypatch.setattr("figures.machine.stale.source_hash", lambda module: "another")

    def claims(records):
        small = all(record["results"]["square"] < 30.0 for record in records)
        return [Claim("squares are small", "", "", "yes" if small else "no", "")]

    monkeypatch.setattr(toy, "claims", claims)
    return [*arguments, "--stale"]


def test_stale_records_are_listed_and_a_sample_with_the_same_verdicts_passes(
    stale_records, toy_program, tmp_path, capsys
):
    assert toy_program(stale_records) == 0

    assert "toy 6 of 6 records, a sample of 3 takes" in (said := capsys.readouterr().out)
    assert "all verdicts are the same" in said
    assert len((tmp_path / "log").read_text().split()) == 6 + 3


def test_a_stale_sample_with_another_verdict_or_a_failure_does_not_pass(
    stale_records, toy_program, monkeypatch, capsys
):
    monkeypatch.setenv("TOY_RESULT", "31")
    assert toy_program(stale_records) == 1
    reported = capsys.readouterr()
    assert "from the sample alone: 'squares are small' was yes, is no" in reported.out
    assert "figure toy: compute its records again" in reported.err

    monkeypatch.setenv("TOY_FAILS", "0")
    monkeypatch.setattr("figures.machine.stale.SHARES", (0.0, 0.2, 0.4, 0.6, 0.8, 0.9))
    assert toy_program(stale_records) == 1
    assert "ArithmeticError: no square today" in capsys.readouterr().out


def test_without_time_stale_records_are_only_listed_and_present_ones_are_not_stale(
    stale_records, toy_program, tmp_path, monkeypatch, capsys
):
    assert toy_program([*stale_records, "--minutes", "0"]) == 0
    assert capsys.readouterr().out.endswith("not checked\n")
    assert len((tmp_path / "log").read_text().split()) == 6

    monkeypatch.setattr("figures.machine.stale.source_hash", source.source_hash)
    assert toy_program(stale_records) == 0
    assert capsys.readouterr().out == "no record is stale\n"


def test_a_derived_figure_is_stale_with_the_records_that_it_is_drawn_from(
    stale_records, toy_program, toy, monkeypatch, capsys
):
    derived = SimpleNamespace(NAME="derived", RECORDS_OF=(toy,))
    monkeypatch.setattr(program, "find_figures", lambda names: [derived])

    assert toy_program([*stale_records, "--minutes", "0"]) == 0

    assert "toy 6 of 6 records, " in capsys.readouterr().out


def test_the_table_of_claims_says_which_command_lists_the_stale_records(toy_program, tmp_path):
    out = tmp_path / "out"
    toy_program(["--out", str(out), "--seeds", "2"])

    head = (out / "claims.md").read_text().partition("|")[0]

    assert "Each record names the code that computed it" in head
    assert "`python -m figures --seeds 2 --stale` lists these records." in head


# --- pictures


def test_a_picture_is_outdated_if_its_records_or_its_code_are_newer(toy, tmp_path, monkeypatch):
    closure = {"toy_figure": tmp_path / "toy_figure.py"}  # in one process it is found once
    monkeypatch.setattr(stale, "import_closure", lambda name: closure)
    assert stale.is_outdated(toy, tmp_path)
    compute_all(toy, tmp_path)
    ((name, content),) = stale.draw(plan_of(toy, tmp_path), "svg").items()
    picture = tmp_path / name
    picture.write_bytes(content)
    assert name == "toy_figure.svg"
    assert not stale.is_outdated(toy, tmp_path)

    later = picture.stat().st_mtime_ns
    record = next((tmp_path / "records" / "toy_figure").glob("*.json"))
    for newer in (record, tmp_path / "toy_figure.py"):
        later += 10**9
        os.utime(newer, ns=(later, later))
        assert stale.is_outdated(toy, tmp_path)
        os.utime(picture, ns=(later, later))
        assert not stale.is_outdated(toy, tmp_path)


def test_outdated_pictures_are_drawn_once_and_a_figure_that_lacks_records_is_left_out(tmp_path):
    from_code_alone = {name for name, figure in all_figures().items() if not sources(figure)}

    assert set(stale.draw_outdated(tmp_path, 1)) == from_code_alone
    assert len(list(tmp_path.glob("*.svg"))) == len(from_code_alone) > 0
    assert stale.draw_outdated(tmp_path, 1) == []


def test_a_picture_that_cannot_be_drawn_is_named(tmp_path):
    broken = {
        "figure": theorem_2_1.NAME,
        "config": theorem_2_1.configs(True, None)[0],
        "seed": None,
        "results": {},
        "versions": {},
        "seconds": 1.0,
    }
    path = records.collected_path(tmp_path, theorem_2_1)
    records.write_record(path, records.record_bytes(broken))

    with pytest.raises(RuntimeError, match=r"the picture of figure theorem-2\.1 is not drawn: "):
        stale.draw_outdated(tmp_path, 1)
