"""``coordinator quality``: accumulate, train, evaluate, full."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from coordinator.jobs.learning.output import (
    NOTHING_TO_DO,
    JsonOption,
    LedgerOption,
    UserDataOption,
    answer,
    number,
)
from coordinator.jobs.options import (
    ConfigOption,
    Configs,
    DatadirOption,
    ModeOption,
    PairsOption,
    chosen_configs,
    split_names,
)

__all__ = ["quality_app"]

quality_app = typer.Typer(
    help="Signal quality: collect samples, train walk-forward, judge on a holdout.", no_args_is_help=True
)
USER_DATA = Path("user_data")
NOT_SIMULATED = (
    "be given, or --ledger user_data/simulated.sqlite (to train and evaluate, too): simulated samples in the bot's "
    "ledger would be learned from with the real ones"
)

TimerangeOption = Annotated[
    str | None, typer.Option("--timerange", help="YYYYMMDD-YYYYMMDD; default: all candles there are")
]
StrategyOption = Annotated[
    str, typer.Option("--strategy", help="TechnicalBaseline, or MLCoordinator to collect its predictions too")
]
UntilOption = Annotated[
    str | None,
    typer.Option("--until", help="YYYYMMDD: what comes later is the holdout; default: quality.holdout_share"),
]
AnewOption = Annotated[
    bool, typer.Option("--anew", help="put the models that are there away and begin again")
]


@quality_app.command("accumulate")
def accumulate_command(
    config: ConfigOption = None,
    datadir: DatadirOption = None,
    timerange: TimerangeOption = None,
    pairs: PairsOption = None,
    trading_mode: ModeOption = None,
    strategy: StrategyOption = "TechnicalBaseline",
    user_data: UserDataOption = USER_DATA,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Backtest the history year by year and keep features and outcomes of every signal; exit code 1: nothing new."""
    done = _accumulate(config, datadir, timerange, pairs, trading_mode, strategy, user_data, ledger, as_json)
    answer(as_json, done, [done["sentence"]])
    if not done["run"]:
        raise typer.Exit(NOTHING_TO_DO)


@quality_app.command("train")
def train_command(
    config: ConfigOption = None,
    trading_mode: ModeOption = None,
    until: UntilOption = None,
    anew: AnewOption = False,
    user_data: UserDataOption = USER_DATA,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train one model a fold on what was known then, up to the holdout; exit code 1: all folds are there."""
    done = _train(config, trading_mode, until, anew, user_data, ledger)
    rows = [row for clock in done for row in clock["folds"]]
    cells = [
        [
            r["trained"],
            r["status"],
            number(r["auc"]),
            number(r["against"]),
            number(r["brier_skill"], 4, sign=True),
            r["verdict"],
        ]
        for r in rows
    ]
    lines = [
        f"{clock['name']}: {len(clock['folds'])} folds trained, {clock['before']} were there; the holdout begins on "
        f"{clock['until']}"
        for clock in done
    ]
    head = ("trained at", "status", "AUC", "champion's", "Brier skill", "verdict")
    answer(as_json, done, lines, head, cells)
    if not rows:
        raise typer.Exit(NOTHING_TO_DO)


@quality_app.command("evaluate")
def evaluate_command(
    config: ConfigOption = None,
    trading_mode: ModeOption = None,
    end: Annotated[
        str | None, typer.Option("--end", help="YYYYMMDD: leave what comes later for another look")
    ] = None,
    user_data: UserDataOption = USER_DATA,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge the model on the holdout, which no training of it has seen; each look at it is on record."""
    _evaluate(config, trading_mode, end, user_data, ledger, as_json)


@quality_app.command("full")
def full_command(
    config: ConfigOption = None,
    datadir: DatadirOption = None,
    timerange: TimerangeOption = None,
    pairs: PairsOption = None,
    trading_mode: ModeOption = None,
    strategy: StrategyOption = "TechnicalBaseline",
    until: UntilOption = None,
    anew: AnewOption = False,
    user_data: UserDataOption = USER_DATA,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accumulate, train, evaluate."""
    done = _accumulate(config, datadir, timerange, pairs, trading_mode, strategy, user_data, ledger, as_json)
    answer(False, None, [] if as_json else [done["sentence"]])
    trained = _train(config, trading_mode, until, anew, user_data, ledger)
    if not as_json:
        for clock in trained:
            answer(
                False,
                None,
                [f"{clock['name']}: {len(clock['folds'])} folds trained, {clock['before']} were there"],
            )
    _evaluate(config, trading_mode, None, user_data, ledger, as_json)


def _accumulate(
    config: Configs,
    datadir: Path | None,
    timerange: str | None,
    pairs: str | None,
    trading_mode: str | None,
    strategy: str,
    user_data: Path,
    ledger: str | None,
    quiet: bool,
) -> dict[str, Any]:
    from coordinator.errors import CoordinatorError
    from coordinator.jobs.backtest import STRATEGIES
    from coordinator.jobs.freqtrade_process import FreqtradeError
    from coordinator.jobs.learning.context import LearningContext
    from coordinator.jobs.quality.accumulate import Chunk, accumulate, whole_history
    from coordinator.jobs.run_plan import parse_trading_mode, plan_run
    from coordinator.jobs.simulated import simulated_datadir
    from coordinator.ledger.samples.sizes import sample_sizes, size_sentence

    if strategy not in STRATEGIES:
        raise CoordinatorError(
            "--strategy", "the command line", f"be one of {', '.join(STRATEGIES)}", strategy
        )
    if datadir is None and ledger is None:
        raise CoordinatorError("--datadir", "the command line", NOT_SIMULATED, "neither")
    context = LearningContext.of(chosen_configs(config), user_data, ledger, trading_mode)
    mode = parse_trading_mode(context.config["trading_mode"])
    trains = strategy == "MLCoordinator"
    datadir = datadir or simulated_datadir(user_data, mode)
    plan = plan_run(
        chosen_configs(config), datadir, split_names(pairs), timerange, mode, trains=trains, most_days=10_000
    )
    if timerange is None and not trains:
        plan = whole_history(plan)
    with context.lock(), Progress(*_columns(), disable=quiet) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(chunk: Chunk, share: float, doing: str) -> None:
            if chunk.label not in tasks:
                tasks[chunk.label] = bars.add_task(f"{chunk.start:%Y}", total=1.0, doing="starting")
            bars.update(tasks[chunk.label], completed=share, doing=doing)

        try:
            done = accumulate(
                context, replace(plan, config=context.config | {"trading_mode": mode}), strategy, progress
            )
        except FreqtradeError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2) from None
    sizes = sample_sizes(context.ledger)
    sentence = (
        f"{len(done.run)} years backtested, {len(done.kept)} were there; {context.ledger.database.name} holds "
        f"{size_sentence(sizes)}"
    )
    years = {"run": [f"{c.start:%Y%m%d}" for c in done.run], "kept": [f"{c.start:%Y%m%d}" for c in done.kept]}
    return years | {"sentence": sentence, "sizes": [size._asdict() for size in sizes]}


def _columns() -> tuple[TextColumn, BarColumn, TextColumn, TimeElapsedColumn]:
    return (
        TextColumn("{task.description:<6}"),
        BarColumn(),
        TextColumn("{task.fields[doing]}"),
        TimeElapsedColumn(),
    )


def _train(
    config: Configs,
    trading_mode: str | None,
    until: str | None,
    anew: bool,
    user_data: Path,
    ledger: str | None,
) -> list[dict[str, Any]]:
    from coordinator.jobs.learning.context import LearningContext, day_text, parse_day
    from coordinator.jobs.quality.train import train_walk_forward

    context = LearningContext.of(chosen_configs(config), user_data, ledger, trading_mode)
    out = []
    with context.lock():
        for clock in context.clocks:
            found = train_walk_forward(context, clock, parse_day(until, "--until"), anew=anew)
            folds = [
                {
                    "trained": day_text(fold.at),
                    "model": fold.model.id,
                    "status": fold.model.status,
                    "auc": fold.model.info.metrics["challenger_auc"],
                    "against": fold.model.info.metrics["champion_auc"],
                    "brier_skill": fold.model.info.metrics["brier_skill"],
                    "verdict": fold.verdict.sentence,
                }
                for fold in found.folds
                if fold.model is not None
            ]
            out.append(
                {"name": found.name, "until": day_text(found.until), "before": found.before, "folds": folds}
            )
    return out


def _evaluate(
    config: Configs,
    trading_mode: str | None,
    end: str | None,
    user_data: Path,
    ledger: str | None,
    as_json: bool,
) -> None:
    from coordinator.components.registry_models import NoChampionError
    from coordinator.jobs.learning.context import LearningContext, day_text, parse_day
    from coordinator.jobs.quality.evaluate import evaluate

    context = LearningContext.of(chosen_configs(config), user_data, ledger, trading_mode)
    try:
        found = {clock: evaluate(context, clock, parse_day(end, "--end")) for clock in context.clocks}
    except NoChampionError as error:
        answer(as_json, {"problem": str(error)}, [str(error)])
        raise typer.Exit(NOTHING_TO_DO) from None
    rows, lines = [], []
    for clock, one in found.items():
        for name, part in (("all signals", one.signals), ("signals it takes", one.taken)):
            gain = f"{number(part.gain, sign=True)} ({number(part.error)})"
            rows.append(
                [f"{clock}, {name}", f"{part.signals:,}", number(part.auc), number(part.r_all, sign=True),
                 f"{part.accepted:,}", number(part.r_accepted, sign=True), gain]
            )  # fmt: skip
        lines.append(
            f"{clock}: model {one.model.id}, holdout {day_text(one.begin)} to {day_text(one.end)}, {one.rows:,} "
            f"samples: AUC {number(one.auc)}, Brier {number(one.brier, 4)}, skill {number(one.skill, 4, sign=True)}, "
            f"ECE {number(one.ece, 4)}"
        )
        lines.append(f"Verdict: {one.verdict}")
        if one.warning:
            lines.append(f"Warning: {one.warning}")
    head = (
        "holdout",
        "signals",
        "AUC of R > 0",
        "R of all",
        "accepted",
        "R of accepted",
        "difference (error)",
    )
    answer(as_json, {clock: one.as_json() for clock, one in found.items()}, lines, head, rows)
