"""The simulated clock: time moves while the main thread sleeps, and only then."""

import math
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from coordinator.candles.moments import parse_moment
from coordinator.errors import CoordinatorError
from coordinator.sandbox.replay_spec import ReplaySpec
from coordinator.sandbox.simulated_clock import SimulatedClock

START = datetime(2023, 6, 1, tzinfo=UTC)


def test_sleeping_moves_the_clock_and_working_does_not():
    with SimulatedClock(START) as clock:
        began = time.perf_counter()
        sum(range(200_000))
        assert datetime.now(UTC) == START
        time.sleep(7200)
        assert datetime.now(UTC) == clock.now == START + timedelta(hours=2)
        assert time.time() == (START + timedelta(hours=2)).timestamp()
        assert time.perf_counter() - began < 60
    assert abs(datetime.now(UTC).timestamp() - time.time()) < 1
    assert datetime.now(UTC).year > 2023


def test_a_finite_speed_waits_as_long_as_it_says():
    with SimulatedClock(START, speed=3600.0):
        began = time.perf_counter()
        time.sleep(720)
        waited = time.perf_counter() - began
    assert waited >= 0.2


def test_other_threads_and_short_sleeps_do_not_move_it():
    moments = []

    def other() -> None:
        time.sleep(3600)
        moments.append(datetime.now(UTC))

    with SimulatedClock(START) as clock:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(timeout=20)
        time.sleep(0.01)
        assert moments == [START]
        assert clock.now == START


def test_it_stands_still_while_something_is_busy():
    work = iter([True, True, True])
    seen = []
    with SimulatedClock(START) as clock:

        def busy() -> bool:
            seen.append(clock.now)
            return next(work, False)

        clock.busy.append(busy)
        time.sleep(60)
        assert clock.now == START + timedelta(minutes=1)
    assert seen == [START] * 4


def test_its_end_interrupts_the_sleeper_at_the_very_moment():
    told = []
    with SimulatedClock(START, end=START + timedelta(minutes=30)) as clock:
        clock.slept.append(told.append)
        time.sleep(600)
        with pytest.raises(KeyboardInterrupt):
            time.sleep(3600)
        assert clock.now == START + timedelta(minutes=30)
    assert told == [START + timedelta(minutes=10)]


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ((START, 0.0, None), "be above 0"),
        ((START, math.nan, None), "be above 0"),
        ((START.replace(tzinfo=None), 1.0, None), "have a time zone"),
        ((START, 1.0, START), "be after"),
    ],
)
def test_what_cannot_be_is_refused(arguments, rule):
    with pytest.raises(CoordinatorError, match=rule):
        SimulatedClock(*arguments)


def test_a_specification_travels_as_json(tmp_path):
    spec = ReplaySpec(datadir=tmp_path, start=START, speed=math.inf)
    assert ReplaySpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize("text", ["", "2023-6-x", "yesterday", "2023-13-01", "2023-06-01 06:00; DROP"])
def test_a_moment_that_is_none_is_refused(text):
    with pytest.raises(CoordinatorError, match="be a day such as"):
        parse_moment("--start", "test", text)
