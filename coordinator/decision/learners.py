"""All that learns from outcomes, updated together and stored together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from coordinator.decision.blending.manager import PHASES, MLWeightManager, WeightReview
from coordinator.decision.clock_learners import ClockLearners, ResolvedSignals
from coordinator.decision.pair_records import PairChange
from coordinator.decision.selector import Selection, TacticSelector, tactic_profit
from coordinator.decision.table import SignalTable
from coordinator.decision.thresholds import AdaptiveThresholds
from coordinator.decision.vote_weights import VoteWeights, mixture
from coordinator.decision.voting import ml_weights
from coordinator.settings import Settings
from coordinator.signals.clock import CLOCKS
from coordinator.types import SECONDS_PER_DAY, Bools, Floats, Ints, Times

__all__ = ["History", "LearnerFailure", "Learners"]

T = TypeVar("T")


class LearnerFailure(NamedTuple):
    """A learner raised: the day (seconds since the epoch), its name, and what it raised."""

    time: int
    learner: str
    error: str


@dataclass
class History:
    """What changed and what failed, in time order, for the ledger."""

    reviews: list[WeightReview]
    thresholds: list[PairChange]
    weights: list[tuple[int, dict[str, float]]]
    failures: list[LearnerFailure]

    @classmethod
    def empty(cls) -> History:
        """Nothing yet."""
        return cls([], [], [], [])


class Learners:
    """The learners of one fold, none of which can stop it.

    One that raises begins anew, as if it had learned nothing, and what was asked of it gets the answer of one that has
    not learned; the others go on (DESIGN.md 3).

    Attributes
    ----------
    clocks : code of a clock to what is learned of it by itself
    vote_weights, manager, thresholds, selector : the learners of all together
    history : what changed so far, and what failed
    """

    def __init__(self, settings: Settings) -> None:
        decision = self._decision = settings.decision
        start = ml_weights(decision)
        gates = decision.threshold, decision.baseline_threshold
        longest = max(settings.on_clock(name).time_limit for name in settings.clock_names)
        overlap = -(-longest // SECONDS_PER_DAY)
        self._begin: dict[str, Callable[[], Any]] = {
            "vote_weights": lambda: VoteWeights(settings.vote_weights, start),
            "manager": lambda: MLWeightManager(settings.blending, *gates, overlap),
            "thresholds": lambda: AdaptiveThresholds(settings.thresholds, decision.threshold),
            "selector": lambda: TacticSelector(settings.selector),
            "clocks": lambda: {
                CLOCKS.index(name): ClockLearners(settings.on_clock(name)) for name in settings.clock_names
            },
        }
        self.vote_weights: VoteWeights
        self.manager: MLWeightManager
        self.thresholds: AdaptiveThresholds
        self.selector: TacticSelector
        self.clocks: dict[int, ClockLearners]
        for name in self._begin:
            self._begin_anew(name)
        self._start_weight = settings.blending.base_weights[self.phase]
        self._start_shares = list(self.vote_weights.weights_)
        self._now = 0
        self.history = History.empty()

    def _begin_anew(self, name: str) -> None:
        setattr(self, name, self._begin[name]())

    def _use(self, name: str, ask: Callable[[], T], unlearned: Callable[[], T]) -> T:
        """What a learner answers; where it raises it begins anew, and ``unlearned`` answers in its place."""
        try:
            return ask()
        except Exception as error:  # whatever it is, the decision goes on
            self.history.failures.append(LearnerFailure(self._now, name, f"{type(error).__name__}: {error}"))
            self._begin_anew(name)
            return unlearned()

    @property
    def phase(self) -> int:
        """Index into ``PHASES``."""
        return PHASES.index(self.manager.phase)

    # --- learning ---------------------------------------------------------------------------------------------

    def learn(self, now: int, resolved: ResolvedSignals) -> None:
        """Teach every learner what resolved before ``now`` (seconds since the epoch)."""
        self._now = now
        r, won = resolved.r, np.zeros(len(resolved.r), dtype=bool)
        for learners, rows in self._rows(resolved.clock):
            won[rows] = learners.won(resolved, rows)
        self._use("clocks", lambda: self._learn_clocks(now, resolved), _nothing)
        self._use("vote_weights", lambda: self._learn_weights(now, resolved, won), _nothing)
        profit = tactic_profit(resolved.direction, resolved.chosen_direction, r * resolved.stop)
        self._use(
            "selector",
            lambda: self.selector.learn(resolved.state, resolved.tactic, profit, resolved.next_state),
            _nothing,
        )
        self.history.thresholds += self._use(
            "thresholds",
            lambda: self.thresholds.learn(now, resolved.pair, resolved.confidence, resolved.expected_r, r),
            list,
        )
        review = self._use("manager", lambda: self._learn_weight(now, resolved), _nothing)
        if review is not None:
            self.history.reviews.append(review)

    def _learn_clocks(self, now: int, resolved: ResolvedSignals) -> None:
        for learners, rows in self._rows(resolved.clock):
            learners.learn(now, resolved, rows)

    def _learn_weights(self, now: int, resolved: ResolvedSignals, won: Bools) -> None:
        before = self.vote_weights.weights
        self.vote_weights.learn(resolved.percentile[:, 1:], won)
        if self.vote_weights.weights != before:
            self.history.weights.append((now, self.vote_weights.weights))

    def _learn_weight(self, now: int, resolved: ResolvedSignals) -> WeightReview | None:
        # What market or side forbids is no evidence of what ML's say is worth.
        counted = resolved.decidable | (self.manager.settings.criterion == "accuracy")
        return self.manager.learn(
            now,
            np.where(counted, resolved.ml_rank, np.nan),
            resolved.percentile[:, 0],
            resolved.r,
            arm=resolved.arm,
            accepted=resolved.accepted,
        )

    # --- answers ----------------------------------------------------------------------------------------------

    def ml_score(self, percentile: Floats) -> tuple[Floats, Floats]:
        """The ML components' weighted mean (n,), NaN where none is present, and their shares of it (n, 5)."""
        return self._use(
            "vote_weights",
            lambda: self.vote_weights.predict(percentile),
            lambda: mixture(self._start_shares, percentile),
        )

    def ml_weight(self, pairs: Sequence[str], time: Times) -> tuple[Floats, Ints]:
        """The earned say of ML for each signal, and its arm in the pilot phase (else -1); shape (n,) each."""
        nothing = np.full(len(pairs), -1, dtype=np.int64)

        def earned() -> tuple[Floats, Ints]:
            weight = self.manager.predict(pairs, time)
            return weight, (weight > 0.0).astype(np.int64) if self.manager.phase == "pilot" else nothing

        return self._use("manager", earned, lambda: (np.full(len(pairs), self._start_weight), nothing))

    def ml_gates(self, pairs: Sequence[str]) -> Floats:
        """Least confidence that ML's say asks of each signal, shape (n,)."""
        start = self._decision.threshold
        return self._use(
            "thresholds", lambda: self.thresholds.predict(pairs), lambda: np.full(len(pairs), start)
        )

    def adaptive_thresholds(self, pairs: Sequence[str]) -> Floats:
        """What adaptive thresholds give, in shadow mode too, shape (n,)."""
        start = self._decision.threshold
        return self._use(
            "thresholds", lambda: self.thresholds.adaptive(pairs), lambda: np.full(len(pairs), start)
        )

    def select(self, table: SignalTable, draws: npt.NDArray[np.uint64], rows: slice) -> Selection | None:
        """The tactics chosen for some signals; None where the selector failed: then it does not vote."""
        tactics = table.tactic_direction[rows], table.tactic_confidence[rows]
        return self._use(
            "selector", lambda: self.selector.predict(table.state[rows], draws[rows], *tactics), _nothing
        )

    def predict_r(self, clock: Ints, confidence: Floats, enough: int) -> tuple[Floats, Floats]:
        """Win probability and expected R of confidences; NaN until ``enough`` outcomes of their clock are known."""
        unknown = np.full(len(confidence), np.nan)

        def predicted() -> tuple[Floats, Floats]:
            p, r = unknown.copy(), unknown.copy()
            for learners, rows in self._rows(clock):
                if learners.calibrator.outcomes_ >= enough:
                    p[rows] = learners.calibrator.predict(confidence[rows])
                    r[rows] = learners.calibrator.predict_r(confidence[rows])
            return p, r

        return self._use("clocks", predicted, lambda: (unknown, unknown))

    def expected_days(self, clock: Ints) -> Floats:
        """Mean time of the virtual trades of each row's clock, days, shape (n,)."""
        return self._by_clock(clock, lambda own: own.expected_days, np.nan)

    def earned_share(self, clock: Ints) -> Floats:
        """Share of the risk that each row's clock has earned, shape (n,)."""
        return self._by_clock(clock, lambda own: own.earned_risk.share, 1.0)

    def _by_clock(self, clock: Ints, number: Callable[[ClockLearners], float], start: float) -> Floats:
        def numbers() -> Floats:
            out = np.full(len(clock), np.nan)
            for learners, rows in self._rows(clock):
                out[rows] = number(learners)
            return out

        return self._use("clocks", numbers, lambda: np.full(len(clock), start))

    def _rows(self, clock: Ints) -> Iterator[tuple[ClockLearners, Bools | slice]]:
        """Each clock's learners with its rows; without a mask where there is one clock, as there nearly always is."""
        if len(self.clocks) == 1:
            yield next(iter(self.clocks.values())), slice(None)
            return
        for code, learners in self.clocks.items():
            yield learners, clock == code

    def state(self) -> dict[str, Any]:
        """JSON types; ``restore`` gives it back to the bit. The history is the ledger's, not the state's."""
        parts = ("vote_weights", "manager", "thresholds", "selector")
        clocks = {CLOCKS[code]: learners.state() for code, learners in self.clocks.items()}
        return {"clocks": clocks, **{name: getattr(self, name).state() for name in parts}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave."""
        for code, learners in self.clocks.items():
            learners.restore(state["clocks"][CLOCKS[code]])
        for name in ("vote_weights", "manager", "thresholds", "selector"):
            getattr(self, name).restore(state[name])


def _nothing() -> None:
    return None
