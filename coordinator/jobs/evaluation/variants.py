"""What an evaluation compares: every account as data, named as the report names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from coordinator.components.controls import ControlKind
from coordinator.decision.voting import ML_COMPONENTS
from coordinator.jobs.evaluation.neighbours import neighbours
from coordinator.reports.evaluation.evaluation import BASELINE, ML, UNEARNED
from coordinator.settings import Settings
from coordinator.settings.signals import TRIGGERS
from coordinator.trade.exits import EXIT_RULES

__all__ = ["GROUPS", "SAMPLE", "Group", "Sizes", "Variant", "all_variants"]

Group = Literal[
    "accounts",
    "say",
    "components",
    "models",
    "controls",
    "improvements",
    "parameters",
    "fees",
    "starts",
    "random",
]
GROUPS: tuple[Group, ...] = get_args(Group)
SAMPLE = "SampleStrategy"
Changes = Mapping[str, Any]


@dataclass(frozen=True)
class Variant:
    """One account.

    Attributes
    ----------
    name : unique, as the report prints it
    group : the table it stands in
    strategy : class name
    against : name of the account that it is compared with; empty for none
    settings : over the config's "coordinator" section, key by key
    control, seed : what stands in every component's place; None is the components
    fees : times the market's fee
    days_later : how much later it begins
    entries : of RandomEntries, how many by "longs" and "shorts" and by pair
    """

    name: str
    group: Group
    strategy: str
    against: str = ""
    settings: Changes = field(default_factory=dict)
    control: ControlKind | None = None
    seed: int = 0
    fees: int = 1
    days_later: int = 0
    entries: Mapping[str, Mapping[str, int]] | None = None

    @property
    def trains(self) -> bool:
        """Whether models, or controls in their place, speak."""
        return self.strategy == ML


@dataclass(frozen=True)
class Sizes:
    """How much is run: the groups beside the accounts, and of what is drawn how many.

    Attributes
    ----------
    groups : what is run; "accounts" and what another one is compared with are always
    starts : days over the first half of the timerange, its first among them
    noise, random : seeds
    trainings : whether what trains models of its own is run: other models, shuffled labels, ML at twice the fee
    """

    groups: tuple[Group, ...] = GROUPS
    starts: int = 12
    noise: int = 10
    random: int = 50
    trainings: bool = True


ALL_TRIGGERS = list(TRIGGERS)
RULES = (*EXIT_RULES, "scale_out")
TARGETS = {"targets": {"enabled": True}}
TRAILING = {"stops": {"trailing_start": 0.01}}
SAY: dict[str, Changes] = {
    "ML at 30 %, unearned": {"decision": {"weighting": "fixed", "ml_weight": 0.3}},
    UNEARNED: {"decision": {"weighting": "fixed", "ml_weight": 0.7}},
    "ML by accuracy": {"blending": {"criterion": "accuracy"}},
    "quality replaces": {"decision": {"quality_mode": "replace"}},
    "quality 70/30": {"decision": {"quality_mode": "score_enhancement"}},
    "quality filters": {"decision": {"quality_mode": "filter"}},
}
"""Other says of ML than the shipped one; unearned: from its first model on, whatever it is worth."""
MODELS: dict[str, tuple[str, Changes]] = {
    "LSTM, 3 seeds": ("lstm", {"learning": {"ensemble_seeds": 3}}),
    "LSTM, 3 horizons": ("lstm", {"learning": {"ensemble_horizons": [6, 24]}}),
    "transformer": ("attention", {"learning": {"attention_architecture": "transformer"}}),
    "quality, updated weekly": ("quality", {"quality": {"online_days": 7}}),
    "quality, logistic": ("quality", {"quality": {"model_type": "logistic"}}),
}
"""Other models in a component's place, that component alone: each is compared with the shipped one alone."""
FEW = 3
BY_EXPECTED_R, BY_POLICY = f"{FEW} positions", f"{FEW} positions, slots by policy"
"""Slots are scarce in both; expected R ranks in one, the policy in the other."""
IMPROVEMENTS: dict[str, Changes] = {
    "every trigger": {"baseline": {"triggers": ALL_TRIGGERS}},
    **{f"trigger {name} only": {"baseline": {"triggers": [name]}} for name in ALL_TRIGGERS},
    "re-arming": {"baseline": {"rearm": "on"}},
    "no regime gate": {"regime": {"gate": "off"}},
    "earned risk": {"sizing": {"earned": {"mode": "on"}}},
    "volatility target 20 %": {"sizing": {"volatility_target": {"mode": "on", "annual": 0.2}}},
    "risk 1.5 %": {"sizing": {"risk_per_trade": 0.015, "max_open_risk": 0.18}},
    "4h clock": {"baseline": {"clock": "4h"}, "targets": {"horizon": 120}},
    "1h clock": {"baseline": {"clock": "1h"}, "targets": {"horizon": 480}},
    "stop below support": {"stops": {"basis": "support"}},
    "exit at the baseline's turn": {"exits": {"baseline_turn": True}},
    "exit at the exit MA": {"exits": {"moving_average": True}},
    "no channel exit": {"exits": {"channel": False}},
    "time limit 10 days": {"targets": {"horizon": 10}},
    "trailing stop": TRAILING,
    "trailing stop by volatility": {**TRAILING, "exits": {"trailing_by_volatility": True}},
    "trailing stop by momentum": {**TRAILING, "exits": {"trailing_by_momentum": True}},
    "no entries in a bear's state": {"regime": {"avoid": ["bear"]}},
    "no entries at high volatility": {"regime": {"avoid": ["high_vol", "high"]}},
    "target 2.5 R": TARGETS,
    "target, dynamic": {**TARGETS, "improvements": {"dynamic_reward_risk": {"mode": "on"}}},
    "target, following": {**TARGETS, "exits": {"target_following": {"mode": "on"}}},
    "DCA": {"dca": {"enabled": True}},
    "DCA, ATR spacing": {"dca": {"enabled": True, "spacing_mode": "atr"}},
    "Kelly cap": {"sizing": {"kelly_mode": "on"}},
    **{name.replace("_", " "): {"exits": {name: {"mode": "on"}}} for name in RULES},
    "all adaptive exits": {"exits": {name: {"mode": "on"} for name in RULES}},
    "no ranking": {"entries": {"ranking": "off"}},
    "volatility sizing": {"improvements": {"volatility_sizing": {"mode": "on"}}},
    "correlation filter": {"improvements": {"correlation_filter": {"mode": "on"}}},
    "adaptive thresholds": {"thresholds": {"mode": "on"}},
    "hedge": {"portfolio": {"hedge": {"mode": "on"}}},
}
"""Each part of signals and trades, one at a time over the config: documented values or switches, none tuned."""


def all_variants(settings: Settings, sizes: Sizes, days: int, *, ml: bool) -> tuple[Variant, ...]:
    """Everything that is compared, but for the random entries, which depend on the baseline's account.

    Parameters
    ----------
    settings : of the run
    days : of the timerange
    ml : whether models train (FreqAI is on)
    """
    out = [Variant(BASELINE, "accounts", BASELINE), Variant(SAMPLE, "accounts", SAMPLE, BASELINE)]
    if ml:
        out.insert(0, Variant(ML, "accounts", ML, BASELINE))
        out += _of_ml(settings, sizes)
    out += [
        Variant(name, "improvements", BASELINE, BASELINE, changes) for name, changes in IMPROVEMENTS.items()
    ]
    out += [
        Variant(name, "parameters", BASELINE, BASELINE, changes) for name, changes in neighbours(settings)
    ]
    out.append(Variant("TechnicalBaseline, twice the fee", "fees", BASELINE, BASELINE, fees=2))
    later = [round(days / 2 * k / sizes.starts) for k in range(1, sizes.starts)]
    out += [Variant(f"begun {day} days later", "starts", BASELINE, days_later=day) for day in later]
    if not sizes.trainings:
        out = [one for one in out if one.group != "models" and one.control != "shuffled"]
        out = [one for one in out if not (one.trains and one.fees > 1)]
    wanted = {"accounts", *sizes.groups}
    needed = {one.against for one in out if one.group in wanted}
    return tuple(one for one in out if one.group in wanted or one.name in needed)


def _only(name: str, fixed: Changes) -> Changes:
    """Settings of the decision by which one component has all of ML's weight."""
    return {**fixed, **{f"weight_{other}": 0.0 for other in ML_COMPONENTS if other != name}}


def _of_ml(settings: Settings, sizes: Sizes) -> list[Variant]:
    out = [Variant(name, "say", ML, BASELINE, changes) for name, changes in SAY.items()]
    fixed = SAY[UNEARNED]["decision"]
    for name in ML_COMPONENTS:
        # Q-learning takes a tactic of its own; off, it does not choose.
        off: Changes = {"selector": {"enabled": False}} if name == "selector" else {}
        without = {"decision": {**fixed, f"weight_{name}": 0.0}, **off}
        out.append(Variant(f"without {name}", "components", ML, UNEARNED, without))
    out += [
        Variant(f"{name} alone", "components", ML, BASELINE, {"decision": _only(name, fixed)})
        for name in ML_COMPONENTS
    ]
    configured = {model: one for model, one in MODELS.items() if one[0] in settings.learning.components}
    for model, (name, changes) in configured.items():
        # What else would be trained has no weight: it would only take time.
        learning = {**changes.get("learning", {}), "components": [name]}
        only = {**changes, "learning": learning, "decision": _only(name, fixed)}
        out.append(Variant(model, "models", ML, f"{name} alone", only))
    few: Changes = {"portfolio": {"max_positions": FEW}}
    divided = {**few, "entries": {"ranking_by": "policy"}}
    out.append(Variant(BY_EXPECTED_R, "improvements", ML, ML, few))
    out.append(Variant(BY_POLICY, "models", ML, BY_EXPECTED_R, divided))
    # What speaks without a model (Q-learning, the indicators' fusion) must not speak beside a control.
    modelless = [name for name in ML_COMPONENTS if name not in settings.learning.components]
    silent = {f"weight_{name}": 0.0 for name in modelless}
    earned: Changes = {"selector": {"enabled": False}, "decision": silent}
    unearned: Changes = {**earned, "decision": {**fixed, **silent}}
    out += [
        Variant("constant", "controls", ML, BASELINE, unearned, "constant"),
        Variant("shuffled labels", "controls", ML, BASELINE, unearned, "shuffled"),
        Variant("shuffled labels, earned", "controls", ML, BASELINE, earned, "shuffled"),
    ]
    for seed in range(sizes.noise):
        out.append(Variant(f"noise {seed}", "controls", ML, BASELINE, unearned, "noise", seed))
        out.append(Variant(f"noise {seed}, earned", "controls", ML, BASELINE, earned, "noise", seed))
    return [*out, Variant("MLCoordinator, twice the fee", "fees", ML, ML, fees=2)]
