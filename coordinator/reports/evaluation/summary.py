"""What an evaluation says, in words: does ML earn its keep, does the baseline, and how much of it may be luck."""

from __future__ import annotations

import math

from coordinator.reports.evaluation.account_run import AccountRun
from coordinator.reports.evaluation.differences import Compared, compared
from coordinator.reports.evaluation.evaluation import BASELINE, HOLD, HOLD_EXPOSED, ML, UNEARNED, Evaluation
from coordinator.reports.evaluation.luck import evaluation_luck, noise_controls, random_controls
from coordinator.reports.evaluation.targets import target_rows
from coordinator.reports.texts import number, percent

__all__ = ["summary_lines"]


def summary_lines(evaluation: Evaluation) -> list[str]:
    """A line each: ML, its controls, the baseline, the parts, luck, the documented targets."""
    e = evaluation
    lines = [*_ml(e), *_controls(e), *_baseline(e), *_parts(e), *_luck(e), *_targets(e)]
    return [line for line in lines if line]


def _ml(e: Evaluation) -> list[str]:
    own = [one for one in compared(e, "accounts") if one.run.name == ML]
    unearned = [one for one in compared(e, "say") if one.run.name in (UNEARNED, "quality replaces")]
    lines = [f"ML as configured: {_less(one)} {_had(one.run)}" for one in own]
    return [*lines, *(f"If it need not earn it: {_less(one)}" for one in unearned)]


def _had(run: AccountRun) -> str:
    say = run.say
    if say is None or not say.share:
        return "It never had a say."
    return (
        f"It had a say in {say.share:.0%} of the signals, {say.mean_weight:.0%} on average, "
        f"{say.last_weight:.0%} at the end."
    )


def _less(one: Compared) -> str:
    d, name = one.difference, one.run.name
    if one.same:
        return f"{name} makes the account of {one.against}."
    return (
        f"{name} less {one.against}: {percent(d.mean, sign=True)} a year ({percent(d.low, sign=True)} to "
        f"{percent(d.high, sign=True)}): {one.verdict}; Sharpe ratio {one.sharpe.mean:+.2f} ({one.sharpe.low:+.2f} to "
        f"{one.sharpe.high:+.2f}): {one.sharpe_verdict}."
    )


def _controls(e: Evaluation) -> list[str]:
    found, ml = noise_controls(e), e.account(UNEARNED)
    if found is None:
        return []
    lines = [f"Noise that had to earn its say got one in {found.said} of {len(found.earned)} seeds."]
    if ml is not None and len(found.unearned) and ml.profits:  # without a trade there is no ratio
        share = float((found.unearned >= ml.figures.sharpe).mean())
        lines.append(
            f"Given 70 % at once, noise reached ML's Sharpe ratio of {number(ml.figures.sharpe)} in {share:.0%} of "
            f"{len(found.unearned)} seeds (mean {number(float(found.unearned.mean()))})."
        )
    return lines


def _baseline(e: Evaluation) -> list[str]:
    base = e.account(BASELINE)
    if base is None:
        return []
    own, lines = base.figures, [f"{BASELINE}: {_short(base)}."]
    for name in (HOLD, HOLD_EXPOSED):
        hold = e.account(name)
        lines += [f"{name}: {_short(hold)}."] if hold is not None else []
    found = random_controls(e)
    if found is not None:
        above = (found.sharpe < own.sharpe).mean(), (found.profit < own.profit).mean()
        lines.append(
            f"Its entries are above {above[0]:.0%} of {len(found.sharpe)} random ones in Sharpe ratio, {above[1]:.0%} "
            "in profit."
        )
    profits = [run.figures.profit for run in e.known("starts")]
    if profits:
        span = f"{percent(min(profits), sign=True)} to {percent(max(profits), sign=True)}"
        lines.append(f"Begun on {len(profits)} later days: {sum(p > 0 for p in profits)} in profit, {span}.")
    doubled = [run for run in e.known("fees") if run.name.startswith(BASELINE)]
    return lines + [f"At twice the fee: {_short(run)}." for run in doubled]


def _short(run: AccountRun) -> str:
    f = run.figures
    return (
        f"{percent(f.profit, sign=True)}, Sharpe ratio {number(f.sharpe)}, drawdown {percent(f.max_drawdown)}"
    )


def _parts(e: Evaluation) -> list[str]:
    found = compared(e, "improvements")
    if not found:
        return []
    better = [one.label for one in found if one.sign > 0]
    worse = [one.label for one in found if one.sign < 0]
    said = [f"better: {', '.join(better) or 'none'}", f"worse: {', '.join(worse) or 'none'}"]
    return [f"Of {len(found)} parts, beyond noise {'; '.join(said)}; the others' intervals hold 0."]


def _luck(e: Evaluation) -> list[str]:
    if e.account(BASELINE) is None:
        return []
    luck = evaluation_luck(e, (BASELINE, ML))
    tried = f"{luck.variants} variants here" + (f" and {luck.tried} before" if luck.tried else "")
    lines = [
        f"Deflated Sharpe ratio of {name} among {tried}: {_probability(value)}"
        + (" (below 95 %: not beyond luck)." if not value >= 0.95 else ".")
        for name, value in luck.deflated.items()
    ]
    chance = luck.overfitting.probability
    if not math.isnan(chance):
        lines.append(
            f"The best of these on some days is below the middle on others: {_probability(chance)} (PBO)."
        )
    return lines


def _probability(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:.0%}"


def _targets(e: Evaluation) -> list[str]:
    base, ml = e.account(BASELINE), e.account(ML)
    if base is None or ml is None:
        return []
    rows = target_rows(base, ml)
    met = [row for row in rows if row.verdict == "met"]
    names = "; ".join(f"{row.label} ({row.source})" for row in met)
    return [f"Documented targets met by ML: {len(met)} of {len(rows)}" + (f": {names}." if met else ".")]
