"""The simulated clock: time moves while the main thread sleeps, and only then."""

import json
import math
import shutil
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from coordinator.adapters.replay.own_files import own_files
from coordinator.candles.files import candle_path, read_candles
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


@pytest.fixture
def bot(market_dir, tmp_path):
    """Makes the files of a bot that begins after so many hours, and what they are held with."""
    market = tmp_path / "market"
    shutil.copytree(market_dir, market)
    candle_path(market, "ADA/USDT", "4h", "spot").write_bytes(b"")
    (tmp_path / "config.json").write_text(json.dumps({"freqai": {"identifier": "own"}}))

    def make(hours=0.0, *options, home=tmp_path / "home", live=False, **of_spec):
        start = datetime(2023, 3, 1, tzinfo=UTC) + timedelta(hours=hours)
        spec = ReplaySpec(datadir=market, start=start, home=home, **of_spec)
        words = [
            "freqtrade",
            "trade",
            "-c",
            str(tmp_path / "config.json"),
            "--userdir",
            str(tmp_path / "home"),
        ]
        return own_files(spec, [*words, *options], live=live), spec

    return make


def test_a_bot_has_the_candles_before_its_start_of_the_pairs_that_are_sound(bot):
    own, spec = bot()
    with own.held(spec) as anew:
        assert anew is None
    newest = read_candles(own.candles, "BTC/USDT", "1h", "spot")["date"].iloc[-1]
    assert newest.to_pydatetime() == spec.start - timedelta(hours=1)
    assert not [*own.candles.glob("ADA*")]


def test_a_bot_goes_on_after_an_earlier_one_and_begins_anew_before_it(bot):
    own, spec = bot()
    kept = [own.folder / f"sandbox-dry-{name}.sqlite" for name in ("trades", "ledger")]
    with own.held(spec):
        own.models.mkdir(parents=True)
        for path in kept:
            path.write_bytes(b"")
        real = own.folder / "coordinator.ledger.sqlite"
        real.write_bytes(b"")
        own.clock_file.write_text((spec.start + timedelta(hours=5)).isoformat())
    own, later = bot(5)
    with own.held(later) as anew:
        assert anew is None
        assert all(path.exists() for path in (*kept, own.models))
        assert read_candles(own.candles, "BTC/USDT", "1h", "spot")["date"].iloc[
            -1
        ] == later.start - timedelta(hours=1)
    own, earlier = bot(4)
    for _ in range(2):  # and where that one has ended before its first look
        with own.held(earlier) as anew:
            assert anew is not None
            assert not any(path.exists() for path in (*kept, own.models))
            assert real.exists()
            kept[0].write_bytes(b"")


def test_two_bots_do_not_share_files(bot, tmp_path):
    own, spec = bot()
    with own.held(spec):
        other, _ = bot()
        with pytest.raises(CoordinatorError, match="be of no bot that still runs"), other.held(spec):
            pass
        live, _ = bot(live=True)
        with live.held(spec):
            assert live.candles != own.candles
    elsewhere, _ = bot(home=tmp_path / "elsewhere")
    names = {files.models.name for files in (own, live, elsewhere)}
    assert len(names) == 3
    assert all(name.startswith("sandbox-") and name.endswith("-own") for name in names)
    assert {files.models.parent for files in (own, live, elsewhere)} == {tmp_path / "home" / "models"}


def test_what_the_command_names_is_taken_and_other_commands_share_all(bot):
    own, _ = bot()
    assert own.overlay == {
        "db_url": f"sqlite:///{own.folder / 'sandbox-dry-trades.sqlite'}",
        "freqai": {"identifier": "sandbox-dry-own"},
    }
    assert own.ledger == f"sqlite:///{own.folder / 'sandbox-dry-ledger.sqlite'}"
    named, spec = bot(0.0, "--db-url", "sqlite:///mine", ledger="mine.sqlite")
    assert named.overlay == {"freqai": {"identifier": "sandbox-dry-own"}}
    assert named.ledger == "mine.sqlite"
    named.folder.mkdir(parents=True, exist_ok=True)
    named.clock_file.write_text((spec.start + timedelta(hours=5, microseconds=1)).isoformat())
    refused = (
        r"'--start' .* must be 2023-.*T0?\d:00:01Z or later, where the bot before has come to, or --db-url"
    )
    with pytest.raises(CoordinatorError, match=refused), named.held(spec):
        pass
    named.clock_file.write_text((spec.start + datetime.resolution).isoformat())  # it never looked
    with named.held(spec):
        pass
    assert own_files(spec, ["freqtrade", "list-data"], live=False) is None
