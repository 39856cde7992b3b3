"""The plan: which cells are measured, how often and under which load; checked as a whole before anything starts."""

import itertools
import random
import tomllib
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from loadtest.bench.scenarios import SCENARIOS, Scenario
from loadtest.drops import DROPS
from loadtest.report.manifest import CellKey
from loadtest.stack.layers import LAYERS
from loadtest.stack.servers import SERVERS
from target_app.consumers import CONSUMERS

NO_DROP = "none"
MIXED_DROPS = "mixed"
"""The drop column of a trial in which all planned kinds are mixed."""


class PlanError(Exception):
    """The plan cannot be carried out; the message names every problem."""


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One measured run of a cell; `number` counts from 1, `seed` is the trial's own."""

    cell: CellKey
    number: int
    seed: int

    def __str__(self) -> str:
        """Return the trial in one line."""
        drop = "" if self.cell.drop == NO_DROP else f" {self.cell.drop}"
        return f"{self.cell.layer} {self.cell.consumer} {self.cell.scenario}{drop} {self.number}"

    @property
    def folder(self) -> str:
        """Return the trial's folder below `trials/`."""
        return "-".join(str(part) for part in astuple(self.cell)) + f"/{self.number}"


class Plan(BaseModel):
    """A bench: durations in seconds, sizes in bytes, rates in messages a second and sender.

    `users`, `rate` and `room_size` of 0 mean what the scenario takes by default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: Literal["quick", "standard", "full"] = "quick"
    consumers: Names = tuple(consumer.name for consumer in CONSUMERS if consumer.default)
    layers: Names = tuple(layer.name for layer in LAYERS.values() if layer.default)
    scenarios: Names = tuple(SCENARIOS)
    drops: Names = tuple(DROPS)
    servers: Names = ("uvicorn",)
    users: int | None = Field(None, ge=1)
    rate: float | None = Field(None, ge=0)
    room_size: int | None = Field(None, ge=1)
    payload_size: int = Field(64, ge=47, le=2**20)
    work: str = Field("none", pattern=r"^(none|orm|sleep:\d+(\.\d+)?|cpu:\d+(\.\d+)?)$")
    drop_share: float = Field(0.2, ge=0, le=1)
    offline: float = Field(1.0, ge=0)
    warm_up: float = Field(1.0, ge=0)
    duration: float = Field(3.0, gt=0)
    drain: float = Field(5.0, gt=0)
    settle: float = Field(5.0, gt=0)
    mix_drops: bool = True
    trials: int = Field(3, ge=1, le=1000)
    seed: int = Field(1, ge=0)
    port: int = Field(0, ge=0, le=65535)

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        known = {
            "consumers": [consumer.name for consumer in CONSUMERS],
            "layers": list(LAYERS),
            "scenarios": list(SCENARIOS),
            "drops": list(DROPS),
            "servers": list(SERVERS),
        }
        problems = [
            f"{key}: unknown {key[:-1]} {name!r}; there are {', '.join(names)}"
            for key, names in known.items()
            for name in getattr(self, key)
            if name not in names
        ]
        problems += [
            f"{key}: name at least one of {', '.join(names)}" for key, names in known.items() if not getattr(self, key)
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def cells(self) -> list[CellKey]:
        """Return the cells in the plan's own order."""
        return [
            CellKey(server=server, workers=1, layer=layer, consumer=consumer, scenario=scenario, drop=drop)
            for server, layer, consumer, scenario in itertools.product(
                self.servers, self.layers, self.consumers, self.scenarios
            )
            for drop in self._drops_of(SCENARIOS[scenario])
        ]

    def trials_in_order(self) -> list[Trial]:
        """Return all trials: round by round each cell once, in a seeded order that is new each round.

        Interleaved, so that a machine that grows slower does not count against the cells that come last.
        """
        shuffle = random.Random(self.seed)
        order: list[Trial] = []
        for number in range(1, self.trials + 1):
            cells = self.cells()
            shuffle.shuffle(cells)
            order += [Trial(cell=cell, number=number, seed=shuffle.randrange(2**31)) for cell in cells]
        return order

    def drops_of(self, cell: CellKey) -> tuple[str, ...]:
        """Return the kinds that a trial of the cell drops by; empty where it drops nothing."""
        match cell.drop:
            case "none":
                return ()
            case "mixed":
                return self.drops
            case kind:
                return (kind,)

    def _drops_of(self, scenario: Scenario) -> Iterator[str]:
        if not scenario.drops:
            yield NO_DROP
        elif self.mix_drops and len(self.drops) > 1:
            yield MIXED_DROPS
        else:
            yield from self.drops


PROFILES: dict[str, dict[str, Any]] = {
    "quick": {},
    "standard": {"mix_drops": False, "trials": 5, "duration": 10.0, "warm_up": 2.0, "settle": 10.0},
    "full": {
        "mix_drops": False,
        "trials": 10,
        "duration": 20.0,
        "warm_up": 3.0,
        "settle": 10.0,
        "consumers": tuple(consumer.name for consumer in CONSUMERS),
    },
}
"""What each profile sets; quick is the plan's own defaults: the whole matrix within eight minutes on two cores."""


def make_plan(given: dict[str, Any], plan_file: Path | None = None) -> Plan:
    """Return the plan of a profile, changed by a TOML file and then by what was given on the command line.

    Raises PlanError with all problems at once.
    """
    from_file = _read(plan_file) if plan_file else {}
    chosen = {**from_file, **{key: value for key, value in given.items() if value is not None}}
    profile = PROFILES.get(str(chosen.get("profile", "quick")), {})
    try:
        return Plan.model_validate({**profile, **chosen})
    except ValidationError as error:
        raise PlanError("\n".join(_problem(problem) for problem in error.errors())) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanError(f"cannot read the plan {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PlanError(f"the plan {path} is not TOML: {error}") from None


def _problem(problem: Any) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return str(message)
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{key}: unknown key; a plan has {', '.join(Plan.model_fields)}"
    return f"{key}: {message}, got {problem['input']!r}"
