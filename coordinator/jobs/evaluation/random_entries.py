"""Random entries with the baseline's exits, as exposed as the baseline is: how many, and which, by what is known."""

from __future__ import annotations

from collections.abc import Mapping

from coordinator.jobs.evaluation.variants import Variant
from coordinator.reports.evaluation.account_run import AccountRun
from coordinator.reports.evaluation.evaluation import BASELINE

__all__ = ["CALIBRATIONS", "random_variants"]

CALIBRATIONS = 3
FIRST_SEED = 1000  # of the calibrations, apart from those that count
SETTINGS = {"regime": {"gate": "off"}, "baseline": {"rearm": "off"}, "decision": {"baseline_threshold": 0.0}}
"""Nothing but slots and risk limits stands between a random entry and its trade."""


def random_variants(done: Mapping[str, AccountRun], seeds: int) -> list[Variant]:
    """What can be run: after the baseline three accounts, one by one, that find the number of entries, then all.

    Some signals find no slot, so as many of them as the baseline has trades would be less exposed than it is.
    """
    base = done.get(BASELINE)
    if base is None or base.problem or not base.exposure or not seeds:
        return []
    found, factor = [], 1.0
    for number in range(CALIBRATIONS):
        variant = _variant(f"random calibration {number + 1}", FIRST_SEED + number, base, factor)
        found.append(variant)
        made = done.get(variant.name)
        if made is None or made.problem:
            return found
        factor *= base.exposure / max(made.exposure, 1e-9)
    return [*found, *(_variant(f"random entries {seed}", seed, base, factor) for seed in range(seeds))]


def _variant(name: str, seed: int, base: AccountRun, factor: float) -> Variant:
    entries = {
        side: {pair: round(count * factor) for pair, count in pairs.items()}
        for side, pairs in base.entries.items()
    }
    return Variant(name, "random", "RandomEntries", BASELINE, SETTINGS, seed=seed, entries=entries)
