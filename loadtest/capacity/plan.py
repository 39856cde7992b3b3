"""The plan of a capacity run: that of a bench, with a service level to keep instead of trials to repeat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from loadtest.bench.choices import Choices, defaults_of
from loadtest.bench.plan import Names, Plan, PlanError, chosen_scenarios, require_selectable
from loadtest.bench.profiles import PROFILES, completed, validated, with_all_drops, with_own_scenarios
from loadtest.bench.scenarios import SCENARIOS
from loadtest.bench.workers import Workers
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.checks.drops import TABLE as DROPS
from loadtest.dimensions import WORKERS, CellKey
from loadtest.figures.threshold import Threshold
from loadtest.load import DropShare, Offline, WarmUp
from loadtest.outages import OUTAGES
from loadtest.report.thresholds import read_thresholds, table_of_figure

SCENARIO_OF_DEFAULT: Final = "broadcast"
"""Nobody is dropped in it: what it carries is about messages alone, and a step has nothing to settle."""
DEFAULT_LEVEL: Final = ("latency_ms_p99 < 100", "lost == 0")
"""A tenth of a second still feels immediate (Nielsen, Usability Engineering, 1993, 5.5); and no message is lost."""

OF_NO_CAPACITY: Final = frozenset(
    {"profile", "load", "load_of", "blocker_work", "mix_drops", "trials", "repeats", "twins", "fail_on"}
)
"""Keys of a bench's plan that a capacity run has no use for: a search sets the load, and repeats itself."""

_DROP_TABLES: Final = (DISCONNECTS.name, DROPS.name)


class CapacityPlan(Plan):
    """A capacity run. Where `duration` is left out the scenario's own counts."""

    scenarios: Names = Field(
        (SCENARIO_OF_DEFAULT,),
        description="comma-separated, of those whose senders keep a planned rate: broadcast, churn, bursts",
    )
    drop_share: DropShare = PROFILES["quick"]["drop_share"]
    offline: Offline = PROFILES["quick"]["offline"]
    warm_up: WarmUp = PROFILES["quick"]["warm_up"]
    workers: Workers = Field(
        (WORKERS.default,),
        description="comma-separated numbers of server processes; with four of them the scalability law is fitted",
    )
    of: Literal["rate", "users"] = Field(
        "rate",
        validate_default=True,
        description="what is raised: the rate of each sender, or the number of users at the scenario's rate",
    )
    keep: tuple[str, ...] = Field(
        DEFAULT_LEVEL,
        min_length=1,
        description="what is to hold, written as thresholds are: 'latency_ms_p99 < 100' or 'consumer=sync: "
        "missed_share < 0.05', say; may be given several times. That the server is not overloaded goes without saying",
    )
    searches: int = Field(3, ge=1, le=100, description="searches of each cell, each with a seed of its own")
    resolution: float = Field(
        0.05, ge=0.01, le=1, description="how near to each other the highest kept and the lowest broken value must be"
    )

    @field_validator("scenarios")
    @classmethod
    def _with_a_rate(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Refuse scenarios without a rate to raise."""
        taking = [name for name, scenario in SCENARIOS.items() if scenario.takes_load]
        rows = [*SCENARIOS.values(), *info.data.get("locustfile", ())]
        if without := [row.name for row in rows if row.name in names and not row.takes_load]:
            raise ValueError(f"{', '.join(without)} has no rate that could be raised; there are {', '.join(taking)}")
        return names

    @field_validator("drops")
    @classmethod
    def _no_outages(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse outages: while one lasts nothing is carried."""
        if outages := [name for name in names if name in OUTAGES]:
            raise ValueError(f"{', '.join(outages)} is an outage, during which there is no capacity to find")
        return names

    @field_validator("of")
    @classmethod
    def _raises_one(cls, of: str, info: ValidationInfo) -> str:
        """Refuse a value for what is searched."""
        if info.data.get(of) is not None:
            raise ValueError(f"--{of} is what is raised; leave it out, or pass --of {_OTHER[of]}")
        if of == "users" and info.data.get("rate") == 0:
            raise ValueError("a rate of 0 is a closed loop, in which the server sets the rate; give another --rate")
        return of

    @field_validator("keep")
    @classmethod
    def _level(cls, texts: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Refuse what is no condition, and one of which no cell could tell."""
        level = read_thresholds(texts)
        require_selectable(level, info.data)
        if "scenarios" in info.data and not any(row.drops for row in chosen_scenarios(info.data)):
            _refuse_of_drops(level)
        return texts

    @property
    def level(self) -> tuple[Threshold, ...]:
        """What is to hold in every cell that each of them selects."""
        return read_thresholds(self.keep)

    def level_of(self, cell: CellKey) -> tuple[Threshold, ...]:
        """Return what is to hold in a cell: figures of drops only where something is dropped."""
        drops = self.scenario_of(cell).drops
        return tuple(one for one in self.level if one.selects(cell) and (drops or not _is_of_drops(one)))


_OTHER: Final = {"rate": "users", "users": "rate"}


def make_capacity_plan(given: dict[str, Any], *, choices: Choices) -> CapacityPlan:
    """Return the plan of what was given on the command line; PlanError with all problems at once."""
    asked, skipped = with_all_drops({key: value for key, value in given.items() if value is not None})
    asked = with_own_scenarios(asked)
    defaults = {key: defaults_of(there_are) for key, there_are in choices.items() if key not in _OWN_DEFAULTS}
    plan = completed(validated(CapacityPlan, {**defaults, **asked}, choices=choices).noting(*skipped))
    if problems := list(_without_a_level(plan)):
        raise PlanError("\n".join(problems))
    return plan


_OWN_DEFAULTS: Final = frozenset({"scenarios"})


def _without_a_level(plan: CapacityPlan) -> Iterator[str]:
    for cell in plan.cells():
        if not plan.level_of(cell):
            yield f"keep: nothing of {' and '.join(plan.keep)} is about {' '.join(cell.spoken())}"


def _refuse_of_drops(level: tuple[Threshold, ...]) -> None:
    if asked := [one.text for one in level if _is_of_drops(one)]:
        dropping = [name for name, scenario in SCENARIOS.items() if scenario.drops]
        raise ValueError(f"{', '.join(asked)}: nobody is dropped; it needs the scenario {' or '.join(dropping)}")


def _is_of_drops(threshold: Threshold) -> bool:
    return table_of_figure(threshold.figure) in _DROP_TABLES
