"""Planted defects: the tutorial's room consumer with exactly one thing wrong, a row each, to audit the audit with.

They are reached by the same routes as the consumers proper, in sync and async: `ws/<name>-sync/room/<room>/`.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

Kind = Literal["sync", "async"]
KINDS: tuple[Kind, ...] = ("sync", "async")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One defect; `finds` says what an audit must find, for each of the kinds that it is planted in."""

    name: str
    defect: str
    finds: str
    kinds: tuple[Kind, ...] = KINDS

    def consumer(self, kind: Kind) -> str:
        """Return the name of the consumer with the defect, as it stands in its route."""
        return f"{self.name}-{kind}"

    def room(self, kind: Kind) -> type[Any]:
        """Return the class; its module needs Django set up."""
        module = import_module(f"{__name__}.{self.name.replace('-', '_')}")
        cls: type[Any] = getattr(module, f"{kind.capitalize()}RoomConsumer")
        return cls


PLANTED = (
    Planted(
        name="group-kept",
        defect="disconnect() does not leave the group",
        finds="every dropped connection in groups_left, nothing missed",
    ),
    Planted(
        name="abnormal-kept",
        defect="disconnect() cleans up only when the code is 1000",
        finds="groups_left and presence_left for every drop but those with a close frame of code 1000",
    ),
    Planted(
        name="disconnect-raises",
        defect="disconnect() raises before its cleanup",
        finds="disconnect() entered and raised for every drop; groups_left and presence_left",
    ),
    Planted(
        name="disconnect-blocks",
        defect="disconnect() blocks for longer than settling, before its cleanup",
        finds="async: entered and not returned for every drop; sync: for one, the others missed as 'handler busy'",
    ),
    Planted(
        name="send-raises",
        defect="a send to the dropped client raises and ends the task",
        finds="every drop missed, cause 'send to the gone client raised'; groups_left and presence_left",
    ),
    Planted(
        name="presence-kept",
        defect="disconnect() does not mark the user offline",
        finds="every dropped connection in presence_left, none in groups_left",
    ),
    Planted(
        name="task-kept",
        defect="a background task (async) or thread (sync) survives its consumer",
        finds="as many asyncio tasks, or threads, left as connections were opened",
    ),
    Planted(
        name="descriptor-kept",
        defect="a file that connect() opens is never closed",
        finds="as many file descriptors left as connections were opened",
    ),
    Planted(
        name="duplicated",
        defect="each member gets every third message of a sender twice",
        finds="as many messages duplicated as were sent of these, times the members of the room",
    ),
    Planted(
        name="lost",
        defect="every third message of a sender reaches nobody",
        finds="as many messages lost as were sent of these, times the members of the room",
    ),
    Planted(
        name="swapped",
        defect="each member gets every third message of a sender after its next one",
        finds="as many messages reordered as were sent of these and have a next one, times the members of the room",
    ),
    Planted(
        name="blocking",
        defect="a handler sleeps on the event loop: nobody is served meanwhile",
        finds="stalls, together as long as the blocking messages say; messages that are late by that; none lost",
        kinds=("async",),
    ),
    Planted(
        name="never-stops",
        defect="websocket_disconnect() is overridden without StopConsumer",
        finds="disconnect() called for every drop, and every dropped connection in tasks_left",
    ),
    Planted(
        name="leaking",
        defect="1 MB of every connection is kept",
        finds="memory left: 1 MB for each connection that was opened, give or take what an allocator keeps",
    ),
    Planted(
        name="deaf",
        defect="members of one room leave its group after four messages and stay connected",
        finds="each of them deaf, and what they missed lost",
    ),
)


def find_planted(consumer: str) -> tuple[Planted, Kind] | None:
    """Return the defect and the kind that a consumer's name stands for; None when it is no planted one."""
    return next(((row, kind) for row in PLANTED for kind in row.kinds if row.consumer(kind) == consumer), None)
