"""Pinning: which CPUs the server gets and which the load, for machines of every size; what the kernel tells of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.bench.pinned import ALLOWED, pinned_in
from loadtest.stack.pinning import Cpus, Placement, cpus_in, listed, place, siblings_of
from tests.unit.plans import make_plan


def cpus(text: str) -> Cpus:
    return cpus_in(text)


def pairs(count: int) -> dict[int, Cpus]:
    """Cores of two threads, as Linux numbers them: CPU 0 and CPU `count` / 2 are one core."""
    half = count // 2
    return {cpu: frozenset({cpu % half, cpu % half + half}) for cpu in range(count)}


def spoken(placement: Placement) -> tuple[str, str]:
    assert placement.is_pinned
    return listed(placement.load), listed(placement.server)


@pytest.mark.parametrize(
    ("usable", "workers", "load", "server"),
    [
        ("0-1", 1, "0", "1"),
        ("0-2", 1, "0-1", "2"),
        ("0-3", 1, "0-1", "2-3"),
        ("0-3", 4, "0-1", "2-3"),
        ("0-7", 1, "0-2", "3-4"),
        ("0-7", 2, "0-2", "3-6"),
        ("0-7", 3, "0-1", "2-7"),
        ("0-63", 1, "0-2", "3-4"),
        ("0-63", 8, "0-2", "3-18"),
        ("5,9", 1, "5", "9"),
        ("1,3,5,7", 1, "1,3", "5,7"),
    ],
)
def test_cpus_when_each_is_a_core_then_server_and_load_share_none(
    usable: str, workers: int, load: str, server: str
) -> None:
    assert spoken(place(cpus(usable), {}, workers=workers)) == (load, server)


@pytest.mark.parametrize(
    ("usable", "threads", "load", "server"),
    [
        ("0-3", 4, "0,2", "1,3"),  # two cores: each side has both threads of one
        ("0-7", 8, "0-1", "2-3"),  # four cores: the second threads stay idle
        ("0-63", 64, "0-2", "3-4"),
        ("1-2", 4, "1", "2"),  # a restricted set: one thread of either core
        ("4-7", 8, "4-5", "6-7"),
    ],
)
def test_cpus_when_cores_have_two_threads_then_no_core_is_shared(
    usable: str, threads: int, load: str, server: str
) -> None:
    assert spoken(place(cpus(usable), pairs(threads))) == (load, server)


def test_cpus_when_there_is_one_core_of_two_threads_then_they_are_divided_and_that_is_said() -> None:
    placement = place(cpus("0-1"), pairs(2))
    assert spoken(placement) == ("0", "1")
    assert "two threads of one core" in placement.note


def test_cpus_when_there_is_one_then_nothing_is_pinned_and_that_is_said() -> None:
    placement = place(cpus("3"), {})
    assert not placement.is_pinned
    assert placement.by_role == dict.fromkeys(("server", "generator", "broker", "bench"), cpus("3"))
    assert "one CPU" in placement.note


@pytest.mark.parametrize("text", ["0", "0-2,5", "1,3,5,7", "0-63"])
def test_list_of_cpus_when_read_and_written_then_it_is_the_same(text: str) -> None:
    assert listed(cpus_in(f"{text}\n")) == text


def test_siblings_when_the_kernel_tells_of_some_cpus_then_those_are_known(tmp_path: Path) -> None:
    for cpu, told in ((0, "0,2"), (2, "0,2"), (3, "")):
        folder = tmp_path / f"cpu{cpu}/topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{told}\n")
    assert siblings_of(cpus("0-3"), tmp_path) == {0: cpus("0,2"), 2: cpus("0,2")}


def test_manifest_when_there_is_one_number_of_workers_then_the_roles_have_their_names() -> None:
    pinned = pinned_in(make_plan({}), {1: place(cpus("0-1"), {})})
    assert pinned.cpus == {"server": "1", "generator": "0", "broker": "0", "bench": "0"}
    assert pinned.notes == ()


def test_manifest_when_there_are_several_numbers_of_workers_then_each_has_its_cpus() -> None:
    pinned = pinned_in(make_plan({}), {count: place(cpus("0-7"), {}, workers=count) for count in (1, 2)})
    assert pinned.cpus["server, workers 1"] == "3-4"
    assert pinned.cpus["server, workers 2"] == "3-6"


def test_manifest_when_nothing_is_pinned_then_it_says_why_unless_that_was_asked_for() -> None:
    alone = {1: place(cpus("0"), {})}
    assert pinned_in(make_plan({}), alone).cpus == {}
    assert pinned_in(make_plan({}), alone).notes == (alone[1].note,)
    assert pinned_in(make_plan({"pin": False}), alone).notes == ()
    assert pinned_in(make_plan({"allow_contention": True}), alone).notes == (alone[1].note, ALLOWED)
