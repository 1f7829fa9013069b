"""The models of the ledger's registry: who is champion of what, how old it is, and why it has its place."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from coordinator.ledger.registry import Model, ModelRegistry
from coordinator.reports.rolling.health import FIGURES, figure
from coordinator.status.base import View, iso, known
from coordinator.status.phone import day, fields, join_parts, percent, plain, wrap
from coordinator.status.source import Source
from coordinator.types import SECONDS_PER_DAY

__all__ = ["ModelLine", "ModelView", "Models", "models_text", "now_of", "read_models"]

NO_MODELS = "no models yet: FreqAI's first ones are entered with the candle after their training"


class ModelView(BaseModel):
    """A model. Figures are of rows that it had not seen; null where its kind has none."""

    model_config = ConfigDict(frozen=True)

    id: int
    kind: str
    status: str
    verdict: str
    trained_from: str | None
    trained_until: str | None
    speaks_from: str | None
    age_days: float
    label_horizon: int
    features: int
    figures: dict[str, float | None]


class ModelLine(BaseModel):
    """All models of a name: champion, newest, how many there are; ``stale`` by ``alerts.stale_model_days``."""

    model_config = ConfigDict(frozen=True)

    name: str
    models: int
    champion: ModelView | None
    newest: ModelView
    stale: bool


class Models(View):
    """The registry by name."""

    at: str | None = None
    names: list[ModelLine] = []


def now_of(source: Source) -> float:
    """Seconds since the epoch: the bot's time, which a test may turn, else the clock's."""
    facts = source.facts
    return (datetime.now(UTC) if facts is None else facts.at).timestamp()


def read_models(source: Source, name: str | None = None) -> Models:
    """The view, of all names or of one; without any there is a note."""
    now = now_of(source)
    models = ModelRegistry(source.ledger).models(name) if source.ledger.database.exists else ()
    if not models:
        return Models(at=iso(now), note=NO_MODELS if name is None else "no models of this name")
    lines = []
    for own in sorted({model.info.name for model in models}):
        of_name = [model for model in models if model.info.name == own]
        champions = [model for model in of_name if model.status == "champion"]
        champion = _view(champions[-1], now) if champions else None
        stale = champion is not None and champion.age_days > source.settings.alerts.stale_model_days
        newest = _view(of_name[-1], now)
        lines.append(ModelLine(name=own, models=len(of_name), champion=champion, newest=newest, stale=stale))
    return Models(at=iso(now), names=lines)


def _view(model: Model, now: float) -> ModelView:
    info = model.info
    return ModelView(
        id=model.id,
        kind=info.kind,
        status=model.status,
        verdict=model.verdict,
        trained_from=iso(info.trained_from),
        trained_until=iso(info.trained_until),
        speaks_from=iso(info.valid_from),
        age_days=round((now - info.trained_until) / SECONDS_PER_DAY, 2),
        label_horizon=info.label_horizon,
        features=len(info.features.names),
        figures={name: known(figure(info.metrics, keys)) for name, keys in FIGURES.items()},
    )


def models_text(view: Models) -> str:
    """For a phone."""
    parts = [wrap(view.note)]
    for line in view.names:
        model = line.champion or line.newest
        title = line.name.replace("_", " ")
        status = "champion" if line.champion else f"no champion; newest {model.status}"
        f = model.figures
        rows = [
            (title, status if line.champion else ""),
            ("Kind", model.kind),
            ("Seen", f"{day(model.trained_from)} to {day(model.trained_until)}"),
            ("Age", f"{model.age_days:.0f} days" + (", STALE" if line.stale else "")),
            ("AUC", plain(f["model_auc"], 3)),
            ("Accuracy", percent(f["model_accuracy"], 1)),
            ("Train-test gap", plain(f["model_gap"], 3)),
            ("Models in all", str(line.models)),
        ]
        known_rows = [row for row in rows if row[1] != "–"]
        parts.append(
            "\n".join(
                part
                for part in (
                    fields(known_rows),
                    "" if line.champion else wrap(status),
                    wrap(model.verdict),
                )
                if part
            )
        )
    return join_parts(*parts)
