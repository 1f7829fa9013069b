"""Kill a writing process, again and again, and look at what it leaves behind.

``python ledger_crash.py URL REFERENCE_URL KILLS SEED`` forks a child that writes a deterministic stream of candles to
the ledger at URL, each with the state of a learner that is folded over what was written before. It dies by SIGKILL:
every other one from the parent at a random moment, the rest right after a random SQL statement, which is always in
the middle of a transaction. The parent checks the ledger and lets a new child continue from where it ends. At the
end the ledger must equal one that was written without disturbance. Exit code 1 and a line that says why, if not.
"""

from __future__ import annotations

import hashlib
import os
import signal
import struct
import sys
import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

import numpy as np
from sqlalchemy import Engine, event, select

from coordinator.errors import CoordinatorError
from coordinator.ledger import schema
from coordinator.ledger.records import (
    CandleRecord,
    DropRow,
    OutcomeRow,
    SignalRow,
    SnapshotRow,
    VoteRow,
    WeightRow,
)
from coordinator.ledger.store import Ledger, RunInfo

HOUR, AFTERWARDS = 3600, 30
PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
MESSAGE = struct.Struct("<cq")
State = Mapping[str, Any]
BEGINNING: State = {"signals": 0, "r": 0.0, "digest": ""}


def info() -> RunInfo:
    """Every process starts at its own time; the rest is the run's identity."""
    return RunInfo("Crash", datetime.now(UTC), "1h", {"seed": 1})


def signals_of(i: int) -> tuple[SignalRow, ...]:
    rng = np.random.default_rng((42, i))
    rows = []
    for pair in PAIRS:
        if rng.random() < 0.6:
            votes = tuple(VoteRow(name, 1, rng.random(), rng.random()) for name in sorted(schema.COMPONENTS))
            numbers = rng.random(7).tolist()
            rows.append(
                SignalRow(pair, 1, *numbers[:3], 48, "test", *numbers[3:], bool(i % 2), "", votes=votes)
            )
    return tuple(rows)


def candle(i: int, state: State) -> tuple[CandleRecord, State]:
    """The stream's i-th candle and the learner's state after it."""
    rng = np.random.default_rng((43, i))
    old = i - 3
    outcomes = tuple(
        OutcomeRow(old * HOUR, row.pair, float(rng.normal()), "target", i * HOUR)
        for row in (signals_of(old) if old > 0 else ())
    )
    bare = CandleRecord(
        i * HOUR,
        signals_of(i),
        outcomes,
        weights=(WeightRow("pilot", float(rng.random()), "review", {"n": i}),) if i % 7 == 0 else (),
        drops=tuple(DropRow(pair, "lstm", "stale") for pair in PAIRS),
    )
    after = fold(state, bare)
    ballast = {"window": rng.random(400).tolist()}
    snapshots = (SnapshotRow("ballast", ballast), SnapshotRow("chain", after))
    return CandleRecord(**vars(bare) | {"snapshots": snapshots}), after


def fold(state: State, record: CandleRecord) -> State:
    """A learner that depends on every signal and outcome and on their order."""
    content = repr((state["digest"], record.time, record.signals, record.outcomes)).encode()
    return {
        "signals": state["signals"] + len(record.signals),
        "r": state["r"] * 0.99 + sum(row.r for row in record.outcomes),
        "digest": hashlib.sha256(content).hexdigest(),
    }


def resume(ledger: Ledger, run: int) -> tuple[int, State]:
    """Where the run stands: the last candle's number, and the state that replay and snapshot agree on."""
    last, state = ledger.last_candle(run), BEGINNING
    if last is None:
        return 0, state
    for record in ledger.replay(run):
        state = fold(state, record)
    stored = ledger.snapshot(run, "chain", last)
    assert stored == (last, state), f"replay gives {state}, the snapshot is {stored}"
    return last // HOUR, state


def write(url: str, until: int, report: int | None = None) -> None:
    """Continue the run up to a candle; tell the pipe before and after each."""
    ledger = Ledger(url)
    run = ledger.open_run(info())
    i, state = resume(ledger, run)
    while i < until:
        i += 1
        record, state = candle(i, state)
        if report is not None:
            os.write(report, MESSAGE.pack(b"b", i))
        ledger.write_candle(run, record)
        if report is not None:
            os.write(report, MESSAGE.pack(b"d", i))


def die_after(statements: int) -> None:
    """Kill this process when it has executed some more SQL statements."""
    left = count(statements - 1, -1)

    def executed(*_: object) -> None:
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "after_cursor_execute", executed)


def fork(url: str, until: int, statements: int | None = None) -> tuple[int, int]:
    """A child that writes; its number and the end of the pipe it tells about it."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child:
        os.close(write_end)
        return child, read_end
    code = 1
    try:
        os.close(read_end)
        if statements is not None:
            die_after(statements)
        write(url, until, write_end)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def messages(read_end: int) -> list[tuple[bytes, int]]:
    """Everything the child has told, once it is gone."""
    told = b""
    while more := os.read(read_end, 65536):
        told += more
    os.close(read_end)
    return list(MESSAGE.iter_unpack(told))


def kill_once(url: str, rng: np.random.Generator, by_parent: bool) -> list[tuple[bytes, int]]:
    """Start a child and have it killed: mostly somewhere in its writes, at times while it starts."""
    first = b""
    if by_parent:
        child, read_end = fork(url, until=10**9)
        if rng.random() < 0.8:
            first = os.read(read_end, MESSAGE.size)  # the first write begins
        time.sleep(rng.uniform(0, 0.12))
        os.kill(child, signal.SIGKILL)
    else:
        child, read_end = fork(url, until=10**9, statements=int(rng.integers(1, 150)))
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the child ended by itself"
    return list(MESSAGE.iter_unpack(first)) + messages(read_end)


def inspect_after_kill(url: str, written: int) -> int:
    """The ledger is sound and holds what was reported as written; the number of its last candle."""
    ledger = Ledger(url)
    try:
        found = ledger.check()
    except CoordinatorError as error:
        # Killed before there was anything: no file, or an empty database.
        assert written == 0 and error.rule in ("exist", "be a decision ledger"), error
        return 0
    assert not found, found
    runs = ledger.runs()
    assert len(runs) <= 1, runs
    return (ledger.last_candle(int(runs["id"].iloc[0])) or 0) // HOUR if len(runs) else 0


def contents(url: str) -> dict[str, list[str]]:
    """Every row of every table, but for the runs' own."""
    with Ledger(url).database.read() as connection:
        return {
            name: sorted(repr(tuple(row)) for row in connection.execute(select(table)))
            for name, table in schema.metadata.tables.items()
            if name != "runs"
        }


def main(url: str, reference: str, kills: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    last = inside = 0
    for n in range(kills):
        told = kill_once(url, rng, by_parent=n % 2 == 1)
        written = max((i for kind, i in told if kind == b"d"), default=last)
        begun = max((i for kind, i in told if kind == b"b"), default=last)
        now = inspect_after_kill(url, max(last, written))
        assert max(last, written) <= now <= max(last, begun), (
            f"told {written} to {begun}, before {last}, now {now}"
        )
        inside += begun > written
        last = now
    child, read_end = fork(url, last + AFTERWARDS)
    assert os.waitpid(child, 0)[1] == 0, "the last child failed"
    messages(read_end)
    write(reference, last + AFTERWARDS)
    assert Ledger(url).check() == []
    assert list(Ledger(url).replay(1)) == list(Ledger(reference).replay(1)), "the runs differ"
    assert contents(url) == contents(reference), "the tables differ"
    rows = sum(len(found) for found in contents(url).values())
    print(  # noqa: T201
        f"{kills} kills, {inside} inside a write: {last + AFTERWARDS} candles, {rows} rows, sound after each kill and "
        "in the end the same as undisturbed"
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
