"""An evaluation as one Markdown file."""

from __future__ import annotations

from coordinator.reports.evaluation.evaluation import Evaluation
from coordinator.reports.evaluation.summary import summary_lines
from coordinator.reports.evaluation.tables import Table, evaluation_tables

__all__ = ["evaluation_markdown"]


def evaluation_markdown(evaluation: Evaluation) -> str:
    """The summary as a list, then every table."""
    parts = [f"# Evaluation: {evaluation.title}", f"`{evaluation.command}`"]
    parts.append("\n".join(f"- {line}" for line in summary_lines(evaluation)))
    parts += [_table(table) for table in evaluation_tables(evaluation)]
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    lines = [_row(table.head), _row(("---",) * len(table.head)), *map(_row, table.rows)]
    note = [table.note, ""] if table.note else []
    return "\n".join([f"## {table.title}", "", *note, *lines])


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
