"""A database's URL as it may be shown: without a password, wherever in it one stands."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

__all__ = ["has_password", "shown_url"]

_SECRETS = ("password", "passwd", "pwd", "sslpassword")


def shown_url(url: str | URL) -> str:
    """The URL with ``***`` for its password; of one that cannot be taken apart only the driver.

    Examples
    --------
    >>> shown_url("postgresql://me:secret@host/db"), shown_url("postgresql://me@host/db?password=secret")
    ('postgresql://me:***@host/db', 'postgresql://me@host/db?password=***')

    A password with ``@`` or ``/`` in it, not written as ``%40`` and ``%2F``, runs into host and database:

    >>> shown_url("postgresql://me:p@ss/w0rd@host/db")
    'postgresql://...'
    """
    try:
        parsed = make_url(url)
    except SQLAlchemyError:
        return str(url).split("://", 1)[0] + "://..."
    if parsed.host and "@" in f"{parsed.host}{parsed.database}":
        return f"{parsed.drivername}://..."
    query = {name: "***" if name.lower() in _SECRETS else value for name, value in parsed.query.items()}
    return parsed.set(query=query).render_as_string(hide_password=True).replace("=%2A%2A%2A", "=***")


def has_password(url: str) -> bool:
    """Whether a password stands in a URL; not so in the path of a file.

    Examples
    --------
    >>> has_password("postgresql://me:secret@host/db"), has_password("user_data/coordinator.ledger.sqlite")
    (True, False)
    """
    try:
        parsed = make_url(url)
    except SQLAlchemyError:
        return False
    return parsed.password is not None or any(name.lower() in _SECRETS for name in parsed.query)
