"""The plan: which cells are measured, how often and under which load; checked as a whole before anything starts."""

import itertools
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
)

from loadtest.bench.choices import Choice, names_of, with_scenarios
from loadtest.bench.relative_load import LoadOf, Loads
from loadtest.bench.scenarios import OwnScenarios, Scenario, find_scenario
from loadtest.bench.workers import Workers, are_connected, check_workers
from loadtest.dimensions import (
    CONSUMER,
    DIMENSIONS,
    DROP,
    FIXED_LOAD,
    LAYER,
    LOAD,
    MIXED_DROPS,
    NO_DROP,
    SCENARIO,
    WORKERS,
    AnyDimension,
    CellKey,
)
from loadtest.drops import DROPS, find_drop
from loadtest.figures.threshold import Threshold
from loadtest.figures.twins import twin_number
from loadtest.layers import find_layer
from loadtest.load import (
    LONGEST_S,
    Ack,
    Arrivals,
    BlockerWork,
    Drain,
    DropShare,
    Duration,
    Expect,
    HandlerWork,
    Job,
    Join,
    MessageForm,
    MessageTemplate,
    Offline,
    PayloadSize,
    PingEvery,
    PingMessage,
    Push,
    Rate,
    Reaches,
    RoomSize,
    Seed,
    Users,
    WarmUp,
    by_comma,
)
from loadtest.load.push import Command, read_push
from loadtest.load.talk import TUTORIAL, Form, Talk, check_form
from loadtest.outages import OUTAGES, Outage, problem_with_ending
from loadtest.report.thresholds import read_thresholds
from loadtest.servers import find_server


class PlanError(Exception):
    """The plan cannot be carried out; the message names every problem."""


def _once_each(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


Names = Annotated[tuple[str, ...], BeforeValidator(by_comma), AfterValidator(_once_each)]
"""Given as a list or by comma; a name that is given twice counts once."""

_LOAD = Job()
"""What a load is where nothing is said."""


def _listed(command: str) -> str:
    return f"comma-separated; `channels-loadtest {command}` lists them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One measured run of a cell; `number` counts from 1, `seed` is that of all trials of the round."""

    cell: CellKey
    number: int
    seed: int
    rate: float | None = None
    """Messages a second from each sender; None: the plan's or the scenario's, where the load is fixed."""

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
    ("INTERVAL/TIMEOUT", in seconds) is, the server's. A key that is a dimension's plural chooses its values.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    profile: Literal["quick", "standard", "full"] = Field(
        "quick",
        description="quick: 3 short trials a cell, at two loads, within eight minutes; standard: 5 trials of 9.5 s, "
        "at four loads; full: 10 trials of 20 s, at nine loads, each kind of drop in trials of its own, and every "
        "consumer but those of tutorials",
    )
    consumers: Names = Field((), description=_listed("consumers"))
    layers: Names = Field((), description=_listed("layers"))
    locustfile: OwnScenarios = ()
    scenarios: Names = Field((), description=_listed("scenarios"))
    drops: Names = Field(
        tuple(drop.name for drop in DROPS.values() if drop.default),
        description="comma-separated, or all; `channels-loadtest drops` lists them",
    )
    servers: Names = Field((), description=_listed("servers"))
    workers: Workers = Field(
        (WORKERS.default,),
        description="comma-separated numbers of server processes; with several of them a layer that stays inside one "
        "process is left out",
    )
    users: Users | None = None
    load: Loads = (FIXED_LOAD,)
    load_of: LoadOf = "slowest"
    rate: Rate | None = None
    arrivals: Arrivals = _LOAD.arrivals
    room_size: RoomSize | None = None
    payload_size: PayloadSize = _LOAD.payload_size
    work: HandlerWork = _LOAD.handler_work
    blocker_work: BlockerWork = _LOAD.blocker_work
    message: MessageTemplate = _LOAD.message
    join: Join = _LOAD.join
    ping_message: PingMessage = _LOAD.ping_message
    message_form: MessageForm = _LOAD.message_form
    expect: Expect = _LOAD.expect
    ack: Ack = _LOAD.ack
    reaches: Reaches = Talk().reaches
    push: Push = _LOAD.push
    ping_every: PingEvery = _LOAD.ping_every
    drop_share: DropShare = _LOAD.drop_share
    offline: Offline = _LOAD.offline
    warm_up: WarmUp = _LOAD.warm_up
    duration: Duration | None = None
    drain: Drain = _LOAD.drain
    settle: float = Field(
        5.0,
        gt=0,
        le=LONGEST_S,
        description="seconds that the server is given to notice drops; for silent drops its ping interval and timeout "
        "are added",
    )
    server_ping: str | None = Field(
        None,
        pattern=r"^[0-9]{1,5}(\.[0-9]{1,6})?/[0-9]{1,5}(\.[0-9]{1,6})?$",
        description="INTERVAL/TIMEOUT of the server's pings in seconds, such as 20/20; quick sets 1/1 for silent drops",
    )
    mix_drops: bool = Field(True, description="all kinds of drop in the same trials, or each kind in trials of its own")
    trials: int = Field(3, ge=1, le=1000, description="number of trials of each cell")
    repeats: int = Field(
        2,
        ge=0,
        le=10,
        description="how often a trial that is not valid is run again, after all others; the manifest names each",
    )
    twins: bool = Field(
        True,
        description="whether one cell of each scenario is measured twice each round: what the two differ by is the "
        "machine's noise",
    )
    seed: Seed = _LOAD.seed
    pin: bool = Field(
        True,
        description="server on some CPUs, generator and broker on others, where there are two or more; Linux only",
    )
    allow_contention: bool = Field(
        False,
        description="count trials also where other processes, virtual machines or a CPU quota disturbed them",
    )
    fail_on: tuple[str, ...] = Field(
        (),
        description="threshold that makes the bench end with exit code 1: 'missed_share > 0.05' or 'consumer=sync "
        "layer=redis: latency_ms_p99 > 100', say; may be given several times",
    )
    port: int = Field(0, ge=0, le=65535, description="port of the target; 0 picks a free one")
    _notes: tuple[str, ...] = PrivateAttr(())

    @field_validator("*", mode="before")
    @classmethod
    def _no_switch_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false where a number is wanted: as numbers they would be 1 and 0."""
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation is not bool:
            raise ValueError(f"{str(value).lower()} is for switches only; give its value")
        return value

    @field_validator("*")
    @classmethod
    def _known_names(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse names that are not among the choices, where there are some, or that cannot be had here."""
        dimension = _CHOOSING.get(str(info.field_name))
        if dimension is not None and dimension is not DROP and info.context and dimension.plural in info.context:
            choices = info.context[dimension.plural]
            if dimension is SCENARIO:
                if "locustfile" not in info.data:  # what is wrong with that has been said
                    return value
                choices = with_scenarios(choices, info.data["locustfile"])
            _require_choices(dimension.name, value, choices)
        return value

    @field_validator("drops")
    @classmethod
    def _drops_there_are(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse drops and outages that there are not or cannot be done here; what follows a name may be anything."""
        if not names:
            raise ValueError(f"name at least one of {', '.join([*DROPS, *OUTAGES])}")
        if problems := [problem for name in names if (problem := problem_with_ending(name))]:
            raise ValueError("; ".join(problems))
        return names

    @field_validator("workers")
    @classmethod
    def _workers_for_every_server(cls, counts: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        """Refuse more processes than a server can run, and several where no layer connects them."""
        return check_workers(counts, servers=info.data.get("servers", ()), layers=info.data.get("layers", ()))

    @field_validator("rate")
    @classmethod
    def _one_kind_of_load(cls, rate: float | None, info: ValidationInfo) -> float | None:
        """Refuse an absolute rate beside loads that are relative."""
        relative = [load for load in info.data.get("load", ()) if load != FIXED_LOAD]
        if rate is not None and relative:
            raise ValueError(f"{rate:g} is absolute, and the load {', '.join(relative)} sets the rate too; give one")
        return rate

    @field_validator("message_form")
    @classmethod
    def _form_that_templates_have(cls, form: Form, info: ValidationInfo) -> Form:
        """Refuse a form that a template cannot have."""
        said = info.data
        return check_form(form, said.get("message", ""), said.get("ping_message", ""), *said.get("join", ()))

    @field_validator("reaches")
    @classmethod
    def _nobody_waits_for_its_own(cls, reaches: str, info: ValidationInfo) -> str:
        """Refuse senders that wait for their own message, and rooms without others, where it reaches others only."""
        if reaches == Talk().reaches:
            return reaches
        waiting = [row.name for row in chosen_scenarios(info.data) if not row.uses_layer]
        if waiting or info.data.get("rate") == 0:
            what = ", ".join(waiting) or "a rate of 0"
            raise ValueError(f"with {what} each sender waits until its own message has come back; leave that out")
        if reaches == "others" and info.data.get("room_size") == 1:
            raise ValueError("there are no others in rooms of one; leave the room size out, or make it larger")
        return reaches

    @field_validator("push")
    @classmethod
    def _nobody_talks_besides(cls, push: str, info: ValidationInfo) -> str:
        """Refuse a push beside what users would say, and one that never comes."""
        if push and (problems := list(_problems_with_push(push, info.data))):
            raise ValueError("; ".join(problems))
        return push

    @field_validator("server_ping")
    @classmethod
    def _pings_for_every_server(cls, server_ping: str | None, info: ValidationInfo) -> str | None:
        """Refuse a time of nothing, and fractions of seconds where a server takes whole ones only."""
        if server_ping and not all(map(float, server_ping.split("/"))):
            raise ValueError(f"both times have to be more than 0 s, as 20/20; got {server_ping!r}")
        whole = [name for name in info.data.get("servers", ()) if find_server(name).has_whole_pings]
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

    @field_validator("fail_on")
    @classmethod
    def _thresholds(cls, texts: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Refuse what is no threshold, and one that selects a value that the plan does not have."""
        require_selectable(read_thresholds(texts), info.data)
        return texts

    @property
    def pings(self) -> tuple[float, float] | None:
        """Return the server's ping interval and timeout in seconds; None: its own."""
        if self.server_ping is None:
            return None
        interval, _, timeout = self.server_ping.partition("/")
        return float(interval), float(timeout)

    @property
    def talk(self) -> Talk:
        """Return what its users say."""
        return Talk(
            message=self.message or TUTORIAL,
            form=self.message_form,
            join=self.join,
            expect=self.expect,
            ack=self.ack,
            reaches=self.reaches,
            push=self.push,
            ping=self.ping_message,
        )

    @property
    def chosen(self) -> dict[str, tuple[Any, ...]]:
        """Return the values that were chosen, by the plan's key."""
        return {key: getattr(self, key) for key in _CHOOSING if key in type(self).model_fields}

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided for whoever wrote the plan; it stands in the manifest's notes."""
        return self._notes

    def noting(self, *notes: str, **changed: Any) -> Self:
        """Return the plan with keys changed and notes added that say why."""
        noted = self.model_copy(update=changed)
        noted._notes = (*self._notes, *notes)
        return noted

    @property
    def is_relative(self) -> bool:
        """Whether some load is a share of a capacity, which has to be found first."""
        return any(load != FIXED_LOAD for load in self.load)

    def scenario_of(self, cell: CellKey) -> Scenario:
        """Return the scenario of a cell: one that comes with the tool, or one of the plan's own."""
        return find_scenario(cell[SCENARIO], self.locustfile)

    @property
    def chosen_scenarios(self) -> list[Scenario]:
        """The scenarios that the plan names, in its order."""
        return [find_scenario(name, self.locustfile) for name in self.scenarios]

    def cells(self) -> list[CellKey]:
        """Return the cells in the plan's own order.

        What cannot be is left out: an outage of a broker where the layer has none, and several processes with a layer
        that stays inside one.
        """
        places = [dimension for dimension in DIMENSIONS if dimension is not DROP]
        names = [place.name for place in places]
        chosen = itertools.product(*map(self._values_of, places))
        bare = dict.fromkeys(self._told_apart(CellKey(**dict(zip(names, values, strict=True)))) for values in chosen)
        every = [cell.having(DROP, drop) for cell in bare for drop in self._drops_of(self.scenario_of(cell))]
        return [cell for cell in every if not self._lacks_its_broker(cell) and are_connected(cell)]

    def _told_apart(self, cell: CellKey) -> CellKey:
        """Return the cell that stands for all that differ by what its scenario does not touch alone."""
        scenario = self.scenario_of(cell)
        if not scenario.takes_load:
            cell = cell.having(LOAD, FIXED_LOAD)
        if scenario.uses_layer:
            return cell
        on_any = [cell.having(LAYER, layer) for layer in self._values_of(LAYER)]
        return next(filter(are_connected, on_any), cell)

    def _values_of(self, dimension: AnyDimension) -> tuple[Any, ...]:
        """Return what was chosen in a dimension; its default where a plan has no key for it."""
        chosen: tuple[Any, ...] = getattr(self, dimension.plural, ())
        return chosen or (dimension.default,)

    def twin_cells(self) -> tuple[CellKey, ...]:
        """Return the cells that are measured twice each round: of each scenario the first layer's, with the last
        consumer at the last load. None where twins are not asked for, or the only round has nothing to compare with.
        """
        if not self.twins or self.trials == 1:
            return ()
        found: dict[str, CellKey] = {}
        for cell in (cell for cell in self.cells() if self.outage_of(cell) is None):
            first = found.setdefault(cell[SCENARIO], cell)
            if cell.without(CONSUMER, LOAD) == first.without(CONSUMER, LOAD):
                found[cell[SCENARIO]] = cell
        return tuple(found.values())

    def trials_in_order(self) -> list[Trial]:
        """Return all trials: round by round each cell once and twins twice, in a seeded order that is new each round.

        Interleaved, so that a machine that grows slower does not count against the cells that come last. All trials of
        a round have one seed: what is drawn by chance is then the same for all cells that are compared.
        """
        chance = random.Random(self.seed)
        order: list[Trial] = []
        for number in range(1, self.trials + 1):
            twin, seed = twin_number(number, trials=self.trials), chance.randrange(2**31)
            trials = [Trial(cell=cell, number=number, seed=seed) for cell in self.cells()]
            trials += [Trial(cell=cell, number=twin, seed=seed) for cell in self.twin_cells()]
            chance.shuffle(trials)
            order += trials
        return order

    def drops_of(self, cell: CellKey) -> tuple[str, ...]:
        """Return what ends connections on purpose in a trial of the cell; empty where nothing does."""
        outage = self.outage_of(cell)
        if cell[DROP] == NO_DROP or (outage is not None and not outage.ends_process):
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
        return outage is not None and outage.of == "broker" and find_layer(cell[LAYER]).broker is None

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


def chosen_scenarios(keys: Mapping[str, Any]) -> list[Scenario]:
    """Return the scenarios that keys of a plan name, as far as they have been found to be right."""
    if "locustfile" not in keys:
        return []
    return [find_scenario(name, keys["locustfile"]) for name in keys.get("scenarios", ())]


def _require_choices(what: str, names: tuple[str, ...], choices: Sequence[Choice]) -> None:
    """Raise ValueError for names that are not among the choices, and for those that cannot be had here."""
    there_are = ", ".join(names_of(choices))
    if not names:
        raise ValueError(f"name at least one of {there_are}")
    if unknown := [repr(name) for name in names if name not in names_of(choices)]:
        raise ValueError(f"unknown {what} {', '.join(unknown)}; there are {there_are}")
    missing = [choice for choice in choices if choice.name in names and choice.unavailable]
    if missing:
        raise ValueError("; ".join(f"{choice.name} cannot be used here: {choice.unavailable}" for choice in missing))


def _problems_with_push(push: str, said: Mapping[str, Any]) -> Iterator[str]:
    """Say what in a plan does not go with a push."""
    if said.get("message") or said.get("reaches", Talk().reaches) != Talk().reaches:
        yield "users only listen then, and say nothing; leave out the message, and whom it reaches"
    if waiting := [scenario.name for scenario in chosen_scenarios(said) if not scenario.uses_layer]:
        yield f"with {', '.join(waiting)} each user waits for its own message, and here it says none; leave that out"
    if said.get("rate") == 0:
        yield "a rate of 0 pushes nothing; give the pushes a second to each room"
    relative = [load for load in said.get("load", ()) if load != FIXED_LOAD]
    if relative and isinstance(read_push(push), Command):
        yield (
            f"a command cannot be run often enough for the load {', '.join(relative)}; give the rate, 1 say: so many "
            "a second for each room"
        )


def require_selectable(thresholds: Iterable[Threshold], chosen: Mapping[str, Any]) -> None:
    """Raise ValueError where a threshold selects a value that a plan with these keys does not have."""
    problems = [
        f"{one.text!r}: the plan has no {name} {value!r}"
        for one in thresholds
        for name, value in one.selector.items()
        if value not in _selectable(name, chosen)
    ]
    if problems:
        raise ValueError("; ".join(problems))


def _selectable(name: str, chosen: Mapping[str, Any]) -> set[str]:
    """Return the values of a dimension that cells of a plan can have, also those that nobody has to name."""
    (dimension,) = (dimension for dimension in DIMENSIONS if dimension.name == name)
    values = chosen.get(dimension.plural, ()) or (dimension.default,)
    return set(map(str, (*values, *dimension.words, *dimension.unspoken)))


_CHOOSING: dict[str, AnyDimension] = {dimension.plural: dimension for dimension in DIMENSIONS}
"""What a key of the plan chooses values of, where it does."""
