"""What dropped connections left behind, summed over kinds of drop and trials: of how many drops, and of 1,000."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loadtest.report.cells import Cell
from loadtest.report.words import number


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftKind:
    """One thing that a dropped connection can leave behind."""

    heading: str
    meaning: str
    told: str  # a sentence's "{count}", as of "12 stayed in a group"
    flag: str  # its column in drops.csv


LEFT: Mapping[str, LeftKind] = {
    "disconnects.groups_left": LeftKind(
        heading="groups",
        meaning="still in a group: messages to the room still go to them",
        told="{} stayed in a group",
        flag="group_left",
    ),
    "disconnects.queues_left": LeftKind(
        heading="queues",
        meaning="with messages still queued for them in the layer",
        told="{} still had messages queued for them",
        flag="queue_left",
    ),
    "disconnects.tasks_left": LeftKind(
        heading="tasks",
        meaning="whose consumer task still ran",
        told="{} had a consumer task that still ran",
        flag="task_left",
    ),
    "disconnects.presence_left": LeftKind(
        heading="presence",
        meaning="that the database still showed as online",
        told="{} were still online in the database",
        flag="presence_left",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """So many of so many drops left something behind; of drops for which that is not known nothing is said."""

    count: int
    dropped: int

    @property
    def of_1000(self) -> str:
        """`75` of 1,000 drops, `0.83`."""
        return number(round(1000 * self.count / self.dropped, 2))


def left_of(cells: Sequence[Cell], name: str) -> Left | None:
    """What the drops of these cells left of that kind; None where it is not known of any."""
    known = [
        (left, dropped)
        for cell in cells
        for trial in cell.trials
        if isinstance(left := trial.figures.get(name), int)
        and isinstance(dropped := trial.figures.get("disconnects.dropped"), int)
    ]
    dropped = sum(dropped for _, dropped in known)
    return Left(count=sum(left for left, _ in known), dropped=dropped) if dropped else None
