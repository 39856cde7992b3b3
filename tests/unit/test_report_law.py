"""The law in a run: what was missed beside the exposure, a row a cell, paired by round."""

from __future__ import annotations

import pytest

from loadtest.dimensions import LOAD, Value
from loadtest.figures.evidence import Evidence
from loadtest.figures.values import Values
from loadtest.report.cells import cells_of, examples_of
from loadtest.report.law import law_rows, law_table
from loadtest.report.tables import Tables
from tests.unit.report_folder import key_row

OUTCOMES = Values({"drop": (Value(name="fin", outcome="chance"), Value(name="rst", outcome="chance"),
                             Value(name="burst-close", outcome="certain"))})  # fmt: skip


def evidence(rounds: dict[int, tuple[int, float]], *, dropped: int = 100, load: str = "80%") -> Evidence:
    """A cell with two kinds of chance and one that is certain: of each round what was missed and the exposure."""
    disconnects = [
        {
            **key_row(scenario="churn", load=load, trial=number, drop=drop),
            "dropped": dropped,
            "missed": missed if drop != "burst-close" else dropped,
            "disconnect_called": dropped - missed if drop != "burst-close" else 0,
            "exposure": exposure,
        }
        for number, (missed, exposure) in rounds.items()
        for drop in ("fin", "rst", "burst-close")
    ]
    key = key_row(scenario="churn", load=load, drop="mixed")
    throughput = [{**key, "trial": number, "valid": "yes", "utilisation": 0.8} for number in rounds]
    tables = Tables.from_rows({"disconnects": disconnects, "throughput": throughput})
    return Evidence(cells=cells_of(tables, OUTCOMES), examples=examples_of(tables), values=OUTCOMES)


def test_law_when_shares_are_those_of_the_exposure_then_the_difference_is_none() -> None:
    (row,) = law_rows(evidence({1: (10, 0.11), 2: (12, 0.11), 3: (14, 0.14)}))
    assert row.key[LOAD] == "80%" and row.utilisation == 0.8
    assert (row.missed.events, row.missed.of) == (72, 600), "of the two kinds of chance alone"
    assert row.exposure == pytest.approx(0.12)
    assert row.excess.estimate == pytest.approx(0) and 0 in row.excess


def test_law_when_less_is_missed_than_exposed_then_the_difference_shows_it() -> None:
    (row,) = law_rows(evidence({1: (5, 0.11), 2: (6, 0.11), 3: (7, 0.14)}))
    assert row.excess.estimate == pytest.approx(-0.06)
    assert row.excess.high < 0


def test_law_when_a_kind_is_left_out_then_its_drops_do_not_count() -> None:
    (row,) = law_rows(evidence({1: (10, 0.11), 2: (12, 0.11)}), left_out=("rst",))
    assert (row.missed.events, row.missed.of) == (22, 200)
    assert list(law_rows(evidence({1: (10, 0.11), 2: (12, 0.11)}), left_out=("rst", "fin"))) == []


def test_law_when_the_exposure_is_known_in_one_round_only_then_there_is_no_row() -> None:
    assert list(law_rows(evidence({1: (10, 0.11)}))) == []


def test_law_when_it_is_written_then_every_figure_has_its_unit_and_the_difference_its_sign() -> None:
    _, _, line, _, last = law_table(evidence({1: (5, 0.11), 2: (6, 0.11), 3: (7, 0.14)})).splitlines()
    assert line.startswith("| uvicorn | redis | sync | 80% | 0.80 | 36 of 600 | 6 % (")
    assert "| 12 % | -6.0 (-8.5 to -3.5) |" in line
    assert last == "In 0 of 1 cell the interval of the difference holds 0."


def test_law_when_two_rounds_say_nothing_of_the_difference_then_the_cell_is_in_no_count() -> None:
    _, _, line, _, last = law_table(evidence({1: (2, 0.11), 2: (98, 0.11)})).splitlines()
    assert line.endswith("| 50 % (2 rounds: too few) | 11 % | +39.0 (2 rounds: too few) |")
    assert last == "In 0 of 0 cells the interval of the difference holds 0."
