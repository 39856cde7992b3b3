"""Presence: who the app's own records still call online, by a callable of the app's or by an SQL statement."""

import asyncio
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection
from django.utils.module_loading import import_string


def read_presence(source: str) -> "list[int | str] | int":
    """Return what "package.module:callable" returns, or the number that an SQL statement does.

    A callable returns a number, or something for each that is online: a channel's name, or an id. An SQL statement is
    known by its blanks. Raises whatever the app's own code raises, and ValueError where there is nothing of the kind.
    """
    found = _number(source) if _is_sql(source) else _called(import_string(source.replace(":", ".")))
    if isinstance(found, int):
        return int(found)
    if isinstance(found, str | bytes) or not isinstance(found, Iterable):
        raise ValueError(f"{source} gave {found!r}, and neither a number nor a list")
    return [one if isinstance(one, int) else str(one) for one in found]


def _is_sql(source: str) -> bool:
    return len(source.split()) > 1


def _number(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    if row is None or len(row) != 1 or not isinstance(row[0], int):
        raise ValueError(f"{statement!r} gave {row!r}, and not one number")
    return row[0]


def _called(online: Callable[[], Any]) -> Any:
    found = online()
    return asyncio.run(_awaited(found)) if inspect.isawaitable(found) else found


async def _awaited(found: Any) -> Any:
    return await found
