"""Consumers side by side: a row each place, kinds of drop together, and what is not known told as that."""

from __future__ import annotations

from loadtest.dimensions import Value
from loadtest.figures.evidence import Evidence
from loadtest.figures.values import Values
from loadtest.report.by_consumer import by_consumer_table
from loadtest.report.cells import cells_of, examples_of
from loadtest.report.tables import Tables
from tests.unit.report_folder import key_row

NAMES = ("chat", "error", "hook")
VALUES = Values({"consumer": tuple(Value(name=name) for name in NAMES)})
MISSED = {"chat": 2, "error": 10, "hook": 0}
"""Of 50 drops of each kind in each trial."""


def evidence(**changed: object) -> Evidence:
    disconnects, delivery, throughput = [], [], []
    for server in ("uvicorn", "daphne"):
        for name in NAMES:
            for number in (1, 2):
                key = {**key_row(consumer=name, scenario="churn", trial=number, drop="mixed"), "server": server}
                left = 0 if name == "chat" else MISSED[name]
                for drop in ("fin", "rst"):
                    counts = {"dropped": 50, "missed": MISSED[name], "disconnect_called": 50 - MISSED[name]}
                    kept = {"groups_left": left, "presence_left": left, "tasks_left": 0, **changed}
                    disconnects.append({**key, "drop": drop, **counts, **kept})
                delivery.append({**key, "expected": 1000, "lost": 3})
                throughput.append({**key, "valid": "yes"})
    tables = Tables.from_rows({"disconnects": disconnects, "delivery": delivery, "throughput": throughput})
    return Evidence(cells=cells_of(tables, VALUES), examples=examples_of(tables), values=VALUES)


def rows_of(table: str) -> list[list[str]]:
    return [[field.strip() for field in line.split("|")[1:-1]] for line in table.splitlines()]


def test_consumers_when_written_then_each_place_has_a_row_with_what_was_left_and_lost() -> None:
    head, _, *rows = rows_of(by_consumer_table(evidence(), ("error", "hook")))
    assert head[:2] == ["server", "consumer"], "what is the same in all rows is in none"
    by_place = {(row[0], row[1]): row[2:] for row in rows}
    assert by_place.keys() == {(server, name) for server in ("uvicorn", "daphne") for name in ("error", "hook")}
    dropped, missed, *left, lost = by_place["uvicorn", "error"]
    assert (dropped, left, lost) == ("200", ["40", "40", "0"], "6 of 2,000")
    assert missed.startswith("20 % (")
    assert by_place["daphne", "hook"][1].startswith("0 % (")


def test_consumers_when_a_trial_does_not_know_what_stayed_then_the_sum_is_not_known() -> None:
    *_, row = rows_of(by_consumer_table(evidence(presence_left=None), ("error",)))
    assert row[4:7] == ["40", "?", "0"]
