"""Pinned: what a run's manifest says of the CPUs that its parts have."""

from dataclasses import dataclass

from loadtest.bench.plan import Plan
from loadtest.dimensions import WORKERS
from loadtest.stack.pinning import Placement, placement_here

ALLOWED = "what other processes, virtual machines and CPU quotas did to the machine makes no trial invalid (plan)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """For the manifest: the CPUs by role, {"server": "2-3", ...}, empty where nothing is pinned; and notes."""

    cpus: dict[str, str]
    notes: tuple[str, ...]


def pinned_here(plan: Plan) -> Pinned:
    """Return what is pinned where in the trials of a plan, on this machine."""
    workers = sorted({cell[WORKERS] for cell in plan.cells()})
    return pinned_in(plan, {count: placement_here(pin=plan.pin, workers=count) for count in workers})


def pinned_in(plan: Plan, placements: dict[int, Placement]) -> Pinned:
    """Return the same for placements by number of workers, which are named where there are several numbers."""
    cpus = {
        role if len(placements) == 1 else f"{role}, workers {count}": its
        for count, placement in placements.items()
        if placement.is_pinned
        for role, its in placement.spoken.items()
    }
    notes = [placement.note for placement in placements.values() if placement.note and plan.pin]
    return Pinned(cpus=cpus, notes=tuple(dict.fromkeys([*notes, *([ALLOWED] if plan.allow_contention else [])])))
