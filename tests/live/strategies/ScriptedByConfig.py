"""The scripted strategy in a process of its own: its plays stand in the config."""

from tests.scenarios.engine import Play, Signal
from tests.scenarios.strategies.Scripted import Scripted


class ScriptedByConfig(Scripted):
    """``script`` of the config: by pair ``[rows, confidence of the signal at row 0]``."""

    def __init__(self, config):
        super().__init__(config)
        self.script = {
            pair: Play([tuple(row) for row in rows], {0: Signal(confidence)}, 1)
            for pair, (rows, confidence) in config["script"].items()
        }
