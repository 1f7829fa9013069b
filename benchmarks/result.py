"""What a benchmark reports."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One figure.

    Attributes
    ----------
    name : key in results.json
    value : the figure
    unit : its unit
    reference : what it was measured beside, and that figure
    """

    name: str
    value: float
    unit: str
    reference: str
