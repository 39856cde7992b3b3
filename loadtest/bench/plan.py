"""The plan: which cells are measured, how often and under which load; checked as a whole before anything starts."""

import itertools
import random
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from loadtest.bench.choices import Choice, Choices, defaults_of, names_of
from loadtest.bench.scenarios import SCENARIOS, Scenario
from loadtest.dimensions import (
    CONSUMER,
    DIMENSIONS,
    DROP,
    LAYER,
    MIXED_DROPS,
    NO_DROP,
    SCENARIO,
    SERVER,
    AnyDimension,
    CellKey,
)
from loadtest.drops import DROPS, Drop, find_drop
from loadtest.layers import LAYERS
from loadtest.load import (
    BlockerWork,
    Drain,
    DropShare,
    Duration,
    HandlerWork,
    Job,
    Offline,
    PayloadSize,
    Rate,
    RoomSize,
    Seed,
    Users,
    WarmUp,
    by_comma,
)
from loadtest.outages import OUTAGES, Outage, problem_with_ending
from loadtest.servers import SERVERS

ALL_DROPS = "all"
"""Stands for every kind of drop that can be done here."""
QUICK_PING = "1/1"
"""What the quick profile sets for silent drops, which only the server's pings can show: its own would take 40 s."""


class PlanError(Exception):
    """The plan cannot be carried out; the message names every problem."""


Names = Annotated[tuple[str, ...], BeforeValidator(by_comma)]
_LOAD = Job()
"""What a load is where nothing is said."""


def _listed(command: str) -> str:
    return f"comma-separated; `channels-loadtest {command}` lists them"


CHOSEN = tuple(dimension.plural for dimension in (CONSUMER, LAYER, SCENARIO, SERVER))
"""The plan's keys that choose from rows; drops are chosen too, and may have parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One measured run of a cell; `number` counts from 1, `seed` is the trial's own."""

    cell: CellKey
    number: int
    seed: int

    def __str__(self) -> str:
        """Return the trial in one line."""
        return f"{' '.join(self.cell.spoken())} {self.number}"

    @property
    def folder(self) -> str:
        """Return the trial's folder below `trials/`."""
        return f"{self.cell.folder}/{self.number}"


class Plan(BaseModel):
    """A bench: durations in seconds, sizes in bytes, rates in messages per second from each sender.

    Where `users`, `rate`, `room_size` or `duration` is left out, the scenario's own counts; where `server_ping`
    ("INTERVAL/TIMEOUT", in seconds) is, the server's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    profile: Literal["quick", "standard", "full"] = Field(
        "quick",
        description="quick: 3 trials of 3 s a cell, all kinds of drop in the same trials, the whole matrix within "
        "eight minutes; standard: 5 trials of 10 s, each kind of drop in trials of its own; full: 10 trials of 20 "
        "s, and every consumer",
    )
    consumers: Names = Field((), description=_listed("consumers"))
    layers: Names = Field((), description=_listed("layers"))
    scenarios: Names = Field((), description=_listed("scenarios"))
    drops: Names = Field(
        tuple(drop.name for drop in DROPS.values() if drop.default),
        description="comma-separated, or all; `channels-loadtest drops` lists them",
    )
    servers: Names = Field((), description=_listed("servers"))
    users: Users | None = None
    rate: Rate | None = None
    room_size: RoomSize | None = None
    payload_size: PayloadSize = _LOAD.payload_size
    work: HandlerWork = _LOAD.handler_work
    blocker_work: BlockerWork = _LOAD.blocker_work
    drop_share: DropShare = _LOAD.drop_share
    offline: Offline = _LOAD.offline
    warm_up: WarmUp = _LOAD.warm_up
    duration: Duration | None = None
    drain: Drain = _LOAD.drain
    settle: float = Field(
        5.0,
        gt=0,
        description="seconds that the server is given to notice drops; for silent drops its ping interval and timeout "
        "are added",
    )
    server_ping: str | None = Field(
        None,
        pattern=r"^\d+(\.\d+)?/\d+(\.\d+)?$",
        description="INTERVAL/TIMEOUT of the server's pings in seconds, such as 20/20; quick sets 1/1 for silent drops",
    )
    mix_drops: bool = Field(True, description="all kinds of drop in the same trials, or each kind in trials of its own")
    trials: int = Field(3, ge=1, le=1000, description="number of trials of each cell")
    seed: Seed = _LOAD.seed
    port: int = Field(0, ge=0, le=65535, description="port of the target; 0 picks a free one")
    notes: tuple[str, ...] = Field((), exclude=True)
    """What was decided for whoever wrote the plan; it stands in the manifest's notes."""

    @field_validator(*CHOSEN)
    @classmethod
    def _known_names(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Refuse names that are in no row, or that cannot be had here; one that is given twice counts once."""
        if info.context is not None:
            _require_choices(str(info.field_name), names, info.context[str(info.field_name)])
        return tuple(dict.fromkeys(names))

    @field_validator("drops")
    @classmethod
    def _drops_there_are(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse drops and outages that there are not or cannot be done here; one that is given twice counts once."""
        if not names:
            raise ValueError(f"name at least one of {', '.join([*DROPS, *OUTAGES])}")
        if problems := [problem for name in names if (problem := problem_with_ending(name))]:
            raise ValueError("; ".join(problems))
        return tuple(dict.fromkeys(names))

    @field_validator("server_ping")
    @classmethod
    def _pings_for_every_server(cls, server_ping: str | None, info: ValidationInfo) -> str | None:
        """Refuse fractions of seconds where a server takes whole ones only."""
        whole = [name for name in info.data.get("servers", ()) if SERVERS[name].has_whole_pings]
        if server_ping and "." in server_ping and whole:
            raise ValueError(f"{whole[0]} takes whole seconds only, as 1/2; got {server_ping!r}")
        return server_ping

    @field_validator("users")
    @classmethod
    def _users_for_two_generators(cls, users: int | None, info: ValidationInfo) -> int | None:
        """Refuse one user where a generator is to be killed: another one has to be left."""
        ending = [name for name in info.data.get("drops", ()) if name in OUTAGES and OUTAGES[name].of == "generator"]
        if users == 1 and ending:
            raise ValueError(f"the drop {ending[0]} ends a generator with half of the users; give 2 at least")
        return users

    @property
    def pings(self) -> tuple[float, float] | None:
        """Return the server's ping interval and timeout in seconds; None: its own."""
        if self.server_ping is None:
            return None
        interval, _, timeout = self.server_ping.partition("/")
        return float(interval), float(timeout)

    @property
    def chosen(self) -> dict[str, tuple[str, ...]]:
        """Return the names that were chosen, by the plan's key."""
        return {key: getattr(self, key) for key in (*CHOSEN, "drops")}

    def cells(self) -> list[CellKey]:
        """Return the cells in the plan's own order; an outage of a broker is left out where the layer has none."""
        places = [dimension for dimension in DIMENSIONS if dimension is not DROP]
        names = [place.name for place in places]
        chosen = itertools.product(*map(self._values_of, places))
        bare = [CellKey(**dict(zip(names, values, strict=True))) for values in chosen]
        every = [cell.having(DROP, drop) for cell in bare for drop in self._drops_of(SCENARIOS[cell[SCENARIO]])]
        return [cell for cell in every if not self._lacks_its_broker(cell)]

    def _values_of(self, dimension: AnyDimension) -> tuple[Any, ...]:
        """Return what was chosen in a dimension; its default where a plan has no key for it."""
        chosen: tuple[Any, ...] = getattr(self, dimension.plural, ())
        return chosen or (dimension.default,)

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
        """Return what ends connections on purpose in a trial of the cell; empty where nothing does."""
        outage = self.outage_of(cell)
        if cell[DROP] == NO_DROP or (outage is not None and outage.of != "generator"):
            return ()
        return tuple(self._mixable) if cell[DROP] == MIXED_DROPS else (cell[DROP],)

    def outage_of(self, cell: CellKey) -> Outage | None:
        """Return what fails in the trials of the cell, if something does."""
        return OUTAGES.get(cell[DROP])

    def is_silent(self, cell: CellKey) -> bool:
        """Tell whether the server is told nothing of some drops, so that its own pings alone can show them."""
        return any(find_drop(name).silent for name in self.drops_of(cell) if name not in OUTAGES)

    def _lacks_its_broker(self, cell: CellKey) -> bool:
        outage = self.outage_of(cell)
        return outage is not None and outage.of == "broker" and LAYERS[cell[LAYER]].broker is None

    def _drops_of(self, scenario: Scenario) -> Iterator[str]:
        if not scenario.drops:
            yield NO_DROP
        elif self.mix_drops and len(self._mixable) > 1:
            yield MIXED_DROPS
            yield from (name for name in self.drops if name not in self._mixable)
        else:
            yield from self.drops

    @property
    def _mixable(self) -> list[str]:
        """The kinds that several can be of in one trial: all but outages."""
        return [name for name in self.drops if name not in OUTAGES]


EVERY = "every"
"""Stands in a profile for all that there is to choose from."""

PROFILES: dict[str, dict[str, Any]] = {
    "quick": {},
    "standard": {"mix_drops": False, "trials": 5, "duration": 10.0, "warm_up": 2.0, "settle": 10.0},
    "full": {
        "mix_drops": False,
        "trials": 10,
        "duration": 20.0,
        "warm_up": 3.0,
        "settle": 10.0,
        "consumers": EVERY,
    },
}
"""What each profile sets; quick is the plan's own defaults: the whole matrix within eight minutes on two cores."""


def make_plan(given: dict[str, Any], plan_file: Path | None = None, *, choices: Choices) -> Plan:
    """Return the plan of a profile, changed by a TOML file and then by what was given on the command line.

    `choices` is what there is to choose from; what nobody names is its default.

    Raises PlanError with all problems at once.
    """
    from_file = _read(plan_file) if plan_file else {}
    chosen = {**from_file, **{key: value for key, value in given.items() if value is not None}}
    profile = PROFILES.get(str(chosen.get("profile", "quick")), {})
    chosen, skipped = _with_all_drops(chosen)
    defaults = {key: defaults_of(choices[key]) for key in CHOSEN}
    every = {key: names_of(choices[key]) for key, value in profile.items() if value == EVERY}
    try:
        plan = Plan.model_validate({**defaults, **profile, **every, **chosen}, context=choices)
    except ValidationError as error:
        raise PlanError("\n".join(_problem(problem) for problem in error.errors())) from None
    plan = _with_short_pings(plan.model_copy(update={"notes": skipped}))
    return _without_cells_that_lack_a_broker(plan)


def _require_choices(key: str, names: tuple[str, ...], choices: Sequence[Choice]) -> None:
    """Raise ValueError for names that are not among the choices, and for those that cannot be had here."""
    there_are = ", ".join(names_of(choices))
    if not names:
        raise ValueError(f"name at least one of {there_are}")
    if unknown := [repr(name) for name in names if name not in names_of(choices)]:
        raise ValueError(f"unknown {key[:-1]} {', '.join(unknown)}; there are {there_are}")
    missing = [choice for choice in choices if choice.name in names and choice.unavailable]
    if missing:
        raise ValueError("; ".join(f"{choice.name} cannot be used here: {choice.unavailable}" for choice in missing))


def _with_all_drops(chosen: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Put every drop that can be done here in the place of ALL_DROPS, and say which ones cannot and why."""
    names = by_comma(chosen.get("drops"))
    if not isinstance(names, list | tuple) or ALL_DROPS not in names:
        return chosen, ()
    there_are: dict[str, Drop | Outage] = {
        **DROPS,
        **{name: outage for name, outage in OUTAGES.items() if outage.in_all},
    }
    why_not = {name: why for name, kind in there_are.items() if (why := kind.unavailable())}
    every = [name for name in there_are if name not in why_not]
    drops = [new for name in names for new in (every if name == ALL_DROPS else [name])]
    return {**chosen, "drops": drops}, tuple(f"the drop {name} was left out: {why}" for name, why in why_not.items())


def _with_short_pings(plan: Plan) -> Plan:
    """Have the server of a quick plan with silent drops ping often: with its own pings they would take most of it."""
    silent = [name for name in plan.drops if name not in OUTAGES and find_drop(name).silent]
    is_dropping = any(SCENARIOS[name].drops for name in plan.scenarios)
    if plan.server_ping or plan.profile != "quick" or not silent or not is_dropping:
        return plan
    note = (
        f"the server's ping interval/timeout was set to {QUICK_PING} s in every trial, for the silent drops "
        f"{', '.join(silent)}; --server-ping INTERVAL/TIMEOUT sets another one"
    )
    return plan.model_copy(update={"server_ping": QUICK_PING, "notes": (*plan.notes, note)})


def _without_cells_that_lack_a_broker(plan: Plan) -> Plan:
    """Say which cells are left out; PlanError when none is left."""
    asked = [name for name in plan.drops if name in OUTAGES and OUTAGES[name].of == "broker"]
    without = [name for name in plan.layers if LAYERS[name].broker is None]
    is_dropping = any(SCENARIOS[name].drops for name in plan.scenarios)
    if not (asked and without and is_dropping):
        return plan
    if not plan.cells():
        raise PlanError(f"drops: {', '.join(asked)} needs a layer with a broker, and {', '.join(without)} has none")
    note = f"{', '.join(asked)} was left out on the layer {', '.join(without)}, which has no broker"
    return plan.model_copy(update={"notes": (*plan.notes, note)})


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanError(f"cannot read the plan {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PlanError(f"the plan {path} is not TOML: {error}") from None


def _problem(problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    match problem["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key; a plan has {', '.join(Plan.model_fields)}"
        case "value_error":  # ours: it says what was given
            return f"{key}: {problem['ctx']['error']}"
        case "string_pattern_mismatch" if key == "server_ping":
            return f"server_ping: INTERVAL/TIMEOUT in seconds, 20/20 say, got {problem['input']!r}"
        case _:
            return f"{key}: {problem['msg']}, got {problem['input']!r}"
