"""The machine of the figures, on a small figure: records that survive kill -9, the program, bars, claims and slopes."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import matplotlib as mpl
import pytest
import toy_runs
from checkout import ROOT, take_interrupts
from matplotlib.figure import Figure
from toy_runs import compute_all, plan_of, seeds_run

import kan_ref as kr
from figures import __main__ as program
from figures.machine import computing, machine, pictures, training
from figures.machine.catalog import all_figures, find_figures, list_figures
from figures.machine.machine import Bar, Claim, claims_table, slope, spread
from figures.machine.pictures import style
from figures.machine.records import RecordError, Task, config_key, make_plan, records_path
from figures.splines import fig_2_3_grid_extension

toy, toy_program = toy_runs.toy, toy_runs.toy_program  # fixtures
PLAN = (
    "from pathlib import Path; import toy_figure; from figures.machine import computing;"
    "from figures.machine.records import make_plan;"
    "plan = make_plan(toy_figure, Path({folder!r}), full=False, seeds={seeds});"
)


def lines_in(folder):
    return sum(len(path.read_bytes().splitlines()) for path in folder.glob("records/*.jsonl"))


def wait_for(condition):
    deadline = time.monotonic() + 60.0
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


def results(figure, folder, seeds=None):
    return [record["results"]["square"] for record in plan_of(figure, folder, seeds).finished]


# --- records


def test_a_record_says_what_was_computed_from_what_with_what_and_how_long(toy, tmp_path):
    compute_all(toy, tmp_path)

    record = plan_of(toy, tmp_path).finished[2]
    assert {name: record[name] for name in ("figure", "config", "seed", "results")} == {
        "figure": "toy",
        "config": {"seed": 2, "pause": 0.0},
        "seed": 2,
        "results": {"square": 4.0},
    }
    assert set(record["versions"]) == {"python", "numpy", "kan_ref", "commit", "machine"}
    assert record["versions"]["kan_ref"] == kr.__version__
    assert re.fullmatch(r"unknown|[0-9a-f]{12,}(-dirty)?", record["versions"]["commit"])
    assert 0.0 <= record["seconds"] < 10.0


def test_finished_records_are_used_again_and_lines_are_sorted_whatever_the_order_of_the_runs(toy, tmp_path):
    compute_all(toy, tmp_path, seeds=2)

    compute_all(toy, tmp_path, seeds=5)

    assert sorted(seeds_run(tmp_path)) == [0, 1, 2, 3, 4]
    lines = records_path(tmp_path, toy).read_text().splitlines()
    assert [json.loads(line)["seed"] for line in lines] == [0, 1, 2, 3, 4]
    assert results(toy, tmp_path, 5) == [0.0, 1.0, 4.0, 9.0, 16.0]


@pytest.mark.parametrize("config", [{"grids": (3, 5)}, {"widths": [2, (1, 1)]}, {3: "degree"}])
def test_a_configuration_that_json_would_change_is_refused(config):
    with pytest.raises(TypeError, match="must be plain data that JSON keeps"):
        config_key(config)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "[1, 2]",
        lambda text: json.dumps({**json.loads(text), "config": {"seed": 0, "pause": 0.0}}),
        lambda text: json.dumps({**json.loads(text), "more": 1}),
    ],
)
def test_a_broken_line_is_named_and_left_alone(toy_program, toy, tmp_path, capsys, spoil):
    out = tmp_path / "out"
    compute_all(toy, out)
    path = records_path(out, toy)
    first, second, third = path.read_text().splitlines()
    path.write_text("\n".join([first, spoil(second), third]) + "\n")
    spoilt = path.read_bytes()

    with pytest.raises(RecordError, match=r"toy_figure\.jsonl, line 2"):
        plan_of(toy, out)
    assert toy_program(["--table", "--out", str(out)]) == 1
    assert "toy_figure.jsonl, line 2" in capsys.readouterr().err
    assert path.read_bytes() == spoilt


@pytest.mark.parametrize("bad", ["nan", "inf"])
def test_results_that_are_not_finite_leave_no_record(toy, tmp_path, monkeypatch, bad):
    monkeypatch.setenv("TOY_RESULT", bad)

    outcomes = compute_all(toy, tmp_path, seeds=1)

    assert "Out of range float values are not JSON compliant" in outcomes[0][1]
    assert plan_of(toy, tmp_path, 1).finished == []


# --- interruptions


def test_kill_9_loses_the_record_in_progress_and_no_other(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_PAUSE", "0.15")
    folder, n_seeds = tmp_path / "out", 12
    code = PLAN.format(folder=str(folder), seeds=n_seeds) + ("list(computing.compute_all(plan.missing))")
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    wait_for(lambda: lines_in(folder) >= 3)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    begun, plan = seeds_run(tmp_path), plan_of(toy, folder, n_seeds)
    assert 3 <= len(plan.finished) < n_seeds
    assert len(begun) - len(plan.finished) <= 1

    list(computing.compute_all(plan.missing))

    assert results(toy, folder, n_seeds) == [seed**2 for seed in range(n_seeds)]


def test_ctrl_c_leaves_no_record_even_where_a_run_would_end_early_on_it(toy, tmp_path, monkeypatch):
    """`kr.fit` answers KeyboardInterrupt with the network so far; taken for finished, it would spoil a record."""
    monkeypatch.setenv("TOY_CTRL_C", "1")
    before = signal.getsignal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        compute_all(toy, tmp_path)

    assert signal.getsignal(signal.SIGINT) is before
    assert plan_of(toy, tmp_path).finished == []


def test_ctrl_c_ends_a_ladder_inside_a_fit(tmp_path, monkeypatch):
    config = {
        **training.config_of(training.LBFGS, [2, 1, 1], 5, 0),
        "n_train": 50,
        "n_test": 50,
        "n_starts": 1,
        "start_steps": 2,
        "n_steps": 3,
    }
    task = Task("figures.splines.fig_2_3_grid_extension", config, tmp_path / "record.json")

    def interrupted(*arguments):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(fig_2_3_grid_extension, "rmse", interrupted)
    with pytest.raises(KeyboardInterrupt):
        computing.compute(task)

    assert not task.path.exists()


def test_ctrl_c_ends_the_program_and_its_processes_with_one_line_and_status_130(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_PAUSE", "60")
    code = (
        "import sys; import toy_figure; from figures import __main__ as program; from kan_ref.program import run_program;"
        "program.all_figures = lambda: {'toy': toy_figure}; program.find_figures = lambda names: [toy_figure];"
        "run_program(lambda: program.main(sys.argv[1:]))"
    )
    for jobs in ("1", "2"):
        (tmp_path / "log").unlink(missing_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-c", code, "--out", str(tmp_path / "out"), "--jobs", jobs],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=take_interrupts,
        )
        wait_for(lambda: len(seeds_run(tmp_path)) >= int(jobs))

        os.killpg(process.pid, signal.SIGINT)

        said, complained = process.communicate(timeout=60.0)
        lines = [line for line in complained.splitlines() if line and "%" not in line]
        assert len(lines) == 1
        assert lines[0].startswith("interrupted: 0 of 3 records were finished")
        assert (process.returncode, said) == (130, "")


# --- computing


def test_two_jobs_write_the_same_records_as_one(toy, tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]

    for jobs, folder in enumerate(folders, start=1):
        outcomes = compute_all(toy, folder, jobs=jobs)
        assert sorted(task.config["seed"] for task, _ in outcomes) == [0, 1, 2]
        assert {failure for _, failure in outcomes} == {""}
        if jobs == 1:
            assert seeds_run(tmp_path) == [0, 1, 2]

    one, two = ([{**record, "seconds": 0.0} for record in plan_of(toy, folder).finished] for folder in folders)
    assert one == two
    assert len(one) == 3


ENDS = {
    "os.kill(os.getpid(), signal.SIGKILL)": "its process was terminated",
    "os._exit(7)": "ended without an answer",
    "raise ArithmeticError('no square today')": "ArithmeticError: no square today",
}


@pytest.mark.parametrize("end", ENDS)
def test_whatever_ends_the_process_of_a_record_costs_no_other_record(
    toy_program, toy, tmp_path, monkeypatch, capsys, end
):
    monkeypatch.setenv("TOY_ENDS", "3")
    monkeypatch.setenv("TOY_END", end)
    arguments = ["--out", str(tmp_path / "out"), "--seeds", "6"]

    status = toy_program([*arguments, "--jobs", "2"])

    said = capsys.readouterr()
    assert status == 1
    assert "failed: toy_figure, {'seed': 3, 'pause': 0.0}:" in said.err
    assert ENDS[end] in said.err
    assert "figure toy: 1 of 6 records is missing" in said.err
    assert "| toy | squares grow | yes | [0.0, 1.0, 4.0, 16.0, 25.0] | yes |" in said.out
    for name in ("toy_figure.svg", "claims.md"):
        assert "1 of 6 records is missing" in (tmp_path / "out" / name).read_text()
    monkeypatch.delenv("TOY_ENDS")
    assert toy_program(arguments) == 0
    assert sorted(seeds_run(tmp_path)) == [0, 1, 2, 3, 4, 5]


def test_processes_end_with_the_program_that_is_terminated(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_PAUSE", "60")
    code = PLAN.format(folder=str(tmp_path), seeds=1) + (
        "list(computing.compute_all(plan.missing, computing.in_processes(1)))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: seeds_run(tmp_path))

    process.send_signal(signal.SIGKILL)

    assert process.communicate(timeout=30.0)[0] == b""  # no process has the pipe any more


def test_no_record_begins_when_the_time_is_up(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_PAUSE", "0.3")
    tasks = plan_of(toy, tmp_path, 6).missing

    done = list(computing.compute_all(tasks, seconds=0.45))

    assert [task.config["seed"] for task, _ in done] == [0, 1]
    assert list(computing.in_processes(2)(tasks, time.time() - 1.0)) == []


# --- the program


def test_a_second_call_computes_nothing_and_writes_the_same_bytes(toy_program, tmp_path, capsys):
    out = tmp_path / "out"

    def files():
        return {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}

    assert toy_program(["--out", str(out)]) == 0
    shown, first = capsys.readouterr().out, files()
    assert toy_program(["--out", str(out)]) == 0

    assert len(seeds_run(tmp_path)) == 3
    assert files() == first
    assert sorted(first) == ["claims.md", "reproduced.md", "toy_figure.png", "toy_figure.svg"]
    row = "| toy | squares grow | yes | [0.0, 1.0, 4.0] | yes |"
    assert row in shown
    page = first["claims.md"].decode()
    assert f"{row} toy, judged: 1; yes: at least 1 |" in page
    assert "- toy: squares. 3 records, seeds 0, 1, 2, " in page


def test_a_run_that_is_out_of_time_draws_what_there_is_and_the_next_one_goes_on(
    toy_program, tmp_path, monkeypatch, capsys
):
    """The clock stands still while the first two records are computed."""
    times = iter([0.0, 0.0, 0.0])
    monkeypatch.setattr(computing.time, "time", lambda: next(times, 1e9))
    arguments = ["--out", str(tmp_path / "out"), "--seeds", "5"]

    assert toy_program([*arguments, "--minutes", "1"]) == 3
    said = capsys.readouterr()
    assert "1 minutes are over: 2 of 5 records were finished" in said.err
    assert "figure toy: 3 of 5 records are missing" in said.err
    assert "| toy | squares grow | yes | [0.0, 1.0] | yes |" in said.out

    assert toy_program([*arguments, "--minutes", "0"]) == 3


def test_list_and_table_compute_and_draw_nothing(toy_program, toy, tmp_path, capsys):
    out = tmp_path / "out"

    assert toy_program(["--list", "--seeds", "60", "--out", str(out)]) == 0
    assert "0 of  60 records\n" in capsys.readouterr().out
    assert toy_program(["--table", "--out", str(out)]) == 3
    assert seeds_run(tmp_path) == []
    assert not (out / "toy_figure.png").exists()
    assert (out / "claims.md").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["u-shap"], "there is no figure 'u-shap' (did you mean 'u-shape'?), but 0.1"),
        (["--table", "--list"], "not allowed with argument"),
        (["2.2", "--out", "/dev/null/x"], "/dev/null/x/claims.md, but must be a file in a folder"),
        (["--jobs", "0"], "--jobs"),
        (["--seeds", "-1"], "--seeds"),
        (["--minutes", "nan"], "--minutes"),
        (["--backend", "dask"], "--scheduler"),
        (["--scheduler", "tcp://host:1"], "--backend"),
    ],
)
def test_a_wrong_command_is_refused_in_a_sentence(capsys, arguments, sentence):
    with pytest.raises(SystemExit) as end:
        program.main(arguments)

    assert end.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("name", ["claims.md", "toy_figure.png", "records"])
def test_a_file_that_cannot_be_written_is_named_before_the_work(toy_program, tmp_path, capsys, name):
    """A folder is where a file should be, or the other way round."""
    out = tmp_path / "out"
    (out / name).parent.mkdir(exist_ok=True)
    (out / name).touch() if name == "records" else (out / name).mkdir()

    with pytest.raises(SystemExit):
        toy_program(["--out", str(out)])

    assert f"a file is {out / name}" in capsys.readouterr().err
    assert seeds_run(tmp_path) == []


def test_names_may_have_capitals_and_figures_come_in_the_order_of_the_paper():
    found = find_figures(["B.1", "E.1", "Table-1", "U-shape", "2.2"])

    assert [figure.NAME for figure in found] == ["2.2", "u-shape", "b.1", "e", "table-1"]
    assert find_figures([]) == list(all_figures().values())


def test_threads_are_set_before_numpy_loads():
    code = """
import os, sys
class Spy:
    def find_spec(self, name, path=None, target=None):
        if name == "numpy" and not seen:
            seen.append(os.environ["OMP_NUM_THREADS"] + os.environ["OPENBLAS_NUM_THREADS"])
seen = []
sys.meta_path.insert(0, Spy())
import figures.__main__
print(seen)
"""
    environment = {**os.environ, "OMP_NUM_THREADS": "8", "OPENBLAS_NUM_THREADS": "8"}

    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert shown.stdout == "['11']\n"


# --- figures without records of their own


def drawn_from(*homes):
    """A figure that is drawn from the records of others."""
    return machine.DerivedFigure(
        "derived_figure", "derived", "drawn from others", homes, lambda records: Figure(), lambda records: []
    )


def test_the_program_draws_derived_figures_and_computes_a_shared_record_once(toy, tmp_path, monkeypatch):
    both = {"toy": toy, "derived": drawn_from(toy)}
    monkeypatch.setattr(program, "all_figures", lambda: both)
    monkeypatch.setattr(program, "find_figures", lambda names: list(both.values()))

    status = program.main(["--out", str(tmp_path / "out"), "--seeds", "2"])

    assert status == 0
    assert seeds_run(tmp_path) == [0, 1]
    assert (tmp_path / "out" / "derived_figure.svg").exists()
    page = (tmp_path / "out" / "claims.md").read_text()
    assert "- derived: drawn from others. Drawn from the records of toy.\n" in page
    with pytest.raises(TypeError, match="computes no records"):
        both["derived"].run({"seed": 0})


def test_a_drawing_from_code_alone_needs_no_record(tmp_path):
    plan = make_plan(drawn_from(), tmp_path, full=True, seeds=None)

    assert plan.drawable
    assert plan.missing == plan.finished == []
    assert list_figures([plan]).endswith("drawn from code alone")


# --- pictures


def test_a_picture_is_outdated_if_its_records_or_the_code_are_newer(toy, tmp_path, monkeypatch):
    code = tmp_path / "code"
    code.mkdir()
    (code / "one.py").touch()
    monkeypatch.setattr(pictures, "CODE", (code,))
    assert pictures.is_outdated(toy, tmp_path)
    compute_all(toy, tmp_path)
    ((name, content),) = pictures.draw(plan_of(toy, tmp_path), "svg").items()
    picture = tmp_path / name
    picture.write_bytes(content)
    assert not pictures.is_outdated(toy, tmp_path)

    later = picture.stat().st_mtime_ns
    record = records_path(tmp_path, toy)
    for newer in (record, code / "one.py"):
        later += 10**9
        os.utime(newer, ns=(later, later))
        assert pictures.is_outdated(toy, tmp_path)
        os.utime(picture, ns=(later, later))
        assert not pictures.is_outdated(toy, tmp_path)


def test_outdated_pictures_are_drawn_once_and_a_figure_that_lacks_records_is_left_out(tmp_path, monkeypatch):
    two = {name: all_figures()[name] for name in ("0.1", "2.2")}
    monkeypatch.setattr(pictures, "all_figures", lambda: two)

    assert pictures.draw_outdated(tmp_path, 1) == ["0.1"]  # drawn from code alone
    assert [path.name for path in tmp_path.glob("*.svg")] == ["fig_0_1_side_by_side.svg"]
    assert pictures.draw_outdated(tmp_path, 1) == []


def test_the_style_ends_with_its_context_and_does_not_ask_the_user():
    with mpl.rc_context({"font.size": 3.0}):
        with style():
            assert mpl.rcParams["font.size"] == 10.0
            assert mpl.rcParams["svg.hashsalt"] == "kan_ref"
        assert mpl.rcParams["font.size"] == 3.0


# --- bars, claims, slopes


def test_a_bar_gives_each_word_of_the_number_that_it_prints():
    values = (100.0, 99.96, 99.9, 10.0, 9.9)
    assert [Bar(value, 100.0, 10.0, form=".3g").word for value in values] == ["yes", "yes", "partly", "partly", "no"]
    assert Bar(100.0, 100.0, reason="x").word == "partly"
    assert [Bar(value, 1.0, most=True).word for value in (1.0, 1.1)] == ["yes", "no"]


def test_a_claim_is_a_row_with_its_bar_and_vertical_lines_do_not_break_the_table():
    bar = Bar(2.0, 1.0)
    table = claims_table([("2.2", Claim("|x| is even", "yes", "yes", bar, "a|b"))], evidence=True)

    assert table.splitlines()[2] == rf"| 2.2 | \|x\| is even | yes | yes | yes | a\|b, {bar.text} |"


def test_a_slope_is_that_of_the_grids_between_its_ends_and_needs_two():
    errors = [9.0, 1.0, 1 / 8, 1 / 64]

    assert slope([1, 2, 4, 8], errors, 2, 8) == pytest.approx(-3.0, abs=1e-12)
    assert spread([-3.0, -4.0, -2.0]) == "-3.00 (-4.00 to -2.00)"
    with pytest.raises(ValueError, match="needs at least two of them"):
        slope([1, 2, 4, 8], errors, 5, 8)
