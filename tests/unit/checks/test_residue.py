"""Residue: what there is after and was not there before, by name; what one process cannot tell is not known."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.checks import ProcessResidue
from loadtest.checks.residue.audit import check
from loadtest.checks.residue.table import LEFT
from tests.unit.checks.histories import held, records


def rows(before: tuple[ProcessResidue, ...], after: tuple[ProcessResidue, ...], **others: Any) -> dict[str, Any]:
    finding = check(records(before=before, after=after, **others))
    return {row.pop("kind"): row for row in finding.rows.to_dicts()}


def test_residue_when_all_is_as_before_then_nothing_is_left() -> None:
    stays = held(tasks={"serve": 1}, threads=["MainThread"], fds={"socket": 3}, groups={"g": ["c"]}, presence=[7])
    assert {row["left"] for name, row in rows((stays,), (stays,)).items() if "memory" not in name} == {0}


def test_residue_when_things_were_left_then_they_are_counted_with_an_example() -> None:
    after = held(
        groups={"chat": ["a", "b"], "other": ["c"]},
        queues={"a": 2},
        subscriptions=["s"],
        tasks={"serve": 1, "consumer": 4},
        threads=["MainThread", "worker"],
        fds={"socket": 5},
        presence=[1, 2],
    )
    found = rows((held(tasks={"serve": 1}, threads=["MainThread"], fds={"socket": 2}),), (after,))
    assert {name: row["left"] for name, row in found.items() if row["left"]} == {
        "group members": 3, "layer queues": 1, "layer subscriptions": 1, "asyncio tasks": 4, "threads": 1,
        "file descriptors": 3, "presence rows": 2,
    }  # fmt: skip
    assert found["group members"]["example"] == "chat (2), other (1)"
    assert (found["asyncio tasks"]["before"], found["asyncio tasks"]["after"]) == (1, 5)


def test_residue_when_another_of_the_same_kind_went_then_the_one_that_stayed_is_still_left() -> None:
    found = rows((held(presence=[1], groups={"old": ["x"]}),), (held(presence=[2], groups={"new": ["y"]}),))
    assert (found["presence rows"]["left"], found["group members"]["left"]) == (1, 1)
    assert found["presence rows"]["example"] == "2 (1)"


def test_residue_when_less_than_before_then_nothing_is_left() -> None:
    assert rows((held(fds={"socket": 5}),), (held(fds={"socket": 3}),))["file descriptors"]["left"] == 0


def test_residue_when_two_processes_share_a_layer_and_a_database_then_shared_things_count_once() -> None:
    both_before = (held(21), held(22))
    told_by_each: dict[str, Any] = {"groups": {"chat": ["a"]}, "queues": {"a": 1}, "presence": [5]}
    after = (held(21, **told_by_each, tasks={"t": 1}), held(22, **told_by_each, tasks={"t": 1}))
    found = rows(both_before, after)
    assert [found[name]["left"] for name in ("group members", "layer queues", "presence rows")] == [1, 1, 1]
    assert found["asyncio tasks"]["left"] == 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_residue_when_a_process_could_not_tell_then_it_is_unknown_with_its_reason(when: str) -> None:
    blind = held(22, groups=None, unknown={"groups": "no reader for it"})
    residues: dict[str, Any] = {"before": (held(21), held(22)), "after": (held(21), held(22)), when: (held(21), blind)}
    finding = check(records(**residues))
    left = dict(finding.rows.select("kind", "left").rows())
    assert left["group members"] is None
    assert left["threads"] == 0
    assert (LEFT, "group members: process 22: no reader for it") in finding.unknown


@pytest.mark.parametrize(
    ("residues", "why"),
    [
        ({"after": (), "after_unknown": "process 21 did not answer: timed out"}, "timed out"),
        ({"after": ()}, "was not read"),
        ({"before": ()}, "not read before"),
        ({"after_unknown": "process 22 did not answer"}, "22 did not answer"),
        ({"after": (held(99),)}, "not those that were there"),
    ],
)
def test_residue_when_a_process_is_missing_then_nothing_is_said_to_be_clean(residues: Any, why: str) -> None:
    finding = check(records(**residues))
    assert finding.rows["left"].null_count() == finding.rows.height
    assert len(finding.unknown) == finding.rows.height
    assert all(column == LEFT and why in reason for column, reason in finding.unknown)


def test_residue_when_the_app_tells_how_many_are_online_then_processes_count_the_same_ones() -> None:
    found = rows((held(presence=1), held(2, presence=1)), (held(presence=4), held(2, presence=4)))
    assert (found["presence rows"]["after"], found["presence rows"]["left"]) == (4, 3)
