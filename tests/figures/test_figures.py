"""The figure machine: records that survive kill -9, pictures from records alone, claims that can fail; and what figures measure."""

import errno
import functools
import itertools
import json
import os
import signal
import subprocess
import sys
import time

import figure_records
import matplotlib as mpl
import numpy as np
import pytest
import sympy
from checkout import ROOT, take_interrupts
from toy_runs import compute_all, plan_of, seeds_run

import kan_ref as kr
from figures import __main__ as program
from figures.machine import computing, ladder, workers
from figures.machine.catalog import all_figures, find_figures
from figures.machine.machine import Claim, claims_table, slope, sources
from figures.machine.records import Task, make_plan, record_path, write_record
from figures.machine.style import picture_bytes, style
from figures.scaling import theorem_2_1
from figures.splines import fig_2_2_b_splines, fig_2_3_grid_extension, fig_u_shape
from figures.tables import table_1_hull
from kan_ref.bspline.placement import hidden_bounds

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
    assert set(record["versions"]) == {"python", "numpy", "kan_ref", "source", "machine"}
    assert record["versions"]["kan_ref"] == kr.__version__
    assert 0.0 <= record["seconds"] < 10.0


def test_finished_records_are_used_again(toy, tmp_path):
    compute_all(toy, tmp_path, seeds=2)

    compute_all(toy, tmp_path, seeds=4)

    assert sorted(seeds_run(tmp_path)) == [0, 1, 2, 3]
    assert [record["seed"] for record in plan_of(toy, tmp_path, 4).finished] == [0, 1, 2, 3]


def test_another_configuration_or_another_figure_is_another_file(toy, tmp_path):
    paths = {record_path(tmp_path, toy, {"seed": 0, "pause": pause}) for pause in (0.0, 0.5)}
    paths.add(record_path(tmp_path, fig_u_shape, {"seed": 0, "pause": 0.0}))

    assert len(paths) == 3
    assert record_path(tmp_path, toy, {"pause": 0.0, "seed": 0}) in paths


@pytest.mark.parametrize("config", [{"grids": (3, 5)}, {"widths": [2, (1, 1)]}, {3: "degree"}])
def test_a_configuration_that_json_would_change_is_refused(toy, tmp_path, config):
    with pytest.raises(TypeError, match="must be plain data that JSON keeps"):
        record_path(tmp_path, toy, config)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda text: text[: len(text) // 2], "is not JSON"),
        (lambda text: "", "is not JSON"),
        (lambda text: "\x00\xff", "is not JSON"),
        (
            lambda text: "[1, 2]",
            "does not hold exactly figure, config, seed, results, versions, seconds",
        ),
        (
            lambda text: json.dumps({**json.loads(text), "mood": "good"}),
            "does not hold exactly figure",
        ),
        (lambda text: text.replace("1.0", "NaN"), "is not JSON: NaN is not allowed"),
        (
            lambda text: json.dumps({**json.loads(text), "config": [1]}),
            "holds [1] as config, which must be an object",
        ),
        (
            lambda text: json.dumps({**json.loads(text), "config": {"seed": 1}}),
            "holds another configuration than its name says",
        ),
        (
            lambda text: json.dumps({**json.loads(text), "figure": "2.3"}),
            "holds a record of figure 2.3, not toy",
        ),
    ],
)
def test_a_broken_record_is_computed_again_with_a_sentence(toy, tmp_path, spoil, sentence):
    compute_all(toy, tmp_path)
    path = record_path(tmp_path, toy, {"seed": 1, "pause": 0.0})
    path.write_bytes(spoil(path.read_text()).encode("latin-1"))

    plan = plan_of(toy, tmp_path)
    list(computing.compute_all(plan.missing))

    assert [task.config["seed"] for task in plan.missing] == [1]
    assert len(plan.complaints) == 1
    assert plan.complaints[0].startswith(f"toy_figure/{path.name}")
    assert sentence in plan.complaints[0]
    assert plan.complaints[0].endswith("; it is not used")
    assert [record["results"]["square"] for record in plan_of(toy, tmp_path).finished] == [
        0.0,
        1.0,
        4.0,
    ]


@pytest.mark.parametrize("bad", ["nan", "inf"])
def test_results_that_are_not_finite_leave_no_record(toy, tmp_path, monkeypatch, bad):
    monkeypatch.setenv("TOY_RESULT", bad)

    outcomes = compute_all(toy, tmp_path, seeds=1)

    assert "Out of range float values are not JSON compliant" in outcomes[0][1]
    assert plan_of(toy, tmp_path, 1).finished == []


def test_a_failed_write_leaves_the_old_file_and_no_debris(tmp_path, monkeypatch):
    path = tmp_path / "record.json"
    write_record(path, b"old")

    def fail(source, target):
        raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_record(path, b"new")

    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["record.json"]


# --- interruptions


def test_kill_9_loses_the_record_in_progress_and_no_other(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_PAUSE", "0.15")
    folder, n_seeds = tmp_path / "out", 12
    code = (
        "from pathlib import Path; import toy_figure; from figures.machine import computing; from figures.machine.records import make_plan;"
        f"plan = make_plan(toy_figure, Path({str(folder)!r}), full=False, seeds={n_seeds});"
        "list(computing.compute_all(plan.missing))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    deadline = time.monotonic() + 60.0
    while len(list(folder.glob("records/*/*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    begun, plan = seeds_run(tmp_path), plan_of(toy, folder, n_seeds)
    assert plan.complaints == []
    assert 3 <= len(plan.finished) < n_seeds
    assert len(begun) - len(plan.finished) <= 1

    list(computing.compute_all(plan.missing))

    assert seeds_run(tmp_path)[len(begun) :] == [
        task.config["seed"] for task in sorted(plan.missing, key=lambda task: -task.cost)
    ]
    assert [record["results"]["square"] for record in plan_of(toy, folder, n_seeds).finished] == [
        seed**2 for seed in range(n_seeds)
    ]


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
        **ladder.config_of(ladder.LBFGS, [2, 1, 1], 5, 0),
        "n_train": 50,
        "n_test": 50,
        "n_starts": 1,
        "start_steps": 2,
        "n_steps": 3,
    }
    task = Task("figures.splines.fig_2_3_grid_extension", config, tmp_path / "record.json", 1.0)

    def interrupted(*arguments):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(fig_2_3_grid_extension, "rmse", interrupted)
    with pytest.raises(KeyboardInterrupt):
        computing.compute(task)

    assert not task.path.exists()


# --- computing


def test_the_longest_records_are_computed_first(toy, tmp_path):
    compute_all(toy, tmp_path)

    assert seeds_run(tmp_path) == [2, 1, 0]


def test_two_jobs_write_the_same_records_as_one(toy, tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]

    for jobs, folder in enumerate(folders, start=1):
        outcomes = compute_all(toy, folder, jobs=jobs)
        assert sorted(task.config["seed"] for task, _ in outcomes) == [0, 1, 2]
        assert {failure for _, failure in outcomes} == {""}

    one, two = (
        [{**record, "seconds": 0.0} for record in plan_of(toy, folder).finished]
        for folder in folders
    )
    assert one == two
    assert len(one) == 3


def test_a_failing_record_does_not_take_the_others_with_it(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_FAILS", "1")

    outcomes = {task.config["seed"]: failure for task, failure in compute_all(toy, tmp_path)}

    assert outcomes[0] == outcomes[2] == ""
    assert "ArithmeticError: no square today" in outcomes[1]
    assert [record["seed"] for record in plan_of(toy, tmp_path).finished] == [0, 2]


ENDS = {
    "os.kill(os.getpid(), signal.SIGKILL)": "its process was terminated by SIGKILL (signal 9), perhaps for lack of memory",
    "os.kill(os.getpid(), signal.SIGSEGV)": "its process was terminated by SIGSEGV (signal 11)",
    "os._exit(7)": "its process ended with exit status 7 and without an answer",
    "raise SystemExit(5)": "SystemExit: 5",
    "raise MemoryError": "MemoryError",
}


@pytest.mark.parametrize("end", ENDS)
def test_whatever_ends_the_process_of_a_record_costs_no_other_record(
    toy_program, toy, tmp_path, monkeypatch, capsys, end
):
    monkeypatch.setenv("TOY_ENDS", "3")
    monkeypatch.setenv("TOY_END", end)

    status = toy_program(["--out", str(tmp_path / "out"), "--seeds", "6", "--jobs", "2"])

    said = capsys.readouterr()
    assert status == 1
    assert "failed: toy_figure, {'seed': 3, 'pause': 0.0}:" in said.err
    assert ENDS[end] in said.err
    assert "TerminatedWorkerError" not in said.err
    assert "figure toy: 1 of 6 records is missing" in said.err
    assert "| toy | squares grow | yes | [0.0, 1.0, 4.0, 16.0, 25.0] | yes |" in said.out
    monkeypatch.delenv("TOY_ENDS")
    assert toy_program(["--out", str(tmp_path / "out"), "--seeds", "6"]) == 0
    assert sorted(seeds_run(tmp_path)) == [0, 1, 2, 3, 4, 5]


def test_a_record_that_leaves_by_sys_exit_fails_alone_in_the_program_s_own_process_too(
    toy, tmp_path, monkeypatch
):
    monkeypatch.setenv("TOY_ENDS", "1")
    monkeypatch.setenv("TOY_END", "raise SystemExit(0)")

    outcomes = {task.config["seed"]: failure for task, failure in compute_all(toy, tmp_path)}

    assert outcomes[0] == outcomes[2] == ""
    assert "SystemExit: 0" in outcomes[1]


def test_processes_that_all_end_are_all_reported_and_the_run_ends(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "_serve", ends_at_once)

    outcomes = compute_all(toy, tmp_path, jobs=2)

    assert len(outcomes) == 3
    assert {failure for _, failure in outcomes} == {
        "its process ended with exit status 9 and without an answer"
    }


def ends_at_once(pipe):
    os._exit(9)


def test_a_process_that_ends_between_two_records_is_replaced(toy, tmp_path, monkeypatch):
    started, start = [], workers._start

    def note():
        started.append(start())
        return started[-1]

    monkeypatch.setattr(workers, "_start", note)
    answers = workers.call_in_processes(divmod, iter([(7, 2), (9, 4), (5, 3)]), 1)

    assert next(answers).result == (3, 1)
    started[0].process.kill()
    started[0].process.join()
    assert [answer.result for answer in answers] == [(2, 1), (1, 2)]
    assert len(started) == 2


def test_processes_end_with_the_program_that_is_terminated(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_PAUSE", "60")
    code = (
        "from pathlib import Path; import toy_figure; from figures.machine import computing; from figures.machine.records import make_plan;"
        f"plan = make_plan(toy_figure, Path({str(tmp_path)!r}), full=False, seeds=1);"
        "list(computing.compute_all(plan.missing, computing.in_processes(1)))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60.0
    while not seeds_run(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.02)

    process.send_signal(signal.SIGKILL)

    assert process.communicate(timeout=30.0)[0] == b""  # no process has the pipe any more


def test_a_record_whose_file_cannot_be_written_fails_alone(toy, tmp_path):
    record_path(tmp_path, toy, {"seed": 1, "pause": 0.0}).mkdir(parents=True)

    plan = plan_of(toy, tmp_path)
    outcomes = {
        task.config["seed"]: failure for task, failure in computing.compute_all(plan.missing)
    }

    assert plan.complaints[0].endswith(
        ".json cannot be read: This is a folder, but must be a regular file; it is not used"
    )
    assert outcomes[0] == outcomes[2] == ""
    assert "its file cannot be written: " in outcomes[1]
    assert "This is a folder" in outcomes[1]


# --- the program


def test_ctrl_c_ends_the_program_and_its_processes_with_one_line_and_status_130(
    toy, tmp_path, monkeypatch
):
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
        deadline = time.monotonic() + 60.0
        while len(seeds_run(tmp_path)) < int(jobs) and time.monotonic() < deadline:
            time.sleep(0.02)

        os.killpg(process.pid, signal.SIGINT)

        said, complained = process.communicate(timeout=60.0)
        lines = [line for line in complained.splitlines() if line and "%" not in line]
        assert lines == [
            "interrupted: 0 of 3 records were finished; the same command continues from there"
        ]
        assert process.returncode == 130
        assert said == ""


def test_the_program_draws_prints_and_writes_the_table(toy_program, tmp_path, capsys):
    status = toy_program(["--out", str(tmp_path / "out")])

    shown, complained = capsys.readouterr()
    page = (tmp_path / "out" / "claims.md").read_text()
    assert (status, complained) == (0, "")
    assert "| figure | claim | paper | ours | agrees? |\n| --- | --- | --- | --- | --- |" in shown
    assert "| toy | squares grow | yes | [0.0, 1.0, 4.0] | yes |" in shown
    assert "| toy | squares grow | yes | [0.0, 1.0, 4.0] | yes | toy |" in page
    assert "- toy: squares. 3 records, seeds 0, 1, 2, " in page
    assert f"kan_ref {kr.__version__}" in page
    assert {path.suffix for path in (tmp_path / "out").glob("toy_figure.*")} == {".png", ".svg"}


def test_a_second_call_computes_nothing_and_writes_the_same_bytes(toy_program, tmp_path):
    def files():
        return {
            path.name: path.read_bytes() for path in (tmp_path / "out").iterdir() if path.is_file()
        }

    toy_program(["--out", str(tmp_path / "out")])
    first = files()
    toy_program(["--out", str(tmp_path / "out")])

    assert len(seeds_run(tmp_path)) == 3
    assert files() == first
    assert sorted(first) == ["claims.md", "reproduced.md", "toy_figure.png", "toy_figure.svg"]


def test_a_failure_is_shown_and_the_figure_says_what_it_lacks(
    toy_program, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("TOY_FAILS", "1")

    status = toy_program(["--out", str(tmp_path / "out")])

    said = capsys.readouterr().err
    assert status == 1
    assert "ArithmeticError: no square today" in said
    assert "figure toy: 1 of 3 records is missing\n" in said
    assert "1 of 3 records is missing" in (tmp_path / "out" / "toy_figure.svg").read_text()
    assert " **1 of 3 records is missing.**" in (tmp_path / "out" / "claims.md").read_text()


def test_broken_records_are_named_on_stderr(toy_program, toy, tmp_path, capsys):
    path = record_path(tmp_path / "out", toy, {"seed": 1, "pause": 0.0})
    write_record(path, b"{")

    toy_program(["--out", str(tmp_path / "out")])

    assert f"{path.name} is not JSON" in capsys.readouterr().err


def test_an_interrupted_program_says_what_it_keeps(toy_program, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_CTRL_C", "1")

    with pytest.raises(KeyboardInterrupt) as caught:
        toy_program(["--out", str(tmp_path / "out")])

    assert str(caught.value) == (
        "interrupted: 0 of 3 records were finished; the same command continues from there"
    )


def test_list_shows_what_is_left_and_computes_nothing(toy_program, tmp_path, capsys):
    status = toy_program(["--list", "--seeds", "60", "--out", str(tmp_path / "out")])

    assert status == 0
    assert "0 of  60 records, about  30.5 CPU minutes left" in capsys.readouterr().out
    assert seeds_run(tmp_path) == []


# --- time that is up


def test_no_record_begins_when_the_time_is_up_and_running_ones_end(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_PAUSE", "0.3")
    tasks = plan_of(toy, tmp_path, 6).missing

    done = list(computing.compute_all(tasks, seconds=0.45))

    assert [task.config["seed"] for task, _ in done] == [5, 4]
    assert [record["seed"] for record in plan_of(toy, tmp_path, 6).finished] == [4, 5]


def test_processes_begin_no_record_when_the_time_is_up(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_PAUSE", "0.02")
    tasks = plan_of(toy, tmp_path, 4000).missing
    backend = computing.in_processes(2)
    list(backend(tasks[:4], time.time() + 60.0))  # starting processes takes time

    end = time.time() + 2.0
    outcomes = list(backend(tasks, end))

    assert {outcome.failure for outcome in outcomes} == {""}
    assert 1 <= len(outcomes) < len(tasks)
    assert list(backend(tasks[:3], time.time() - 1.0)) == []


def test_a_run_that_is_out_of_time_draws_what_there_is_and_the_next_one_goes_on(
    toy_program, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("TOY_PAUSE", "0.3")
    arguments = ["--out", str(tmp_path / "out"), "--seeds", "5"]

    status = toy_program([*arguments, "--minutes", "0.008"])

    said, page = capsys.readouterr(), (tmp_path / "out" / "claims.md").read_text()
    assert status == 3
    assert (
        "0.008 minutes are over: 2 of 5 records were finished; the same command continues from there"
        in said.err
    )
    assert "figure toy: 3 of 5 records are missing" in said.err
    assert "| toy | squares grow | yes | [9.0, 16.0] | yes |" in said.out
    assert "2 records, seeds 3, 4, " in page
    assert " **3 of 5 records are missing.**" in page
    assert "3 of 5 records are missing" in (tmp_path / "out" / "toy_figure.svg").read_text()

    status = toy_program(arguments)

    assert status == 0
    assert seeds_run(tmp_path) == [4, 3, 2, 1, 0]
    assert (
        "missing"
        not in (tmp_path / "out" / "claims.md").read_text()
        + (tmp_path / "out" / "toy_figure.svg").read_text()
    )


def test_no_minutes_at_all_draw_what_there_is_and_compute_nothing(toy_program, tmp_path, capsys):
    arguments = ["--out", str(tmp_path / "out"), "--minutes", "0"]

    status = toy_program(arguments)

    assert status == 3
    assert "figure toy: 3 of 3 records are missing, it is not drawn" in capsys.readouterr().err
    assert seeds_run(tmp_path) == []
    assert not (tmp_path / "out" / "toy_figure.png").exists()

    toy_program(["--out", str(tmp_path / "out")])

    assert toy_program(arguments) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["u-shap"],
            "there is no figure 'u-shap' (did you mean 'u-shape'?), but 0.1, 2.1, 2.2, 2.3, u-shape, u-shape-cure, 2.4, 2.4-steps, ",
        ),
        (["2.2", "2.33"], "there is no figure '2.33' (did you mean '2.3'?)"),
        (["xyz"], "there is no figure 'xyz', but 0.1"),
        (["e.2"], "there is no figure 'e.2'"),
        (["--collect", "--list"], "argument --list: not allowed with argument --collect"),
        (["--collect", "--table"], "argument --table: not allowed with argument --collect"),
        (["--table", "--stale"], "argument --stale: not allowed with argument --table"),
        (["2.2", "--out", ""], "the path is '', but must name a file or a folder"),
        (["2.2", "--out", "/proc/x"], "a file is /proc/x/claims.md, which cannot be written: "),
        (["--jobs", "0"], "--jobs is 0, but must be at least 1"),
        (["--seeds", "-1"], "--seeds is -1, but must be at least 1"),
        (["--minutes", "-1"], "--minutes is -1, but must be at least 0"),
        (["--minutes", "nan"], "--minutes is nan, but must be at least 0"),
        (
            ["--backend", "dask"],
            "--backend is dask and --scheduler None, but dask needs an address, and only dask",
        ),
        (
            ["--scheduler", "tcp://host:1"],
            "--backend is local and --scheduler tcp://host:1, but dask needs an address, and only dask",
        ),
        (
            ["--backend", "dask", "--scheduler", "tcp://host:1", "--jobs", "2"],
            "--jobs is 2, but a cluster computes one record a worker",
        ),
    ],
)
def test_a_wrong_command_is_refused_in_a_sentence(capsys, arguments, sentence):
    with pytest.raises(SystemExit) as end:
        program.main(arguments)

    assert end.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("name", ["claims.md", "reproduced.md", "toy_figure.png", "records", ""])
def test_a_file_that_cannot_be_written_is_named_before_the_work(
    toy_program, tmp_path, capsys, name
):
    """A folder is where a file should be, or the other way round."""
    out = tmp_path / "out"
    (out / name).parent.mkdir(exist_ok=True)
    (out / name).touch() if name in ("records", "") else (out / name).mkdir()

    with pytest.raises(SystemExit) as end:
        toy_program(["--out", str(out)])

    assert end.value.code == 2
    assert f"a file is {out / name}" in capsys.readouterr().err
    assert seeds_run(tmp_path) == []


def test_a_failed_write_is_not_blamed_on_the_records_and_leaves_the_table(
    toy_program, tmp_path, monkeypatch, capsys
):
    out = tmp_path / "out"
    toy_program(["--out", str(out)])
    before = (out / "claims.md").read_bytes()
    capsys.readouterr()

    def fail(*arguments):
        raise BrokenPipeError(errno.EPIPE, "no reader")

    for target, attribute in ((sys.stdout, "write"), (program, "replace_file")):
        with monkeypatch.context() as patch:
            patch.setattr(target, attribute, fail)
            with pytest.raises(BrokenPipeError):
                toy_program(["--out", str(out), "--minutes", "0"])

    assert "another form" not in capsys.readouterr().err
    assert (out / "claims.md").read_bytes() == before


def test_names_of_figures_may_have_capitals():
    found = find_figures(["B.1", "E.1", "Table-1", "U-shape"])

    assert [figure.NAME for figure in found] == ["u-shape", "b.1", "e", "table-1"]


def test_figures_come_in_the_order_of_the_paper_whatever_was_asked():
    assert [figure.NAME for figure in find_figures(["u-shape", "2.2"])] == ["2.2", "u-shape"]
    names = [
        "0.1",
        "2.1",
        "2.2",
        "2.3",
        "u-shape",
        "u-shape-cure",
        "2.4",
        "2.4-steps",
        "3.1",
        "3.2",
        "3.3",
        "equations",
        "velocities",
        "3.4",
        "4.1",
        "4.2",
        "4.3",
        "4.4",
        "4.5",
        "4.6",
        "6.1",
    ]
    names += [
        "b.1",
        "b.2",
        "b.3",
        "c.1",
        "d.1",
        "d.2",
        "d.3",
        "e",
        "f.1",
        "f.2",
        "table-1",
        "table-1-budget",
        "table-1-hull",
        "table-2",
        "table-2-budget",
        "table-2-human",
        "theorem-2.1",
    ]
    assert [figure.NAME for figure in find_figures([])] == names


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
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown.stdout == "['11']\n"


def test_quick_figures_are_planned_for_less_than_fifteen_minutes_and_full_ones_for_ten_seeds():
    quick = [
        figure.cost(config)
        for figure in all_figures().values()
        for config in figure.configs(False, None)
    ]
    seeds = {
        config.get("seed")
        for figure in (fig_2_3_grid_extension, fig_u_shape)
        for config in figure.configs(True, None)
    }

    assert sum(quick) < 900.0
    assert seeds == set(range(10))


WITH_RECORDS = {
    name: figure for name, figure in all_figures().items() if sources(figure) == (figure,)
}


@pytest.mark.parametrize("figure", WITH_RECORDS.values(), ids=lambda figure: figure.NAME)
@pytest.mark.parametrize("full", [False, True])
def test_every_configuration_of_every_figure_has_a_file_of_its_own(figure, full, tmp_path):
    configs = figure.configs(full, 3)

    assert len({record_path(tmp_path, figure, config) for config in configs}) == len(configs)
    assert all(figure.cost(config) > 0.0 for config in configs)
    if "seed" in configs[0]:
        assert {config["seed"] for config in configs} == {0, 1, 2}


# --- pictures and tables from records


def record_of(config, results, name=""):
    versions = {"python": "3", "numpy": "2", "kan_ref": "0", "machine": "x"}
    return {
        "figure": name,
        "config": config,
        "seed": config.get("seed"),
        "results": results,
        "versions": versions,
        "seconds": 1.0,
    }


def fig_2_3_records(
    power=-3.0, factor_at_last=1.0, rise=1.0, methods=ladder.METHODS, median_power=-4.0
):
    """Made up: errors fall with a power of G, test errors rise again beyond G = 50."""
    records = []
    for method, widths, seed in itertools.product(methods, (ladder.SMALL, ladder.WIDE), (0, 1)):
        config, grids = ladder.config_of(method, widths, 1000, seed), []
        for grid in config["grids"]:
            train = (500.0 if grid == 1000 else grid) ** power * (
                factor_at_last if grid == 1000 else 1.0
            )
            test = (
                grid**power
                if grid <= 50
                else 50.0**power * (grid / 50) ** np.log(rise)
                if rise > 1
                else grid**power
            )
            test *= 10.0 if widths == ladder.WIDE else 1.0
            stairs = {
                "step": [0, method.n_steps],
                "train_rmse": [2 * train, train],
                "test_rmse": [2 * test, test],
            }
            numbers = {
                "n_intervals": grid,
                "train_rmse": train,
                "test_rmse": test,
                "test_median": grid**median_power,
            }
            grids.append(
                {
                    **numbers,
                    "n_steps": method.n_steps,
                    "stopped": "",
                    "seconds": 0.01 * grid,
                    "stairs": stairs,
                }
            )
        records.append(
            record_of(config, {"grids": grids, "start_seconds": 1.0, "n_failed_starts": 0})
        )
    return records


def agreement(claims, *words):
    found = [claim.agrees for claim in claims if all(word in claim.claim for word in words)]
    assert found, words
    return set(found)


def test_claims_about_fig_2_3_say_yes_to_what_the_paper_saw():
    claims = fig_2_3_grid_extension.claims(fig_2_3_records(rise=3.0))

    for words in (
        ("drops",),
        ("U-shaped",),
        ("best near",),
        ("lower test loss",),
        ("G^-3",),
        ("closer to G^-4",),
        ("longer",),
    ):
        assert agreement(claims, "L-BFGS", *words) == {"yes"}
    assert agreement(claims, "LM", "Theorem 2.1 allows") == {"no"}


def test_claims_about_fig_2_3_say_no_to_the_opposite():
    claims = fig_2_3_grid_extension.claims(fig_2_3_records(power=-4.0, median_power=-3.5))

    assert agreement(claims, "L-BFGS", "U-shaped") == {"no"}
    assert agreement(claims, "L-BFGS", "best near") == {"no"}
    assert agreement(claims, "L-BFGS", "G^-3") == {"no"}
    assert agreement(claims, "L-BFGS", "closer to G^-4") == {"no"}
    assert agreement(claims, "LM", "Theorem 2.1 allows") == {"yes"}


@pytest.mark.parametrize(("factor_at_last", "word"), [(1.0, "yes"), (0.5, "partly")])
def test_a_drop_at_the_last_extension_is_part_of_the_claim(factor_at_last, word):
    claims = fig_2_3_grid_extension.claims(fig_2_3_records(factor_at_last=factor_at_last))

    assert agreement(claims, "drops at each extension but the last") == {word}


def test_an_extension_with_nothing_left_to_do_is_no_bad_landscape():
    records = fig_2_3_records()
    for record in records:
        record["results"]["grids"][-1]["n_steps"] = 0

    claims = [
        claim for claim in fig_2_3_grid_extension.claims(records) if "but the last" in claim.claim
    ]

    assert {claim.agrees for claim in claims} == {"partly"}
    assert all(
        "at G = 1000 it took 0 steps, the gradient being below its tolerance" in claim.evidence
        for claim in claims
    )


def test_a_ladder_that_ends_early_is_not_asked_about_fine_grids():
    records = fig_2_3_records(methods=(ladder.LBFGS,))
    for record in records:
        record["config"]["grids"] = record["config"]["grids"][:5]
        record["results"]["grids"] = record["results"]["grids"][:5]

    claims = fig_2_3_grid_extension.claims(records)

    assert not any(
        word in claim.claim
        for claim in claims
        for word in ("U-shaped", "best near", "but the last")
    )
    assert agreement(claims, "drops at each extension") == {"yes"}


def test_a_shape_that_a_method_was_not_run_on_is_left_out():
    records = [
        record
        for record in fig_2_3_records()
        if ladder.method_of(record) is ladder.LM or record["config"]["widths"] == ladder.SMALL
    ]

    about_wide = [
        claim for claim in fig_2_3_grid_extension.claims(records) if "[2,5,1]" in claim.claim
    ]

    assert about_wide == []
    with style():
        assert fig_2_3_grid_extension.draw(records).axes


def u_shape_records(on_grid_rise=1.0, cured_rise=1.0, methods=(ladder.LBFGS, ladder.LM)):
    """Made up: without margin errors rise a hundredfold from G = 20 to G = 200; the rest as asked."""
    records = []
    for method, widths, margin, seed in itertools.product(
        methods, (ladder.SMALL, ladder.WIDE), (False, True), (0, 1)
    ):
        config, grids = {**ladder.config_of(method, widths, 200, seed), "margin": margin}, []
        for grid in config["grids"]:
            fall, beyond = min(grid, 20.0) ** -4, max(grid / 20.0, 1.0)
            rise = {True: cured_rise, False: 100.0}[margin]
            numbers = {"train_rmse": grid**-4.0, "test_rmse": fall * beyond ** np.log10(rise)}
            numbers["test_rmse_on_grid"] = (
                None if grid == 3 else fall * beyond ** np.log10(on_grid_rise)
            )
            grids.append(
                {
                    **numbers,
                    "n_intervals": grid,
                    "share_off_grid": 0.999,
                    "n_off_grid": 0 if margin else 40,
                    "n_train_off_grid": 1,
                }
            )
        cloud = {
            "ends": [0.0, 1.0],
            "interval": 0.1,
            "hidden": [-0.1, 0.5, 1.1],
            "error": [1e-2, 0.0, 1e-3],
        }
        records.append(
            record_of(
                config,
                {
                    "grids": grids,
                    "n_failed_starts": 0,
                    **({"cloud": cloud} if widths == ladder.SMALL else {}),
                },
            )
        )
    return records


@pytest.mark.parametrize(
    ("rise", "threshold", "gone"),
    [(1.0, "no", "yes"), (5.0, "partly", "partly"), (50.0, "yes", "no")],
)
def test_claims_about_the_u_shape_follow_the_errors(rise, threshold, gone):
    claims = fig_u_shape.claims(u_shape_records(on_grid_rise=rise, cured_rise=rise))

    assert agreement(claims, "without margin the test error is U-shaped") == {"yes"}
    assert agreement(claims, "interpolation threshold") == {threshold}
    assert agreement(claims, "with margin the rise is gone") == {gone}


def test_the_share_of_the_points_off_a_grid_has_a_median_and_a_range():
    """One seed of ten in which these points hardly count says little about the others."""
    records = u_shape_records()
    for record in records:
        if record["seed"] == 1:
            record["results"]["grids"][-1]["share_off_grid"] = 0.3

    rows = [claim for claim in fig_u_shape.claims(records) if "threshold" in claim.claim]

    assert rows
    for claim in rows:
        assert "make all but 0.4 (0.001 to 0.7) of the squared error" in claim.ours


def test_the_labels_of_the_u_shape_are_inside_the_picture():
    with style():
        picture = fig_u_shape.draw(u_shape_records(methods=ladder.METHODS))
        picture.draw_without_rendering()

    for ax in picture.axes:
        label = ax.yaxis.label.get_window_extent()
        assert picture.bbox.y0 <= label.y0 <= label.y1 <= picture.bbox.y1, ax.get_ylabel()


def test_the_best_grid_of_an_even_number_of_seeds_is_between_the_middle_ones():
    records = fig_2_3_records(rise=3.0)  # best at G = 50
    for record in records:
        if record["seed"] == 1:
            record["results"]["grids"][3]["test_rmse"] = 1e-30

    rows = [claim for claim in fig_2_3_grid_extension.claims(records) if "best near" in claim.claim]

    assert rows
    for claim in rows:
        assert claim.ours == "G = 32 (20 to 50)"
        assert "factor from G = 50, judged: 1.58; " in claim.evidence


def test_fig_2_3_says_how_many_test_points_each_panel_has_and_hides_no_marker():
    with style():
        stairs, _, errors, _ = fig_2_3_grid_extension.draw(fig_2_3_records()).axes

    assert "test, 1000 of the points" in [
        text.get_text() for text in stairs.get_legend().get_texts()
    ]
    assert errors.get_ylabel() == "test error, 10000 points"
    assert [text.get_bbox_patch() for text in errors.texts] == [None, None]


def test_a_slope_that_bad_points_flatten_is_seen():
    assert agreement(fig_u_shape.claims(u_shape_records()), "flatten") == {"yes"}
    assert agreement(fig_u_shape.claims(u_shape_records(on_grid_rise=100.0)), "flatten") == {"no"}


# their quick runs take seconds, and other tests make shorter ones
RUN_BY_OTHER_TESTS = ("4.1", "4.2", "c.1", "table-1-budget", "table-2-budget", "velocities")


@functools.cache
def records_to_draw(name):
    """Made-up records of a figure, committed ones, or those of a few quick runs."""
    if name == "2.3":
        return fig_2_3_records()
    if name == "u-shape":
        return u_shape_records()
    if name in figure_records.RECORDS:
        return figure_records.RECORDS[name]()
    figure = all_figures()[name]
    if name not in WITH_RECORDS:
        return [one for home in sources(figure) for one in records_to_draw(home.NAME)]
    if name == "table-1-hull":
        return committed_records(figure)[:6] or [
            record_of(config, HULL_RESULTS) for config in figure.configs(True, 2)[:6]
        ]
    known = committed_records(figure)[:3] if name in RUN_BY_OTHER_TESTS else []
    return known or [
        record_of(config, figure.run(config), name) for config in figure.configs(False, None)[:3]
    ]


HULL_RESULTS = {
    "test": 1e-2,
    "test_inside": 1e-3,
    "n_outside": 100,
    "worst": None,
    "hull": None,
    "quantiles": np.geomspace(1.0, 1e-4, len(table_1_hull.SHARES)).tolist(),
}


def committed_records(figure):
    """The full records of the repository; none in a source distribution, which comes without them."""
    return make_plan(figure, ROOT / "figures/results", full=True, seeds=None).finished


@pytest.mark.parametrize("name", all_figures())
def test_a_picture_needs_nothing_but_records_and_comes_out_the_same_twice(name, monkeypatch):
    figure, records = all_figures()[name], records_to_draw(name)
    records = json.loads(json.dumps(records))

    def refuse(*arguments, **settings):
        raise AssertionError("drawing must not compute")

    for target, attribute in ((kr.training, "fit"), (kr.training, "run_starts"), (figure, "run")):
        monkeypatch.setattr(target, attribute, refuse)
    with style():
        files, again = (picture_bytes(figure.draw(records), "svg") for _ in range(2))

    assert again["svg"] == files["svg"]  # Agg's pixels follow from it
    assert b"<svg" in files["svg"]
    assert b"<dc:date>" not in files["svg"]


@pytest.mark.parametrize("name", all_figures())
def test_whatever_records_there_are_is_drawn_and_judged(name):
    """Of the committed records one, a few, and half: a run that is out of time has them in any order.

    Where there are no committed records (a source distribution) made-up ones or quick runs take their place.
    """
    figure, rng = all_figures()[name], np.random.default_rng(0)
    records = committed_records(figure) or records_to_draw(name)
    n = len(records)
    parts = [
        [0],
        [n - 1],
        *(sorted(rng.choice(n, (n + share - 1) // share, replace=False)) for share in (2, 4, 16)),
    ]
    parts = parts if n else [[]]  # drawn from code alone

    for part in parts:
        assert isinstance(figure.claims([records[place] for place in part]), list)
    with style():  # one record is the hardest; pictures of many take seconds
        png = picture_bytes(figure.draw(records[:1]), "png")["png"]
    assert png.startswith(b"\x89PNG")
    assert b"Matplotlib v" not in png


def test_a_picture_can_be_drawn_from_one_method_alone():
    with style():
        assert len(fig_2_3_grid_extension.draw(fig_2_3_records(methods=(ladder.LM,))).axes) == 4
        assert len(fig_u_shape.draw(u_shape_records(methods=(ladder.LM,))).axes) == 6


def test_the_style_ends_with_its_context_and_does_not_ask_the_user():
    with mpl.rc_context({"font.size": 3.0, "lines.linestyle": ":"}):
        with style():
            assert mpl.rcParams["font.size"] == 10.0
            assert mpl.rcParams["lines.linestyle"] == "-"
            assert mpl.rcParams["svg.hashsalt"] == "kan_ref"
        assert mpl.rcParams["font.size"] == 3.0
        assert mpl.rcParams["lines.linestyle"] == ":"


def test_a_claim_is_answered_by_yes_partly_or_no():
    with pytest.raises(
        ValueError, match="agrees is 'perhaps', but must be one of 'yes', 'partly', 'no'"
    ):
        Claim("a", "b", "c", "perhaps", "d")


def test_bars_do_not_break_the_table():
    table = claims_table([("2.2", Claim("|x| is even", "yes", "yes", "yes", "a|b"))], evidence=True)

    assert table.splitlines()[2] == r"| 2.2 | \|x\| is even | yes | yes | yes | a\|b |"
    assert table.splitlines()[0].endswith("| agrees? | evidence |")


def test_a_slope_needs_two_grids():
    with pytest.raises(ValueError, match="a slope from G = 100 to 200 needs at least two of them"):
        slope([3, 5, 100], [1.0, 1.0, 1.0], 100, 200)


# --- what the figures measure


def small_config(**changes):
    config = ladder.config_of(ladder.LBFGS, [2, 1, 1], 5, seed=1)
    return {
        **config,
        "n_train": 200,
        "n_test": 1500,
        "n_starts": 2,
        "start_steps": 5,
        "n_steps": 6,
        **changes,
    }


def without_times(results):
    return {
        **results,
        "start_seconds": 0,
        "grids": [{**grid, "seconds": 0} for grid in results["grids"]],
    }


def test_a_climb_repeats_itself_number_by_number_and_is_plain_data():
    first, second = (fig_2_3_grid_extension.run(small_config()) for _ in range(2))

    assert without_times(first) == without_times(second)
    assert json.loads(json.dumps(first)) == first


def test_a_climb_reports_errors_along_each_grid_and_at_its_end():
    results = fig_2_3_grid_extension.run(small_config())

    assert [grid["n_intervals"] for grid in results["grids"]] == [3, 5]
    for grid in results["grids"]:
        assert grid["stairs"]["step"] == list(range(7))
        assert grid["train_rmse"] == pytest.approx(grid["stairs"]["train_rmse"][-1], rel=1e-3)
        assert grid["test_median"] < grid["test_rmse"]
        assert grid["n_steps"] == 6
    assert results["grids"][1]["train_rmse"] < results["grids"][0]["train_rmse"]


def test_a_climb_is_timed_without_the_errors_on_test_points(monkeypatch):
    original = ladder.rmse

    def slow(*arguments):
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass
        return original(*arguments)

    monkeypatch.setattr(fig_2_3_grid_extension, "rmse", slow)
    results = fig_2_3_grid_extension.run(small_config())

    assert (
        0.0 < sum(grid["seconds"] for grid in results["grids"]) < 0.3
    )  # 14 calls of 0.05 s while grids are trained


def hidden_of(network, x):
    return network.flow(network.prepare(x))[0]


@pytest.mark.parametrize("margin", [False, True])
def test_hidden_grids_lie_as_the_figure_says_and_the_function_stays(margin):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (300, 2))
    network = kr.init_network((2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), x=x, rng=rng)

    placed = fig_u_shape.place_grids(network, x, 40, margin=margin)

    hidden, grid = hidden_of(placed, x), placed.layers[1].breakpoints
    low, high = hidden_bounds(hidden, 40) if margin else (hidden.min(axis=0), hidden.max(axis=0))
    np.testing.assert_array_equal(grid[:, 0], low)
    np.testing.assert_array_equal(grid[:, -1], high)
    np.testing.assert_array_equal(placed.layers[0].breakpoints[:, [0, -1]], [[-1.0, 1.0]] * 2)
    assert [layer.n_intervals for layer in placed.layers] == [40, 40]
    assert kr.distance(network, placed, x).max < 1e-2 * np.ptp(network(x))


def test_points_off_a_grid_are_those_beyond_its_ends():
    rng = np.random.default_rng(1)
    x = rng.uniform(-1.0, 1.0, (2000, 2))
    network = kr.init_network(
        (2, 3, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), x=x[:100], rng=rng
    )
    placed = fig_u_shape.place_grids(network, x[:100], 5, margin=False)
    hidden, grid = hidden_of(placed, x), placed.layers[1].breakpoints

    off = fig_u_shape.off_a_grid(placed, x)

    expected = [
        any(not low <= value <= high for value, (low, *_, high) in zip(row, grid, strict=True))
        for row in hidden
    ]
    np.testing.assert_array_equal(off, expected)
    assert not off[:100].any()
    assert 0 < off.sum() < 500


def test_errors_with_and_without_the_points_off_a_grid_add_up():
    grid = fig_u_shape.run({**small_config(), "margin": False})["grids"][-1]

    n, n_off = 1500, grid["n_off_grid"]
    on_grid = grid["test_rmse_on_grid"] ** 2 * (n - n_off)
    assert n_off > 0
    assert on_grid == pytest.approx(
        (1.0 - grid["share_off_grid"]) * grid["test_rmse"] ** 2 * n, rel=1e-9
    )


def test_without_a_margin_test_points_fall_off_and_with_it_they_do_not():
    settings = {
        "optimizer": "lm",
        "smoothness_weight": 1e-8,
        "n_train": 1000,
        "n_starts": 4,
        "start_steps": 20,
        "n_steps": 15,
        "seed": 0,
    }
    config = small_config(**settings, grids=[3, 5, 10, 20, 50, 100])

    without, with_margin = (
        {**fig_u_shape.run({**config, "margin": margin})["grids"][-1]} for margin in (False, True)
    )

    assert without["n_off_grid"] > 0
    assert with_margin["n_off_grid"] == 0
    assert without["test_rmse"] > 10 * with_margin["test_rmse"]
    assert without["share_off_grid"] > 0.9


def test_partial_bell_polynomials_are_sympys():
    rng = np.random.default_rng(2)
    slopes = rng.normal(size=(6, 3))

    table = theorem_2_1.bell(list(slopes), 6)

    symbols = sympy.symbols("x1:7")
    for n in range(6):
        for p in range(6):
            formula = sympy.lambdify(
                symbols, sympy.bell(n, p, symbols[: max(n - p + 1, 0)]) if p <= n else 0
            )
            np.testing.assert_allclose(
                table[n][p], np.broadcast_to(formula(*slopes), 3), rtol=1e-12, atol=1e-12
            )


def test_mixed_derivatives_are_sympys():
    x, y = sympy.symbols("x y")
    formula = sympy.exp(sympy.sin(sympy.pi * x) + y**2)
    points = np.array([-0.7, 0.1, 0.6])

    found = theorem_2_1.mixed_derivatives(
        theorem_2_1._sine, theorem_2_1._square, theorem_2_1._exponential, points, points[:2], 5
    )

    assert sorted(found) == [(i, j) for i in range(6) for j in range(6 - i)]
    for (i, j), values in found.items():
        exact = sympy.lambdify(
            (x, y), sympy.diff(formula, *[x] * i, *[y] * j) if i + j else formula
        )
        np.testing.assert_allclose(
            values, exact(points[:, None], points[None, :2]), rtol=1e-11, atol=1e-9
        )


def theorem_record(degree):
    config = {"degree": degree, "grids": [4, 8, 16, 32, 64], "n_points": 61}
    return record_of(config, theorem_2_1.run(config))


@pytest.mark.parametrize("degree", theorem_2_1.DEGREES)
def test_spline_networks_have_the_rates_of_theorem_2_1(degree):
    record = theorem_record(degree)

    claims = theorem_2_1.claims([record])

    slopes = [value for value, _ in theorem_2_1.rates(record)]
    np.testing.assert_allclose(
        slopes, [m - degree - 1 for m in range(degree + 1)], rtol=0, atol=0.45
    )
    assert [claim.agrees for claim in claims] == ["yes"]


def test_rates_below_those_of_the_theorem_are_denied():
    record = theorem_record(2)
    record["results"]["errors"] = (
        np.array(record["results"]["errors"]) * record["config"]["grids"]
    ).tolist()

    assert theorem_2_1.claims([record])[0].agrees == "no"


def test_errors_within_rounding_do_not_enter_a_rate():
    record = theorem_record(1)
    record["results"]["errors"][0][-1] = 1.0
    record["results"]["floors"][0][-1] = 2.0

    (slope_of_values, n_used), _ = theorem_2_1.rates(record)

    assert n_used == 4
    assert slope_of_values == pytest.approx(-2.0, abs=0.2)


def test_a_curve_moves_to_a_finer_grid_in_both_ways_and_stays():
    config = fig_2_2_b_splines.configs(False, None)[0]
    results = fig_2_2_b_splines.run(config)

    assert [claim.agrees for claim in fig_2_2_b_splines.claims([record_of(config, results)])] == [
        "yes"
    ] * 3
    assert [grid["n_basis"] for grid in results["grids"]] == [8, 13]
    assert results["difference_of_curves"] < 1e-14
    assert results["difference_of_coefficients"] < 1e-13
    points, inside = np.array(results["points"]), np.abs(results["points"]) <= 1.0
    coarse, fine = (np.array(grid["scaled_bases"]).sum(axis=0) for grid in results["grids"])
    curve = (
        kr.bspline.basis(points[:, None], [results["grids"][0]["knots"]], config["degree"])[:, 0]
        @ config["coef"]
    )
    np.testing.assert_allclose(coarse, curve, rtol=0, atol=1e-4)
    np.testing.assert_allclose(coarse[inside], fine[inside], rtol=0, atol=1e-5)
    assert np.abs(coarse - fine)[points < -1.5].max() > 0.05
