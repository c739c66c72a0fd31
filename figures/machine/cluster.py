"""Records on a cluster: Dask's workers compute, one record at a time each; this program writes.

Start the workers from a checkout with `dask worker ADDRESS`: they import `figures` and `kan_ref` by
name and need nothing else from this machine. The package `distributed` comes with the extra
"cluster".
"""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pkgutil import resolve_name
from typing import Any

import distributed as _distributed
from threadpoolctl import threadpool_limits

from figures.machine.computing import Backend, Outcome, UnavailableError, begin_before, compute
from figures.machine.records import Task

distributed: Any = _distributed  # in part untyped
PATIENCE = 30.0  # seconds for the scheduler to answer, and for the first worker
_ONE_RECORD = threading.Lock()  # the threads of a worker share `kr.LIBRARY`


def compute_alone(task: Task) -> Outcome:
    """Compute one record with one BLAS thread, whatever the worker's environment, and no other one
    at the same time.
    """
    with _ONE_RECORD, threadpool_limits(limits=1):
        return compute(task)


def on_cluster(address: str) -> Backend:
    """Return the backend that computes on the workers of the scheduler at `address`; workers may
    join and leave.

    Raises
    ------
    UnavailableError
        By the backend, if no scheduler answers, if it has no workers, or if they cannot import `figures`.
    """

    def run(tasks: Sequence[Task], end: float) -> Iterator[Outcome]:
        with _client(address) as client:
            yield from _share_out(client, begin_before(end, tasks))

    return run


@contextlib.contextmanager
def _client(address: str) -> Iterator[Any]:
    """Connect to a scheduler that has workers which can import `figures`."""
    try:
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UnavailableError(f"no scheduler answers at {address!r}: {error}") from None
    try:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise UnavailableError(
                f"the scheduler at {address} has no workers; start some with `dask worker {address}`"
            ) from None
        try:
            # by name: a task that a worker cannot import would end that worker
            client.run(resolve_name, "figures.machine.cluster:__name__")
        except ImportError as error:
            raise UnavailableError(
                f"the workers of {address} cannot import the figures ({error}); start them from a checkout"
            ) from None
        yield client
    finally:
        client.close()


def _share_out(client: Any, tasks: Iterator[Task]) -> Iterator[Outcome]:
    """Give every worker its next task when it has none; a task whose worker is lost goes to another
    one.
    """
    running: dict[Any, tuple[Task, str]] = {}
    finished = distributed.as_completed(loop=client.loop)
    try:
        while True:
            busy = {address for _, address in running.values()}
            for address in (address for address in client.nthreads() if address not in busy):
                task = next(tasks, None)
                if task is None:
                    break
                future = client.submit(compute_alone, task, workers=[address], allow_other_workers=True, pure=False)
                running[future] = (task, address)
                finished.add(future)
            if not running:
                return
            future = next(finished)
            task, _ = running.pop(future)
            # if all its workers are lost, or none can unpickle it, the record fails and the program goes on
            # where a result died with its worker, it is waited for, since it comes again
            failure = future.exception()
            yield future.result() if failure is None else Outcome(task, failure=f"{failure!r}")
    finally:
        client.cancel(list(running))
