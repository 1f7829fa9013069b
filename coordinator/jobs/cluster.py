"""The workers: processes of this machine, or a dask cluster that is there."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dask
from distributed import Client, LocalCluster

from coordinator.errors import CoordinatorError

__all__ = ["connect_workers"]

CONNECT_SECONDS = 10


@contextmanager
def connect_workers(count: int, scheduler: str | None, owner: str) -> Iterator[tuple[Client, int]]:
    """A dask client, and how many jobs its workers can run at once.

    Parameters
    ----------
    count : processes to start on this machine; each runs one job at a time, as Freqtrade keeps its trades in globals
    owner : the command, for errors
    scheduler : ``tcp://host:port`` of an existing cluster instead. Its workers need this package, the candles and the
        strategy files at the same paths, and one thread each

    Raises
    ------
    CoordinatorError
        If the scheduler cannot be reached or has no workers.
    """
    settings = {
        "distributed.worker.daemon": True,
        "distributed.admin.large-graph-warning-threshold": "1GB",
        # A worker that is killed is replaced, and its job given to another one.
        "distributed.scheduler.allowed-failures": 3,
    }
    with dask.config.set(settings):
        if scheduler is not None:
            with _existing(scheduler, owner) as client:
                threads = sum(client.nthreads().values())
                if not threads:
                    raise CoordinatorError("--scheduler", owner, "have workers", scheduler)
                yield client, threads
            return
        with _deaf_to_interrupts():
            cluster = LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                # distributed serves its health page in any case: on a free port, and without a dashboard.
                scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                memory_limit=None,
                silence_logs=logging.CRITICAL,
            )
        with cluster, Client(cluster) as client:
            yield client, count


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes started within do not hear Ctrl-C, which a terminal sends to all: who started them ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _existing(scheduler: str, owner: str) -> Client:
    try:
        return Client(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TimeoutError) as error:
        rule = f"be the address of a dask scheduler, tcp://host:port ({type(error).__name__})"
        raise CoordinatorError("--scheduler", owner, rule, scheduler) from None
