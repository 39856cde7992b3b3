"""Presence: a callable of the app's or an SQL statement tells who is online; whatever else they give is refused."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.probe import presence
from loadtest.probe.presence import read_presence


class Database:
    """A connection that has one answer."""

    def __init__(self, row: tuple[Any, ...] | None) -> None:
        self.row = row
        self.asked = ""

    def cursor(self) -> Database:
        return self

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, statement: str) -> None:
        self.asked = statement

    def fetchone(self) -> tuple[Any, ...] | None:
        return self.row


async def later() -> list[int]:
    return [3]


@pytest.mark.parametrize(
    ("online", "told"),
    [
        (lambda: [7, "specific.a", None], [7, "specific.a", "None"]),
        (lambda: (name for name in ("b",)), ["b"]),
        (lambda: 4, 4),
        (later, [3]),
    ],
)
def test_presence_when_a_callable_tells_it_then_names_and_numbers_are_taken(
    monkeypatch: pytest.MonkeyPatch, online: Any, told: Any
) -> None:
    monkeypatch.setattr("tests.unit.test_presence.named", online, raising=False)
    assert read_presence("tests.unit.test_presence:named") == told
    assert read_presence("tests.unit.test_presence.named") == told, "as settings write it"


@pytest.mark.parametrize("told", ["online", None])
def test_presence_when_a_callable_gives_neither_a_number_nor_a_list_then_it_is_refused(
    monkeypatch: pytest.MonkeyPatch, told: Any
) -> None:
    monkeypatch.setattr("tests.unit.test_presence.named", lambda: told, raising=False)
    with pytest.raises(ValueError, match="and neither a number nor a list"):
        read_presence("tests.unit.test_presence:named")


def test_presence_when_sql_counts_then_its_number_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database((5,))
    monkeypatch.setattr(presence, "connection", database)
    assert read_presence("SELECT count(*) FROM presence") == 5
    assert database.asked == "SELECT count(*) FROM presence"


@pytest.mark.parametrize("row", [None, ("a",), (1, 2)])
def test_presence_when_sql_gives_no_number_then_it_is_refused(monkeypatch: pytest.MonkeyPatch, row: Any) -> None:
    monkeypatch.setattr(presence, "connection", Database(row))
    with pytest.raises(ValueError, match="and not one number"):
        read_presence("SELECT id FROM presence")
