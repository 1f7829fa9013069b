"""The tables of an evaluation, as texts: the page and the Markdown file print the same."""

from __future__ import annotations

from coordinator.reports.evaluation.evaluation import Evaluation
from coordinator.reports.evaluation.tables.accounts import (
    accounts_table,
    chance_note,
    components_table,
    controls_table,
    differences_table,
    spread_note,
)
from coordinator.reports.evaluation.tables.measures import (
    contributions_table,
    problems_table,
    random_table,
    regimes_table,
    skill_table,
    starts_table,
    targets_table,
    years_table,
)
from coordinator.reports.evaluation.tables.table import Table

__all__ = ["Table", "evaluation_tables"]

SAY = "ML with another say, against TechnicalBaseline", "Unearned: from its first model on."
MODELS = (
    "Other models in a component's place, alone",
    "Against the shipped one alone, from its first model on.",
)
PARTS = "Each part on or off, against TechnicalBaseline"
MOVED = "Each parameter a quarter smaller and larger"


def evaluation_tables(evaluation: Evaluation) -> list[Table]:
    """All tables that have rows, in the order of the report."""
    e = evaluation
    tables = [
        accounts_table(e),
        differences_table(e, "say", *SAY),
        components_table(e),
        differences_table(e, "models", *MODELS),
        controls_table(e),
        differences_table(e, "improvements", PARTS, chance_note(e)),
        targets_table(e),
        contributions_table(e),
        skill_table(e),
        years_table(e),
        regimes_table(e),
        random_table(e),
        differences_table(e, "fees", "Twice the fee", ""),
        starts_table(e),
        differences_table(e, "parameters", MOVED, spread_note(e), folded=True),
        problems_table(e),
    ]
    return [table for table in tables if table.rows]
