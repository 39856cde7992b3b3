"""A capacity run: search by search each cell once, each step saved once it is done."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from loadtest.bench.calibration import RATE_DIGITS
from loadtest.bench.campaign import FILES_A_USER, SPARE_FILES, TRIAL_BYTES
from loadtest.bench.measuring import Step, measure_step
from loadtest.bench.rehearsing import rehearsals
from loadtest.bench.trial import TrialFailed, TrialSetup
from loadtest.capacity.folder import CapacityFolder
from loadtest.capacity.plan import CapacityPlan
from loadtest.capacity.step import Place, failed_step, step_of
from loadtest.dimensions import WORKERS, CellKey
from loadtest.figures.values import Values
from loadtest.report.capacity import CapacityStep, tried_in
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import short_folder
from loadtest.stack.limits import need_disk, need_open_files
from loadtest.stack.pinning import placement_here
from loadtest.stats.search import FACTOR, Ended, Range, next_value
from loadtest.targets import Target

FIRST: Final = 0.5
"""Where searches begin, as a share of the scenario's own rate or users; the first value of each is up to twice that."""


class Watcher(Protocol):
    """Is told how a run goes on; the command line shows it."""

    def search_begins(self, cell: CellKey, search: int, *, place: int, of: int) -> None:
        """A search begins, the `place`-th (from 1) of all."""

    def step_begins(self, cell: CellKey, value: float) -> None:
        """A step begins at this value."""

    def step_done(self, step: CapacityStep) -> None:
        """A step was measured and saved."""

    def search_done(self, cell: CellKey, ended: Ended) -> None:
        """A search has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What all searches of a run have in common."""

    run: CapacityFolder
    setup: TrialSetup
    values: Values
    watcher: Watcher


def run_capacity(
    run: CapacityFolder, target: Target, *, addresses: Mapping[str, str], values: Values, watcher: Watcher
) -> None:
    """Run all searches of the run's plan on the target; `addresses` are those of the user's own brokers.

    The cells of a search are in an order drawn from the seed, new for each search, and all have the same first value
    and seeds. Raises EnvironmentFailed when something cannot be started; what was measured until then, or until
    KeyboardInterrupt, is saved.
    """
    plan = run.plan
    searches = [(cell, search) for search in range(1, plan.searches + 1) for cell in _in_order(plan, search)]
    with run.under_way(), short_folder() as scratch, rehearsals(plan, scratch) as own:
        setup = TrialSetup(plan=plan, target=target.prepare(scratch), addresses=addresses, rehearsals=own)
        ours = _Run(run=run, setup=setup, values=values, watcher=watcher)
        for place, (cell, search) in enumerate(searches, 1):
            watcher.search_begins(cell, search, place=place, of=len(searches))
            watcher.search_done(cell, _search(ours, cell, search))
            run.save_search()


def limits_of(plan: CapacityPlan, cell: CellKey, search: int) -> Range:
    """Return where a search begins, which its own random number moves by up to a factor, and how fine it is."""
    scenario = plan.scenario_of(cell)
    typical = float(scenario.users) if plan.of == "users" else scenario.rate
    limits = Range(first=1.0, resolution=plan.resolution, whole=plan.of == "users")
    first = typical * FIRST * FACTOR ** _chance(plan, search).random()
    return replace(limits, first=limits.rounded(first))


def _in_order(plan: CapacityPlan, search: int) -> list[CellKey]:
    cells = plan.cells()
    random.Random(f"order {plan.seed} {search}").shuffle(cells)
    return cells


def _chance(plan: CapacityPlan, search: int) -> random.Random:
    return random.Random(f"search {plan.seed} {search}")


def _seed_of(plan: CapacityPlan, search: int, step: int) -> int:
    return random.Random(f"step {plan.seed} {search} {step}").randrange(2**31)


def _search(ours: _Run, cell: CellKey, search: int) -> Ended:
    """Run one search to its end."""
    limits = limits_of(ours.run.plan, cell, search)
    while True:
        steps = ours.run.steps_of(cell, search)
        found = next_value(tried_in(steps, ours.run.plan.of), limits)
        if isinstance(found, Ended):
            return found
        ours.watcher.step_begins(cell, found)
        step = _step(ours, _place(ours, cell, search, len(steps) + 1, found))
        ours.run.save(step)
        ours.watcher.step_done(step)


def _place(ours: _Run, cell: CellKey, search: int, step: int, value: float) -> Place:
    plan = ours.run.plan
    scenario = plan.scenario_of(cell)
    raises_rate = plan.of == "rate"
    rate = value if raises_rate else scenario.rate if plan.rate is None else plan.rate
    return Place(
        cell=cell,
        number=ours.run.number_of_next(cell),
        search=search,
        step=step,
        rate=round(rate, RATE_DIGITS) if not raises_rate else rate,
        users=(plan.users or scenario.users) if raises_rate else int(value),
        server_cpus=len(placement_here(pin=plan.pin, workers=cell[WORKERS]).server),
    )


def _step(ours: _Run, place: Place) -> CapacityStep:
    """Run one step; one that cannot be run, for the machine does not allow so many connections, has failed."""
    plan = ours.run.plan
    duration_s = plan.duration or plan.scenario_of(place.cell).duration
    step = Step(
        cell=place.cell,
        number=place.number,
        rate=place.rate,
        duration_s=duration_s,
        warm_up_s=plan.warm_up,
        seed=_seed_of(plan, place.search, place.step),
    )
    need_disk(ours.run.folder, TRIAL_BYTES)
    setup = replace(ours.setup, plan=plan.noting(users=place.users))
    try:
        _need_files(place.users)
        measured = measure_step(step, setup, ours.run.new_step_folder(place.cell, place.number))
    except TrialFailed as error:
        return failed_step(place, str(error))
    ours.run.note_identity(measured.identity)
    return step_of(place, measured, plan.level_of(place.cell), ours.values)


def _need_files(users: int) -> None:
    try:
        need_open_files(users * FILES_A_USER + SPARE_FILES)
    except EnvironmentFailed as error:
        raise TrialFailed(str(error)) from error
