"""What is tuned: settings by name, their ranges, and how a value gets into the "coordinator" section."""

from __future__ import annotations

import copy
import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin

import optuna
from annotated_types import Gt, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from coordinator.errors import CoordinatorError
from coordinator.settings import Settings, load_settings

__all__ = ["DOCUMENTED", "Parameter", "choose_parameters", "with_values"]

OWNER = "coordinator optimize"
GRID = 20  # a range has at least so many steps

Value = float | int | str | bool


@dataclass(frozen=True)
class Parameter:
    """A setting to tune.

    Attributes
    ----------
    name : dotted, within the "coordinator" section
    kind : float and int have a range, choice has values
    low, high : both included
    step : of a range; 0 for none
    choices : values of a choice
    """

    name: str
    kind: Literal["float", "int", "choice"]
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    choices: tuple[Value, ...] = ()

    def suggest(self, trial: optuna.Trial) -> Value:
        """The trial's value, without the digits that floats add to a step."""
        if self.kind == "choice":
            value = trial.suggest_categorical(self.name, self.choices)
            assert value is not None
            return value
        if self.kind == "int":
            return trial.suggest_int(self.name, int(self.low), int(self.high))
        return self.tidy(trial.suggest_float(self.name, self.low, self.high, step=self.step or None))

    def tidy(self, value: Value) -> Value:
        """A value as it goes into a config."""
        if self.kind != "float":
            return value
        digits = max(0, -math.floor(math.log10(self.step))) if self.step else 6
        return round(float(value), digits)

    def __str__(self) -> str:
        if self.kind == "choice":
            return f"{self.name} {{{', '.join(map(str, self.choices))}}}"
        return f"{self.name} {self.low:g} .. {self.high:g}"


def _ranged(name: str, low: float, high: float, kind: Literal["float", "int"]) -> Parameter:
    return Parameter(name, kind, low, high, _step(low, high) if kind == "float" else 1)


def _step(low: float, high: float) -> float:
    """The largest power of ten that divides a range into twenty steps or more; 0 where none does.

    Examples
    --------
    >>> _step(1.5, 4.0), _step(0.0, 0.02), _step(0.005, 0.015), _step(0.0, 1 / 3)
    (0.1, 0.001, 0.0001, 0.0)
    """
    if not high > low:
        return 0.0
    exponent = math.floor(math.log10((high - low) / GRID) + 1e-9)
    for finer in range(3):
        step = Decimal(10) ** (exponent - finer)
        if (Decimal(repr(high)) - Decimal(repr(low))) % step == 0:
            return float(step)
    return 0.0


DOCUMENTED = (
    _ranged("stops.atr_multiple", 1.5, 4.0, "float"),
    Parameter("baseline.exit_ma", "choice", choices=(20, 50)),
    _ranged("baseline.fast_clearance", 0.0, 0.02, "float"),
    _ranged("baseline.slow_clearance", 0.005, 0.025, "float"),
    _ranged("sizing.risk_per_trade", 0.005, 0.015, "float"),
    _ranged("portfolio.max_positions", 4, 12, "int"),
    Parameter("baseline.trend_ma", "choice", choices=(20, 50, 100)),
)
"""The documented parameters and ranges (spec 002, Parameters Optimized)."""


def choose_parameters(
    section: object, only: Sequence[str] = (), extra: Sequence[str] = ()
) -> tuple[Parameter, ...]:
    """The parameters of a study, each of whose limits makes valid settings.

    Parameters
    ----------
    section : the config's "coordinator" section
    only : names of documented parameters, dotted or their last part; empty for all seven, ``("none",)`` for none
    extra : ``name``, ``name=low:high`` or ``name=a,b,c``; a documented name replaces its range

    Raises
    ------
    CoordinatorError
        Naming the option or key, the rule and the value.
    """
    chosen = {parameter.name: parameter for parameter in _documented(only)}
    for text in extra:
        parameter = _parse(text)
        chosen[parameter.name] = parameter
    if not chosen:
        raise CoordinatorError("--parameter", OWNER, "leave something to tune", "no parameter")
    for parameter in chosen.values():
        limits = parameter.choices or (parameter.low, parameter.high)
        for limit in limits:
            value = int(limit) if parameter.kind == "int" else limit
            load_settings(with_values(section, {parameter.name: value}))
    return tuple(chosen.values())


def with_values(section: object, values: Mapping[str, Value]) -> dict[str, Any]:
    """A copy of a "coordinator" section with settings replaced by dotted name.

    Examples
    --------
    >>> with_values({"stops": {"basis": "price"}}, {"stops.atr_multiple": 2.5})
    {'stops': {'basis': 'price', 'atr_multiple': 2.5}}
    """
    changed = copy.deepcopy(dict(section)) if isinstance(section, Mapping) else {}
    for name, value in values.items():
        *folders, key = name.split(".")
        place = changed
        for folder in folders:
            place = place.setdefault(folder, {})
        place[key] = value
    return changed


def _documented(only: Sequence[str]) -> list[Parameter]:
    if list(only) == ["none"]:
        return []
    found = []
    for name in only:
        matching = [p for p in DOCUMENTED if name in (p.name, p.name.split(".")[-1])]
        if not matching:
            names = ", ".join(p.name for p in DOCUMENTED)
            raise CoordinatorError("--only", OWNER, f"name documented parameters ({names}), or none", name)
        found += matching
    return found or list(DOCUMENTED)


def _parse(text: str) -> Parameter:
    name, _, values = (part.strip() for part in text.partition("="))
    field = _field(name)
    kinds = [kind for kind in _kinds(field.annotation) if kind is not type(None)]
    if not values:
        return _bounded(name, field, kinds)
    try:
        if ":" in values:
            low, high = (float(part) for part in values.split(":"))
            if not low < high:
                raise ValueError
            if kinds[0] is int and low.is_integer() and high.is_integer():
                return _ranged(name, low, high, "int")
            return _ranged(name, low, high, "float")
        choices = tuple(_value(part.strip(), kinds) for part in values.split(","))
        if len(set(choices)) < 2:
            raise ValueError
    except ValueError:
        rule = "be NAME=LOW:HIGH with LOW below HIGH, or NAME=A,B with two values or more"
        raise CoordinatorError("--parameter", OWNER, rule, text) from None
    return Parameter(name, "choice", choices=choices)


def _field(name: str) -> FieldInfo:
    """The setting of a dotted name."""
    model: Any = Settings
    *folders, key = name.split(".")
    for folder in folders:
        fields = model.model_fields if _is_model(model) else {}
        model = fields[folder].annotation if folder in fields else None
    if not _is_model(model) or key not in model.model_fields or _is_model(model.model_fields[key].annotation):
        raise CoordinatorError(
            "--parameter",
            OWNER,
            "name a setting, e.g. stops.hard_limit (see coordinator settings schema)",
            name,
        )
    found: FieldInfo = model.model_fields[key]
    return found


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _kinds(annotation: Any) -> list[Any]:
    """The members of a union, else the annotation itself."""
    return list(get_args(annotation)) if get_origin(annotation) in (Union, types.UnionType) else [annotation]


def _bounded(name: str, field: FieldInfo, kinds: list[Any]) -> Parameter:
    """A parameter over all that a setting allows."""
    if get_origin(kinds[0]) is Literal:
        return Parameter(name, "choice", choices=get_args(kinds[0]))
    if kinds[0] is bool:
        return Parameter(name, "choice", choices=(False, True))
    low = high = None
    for limit in field.metadata:
        for attribute in ("ge", "gt"):
            low = getattr(limit, attribute, low)
        for attribute in ("le", "lt"):
            high = getattr(limit, attribute, high)
    if kinds[0] not in (int, float) or low is None or high is None:
        raise CoordinatorError("--parameter", OWNER, f"be {name}=LOW:HIGH, as {name} has no two limits", name)
    kind: Literal["float", "int"] = "int" if kinds[0] is int else "float"
    low, high = float(low), float(high)
    step = _step(low, high) if kind == "float" else 1.0
    excluded = [type(limit) for limit in field.metadata]
    low, high = low + step * (Gt in excluded), high - step * (Lt in excluded)
    return Parameter(name, kind, round(low, 12), round(high, 12), step)


def _value(text: str, kinds: list[Any]) -> Value:
    """A value of a list, of the setting's type."""
    allowed = [value for kind in kinds if get_origin(kind) is Literal for value in get_args(kind)]
    for value in allowed:
        if str(value) == text:
            return value  # type: ignore[no-any-return]
    if bool in kinds and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return int(text) if kinds[0] is int else float(text)
