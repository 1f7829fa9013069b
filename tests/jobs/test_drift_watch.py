"""A bot's watch: once a day, told once a model, trained anew by whoever trains it."""

import logging
from dataclasses import replace

import pytest

from coordinator.jobs.quality.train import train_walk_forward
from coordinator.ledger.learning_events import learning_events
from coordinator.ledger.registry import ModelRegistry
from coordinator.run.collection.drift import DriftWatch
from tests.jobs.conftest import DAY, FIRST

NOW = FIRST + 561 * DAY


class Bot:
    """What the watch tells."""

    def __init__(self, world):
        self.world, self.messages, self.retrainings = world, [], 0
        self.watch = DriftWatch({"user_data_dir": str(world.folder)})
        self.step(NOW - DAY)  # a bot's first day has enough to do

    def retrain(self):
        self.retrainings += 1

    def step(self, now):
        settings = self.world.context.settings
        self.watch.check(self.world.ledger, settings, now, self.tell, self.retrain)

    def tell(self, kind, cause, message):
        assert kind == "drift"
        self.messages.append(message)


@pytest.fixture
def world(make_world):
    world = make_world(quality={"source": "registry"})
    world.collect(0, 500)
    train_walk_forward(world.context, "1d", FIRST + 500 * DAY)
    return world


def test_a_drift_is_told_once_and_has_the_model_trained_anew(world):
    world.collect(500, 60, shift=2.0)
    before = len(ModelRegistry(world.ledger).models("signal_quality"))
    bot = Bot(world)
    assert bot.messages == []
    bot.step(NOW)
    assert len(bot.messages) == 1
    assert "signal_quality has drifted: features moved" in bot.messages[0]
    assert "; trained anew: " in bot.messages[0]
    assert len(ModelRegistry(world.ledger).models("signal_quality")) == before + 1
    assert learning_events(world.ledger, "signal_quality", "trained")[-1].figures["trigger"] == "drift"
    assert learning_events(world.ledger, "signal_quality", "drift")[-1].figures["drifted"]
    bot.step(NOW + 3600)
    bot.step(NOW + DAY)  # the same model, or a new one that the same samples do not surprise
    assert len(bot.messages) == 1
    assert bot.retrainings == 0


def test_models_of_freqai_are_trained_by_freqai(world):
    registry = ModelRegistry(world.ledger)
    model = registry.succession("signal_quality").last
    path = world.context.model_folder / model.info.file.rpartition("/")[2]
    registry.enter(
        replace(model.info, name="quality", file=str(path)), NOW - 9 * DAY, "FreqAI's", promoted=True
    )
    world.configure(quality={"source": "freqai"})
    world.collect(500, 60, shift=2.0)
    bot = Bot(world)
    bot.step(NOW)
    assert bot.retrainings == 1
    assert "quality has drifted" in bot.messages[0]
    assert bot.messages[0].endswith("it is trained anew")
    bot.step(NOW + DAY)
    assert bot.retrainings == 1


def test_without_a_drift_nothing_is_told_and_it_can_be_switched_off(world):
    world.collect(500, 60)
    bot = Bot(world)
    bot.step(NOW)
    assert bot.messages == []
    assert len(learning_events(world.ledger, "signal_quality", "drift")) == 1
    world.configure(quality={"source": "registry"}, continuous_learning={"drift_check": False})
    world.collect(560, 60, shift=3.0)
    bot.step(NOW + 60 * DAY)
    assert len(learning_events(world.ledger, "signal_quality", "drift")) == 1


def test_what_fails_is_a_warning_and_the_bot_goes_on(world, caplog):
    world.collect(500, 60, shift=2.0)
    for path in world.context.model_folder.iterdir():
        path.unlink()
    bot = Bot(world)
    with caplog.at_level(logging.WARNING):
        bot.step(NOW)
    assert "Drift could not be checked on 1d" in caplog.text
    assert bot.messages == []
