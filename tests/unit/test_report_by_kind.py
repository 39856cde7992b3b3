"""Kinds of drop side by side: a row each, what is never called told as that and not left out."""

from __future__ import annotations

from loadtest.dimensions import Value
from loadtest.figures.evidence import Evidence
from loadtest.figures.values import Values
from loadtest.report.by_kind import by_kind_table
from loadtest.report.cells import cells_of, examples_of
from loadtest.report.tables import Tables
from tests.unit.report_folder import key_row

CONSUMERS = Values({"consumer": (Value(name="sync"), Value(name="async"))})
MISSED = {("sync", "fin"): 20, ("async", "fin"): 2, ("sync", "burst-close"): 50, ("async", "burst-close"): 50}
"""Of 50 drops in each of three rounds, by consumer and kind."""


def evidence() -> Evidence:
    disconnects, drops, throughput = [], [], []
    for number in (1, 2, 3):
        for (consumer, drop), missed in MISSED.items():
            key = key_row(consumer=consumer, scenario="churn", trial=number, drop=drop)
            counts = {"dropped": 50, "missed": missed, "disconnect_called": 50 - missed}
            disconnects.append({**key, **counts})
            throughput.append({**key, "valid": "yes"})
            drops += [
                {**key, "connection": place + 1, "verdict": "missed", "watched_ms": 5000.0}
                if place < missed
                else {**key, "connection": place + 1, "verdict": "called", "detect_ms": float(place)}
                for place in range(50)
            ]
    tables = Tables.from_rows({"disconnects": disconnects, "drops": drops, "throughput": throughput})
    return Evidence(cells=cells_of(tables, CONSUMERS), examples=examples_of(tables), values=CONSUMERS)


def test_kinds_when_written_then_each_has_a_row_with_what_each_consumer_missed() -> None:
    head, _, *rows = by_kind_table(evidence()).splitlines()
    by_kind = {row.split("|")[1].strip(): [field.strip() for field in row.split("|")[2:-1]] for row in rows}
    assert (
        head
        == "| drop | sync: missed (95 %) | async: missed (95 %) | sync: called after, ms | async: called after, ms |"
    )
    assert set(by_kind) == {"`fin`", "`burst-close`"}
    assert by_kind["`fin`"][0].startswith("40 % (") and by_kind["`fin`"][1].startswith("4 % (")
    assert by_kind["`burst-close`"][:2] == [by_kind["`burst-close`"][0]] * 2
    assert by_kind["`burst-close`"][0].startswith("100 % (")


def test_kinds_when_half_are_missed_then_the_time_until_they_are_called_has_no_median() -> None:
    rows = by_kind_table(evidence()).splitlines()
    never = next(row for row in rows if "burst-close" in row)
    assert never.count(">5,000") == 2, "longer than was waited for"
    fin = next(row for row in rows if "`fin`" in row).split("|")
    assert float(fin[4].split()[0]) > float(fin[5].split()[0]), "the missed ones count as later than all others"
