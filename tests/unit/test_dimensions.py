"""Dimensions: a cell's key has a value of each, compares by them, and names its folder as runs have had it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from loadtest import dimensions
from loadtest.dimensions import CONSUMER, DIMENSIONS, DROP, LAYER, WORKERS, CellKey, Dimension

KEY = CellKey(server="uvicorn", workers=2, layer="redis", consumer="sync", scenario="churn", drop="close:4001")


def test_key_when_asked_by_a_dimension_then_it_gives_the_value() -> None:
    assert (KEY[LAYER], KEY[WORKERS], KEY[DROP]) == ("redis", 2, "close:4001")


def test_key_when_a_value_is_left_out_then_it_has_the_default() -> None:
    assert CellKey().as_row() == {dimension.name: dimension.default for dimension in DIMENSIONS}


@pytest.mark.parametrize("values", [{"layer": 1}, {"workers": "2"}, {"workers": True}, {"colour": "red"}])
def test_key_when_a_name_or_a_type_is_wrong_then_it_is_refused(values: dict[str, str | int]) -> None:
    with pytest.raises(TypeError, match="|".join(values)):
        CellKey(**values)


def test_key_when_asked_by_a_dimension_that_is_not_listed_then_it_raises() -> None:
    with pytest.raises(KeyError):
        KEY[Dimension(name="colour", plural="colours", meaning="", dtype=str, default="red")]


def test_keys_when_their_values_are_equal_then_they_are_one_in_a_set() -> None:
    assert {KEY, CellKey.of_row({**KEY.as_row(), "trial": 3, "missed": 7})} == {KEY}
    assert KEY.having(CONSUMER, "async") != KEY
    assert KEY.without(CONSUMER) == KEY.having(CONSUMER, "async").without(CONSUMER)
    assert eval(repr(KEY)) == KEY


def test_folder_when_a_drop_has_a_parameter_then_its_characters_are_quoted() -> None:
    assert KEY.folder == "uvicorn-2-redis-sync-churn-close%3A4001"


def test_folder_when_a_close_has_the_longest_reason_then_a_file_system_takes_its_name_and_others_differ(
    tmp_path: Path,
) -> None:
    names = {KEY.having(DROP, f"close:4001:{'☃' * 40}{end}").folder for end in "ab"}
    assert len(names) == 2
    for name in names:
        (tmp_path / name).mkdir()
        assert name.startswith("uvicorn-2-redis-sync-churn-close%3A4001%3A%E2%98%83")


def test_folder_when_a_dimension_came_later_then_it_stands_there_only_where_it_says_something(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    later = dataclasses.replace(LAYER, name="weather", plural="weathers", default="dry", since=9)
    monkeypatch.setattr(dimensions, "DIMENSIONS", (*DIMENSIONS, later))
    monkeypatch.setattr(dimensions, "_PLACES", {row.name: place for place, row in enumerate((*DIMENSIONS, later))})
    assert CellKey(layer="redis").folder == "uvicorn-1-redis-async-echo-none"
    assert CellKey(layer="redis", load="80%", weather="wet").folder == "uvicorn-1-redis-async-echo-none-80%25-wet"
