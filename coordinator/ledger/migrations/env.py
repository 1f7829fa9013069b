"""Alembic's entry: runs the migrations on the connection, and in the transaction, that the caller hands over."""

from __future__ import annotations

from alembic import context

from coordinator.ledger.schema import metadata

__all__ = ["run"]


def run() -> None:
    """Migrate ``config.attributes["connection"]``; the caller commits."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "env_py":  # the name under which Alembic loads this file; a plain import does nothing
    run()
