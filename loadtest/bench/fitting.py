"""Fitting: makes a plan fit the target that is to be measured, by what the target offers, and says what was changed."""

from collections.abc import Container
from typing import Final, TypeVar

from loadtest.bench.plan import Plan, PlanError
from loadtest.dimensions import WORKERS
from loadtest.drops import find_drop
from loadtest.load import Job
from loadtest.load.push import is_for_one_user
from loadtest.load.talk import ROOM, TUTORIAL, USER
from loadtest.outages import OUTAGES
from loadtest.targets import Offer

P = TypeVar("P", bound=Plan)

_NOT_JOINED_YET: Final = (
    "what a member misses between its --join and the first message that it gets is unknown: the app may not have "
    "handled the joining by then; --expect 'TEXT' waits for the app's answer"
)
_NOBODY_TELLS: Final = "which nobody tells without the probe; give --rate instead"
_TELLING_TO_WORK: Final = ("blocker",)
"""Scenarios whose users tell a handler of the reference app how much to work."""
_NO_ROOM: Final = f"neither the path nor --join nor --message has {ROOM} in it"


def fitted(plan: Plan, offer: Offer, telling: Container[str] = ()) -> Plan:
    """Return the plan as it can be carried out on the target; PlanError where it cannot.

    `telling` are its own scenarios whose users say which room they mean.
    """
    if offer.elsewhere:
        _require_nothing_of_its_server(plan, offer)
        plan = _with_time_to_notice(plan)
    if not offer.takes_work and (plan.work, plan.blocker_work) != (Job().handler_work, Job().blocker_work):
        raise PlanError("work: only the reference app can be told how much its handlers are to work; leave it out")
    if plan.push and not offer.takes_push:
        raise PlanError("push: it is for an app of your own that the bench starts, as --app names it; leave it out")
    if max(plan.workers) > 1 and offer.alone_in_process and offer.layers[0] in plan.layers:
        raise PlanError(
            f"workers: the app's layer, {offer.alone_in_process}, stays inside one process, so that the members of two "
            "would not hear of each other; give --layers redis"
        )
    plan = for_own_routes(plan, offer)
    talking = plan if plan.push else plan.noting(message=plan.message or offer.message)
    if plan.join and not plan.expect:
        talking = talking.noting(_NOT_JOINED_YET)
    _require_accounts(talking, offer)
    return _with_its_rooms(talking, offer, telling).noting(*offer.notes)


def for_own_routes(plan: P, offer: Offer) -> P:
    """Have users say what a consumer with a route of its own passes on; PlanError where a plan wants it to work."""
    own = [name for name in plan.consumers if name in offer.on_own_routes]
    if not own:
        return plan
    if plan.work != Job().handler_work:
        raise PlanError(f"work: the handlers of {', '.join(own)} cannot be told how much to work; leave it out")
    if telling := [name for name in plan.scenarios if name in _TELLING_TO_WORK]:
        raise PlanError(
            f"scenarios: {', '.join(telling)} tells a handler how much to work, and those of {', '.join(own)} cannot "
            "be told; leave one of them out"
        )
    alone = [name for name in own if name in offer.answering_alone]
    notes = [f"each user of {', '.join(alone)} is in a room of its own, for what is answered goes to the sender alone"]
    return plan.noting(*(notes if alone else ()), message=plan.message or TUTORIAL)


def _require_nothing_of_its_server(plan: Plan, offer: Offer) -> None:
    """Raise PlanError, with all problems, where a plan wants of a server elsewhere what only one of ours can do."""
    outages = [name for name in plan.drops if name in OUTAGES and OUTAGES[name].of != "generator"]
    problems = []
    ours = {"server_ping": plan.server_ping, "port": plan.port, "workers": plan.workers != (WORKERS.default,)}
    if named := [key for key, value in ours.items() if value]:
        problems.append(f"{', '.join(named)}: {offer.elsewhere}; leave it out")
    if outages:
        problems.append(f"drops: {', '.join(outages)} is not possible: {offer.elsewhere}; leave it out")
    if plan.is_relative and not offer.tells_busy:
        problems.append(f"load: {', '.join(plan.load)} is of what the server carries, {_NOBODY_TELLS}")
    if problems:
        raise PlanError("\n".join(problems))


def _with_time_to_notice(plan: Plan) -> Plan:
    silent = [name for name in plan.drops if name not in OUTAGES and find_drop(name).silent]
    if not silent:
        return plan
    return plan.noting(
        f"the server has {plan.settle:g} s to notice {', '.join(silent)}, of which only its own pings tell it; give "
        "--settle as many seconds as its ping interval and timeout together, and some more"
    )


def _require_accounts(plan: Plan, offer: Offer) -> None:
    """Raise PlanError where there are more users than can be signed in."""
    users = _users(plan)
    if offer.accounts is not None and offer.accounts < users:
        raise PlanError(
            f"users: there are {users}, each with a session of its own, and accounts for {offer.accounts} in "
            f"--users-file; add some to it, or give --users {offer.accounts}"
        )


def _users(plan: Plan) -> int:
    return plan.users or max(row.users for row in plan.chosen_scenarios)


def _with_its_rooms(plan: Plan, offer: Offer, telling: Container[str]) -> Plan:
    """Put all users into one room where nothing that they say or ask for tells one room from another.

    Rooms of one can be asked for: there each user gets its own messages only.
    """
    if plan.push:
        return _with_rooms_of_push(plan, offer)
    if offer.tells_rooms_apart or any(ROOM in template for template in (plan.message, *plan.join)):
        return plan
    users, silent = _users(plan), [name for name in plan.scenarios if name not in telling]
    if plan.room_size == 1 or not silent:
        return plan
    if len(silent) < len(plan.scenarios):
        raise PlanError(
            f"scenarios: in {', '.join(silent)} there is one room only, for {_NO_ROOM}; in the others users say which "
            "room they mean; measure them in a run of their own"
        )
    if plan.room_size is not None and plan.room_size < users:
        raise PlanError(
            f"room_size: there is one room only, for {_NO_ROOM}; 1 is for apps that answer the sender alone"
        )
    return plan.noting(f"all {users} users are in one room, for {_NO_ROOM}", room_size=users)


def _with_rooms_of_push(plan: Plan, offer: Offer) -> Plan:
    """Make rooms of those who get the same push: the room that it names, the user that it names, or everybody."""
    if ROOM in plan.push:
        if not (offer.tells_rooms_apart or any(ROOM in template for template in plan.join)):
            raise PlanError(f"push: it names a {ROOM}, and neither --path nor --join has one, so users are in none")
        return plan
    users = _users(plan)
    size, why = (1, f"names a {USER}") if is_for_one_user(plan.push) else (users, f"has no {ROOM} in it")
    who = "each user is in a room of its own" if size == 1 else f"all {users} users are in one room"
    if plan.room_size not in (None, size):
        raise PlanError(f"room_size: {who}, for --push {why}; leave it out")
    return plan.noting(f"{who}, for --push {why}", room_size=size)
