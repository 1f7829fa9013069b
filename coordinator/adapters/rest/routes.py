"""Routes under /api/v1/coordinator, one a view; parameters are checked strictly, errors say nothing of the inside."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from freqtrade.rpc.api_server.api_auth import http_basic_or_jwt_token
from freqtrade.rpc.api_server.deps import get_api_config
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import SQLAlchemyError

from coordinator.errors import CoordinatorError
from coordinator.status.alerts.history import Alerts, read_alerts
from coordinator.status.base import UnknownPairError
from coordinator.status.correlation import Correlation, read_correlation
from coordinator.status.drift import Drift, read_drift
from coordinator.status.ml_stats import MlStats, read_ml_stats
from coordinator.status.models import Models, read_models
from coordinator.status.overview import Overview, read_overview
from coordinator.status.phase import Phase, read_phase
from coordinator.status.reward_risk import RewardRisk, read_reward_risk
from coordinator.status.source import Source
from coordinator.status.summary import Summary, read_summary
from coordinator.status.thresholds import Thresholds, read_thresholds
from coordinator.status.vol_sizing import VolSizing, read_vol_sizing
from coordinator.status.why import Why, read_why

__all__ = ["PREFIX", "STATE", "router"]

logger = logging.getLogger(__name__)

PREFIX = "/api/v1/coordinator"
STATE = "coordinator_source"
"""Name under which the app's state holds the source; a reload puts the new bot's there."""
PAIR = r"^[A-Za-z0-9.\-]{1,24}/[A-Za-z0-9.\-]{1,16}(:[A-Za-z0-9.\-]{1,16})?$"
UNAVAILABLE = "The coordinator cannot answer now; the bot's log says why."

T = TypeVar("T")


class Problem(BaseModel):
    """What was wrong, in words."""

    detail: str


class NoParameters(BaseModel):
    """A view that takes none."""

    model_config = ConfigDict(extra="forbid")


class DaysQuery(NoParameters):
    """Length of the window."""

    days: int = Field(30, ge=1, le=3650, description="days of the window")


class PairDaysQuery(DaysQuery):
    """The same of one pair, or of all."""

    pair: str | None = Field(
        None, pattern=PAIR, max_length=64, description="as BTC/USDT or BTC/USDT:USDT; empty: all"
    )


class LimitQuery(NoParameters):
    """How many rows at most."""

    limit: int = Field(20, ge=1, le=1000, description="rows at most, the newest first")


class PairQuery(NoParameters):
    """A pair."""

    pair: str = Field(pattern=PAIR, max_length=64, description="as BTC/USDT or BTC/USDT:USDT")


class NameQuery(NoParameters):
    """Name of models."""

    name: str | None = Field(
        None, pattern=r"^[A-Za-z0-9 _/:.\-]{1,64}$", description="as signal_quality; empty: all"
    )


def source_of(request: Request) -> Source:
    """The source of the app that is asked."""
    found = getattr(request.app.state, STATE, None)
    if not isinstance(found, Source):
        raise HTTPException(503, UNAVAILABLE)
    return found


def require_password(api_config: Annotated[dict[str, Any], Depends(get_api_config)]) -> None:
    """Freqtrade lets everybody in whose user name and password are empty while none are set; we do not."""
    if not api_config.get("password") or not api_config.get("username"):
        raise HTTPException(401, "Set api_server.username and api_server.password first.")


def refuse_repeated(request: Request) -> None:
    """``?pair=A&pair=B`` has no meaning here: of a repeated parameter FastAPI would take the last in silence."""
    names = [name for name, _ in request.query_params.multi_items()]
    for name in sorted({name for name in names if names.count(name) > 1}):
        said = {"type": "repeated", "loc": ("query", name), "msg": "Give this parameter once", "input": name}
        raise RequestValidationError([said])


RESPONSES: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "No credentials, or wrong ones"},
    503: {"model": Problem, "description": "The ledger cannot be read now"},
}
WITH_PAIR: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "No such pair"}}
router = APIRouter(
    prefix=PREFIX,
    tags=["Coordinator"],
    dependencies=[Depends(require_password), Depends(http_basic_or_jwt_token), Depends(refuse_repeated)],
    responses=RESPONSES,
)
From = Annotated[Source, Depends(source_of)]


def _answer(read: Callable[[], T]) -> T:
    """A view; what goes wrong inside stays in the log."""
    try:
        return read()
    except UnknownPairError as unknown:
        raise HTTPException(404, str(unknown)) from None
    except (CoordinatorError, SQLAlchemyError) as error:
        logger.error("A view could not be read: %s", error)
    except Exception:
        logger.exception("A view failed")
    raise HTTPException(503, UNAVAILABLE)


@router.get("")
def overview(source: From, query: Annotated[NoParameters, Query()]) -> Overview:
    """What the bot is, when it was seen last, and the views there are."""
    return _answer(lambda: read_overview(source))


@router.get("/phase")
def phase(source: From, query: Annotated[LimitQuery, Query()]) -> Phase:
    """ML's phase and weight, the next review, the last reviews with their evidence, the history of the weight."""
    return _answer(lambda: read_phase(source, query.limit))


@router.get("/ml_stats")
def ml_stats(source: From, query: Annotated[DaysQuery, Query()]) -> MlStats:
    """The 15 metrics with targets and verdicts; components, calibration, and further tables of the window."""
    return _answer(lambda: read_ml_stats(source, query.days))


@router.get("/rr_stats")
def rr_stats(source: From, query: Annotated[DaysQuery, Query()]) -> RewardRisk:
    """Dynamic reward:risk."""
    return _answer(lambda: read_reward_risk(source, query.days))


@router.get("/correlation", responses=WITH_PAIR)
def correlation(source: From, query: Annotated[PairDaysQuery, Query()]) -> Correlation:
    """Correlation matrix, its average, sectors, and the entries that were refused."""
    return _answer(lambda: read_correlation(source, query.days, query.pair))


@router.get("/thresholds", responses=WITH_PAIR)
def thresholds(source: From, query: Annotated[PairDaysQuery, Query()]) -> Thresholds:
    """Each pair's threshold, acceptance rate, false positives and negatives."""
    return _answer(lambda: read_thresholds(source, query.days, query.pair))


@router.get("/vol_sizing")
def vol_sizing(source: From, query: Annotated[DaysQuery, Query()]) -> VolSizing:
    """Volatility sizing and the other adjustments of size."""
    return _answer(lambda: read_vol_sizing(source, query.days))


@router.get("/why", responses=WITH_PAIR)
def why(source: From, query: Annotated[PairQuery, Query()]) -> Why:
    """Why a pair was entered or not: its open trade and its last signal."""
    return _answer(lambda: read_why(source, query.pair))


@router.get("/models")
def models(source: From, query: Annotated[NameQuery, Query()]) -> Models:
    """The registry of models: champions, ages, verdicts."""
    return _answer(lambda: read_models(source, query.name))


@router.get("/drift")
def drift(source: From, query: Annotated[LimitQuery, Query()]) -> Drift:
    """The last drift check of each champion, and what was done with the models."""
    return _answer(lambda: read_drift(source, query.limit))


@router.get("/alerts")
def alerts(source: From, query: Annotated[LimitQuery, Query()]) -> Alerts:
    """What the bot told by itself."""
    return _answer(lambda: read_alerts(source, query.limit))


@router.get("/summary")
def summary(source: From, query: Annotated[NoParameters, Query()]) -> Summary:
    """The day that ended last."""
    return _answer(lambda: read_summary(source))
