"""The kinds of things that can be left behind, and how each is counted from what the processes told."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

KEPT_BY_LAYER = frozenset(
    {"orphaned layer queues", "empty layer queues", "orphaned layer subscriptions", "layer sockets"}
)
"""Kinds that a channel layer keeps by itself, whatever the consumers do: charged to the layer, not to the app."""

MEMORY = "memory in kB"
"""The kind that is never exactly as it was: an allocator keeps some of what was free, and some code runs only once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of thing, and the field of a process's answer that tells of it."""

    name: str
    field: str
    count: Callable[[list[Any]], Counter[str]]
    """Counts the things there are by name, from what each process told."""
    owned_by: Literal["anybody", "somebody", "nobody"] = "anybody"
    """Nobody: only what is named like a channel that has ended (audit.py says which); somebody: all but that."""
    formerly: tuple[str, ...] = ()
    """The names that it had in older folders."""


def _members(told: list[dict[str, list[str]]]) -> Counter[str]:
    """Count group members by group; where the layer is shared, every process tells of the same ones."""
    members = {(group, member) for groups in told for group, held in groups.items() for member in held}
    return Counter(group for group, _ in members)


def _once(told: list[Iterable[object]]) -> Counter[str]:
    """Count things with names of their own, in a layer or a database that all processes may share."""
    return Counter({str(thing) for things in told for thing in things})


def _present(told: list[list[int | str] | int]) -> Counter[str]:
    """Count who is online; where numbers were told, all processes counted in the same database."""
    numbers = [one for one in told if isinstance(one, int)]
    return Counter({"rows": max(numbers)}) if numbers else _once([one for one in told if not isinstance(one, int)])


def _added(told: Sequence[Iterable[str] | dict[str, int]]) -> Counter[str]:
    """Count things that each process has for itself; a mapping to numbers is counted already."""
    return sum((Counter(things) for things in told), Counter())


def _waiting(told: list[dict[str, int]]) -> Counter[str]:
    """Count queues in which messages wait."""
    return Counter({queue for queues in told for queue, length in queues.items() if length})


def _empty(told: list[dict[str, int]]) -> Counter[str]:
    """Count queues in which no process has messages waiting, and which are kept all the same."""
    return Counter({queue for queues in told for queue in queues}) - _waiting(told)


def _but_of_layer(told: list[dict[str, int]]) -> Counter[str]:
    return Counter({name: count for name, count in _added(told).items() if name != _LAYER_SOCKET})


def _of_layer(told: list[dict[str, int]]) -> Counter[str]:
    return _added(told) - _but_of_layer(told)


def _kilobytes(told: list[int]) -> Counter[str]:
    return Counter({"kB": sum(told)})


_LAYER_SOCKET = "layer socket"

KINDS = (
    Kind(name="group members", field="groups", count=_members),
    Kind(name="layer queues", field="queues", count=_waiting, owned_by="somebody"),
    Kind(
        name="orphaned layer queues",
        field="queues",
        count=_waiting,
        owned_by="nobody",
        formerly=("layer queues, of nobody",),
    ),
    Kind(name="empty layer queues", field="queues", count=_empty, formerly=("layer queues, empty",)),
    Kind(name="layer subscriptions", field="subscriptions", count=_added, owned_by="somebody"),
    Kind(
        name="orphaned layer subscriptions",
        field="subscriptions",
        count=_added,
        owned_by="nobody",
        formerly=("layer subscriptions, of nobody",),
    ),
    Kind(name="asyncio tasks", field="tasks", count=_added),
    Kind(name="threads", field="threads", count=_added),
    Kind(name="file descriptors", field="fds", count=_but_of_layer),
    Kind(name="layer sockets", field="fds", count=_of_layer),
    Kind(name="presence rows", field="presence", count=_present),
    Kind(name=MEMORY, field="memory_kb", count=_kilobytes, formerly=("memory, kB",)),
)
