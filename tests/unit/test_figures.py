"""Figures: a handle that does not exist raises, empty fields apply or not, counts come back from old and new texts."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.checks import CHECKS
from loadtest.checks.delivery.table import LOST
from loadtest.checks.disconnects.table import CAUSES, CODES, DETECT_MS_P50, DISCONNECT_CALLED, DROPPED, MISSED
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.checks.residue.kinds import KINDS
from loadtest.checks.residue.table import KIND, LEFT
from loadtest.checks.residue.table import TABLE as RESIDUE
from loadtest.checks.throughput.table import LATENCY_MS_P50, UNEXPECTED_EXAMPLE
from loadtest.dimensions import CONSUMER, DROP, LAYER, SCENARIO, CellKey, Value
from loadtest.figures import counts
from loadtest.figures.cell import TrialFigures, figures_of, make_cell
from loadtest.figures.column import Column
from loadtest.figures.printed import slashed
from loadtest.figures.table import KEY_NAMES
from loadtest.figures.values import Values
from loadtest.figures.words import Namer

ROW = {column.name: None for column in DISCONNECTS.figures}


def test_handle_when_the_kind_is_unknown_then_it_raises() -> None:
    assert str(LEFT["threads"]) == "residue.left.threads"
    with pytest.raises(KeyError, match="no kind 'thread'"):
        LEFT["thread"]
    with pytest.raises(KeyError):
        LOST["threads"]


def test_handle_when_table_name_and_kind_are_the_same_then_it_is_the_same() -> None:
    assert LEFT["threads"] == LEFT["threads"] != LEFT["asyncio tasks"]
    assert len({LEFT["threads"], LEFT["threads"], LEFT}) == 2


def test_row_when_a_check_names_a_column_of_another_table_or_leaves_one_out_then_it_raises() -> None:
    with pytest.raises(KeyError, match=r"delivery\.lost is no column of disconnects"):
        DISCONNECTS.frame([{LOST: 1}])
    with pytest.raises(KeyError, match="before"):
        RESIDUE.frame([{KIND: "threads"}])


def test_cell_when_asked_for_what_may_not_be_summed_up_then_it_raises() -> None:
    cell = make_cell(CellKey(), [])
    with pytest.raises(ValueError, match="no median"):
        cell.median(UNEXPECTED_EXAMPLE)
    with pytest.raises(ValueError, match="may not be summed"):
        cell.total(LATENCY_MS_P50)


@pytest.mark.parametrize(("called", "applies"), [(0, False), (3, True), (None, True)])
def test_empty_field_when_what_it_tells_of_is_none_then_it_does_not_apply(called: int | None, applies: bool) -> None:
    figures = figures_of(DISCONNECTS, {**ROW, "dropped": 3, "disconnect_called": called, "codes": []})
    assert (DETECT_MS_P50 in figures, CODES in figures) == (applies, applies)


def test_cell_when_a_trial_is_not_valid_then_it_is_left_out_of_medians_totals_counts_and_examples() -> None:
    def trial(number: int, *, valid: bool) -> TrialFigures:
        row = {**ROW, "dropped": 10, "missed": number, "detect_ms_p50": 5.0 * number, "disconnect_called": 1}
        figures = figures_of(DISCONNECTS, {**row, "causes": counts.as_structs({"not noticed": number})})
        return TrialFigures(number=number, valid=valid, figures=figures)

    cell = make_cell(CellKey(), [trial(3, valid=False), trial(1, valid=True)])
    assert (cell.total(DROPPED).total, cell.total(DROPPED).left_out) == (10, 1)
    assert (cell.median(DETECT_MS_P50).high, cell.median(DETECT_MS_P50).left_out) == (5.0, 1)
    assert cell.counts(CAUSES) == {"not noticed": 1}
    assert cell.values(MISSED) == [1]
    assert (cell.total(DISCONNECT_CALLED).applies, cell.total(LOST).applies) == (True, False)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (None, None),
        ("", {}),
        ("1005:38 1006:2", {"1005": 38, "1006": 2}),
        ("1005:38; 1006:2", {"1005": 38, "1006": 2}),
        ("1006:2", {"1006": 2}),
        ("handler busy:3", {"handler busy": 3}),
        ("connect() still running:2; a: b:1", {"connect() still running": 2, "a: b": 1}),
    ],
)
def test_counts_when_read_from_a_text_then_they_are_those_of_this_version_or_an_older_one(
    text: str | None, read: dict[str, int] | None
) -> None:
    found = counts.read(text)
    assert (found if found is None else dict(counts.as_counter(found))) == read


def test_counts_when_the_text_has_none_then_it_is_refused() -> None:
    with pytest.raises(ValueError, match="many"):
        counts.read("1005:many")


@given(st.dictionaries(st.text("abc :()", min_size=1).map(str.strip).filter(bool), st.integers(1, 99)))
def test_counts_when_written_and_read_then_they_are_the_same(found: dict[str, int]) -> None:
    frame = pl.DataFrame({"x": [counts.as_structs(found), None]}, schema={"x": CODES.polars})
    text, unknown = frame.select(counts.written("x")).to_series()
    assert dict(counts.as_counter(counts.read(text) or [])) == found
    assert unknown is None


def test_columns_when_listed_then_each_knows_its_table_and_each_name_is_there_once() -> None:
    for check in CHECKS:
        columns = check.table.figures
        assert {column.table for column in columns} == {check.name}
        assert len({column.name for column in columns}) == len(columns)
        assert not {column.name for column in columns} & set(KEY_NAMES)
        assert set(check.examples) <= set(columns)


def test_columns_when_summed_up_then_only_numbers_are_and_only_whole_ones_have_a_sum() -> None:
    for column in (column for check in CHECKS for column in check.table.figures):
        assert column.over_trials == "none" or column.dtype in (int, float)
        assert column.over_trials != "total" or (column.dtype is int and column.unit in ("connections", "messages"))


def test_residue_when_listed_then_every_kind_has_a_handle() -> None:
    assert [LEFT[kind.name].qualifier for kind in KINDS] == list(LEFT.qualifiers)


def test_values_when_cells_are_sorted_then_by_the_manifest_and_what_it_does_not_describe_by_name() -> None:
    values = Values({"consumer": (Value(name="sync"), Value(name="async")), "layer": (Value(name="redis"),)})
    keys = [CellKey(consumer=consumer, layer=layer, drop=drop) for layer in ("b", "a", "redis")
            for drop in ("rst", "mixed", "fin") for consumer in ("mine", "async", "sync")]  # fmt: skip
    ordered = sorted(keys, key=values.order)
    assert list(dict.fromkeys(key[CONSUMER] for key in ordered)) == ["sync", "async", "mine"]
    assert list(dict.fromkeys(key[LAYER] for key in ordered)) == ["redis", "a", "b"]
    assert list(dict.fromkeys(key[DROP] for key in ordered)) == ["mixed", "fin", "rst"]


def test_value_when_the_manifest_does_not_describe_it_then_nothing_but_its_name_is_known() -> None:
    assert Values().of(CellKey(scenario="idle"), SCENARIO) == Value(name="idle")


def test_name_when_several_servers_ran_then_they_stand_behind_the_layer() -> None:
    keys = [CellKey(layer="redis", scenario="churn", drop=drop, workers=workers)
            for drop, workers in (("rst", 1), ("mixed", 2), ("none", 1))]  # fmt: skip
    namer = Namer(keys)
    assert [namer.name(key) for key in keys] == [
        "redis (uvicorn, 1 worker), async, churn, rst",
        "redis (uvicorn, 2 workers), async, churn, mixed drops",
        "redis (uvicorn, 1 worker), async, churn",
    ]
    assert [Namer(keys[:1]).setting(keys[0], but=but) for but in ((), (CONSUMER,), (CONSUMER, DROP))] == [
        "churn with rst on redis, async",
        "churn with rst on redis",
        "churn on redis",
    ]


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (["1", "2", "3"], "1/2/3"),
        (["1,056", "1,911", "4"], "1,056/1,911/4"),
        (["345"] * 5, "345/345/ 345/345/ 345"),
        (["123", "1,234", "12,346"], "123/ 1,234/ 12,346"),
    ],
)
def test_slashed_figures_when_they_are_long_then_they_have_blanks_to_fold_at(parts: list[str], text: str) -> None:
    assert slashed(parts) == text


def test_column_when_made_then_its_type_is_one_that_a_data_frame_holds() -> None:
    assert Column(table="t", name="n", dtype=int, meaning="m").polars == pl.Int64()
