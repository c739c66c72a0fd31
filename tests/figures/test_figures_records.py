"""Records collected into one file a figure: nothing is lost, whatever the order and whenever it is interrupted."""

import itertools
import json
import os
import random
import subprocess
import sys
from types import SimpleNamespace

import pytest
from checkout import ROOT
from damaged_json import damaged
from hypothesis import given
from hypothesis import strategies as st
from toy_runs import TOY, compute_all, plan_of, seeds_run

from figures import __main__ as program
from figures.machine import records
from figures.machine.catalog import all_figures
from figures.machine.records import collect, collected_path, record_bytes, record_path, write_record


def record_of(figure, seed, **changes):
    """A record as `computing.compute` makes it."""
    made_with = {"python": "3", "numpy": "2", "kan_ref": "0", "machine": "x", "commit": "0123"}
    record = {
        "figure": figure.NAME,
        "config": {"seed": seed, "pause": 0.0},
        "seed": seed,
        "results": {"square": float(seed**2), "zero": -0.0, "tiny": 5e-324, "third": 1 / 3},
        "versions": made_with,
        "seconds": 0.5,
    }
    return {**record, **changes}


def write(folder, figure, record):
    path = record_path(folder, figure, record["config"])
    write_record(path, record_bytes(record))
    return path


def files_below(folder):
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_collected_records_are_the_written_ones_bit_by_bit_and_the_single_files_are_gone(
    toy, tmp_path
):
    written = [record_of(toy, seed) for seed in range(3)]
    for record in written:
        write(tmp_path, toy, record)

    merged = collect(tmp_path, toy)

    assert (merged.n_merged, merged.complaints) == (3, [])
    assert files_below(tmp_path / "records") == ["toy_figure.jsonl"]
    found = plan_of(toy, tmp_path).finished
    assert [json.dumps(record) for record in found] == [json.dumps(record) for record in written]


def test_the_order_of_the_runs_does_not_show(toy, tmp_path):
    contents = set()
    for n, order in enumerate(itertools.permutations(range(4))):
        folder = tmp_path / str(n)
        for place, seed in enumerate(order):
            write(folder, toy, record_of(toy, seed))
            if place % 2:
                collect(folder, toy)
        contents.add(collected_path(folder, toy).read_bytes())

    assert len(contents) == 1


def test_lines_are_sorted_by_the_text_of_their_configurations_and_a_new_record_adds_one(
    toy, tmp_path
):
    seeds = list(range(12))
    random.Random(0).shuffle(seeds)
    for seed in seeds[1:]:
        write(tmp_path, toy, record_of(toy, seed))
    collect(tmp_path, toy)
    before = collected_path(tmp_path, toy).read_text().splitlines()
    write(tmp_path, toy, record_of(toy, seeds[0]))

    collect(tmp_path, toy)

    after = collected_path(tmp_path, toy).read_text().splitlines()
    keys = [records.config_key(json.loads(line)["config"]) for line in after]
    assert keys == sorted(keys)
    assert [line for line in after if json.loads(line)["seed"] != seeds[0]] == before
    assert len(after) == 12


def test_collecting_again_changes_nothing(toy, tmp_path):
    write(tmp_path, toy, record_of(toy, 1))
    collect(tmp_path, toy)
    path = collected_path(tmp_path, toy)
    before = path.stat().st_mtime_ns, path.read_bytes()

    merged = collect(tmp_path, toy)

    assert (merged.n_merged, merged.complaints) == (0, [])
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before


def test_without_records_nothing_is_written(toy, tmp_path):
    assert collect(tmp_path, toy).n_merged == 0
    assert files_below(tmp_path / "records") == []


def test_collected_records_are_used_and_a_single_file_is_newer(toy, tmp_path):
    write(tmp_path, toy, record_of(toy, 0, results={"square": "old"}))
    write(tmp_path, toy, record_of(toy, 1, results={"square": "kept"}))
    collect(tmp_path, toy)
    write(tmp_path, toy, record_of(toy, 0, results={"square": "new"}))

    def squares():
        return [record["results"]["square"] for record in plan_of(toy, tmp_path).finished]

    assert squares() == ["new", "kept"]
    assert collect(tmp_path, toy).n_merged == 1
    assert squares() == ["new", "kept"]


def test_runs_compute_only_what_neither_place_has(toy, tmp_path):
    compute_all(toy, tmp_path, seeds=2)
    collect(tmp_path, toy)
    compute_all(toy, tmp_path, seeds=3)

    compute_all(toy, tmp_path, seeds=5)

    assert sorted(seeds_run(tmp_path)) == [0, 1, 2, 3, 4]
    assert [record["seed"] for record in plan_of(toy, tmp_path, 5).finished] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda line: line[: len(line) // 2], "line 2, is not JSON"),
        (lambda line: "", "line 2, is not JSON"),
        (lambda line: "<<<<<<< HEAD", "line 2, is not JSON"),
        (lambda line: line.replace("0.5", "Infinity"), "Infinity is not allowed"),
        (lambda line: line.replace('"toy"', '"2.3"'), "holds a record of figure 2.3, not toy"),
        (lambda line: line.replace('"seed": 1', '"seed": 0'), "repeats the configuration"),
        (lambda line: "[]", "does not hold exactly figure, config"),
    ],
)
def test_a_broken_line_is_named_once_and_computed_again_and_never_overwritten(
    toy, tmp_path, spoil, message
):
    compute_all(toy, tmp_path)
    for record in plan_of(toy, tmp_path).finished:
        write(tmp_path, toy, {**record, "seconds": 0.5})
    collect(tmp_path, toy)
    path = collected_path(tmp_path, toy)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], spoil(lines[1]), lines[2]]) + "\n")
    spoilt = path.read_bytes()

    plan = plan_of(toy, tmp_path)

    assert len(plan.complaints) == 1
    assert plan.complaints[0].startswith("toy_figure.jsonl, line 2,")
    assert message in plan.complaints[0]
    assert [task.config["seed"] for task in plan.missing] == [1]
    compute_all(toy, tmp_path)
    merged = collect(tmp_path, toy)
    assert merged.n_merged == 0
    assert (
        merged.complaints[-1]
        == "toy_figure.jsonl is left as it is: correct or delete such lines, then collect again"
    )
    assert path.read_bytes() == spoilt
    assert plan_of(toy, tmp_path).missing == []
    path.write_text("\n".join([lines[0], lines[2]]) + "\n")
    assert collect(tmp_path, toy).n_merged == 1
    assert len(path.read_text().splitlines()) == 3


def test_a_broken_single_file_stays_and_the_others_are_merged(toy, tmp_path):
    write(tmp_path, toy, record_of(toy, 0))
    bad = write(tmp_path, toy, record_of(toy, 1))
    bad.write_text("{")

    merged = collect(tmp_path, toy)

    assert merged.n_merged == 1
    assert [message.partition(" is not JSON")[0] for message in merged.complaints] == [
        f"toy_figure/{bad.name}"
    ]
    assert bad.read_text() == "{"
    assert [record["seed"] for record in plan_of(toy, tmp_path).finished] == [0]


@pytest.mark.parametrize("step", ["replace", "after replace", "first unlink", "second unlink"])
def test_an_interruption_at_any_step_loses_nothing(toy, tmp_path, monkeypatch, step):
    """The process ends without cleaning up, as by kill -9; the next call finishes the work."""
    write(tmp_path, toy, record_of(toy, 9))
    collect(tmp_path, toy)
    for seed in range(3):
        write(tmp_path, toy, record_of(toy, seed))
    code = f"""
import os, pathlib
from pathlib import Path
import toy_figure
from figures.machine import records
count = {{"first unlink": 1, "second unlink": 2}}.get({step!r}, 0)
replace, unlink = os.replace, Path.unlink
def replacing(source, target):
    if {step!r} == "replace":
        os._exit(9)
    replace(source, target)
    if {step!r} == "after replace":
        os._exit(9)
def unlinking(path, *arguments, **options):
    global count
    count -= 1
    if count == 0:
        os._exit(9)
    return unlink(path, *arguments, **options)
os.replace, Path.unlink = replacing, unlinking
records.collect(Path({str(tmp_path)!r}), toy_figure)
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert ended.returncode == 9

    def seeds():
        return sorted(record["seed"] for record in plan_of(toy, tmp_path, 10).finished)

    assert seeds() == [0, 1, 2, 9]
    assert collect(tmp_path, toy).complaints == []
    assert seeds() == [0, 1, 2, 9]
    assert [
        name for name in files_below(tmp_path / "records") if name.endswith((".json", ".jsonl"))
    ] == ["toy_figure.jsonl"]


def test_nothing_is_removed_unless_the_collected_file_reads_back(toy, tmp_path, monkeypatch):
    path = write(tmp_path, toy, record_of(toy, 0))
    monkeypatch.setattr(records, "write_record", lambda path, content: None)

    with pytest.raises(OSError, match="does not hold the records that were written to it"):
        collect(tmp_path, toy)

    assert path.exists()


def test_a_record_that_a_run_replaces_meanwhile_is_not_removed(toy, tmp_path, monkeypatch):
    path = write(tmp_path, toy, record_of(toy, 0, results={"square": "old"}))
    original = records.write_record

    def write_and_run(target, content):
        original(target, content)
        original(path, record_bytes(record_of(toy, 0, results={"square": "new"})))

    monkeypatch.setattr(records, "write_record", write_and_run)
    collect(tmp_path, toy)

    assert plan_of(toy, tmp_path).finished[0]["results"] == {"square": "new"}


# --- the program


def test_collect_merges_says_so_and_neither_computes_nor_draws(toy_program, toy, tmp_path, capsys):
    out = tmp_path / "out"
    write(out, toy, record_of(toy, 0))

    assert toy_program(["--collect", "--out", str(out)]) == 0

    assert capsys.readouterr().out == f"figure toy: 1 record merged in {out}\n"
    assert files_below(out) == ["records/toy_figure.jsonl"]
    assert seeds_run(tmp_path) == []
    assert toy_program(["--collect", "--out", str(out)]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("kind", ["nothing", "a file", "an empty folder", "other records"])
def test_a_folder_without_records_of_the_figures_is_no_success(
    toy_program, toy, tmp_path, capsys, kind
):
    """Its name may be misspelt."""
    out = tmp_path / "out"
    if kind == "a file":
        out.touch()
    elif kind != "nothing":
        out.mkdir()
    if kind == "other records":
        write_record(out / "records" / "another.jsonl", b"{}")

    assert toy_program(["--collect", "--out", str(out)]) == 2

    printed = capsys.readouterr()
    assert f"the folder is {out}, but must hold records of any figure" in printed.err
    assert printed.out == ""


def test_collect_names_what_is_broken_and_fails(toy_program, toy, tmp_path, capsys):
    write(tmp_path / "out", toy, record_of(toy, 0)).write_text("{")

    assert toy_program(["--collect", "--out", str(tmp_path / "out")]) == 1

    assert "figure toy: toy_figure/" in capsys.readouterr().err


def test_collect_alone_means_quick_and_full_records(toy_program, toy, tmp_path, monkeypatch):
    quick, full = tmp_path / "quick", tmp_path / "full"
    monkeypatch.setattr(program, "QUICK", quick)
    monkeypatch.setattr(program, "FULL", full)
    for folder in (quick, full):
        write(folder, toy, record_of(toy, 0))

    assert toy_program(["--collect", "--full"]) == 0
    assert not collected_path(quick, toy).exists()
    assert collected_path(full, toy).exists()
    assert toy_program(["--collect"]) == 0
    assert collected_path(quick, toy).exists()


def test_collect_alone_needs_records_in_one_of_its_two_folders(
    toy_program, toy, tmp_path, monkeypatch, capsys
):
    quick, full = tmp_path / "quick", tmp_path / "full"
    monkeypatch.setattr(program, "QUICK", quick)
    monkeypatch.setattr(program, "FULL", full)
    assert toy_program(["--collect"]) == 2
    assert f"the folder is {quick} or {full}, but must hold" in capsys.readouterr().err

    write(full, toy, record_of(toy, 0))

    assert toy_program(["--collect"]) == 0


def test_pictures_and_table_are_the_same_from_single_files_and_from_collected_ones(
    toy_program, toy, tmp_path
):
    out = tmp_path / "out"
    toy_program(["--out", str(out)])
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}

    toy_program(["--collect", "--out", str(out)])
    toy_program(["--out", str(out)])

    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before
    assert len(before) == 4  # two pictures, claims.md, reproduced.md
    assert len(seeds_run(tmp_path)) == 3


def test_the_table_alone_is_written_without_runs_and_pictures(toy_program, toy, tmp_path):
    out = tmp_path / "out"
    for seed in range(3):
        write(out, toy, record_of(toy, seed))

    assert toy_program(["--table", "--out", str(out)]) == 0

    assert (
        "| toy | squares grow | yes | [0.0, 1.0, 4.0] | yes | toy |"
        in (out / "claims.md").read_text()
    )
    assert seeds_run(tmp_path) == []
    assert not (out / "toy_figure.png").exists()


# --- the repository


@pytest.mark.parametrize("figure", all_figures().values(), ids=lambda figure: figure.NAME)
def test_the_records_of_the_repository_are_whole_sorted_and_written_as_collect_writes_them(figure):
    """A source distribution has no records, and then there is nothing that could be wrong with them."""
    folder = ROOT / "figures/results"
    found = records.find_records(folder, figure)

    assert found.broken_lines == []
    path = collected_path(folder, figure)
    content = path.read_bytes() if path.exists() else b""
    assert content == b"".join(
        record_bytes(found.collected[key]) for key in sorted(found.collected)
    )


def test_single_files_of_full_runs_are_ignored_by_git_and_collected_ones_are_not():
    lines = (ROOT / ".gitignore").read_text().splitlines() if (ROOT / ".git").exists() else []
    names = {
        "figures/results/records/table_1/0.json": 0,
        "figures/results/records/table_1.jsonl": 1,
    }
    for name, status in names.items() if lines else ():
        ended = subprocess.run(
            ["git", "check-ignore", "-q", name], cwd=ROOT, env=os.environ, check=False
        )
        assert ended.returncode == status


# --- records of any form


@given(seed=st.integers(0, 2**32))
def test_a_record_with_one_fault_is_used_as_it_is_or_named_in_one_message(toy_module, seed):
    """Where the fault leaves the form of a record, its results or its times may be other numbers."""
    folder, figure = toy_module
    record = record_of(figure, 1)
    path = record_path(folder, figure, record["config"])
    write_record(path, damaged(record, seed))
    line = damaged(record, seed).replace(b"\n", b" ").replace(b"\r", b" ")
    write_record(collected_path(folder, figure), line + b"\n")

    found = records.find_records(folder, figure)
    plan = plan_of(figure, folder)

    assert len(found.single) + len(found.broken_files) == 1
    assert len(found.collected) + len(found.broken_lines) >= 1
    for message in plan.complaints:
        assert message.startswith(("toy_figure/", "toy_figure.jsonl, line "))
        assert message.isprintable()
        assert len(message) < 400
    for used in (*found.collected.values(), *(used for _, used in found.single.values())):
        assert set(used) == set(records.RECORD_KEYS)
        assert isinstance(used["results"], dict | list)
        assert used["config"]["seed"] == used["seed"]


@pytest.fixture(scope="module")
def toy_module(tmp_path_factory):
    """The toy figure for a whole module, with a folder of records."""
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "toy_figure.py").write_text(TOY)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        sys.modules.pop("toy_figure", None)
        import toy_figure

        yield folder, toy_figure
    sys.modules.pop("toy_figure", None)


def put_folder(path):
    path.mkdir(parents=True)


def put_pipe(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)


def put_loop(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(path)


@pytest.mark.parametrize("put", [put_folder, put_pipe, put_loop])
@pytest.mark.parametrize(
    "place", [record_path, lambda folder, figure, _: collected_path(folder, figure)]
)
def test_what_is_no_file_in_the_place_of_one_is_named_and_left_alone(
    toy_program, toy, tmp_path, capsys, put, place
):
    out = tmp_path / "out"
    path = place(out, toy, {"seed": 1, "pause": 0.0})
    put(path)

    assert toy_program(["--list", "--out", str(out)]) == 0
    assert toy_program(["--collect", "--out", str(out)]) == 1

    said = capsys.readouterr().err
    assert f"{path.name} cannot be read: " in said.replace("toy_figure.jsonl, line", "")
    assert os.path.lexists(path)


@pytest.mark.parametrize(
    ("content", "status", "line", "entry"),
    [
        (
            lambda text: text.replace(b'"square": 0.0', b'"round": 0.0'),
            1,
            "figure other: its records have results of another form than it writes (KeyError: ",
            "The rows are left out: the records have results of another form.",
        ),
        (
            lambda text: text[:-20],
            0,
            "other_figure.jsonl, line 3, is not JSON: ",
            "**1 of 3 records is missing.** **Files or lines of records cannot be used.**",
        ),
        (
            lambda text: b"",
            0,
            "other_figure.jsonl is empty, but must hold records: delete it; it is not used",
            "others. **3 of 3 records are missing.** **Files or lines of records cannot be used.**",
        ),
        (
            lambda text: b"".join(text.splitlines(keepends=True)[:1]),
            0,
            "figure other: 2 of 3 records are missing\n",
            "**2 of 3 records are missing.**",
        ),
        (
            lambda text: b"[]",
            0,
            "other_figure.jsonl, line 1, does not hold exactly ",
            "others. **3 of 3 records are missing.** **Files or lines of records cannot be used.**",
        ),
    ],
)
def test_broken_records_of_a_figure_that_was_not_chosen_are_named_and_so_is_what_the_table_lacks(
    toy_program, toy, tmp_path, monkeypatch, capsys, content, status, line, entry
):
    other = SimpleNamespace(
        **{**vars(toy), "__name__": "other_figure", "NAME": "other", "TITLE": "others"}
    )
    monkeypatch.setattr(program, "all_figures", lambda: {"toy": toy, "other": other})
    out = tmp_path / "out"
    for seed in range(3):
        write(out, other, record_of(other, seed))
    collect(out, other)
    path = collected_path(out, other)
    path.write_bytes(content(path.read_bytes()))

    assert toy_program(["--out", str(out)]) == status

    assert line in capsys.readouterr().err
    (shown,) = [one for one in (out / "claims.md").read_text().splitlines() if "- other: " in one]
    assert entry in shown


@pytest.mark.parametrize("results", [{}, [], {"square": {"a": 1}}])
@pytest.mark.parametrize("collected", [False, True])
def test_results_of_another_form_are_named_with_the_remedy_and_cost_no_table(
    toy_program, toy, tmp_path, capsys, results, collected
):
    out = tmp_path / "out"
    for seed in range(3):
        write(out, toy, record_of(toy, seed, **({"results": results} if seed == 1 else {})))
    if collected:
        collect(out, toy)

    status = toy_program(["--out", str(out)])

    said = capsys.readouterr()
    assert status == 1
    assert "Traceback" not in said.err
    (line,) = [line for line in said.err.splitlines() if "another form" in line]
    path = record_path(out, toy, {"seed": 1, "pause": 0.0})
    assert line.startswith("figure toy: its records have results of another form than it writes (")
    if results and not collected:  # claims accept them, only the drawing does not
        assert f"delete {path.name} in " not in line
    elif not collected:
        assert f"delete {path.name} in " in line
        assert line.endswith("and compute them again")
    assert "toy_figure.jsonl again" in line or not collected
    assert (out / "claims.md").exists()
