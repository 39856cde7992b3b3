"""What dropped connections left behind, summed over kinds of drop and trials: of how many drops, and of 1,000."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from loadtest.checks.disconnects import table
from loadtest.checks.drops import GROUP_LEFT, PRESENCE_LEFT, QUEUE_LEFT, SUBSCRIPTION_LEFT, TASK_LEFT
from loadtest.figures.cell import Cell
from loadtest.figures.column import Column
from loadtest.figures.words import number


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftKind:
    """One thing that a dropped connection can leave behind."""

    heading: str
    meaning: str
    told: str
    """A sentence's words for a count: "{} stayed in a group"."""
    briefly: str
    """The same after "the server kept": "{} in a group"."""
    flag: Column[int]
    """Its column among the single drops."""


LEFT: Mapping[Column[int], LeftKind] = MappingProxyType(
    {
        table.GROUPS_LEFT: LeftKind(
            heading="groups",
            meaning="still in a group: messages to the room still go to them",
            told="{} stayed in a group",
            briefly="{} in a group",
            flag=GROUP_LEFT,
        ),
        table.QUEUES_LEFT: LeftKind(
            heading="queues",
            meaning="with messages still queued for them in the layer",
            told="{} still had messages queued for them",
            briefly="{} with a queue",
            flag=QUEUE_LEFT,
        ),
        table.TASKS_LEFT: LeftKind(
            heading="tasks",
            meaning="whose consumer task still ran",
            told="{} had a consumer task that still ran",
            briefly="{} with a running task",
            flag=TASK_LEFT,
        ),
        table.PRESENCE_LEFT: LeftKind(
            heading="presence",
            meaning="that the database still showed as online",
            told="{} were still online in the database",
            briefly="{} online",
            flag=PRESENCE_LEFT,
        ),
        table.SUBSCRIPTIONS_LEFT: LeftKind(
            heading="subscriptions",
            meaning="to whose channel the layer was still subscribed",
            told="{} had a channel to which the layer was still subscribed",
            briefly="{} subscribed",
            flag=SUBSCRIPTION_LEFT,
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """How many drops left something behind, of those for which it is known."""

    count: int
    dropped: int

    @property
    def of_1000(self) -> str:
        """`75` of 1,000 drops, `0.83`."""
        return number(round(1000 * self.count / self.dropped, 2))


def left_of(cells: Sequence[Cell], column: Column[int]) -> Left | None:
    """What the drops of these cells left of that kind; None where it is not known of any."""
    known = [
        (left, dropped)
        for cell in cells
        for trial in cell.valid_trials
        if (left := trial.get(column)) is not None and (dropped := trial.get(table.DROPPED)) is not None
    ]
    dropped = sum(dropped for _, dropped in known)
    return Left(count=sum(left for left, _ in known), dropped=dropped) if dropped else None
