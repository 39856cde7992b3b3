"""Profiles: how a plan is made, from a profile, a TOML file and what was given on the command line."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from loadtest.bench.choices import Choices, defaults_of, every_of
from loadtest.bench.plan import Plan, PlanError
from loadtest.bench.scenarios import SCENARIOS, own_names
from loadtest.bench.workers import left_out
from loadtest.dimensions import FIXED_LOAD, SERVER
from loadtest.drops import DROPS, Drop, find_drop
from loadtest.layers import find_layer
from loadtest.load import by_comma
from loadtest.load.given_file import GivenFileError, read_given
from loadtest.outages import OUTAGES, Outage
from loadtest.servers import find_server

P = TypeVar("P", bound=Plan)

ALL_DROPS = "all"
"""Stands for every kind of drop that can be done here."""
QUICK_PING = "1/1"
"""What the quick profile sets for silent drops, which only the server's pings can show: its own would take 40 s."""
_OWN_RATE = (
    "the load is that of the scenario, for the server runs elsewhere: --rate sets another one, and --load 30%, with "
    "the probe there, a share of what it carries"
)
EVERY = "every"
"""Stands in a profile for all that there is to choose from, but for what has to be named."""

MOST_SHOWN = 200
"""Characters of a wrong value that a message repeats: the person knows which it is by then."""

_MANY_DROPS = {"drop_share": 0.3, "offline": 0.5}
"""Of 80 members 24 drops a second, with 13 % of the members away: the same state of the rooms in every profile."""

PROFILES: dict[str, dict[str, Any]] = {
    "quick": {**_MANY_DROPS, "scenarios": ("echo", "churn"), "load": ("30%", "80%"), "warm_up": 0.5},
    "standard": {
        **_MANY_DROPS,
        "load": ("30%", "50%", "80%", "95%"),
        "trials": 5,
        "duration": 9.5,
        "warm_up": 2.0,
        "settle": 10.0,
    },
    "full": {
        **_MANY_DROPS,
        "load": ("20%", "30%", "40%", "50%", "60%", "70%", "80%", "90%", "95%"),
        "mix_drops": False,
        "trials": 10,
        "duration": 20.0,
        "warm_up": 3.0,
        "settle": 10.0,
        "consumers": EVERY,
    },
}
"""What each profile sets. quick takes eight minutes at most on two cores, installation included, and drops more than
200 connections in each cell of churn; standard drops more than 1,000."""


def make_plan(given: dict[str, Any], plan_file: Path | None = None, *, choices: Choices) -> Plan:
    """Return the plan of a profile, changed by a TOML file and then by what was given on the command line.

    `choices` is what there is to choose from; what nobody names is its default.

    Raises PlanError with all problems at once.
    """
    from_file = _read(plan_file) if plan_file else {}
    chosen = {**from_file, **{key: value for key, value in given.items() if value is not None}}
    profile = PROFILES.get(str(chosen.get("profile", "quick")), {})
    chosen, skipped = with_all_drops(chosen)
    chosen = with_own_scenarios(chosen)
    defaults = {key: defaults_of(there_are) for key, there_are in choices.items()}
    every = {key: every_of(choices[key]) for key, value in profile.items() if value == EVERY}
    absolute = {"load": FIXED_LOAD} if "rate" in chosen else {}
    if scenarios := [name for name in defaults["scenarios"] if name in profile.get("scenarios", ())]:
        profile = {**profile, "scenarios": scenarios}
    plan = validated(Plan, {**defaults, **profile, **every, **absolute, **chosen}, choices=choices)
    plan = _with_load_that_is_taken(plan.noting(*skipped), is_given="load" in chosen)
    return completed(plan, sets_pings=all(server.takes_pings for server in choices[SERVER.plural]))


def validated(kind: type[P], values: dict[str, Any], *, choices: Choices) -> P:
    """Return a plan of that kind; PlanError with all problems at once."""
    try:
        return kind.model_validate(values, context=choices)
    except ValidationError as error:
        raise PlanError("\n".join(_problem(problem, kind) for problem in error.errors())) from None


def completed(plan: P, *, sets_pings: bool = True) -> P:
    """Decide what the plan leaves to us, and note it; PlanError where no cell is left.

    Where the pings are not ours to set (`sets_pings`), PlanError asks how often the server pings if that has to be
    known.
    """
    plan = plan.noting(*left_out(plan.workers, plan.layers))
    return _without_cells_that_lack_a_broker(_with_short_pings(plan) if sets_pings else _with_pings_told(plan))


def _with_load_that_is_taken(plan: Plan, *, is_given: bool) -> Plan:
    """Leave a profile's relative loads out where no scenario takes them; PlanError where they were asked for."""
    if plan.is_relative and not is_given and _is_elsewhere(plan):
        return plan.noting(_OWN_RATE, load=(FIXED_LOAD,))
    if not plan.is_relative or any(row.takes_load for row in plan.chosen_scenarios):
        return plan
    if is_given:
        there_are = ", ".join(name for name, scenario in SCENARIOS.items() if scenario.takes_load)
        raise PlanError(
            f"load: {', '.join(plan.scenarios)} has no rate that could be set to {', '.join(plan.load)} of a capacity; "
            f"it is for {there_are}"
        )
    return plan.noting(load=(FIXED_LOAD,))


def with_own_scenarios(chosen: dict[str, Any]) -> dict[str, Any]:
    """Put the scenarios of the locustfiles that are given before those that are named beside them."""
    own, named = own_names(chosen.get("locustfile")), by_comma(chosen.get("scenarios", ()))
    if not own or not isinstance(named, list | tuple):  # then the plan says what is wrong
        return chosen
    return {**chosen, "scenarios": (*(name for name in own if name not in named), *named)}


def _is_elsewhere(plan: Plan) -> bool:
    return any(find_server(name).is_elsewhere for name in plan.servers)


def with_all_drops(chosen: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
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


def _with_short_pings(plan: P) -> P:
    """Have the server of a quick plan with silent drops ping often: with its own pings they would take most of it."""
    silent = _silent_drops(plan)
    if plan.server_ping or plan.profile != "quick" or not silent or _is_elsewhere(plan):
        return plan
    note = (
        f"the server's ping interval/timeout was set to {QUICK_PING} s in every trial, for the silent drops "
        f"{', '.join(silent)}; --server-ping INTERVAL/TIMEOUT sets another one"
    )
    return plan.noting(note, server_ping=QUICK_PING)


def _with_pings_told(plan: P) -> P:
    """Refuse silent drops where nobody says how often the server pings: it is given that time to notice them."""
    silent = _silent_drops(plan)
    if silent and not plan.server_ping:
        raise PlanError(
            f"server_ping: the drops {', '.join(silent)} are silent, so that only the server's pings show them, and "
            "--command sets those; say with --server-ping INTERVAL/TIMEOUT how it sets them, or leave these drops out"
        )
    return plan


def _silent_drops(plan: Plan) -> list[str]:
    is_dropping = any(scenario.drops for scenario in plan.chosen_scenarios)
    return [name for name in plan.drops if name not in OUTAGES and find_drop(name).silent] if is_dropping else []


def _without_cells_that_lack_a_broker(plan: P) -> P:
    """Say which cells are left out; PlanError when none is left."""
    asked = [name for name in plan.drops if name in OUTAGES and OUTAGES[name].of == "broker"]
    without = [name for name in plan.layers if find_layer(name).broker is None]
    is_dropping = any(row.drops for row in plan.chosen_scenarios)
    if not (asked and without and is_dropping):
        return plan
    if not plan.cells():
        raise PlanError(f"drops: {', '.join(asked)} needs a layer with a broker, and {', '.join(without)} has none")
    note = f"{', '.join(asked)} was left out on the layer {', '.join(without)}, which has no broker"
    return plan.noting(note)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_given(path))
    except GivenFileError as error:
        raise PlanError(f"cannot read the plan {path}: {error}") from None
    except ValueError as error:  # also an integer of more digits than Python reads
        raise PlanError(f"the plan {path} is not TOML: {error}") from None
    except RecursionError:
        raise PlanError(f"the plan {path} has more brackets inside each other than any plan needs") from None


def _problem(problem: Any, kind: type[Plan]) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    match problem["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key; a plan has {', '.join(kind.model_fields)}"
        case "value_error":  # ours: it says what was given
            return f"{key}: {problem['ctx']['error']}"
        case "string_pattern_mismatch" if key == "server_ping":
            return (
                f"server_ping: INTERVAL/TIMEOUT in seconds, 20/20 say and below 100,000, got {_shown(problem['input'])}"
            )
        case _:
            return f"{key}: {problem['msg']}, got {_shown(problem['input'])}"


def _shown(value: object) -> str:
    """Return what was given, or how it begins."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of more digits than Python writes, which TOML may have in hex
        return f"a {type(value).__name__} that is too long to be shown"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."
