"""Records on a cluster: the same as on this machine, one a process at a time, and messages when the cluster fails."""

import itertools
import json
import os
import subprocess
import sys
import time

import pytest
import toy_runs
from checkout import ROOT
from dask import config as dask_settings
from toy_runs import TOY, plan_of

from figures.machine import cluster, computing

toy, toy_program = toy_runs.toy, toy_runs.toy_program  # fixtures


def dask(*arguments, first="pass"):
    """A program of the scheduler's package, as its users start it; `first`: a statement before everything else."""
    code = f"import sys; {first}; from distributed.cli import dask_scheduler, dask_worker; program = sys.argv.pop(1);"
    code += "(dask_scheduler if program == 'scheduler' else dask_worker).main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@pytest.fixture
def scheduler(tmp_path):
    """The address of a scheduler without workers."""
    place = tmp_path / "scheduler.json"
    settings = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file"]
    process = dask("scheduler", *settings, str(place))
    try:
        deadline = time.monotonic() + 60.0
        while not place.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        yield json.loads(place.read_text())["address"]
    finally:
        process.terminate()
        process.wait()


def workers_of(scheduler, tmp_path, number=2, first="pass"):
    """Workers with two threads each, which would be too many."""
    settings = ["--nthreads", "2", "--no-dashboard", "--no-nanny", "--local-directory"]
    settings.append(str(tmp_path / "spill"))
    return [dask("worker", scheduler, *settings, first=first) for _ in range(number)]


@pytest.fixture
def cluster_of_two(toy, scheduler, tmp_path, monkeypatch):
    """The address of a scheduler with two workers that have no limit of BLAS threads of their own."""
    with monkeypatch.context() as changed:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            changed.setenv(name, "2")
        workers = workers_of(scheduler, tmp_path)
    yield scheduler
    for worker in workers:
        worker.terminate()
        worker.wait()


def test_a_cluster_writes_the_same_records_as_this_machine(toy_program, toy, cluster_of_two, tmp_path, capsys):
    local, remote = tmp_path / "local", tmp_path / "remote"
    toy_program(["--out", str(local), "--seeds", "6"])

    status = toy_program(["--out", str(remote), "--seeds", "6", "--backend", "dask", "--scheduler", cluster_of_two])

    assert status == 0
    here, there = (
        [{**record, "seconds": 0.0} for record in plan_of(toy, folder, 6).finished] for folder in (local, remote)
    )
    assert here == there
    assert len(there) == 6


def test_a_cluster_computes_one_record_a_process_with_one_blas_thread_and_uses_every_worker(
    toy, cluster_of_two, tmp_path, monkeypatch
):
    (tmp_path / "nosy_figure.py").write_text(
        TOY.replace('"toy", "squares"', '"nosy", "threads"').replace(
            'return {"square": float(os.environ.get("TOY_RESULT", config["seed"] ** 2))}',
            "from threadpoolctl import threadpool_info; import numpy as np; np.ones((2, 2)) @ np.ones((2, 2));"
            'return {"process": os.getpid(), "began": time.time() - config["pause"], "ended": time.time(),'
            ' "threads": [pool["num_threads"] for pool in threadpool_info()]}',
        )
    )
    monkeypatch.setenv("TOY_PAUSE", "0.3")
    import nosy_figure

    outcomes = list(
        computing.compute_all(plan_of(nosy_figure, tmp_path, 8).missing, cluster.on_cluster(cluster_of_two))
    )

    assert [failure for _, failure in outcomes] == [""] * 8
    results = [record["results"] for record in plan_of(nosy_figure, tmp_path, 8).finished]
    assert all(result["threads"] and set(result["threads"]) == {1} for result in results)
    processes = {result["process"] for result in results}
    assert len(processes) == 2
    assert os.getpid() not in processes
    for process in processes:
        times = sorted((result["began"], result["ended"]) for result in results if result["process"] == process)
        assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(times))


def test_a_cluster_begins_no_record_when_the_time_is_up(toy, cluster_of_two, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_PAUSE", "0.05")
    tasks, backend = plan_of(toy, tmp_path, 2000).missing, cluster.on_cluster(cluster_of_two)
    list(backend(tasks[:2], time.time() + 60.0))  # workers join in their own time

    outcomes = list(backend(tasks, time.time() + 3.0))

    assert {outcome.failure for outcome in outcomes} == {""}
    assert 1 <= len(outcomes) < len(tasks)
    assert list(backend(tasks[:3], time.time() - 1.0)) == []


def test_a_worker_that_is_killed_costs_no_record(toy, scheduler, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_PAUSE", "0.5")
    workers = workers_of(scheduler, tmp_path)

    outcomes = []
    with dask_settings.set(
        {"distributed.comm.timeouts.connect": "2s"}
    ):  # 30 s otherwise, for results that died with the worker
        for outcome in computing.compute_all(plan_of(toy, tmp_path, 6).missing, cluster.on_cluster(scheduler)):
            outcomes.append(outcome)
            if len(outcomes) == 1:
                workers[0].kill()

    workers[0].wait()
    workers[1].terminate()
    workers[1].wait()
    assert [failure for _, failure in outcomes] == [""] * 6
    assert len(plan_of(toy, tmp_path, 6).finished) == 6


def test_a_cluster_that_is_not_there_ends_the_program_with_a_sentence(toy_program, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cluster, "PATIENCE", 1.0)

    status = toy_program(["--out", str(tmp_path / "out"), "--backend", "dask", "--scheduler", "tcp://127.0.0.1:9"])

    assert status == 2
    assert "no scheduler answers at 'tcp://127.0.0.1:9'" in capsys.readouterr().err


def test_a_cluster_without_workers_ends_the_program_with_a_sentence(
    toy_program, scheduler, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(cluster, "PATIENCE", 2.0)

    status = toy_program(["--out", str(tmp_path / "out"), "--backend", "dask", "--scheduler", scheduler])

    assert status == 2
    assert (
        f"the scheduler at {scheduler} has no workers; start some with `dask worker {scheduler}`"
        in capsys.readouterr().err
    )
