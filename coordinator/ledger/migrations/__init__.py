"""Alembic migrations of the ledger; :mod:`coordinator.ledger.upgrade` runs them."""
