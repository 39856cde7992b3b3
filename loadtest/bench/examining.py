"""Examining: whether a user's own locustfiles can be measured, and what has to be known of them before a run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from loadtest.bench.generator import job_of
from loadtest.bench.plan import Plan, PlanError, Trial
from loadtest.bench.rehearsing import OwnCodeFailed, OwnUsers, Rehearsal
from loadtest.bench.scenarios import Scenario
from loadtest.dimensions import SCENARIO, CellKey
from loadtest.load import Job
from loadtest.load.markers import find_marker, marker_of
from loadtest.load.rehearsal import Found
from loadtest.stack.folders import short_folder

_NO_HOST: Final = "ws://127.0.0.1"
_MARKERS: Final = (marker_of(1, 1), marker_of(2, 2))
_SHOWN: Final = 200
"""Of a frame in an error: enough to see what it is."""
_OURS: Final = "WebSocketUser or ChurnUser of loadtest.users"


def examined(plan: Plan) -> frozenset[str]:
    """Load each locustfile of a plan once; return the scenarios whose users say which room they mean.

    Raises PlanError with what is wrong with the files, EnvironmentFailed where that cannot be found out.
    """
    problems: list[str] = []
    telling: set[str] = set()
    with short_folder() as folder:
        for row in plan.locustfile:
            with Rehearsal(row, folder) as rehearsal:
                try:
                    if _examine(rehearsal, plan):
                        telling.add(row.name)
                except (ValueError, OwnCodeFailed) as error:
                    problems.append(f"locustfile: {error}")
    if problems:
        raise PlanError("\n".join(problems))
    return frozenset(telling)


def _examine(rehearsal: Rehearsal, plan: Plan) -> bool:
    """Return whether its users tell rooms apart. Raises ValueError, or OwnCodeFailed, for what cannot be measured."""
    found, row = rehearsal.found(), rehearsal.row
    if found.problem:
        raise ValueError(f"{row.locustfile} cannot be imported: {found.problem}")
    if problems := list(problems_with_classes(found, row)):
        raise ValueError(f"{row.locustfile}: {'; '.join(problems)}")
    cell = next((cell for cell in plan.cells() if cell[SCENARIO] == row.name), None)
    if cell is None:  # every one of its cells is left out
        return True
    telling = [tells_rooms_apart(OwnUsers(rehearsal, cls, _job(plan, cell))) for cls in found.classes]
    return all(telling)


def _job(plan: Plan, cell: CellKey) -> Job:
    """Return a job in which each user is alone in its room."""
    trial = Trial(cell=cell, number=1, seed=plan.seed, rate=1.0)
    return job_of(plan, trial, folder=Path()).model_copy(update={"room_size": 1})


def problems_with_classes(found: Found, row: Scenario) -> Iterator[str]:
    """Say why the classes of a locustfile are none that could be measured as it says."""
    foreign = [cls.name for cls in found.classes if not cls.is_ours]
    if len(foreign) == len(found.classes):
        there_are = f"; there {'is' if len(foreign) == 1 else 'are'} {', '.join(foreign)}" if foreign else ""
        yield f"it has no user class of ours, derived from {_OURS}{there_are}"
        return
    if foreign:
        yield f"{', '.join(foreign)} is not derived from {_OURS}, so nothing would tell what it does; leave it out"
    rows = [cls.row for cls in found.classes]
    if twins := [cls.name for cls in found.classes if rows.count(cls.row) > 1]:
        yield f"nothing tells {' and '.join(twins)} apart; give each a `row` of its own, or a file of its own"
    if row.drops and not any(cls.is_droppable for cls in found.classes):
        yield "its SCENARIO has drops, and no class is a ChurnUser, which can be dropped"
    if row.rate and not any(cls.is_paced for cls in found.classes):
        yield "its SCENARIO has a rate, and no class keeps it; write wait_time = paced()"


def tells_rooms_apart(users: OwnUsers) -> bool:
    """Tell whether users of two rooms say different things. Raises ValueError where no marker is in what they say."""
    said = []
    for user in (0, 1):
        users.address(_NO_HOST, user)
        frames = [users.frame(user, marker) for marker in _MARKERS]
        if frames[0] == frames[1] and find_marker(frames[0]) is None:
            raise ValueError(
                f"encode of {users.cls.name} in {users.rehearsal.file} does not put the marker in; it makes "
                f"{frames[0][:_SHOWN]!r} of every one"
            )
        said.append((users.joining(user), frames))
    return said[0] != said[1]
