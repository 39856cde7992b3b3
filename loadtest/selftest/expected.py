"""What the audit must say: of any trial in which nothing is wrong, and, defect by defect, what is different."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from loadtest.checks.dropped import CAUSES, HANDLER_BUSY, SEND_RAISED
from loadtest.checks.residue.kinds import MEMORY
from loadtest.drops import DROPS
from loadtest.layers import LAYERS
from loadtest.selftest.figures import cause_figure, left_figure
from loadtest.selftest.truth import SentMessage, Truth
from target_app.planted import Kind
from target_app.planted.rates import BLOCKED_MS, BLOCKING_ROOM, DEAF_ROOM, EVERY, LEAK_BYTES

MEMORY_NOISE_KB = 4000
"""What a process with nothing planted in it was larger by after a trial: at most 1.5 MB, more on a busy machine."""

SHORT_STALLS_MS = BLOCKED_MS * 0.75
"""On a machine that is busy with more than one trial the server itself has to wait for a core now and then."""

TICK_MS = 50
"""How exactly the probe can time the beginning of a stall."""

NORMAL_CODE = 1000

NOTICED_NS = 300_000_000
"""By then a server under a light load has ended a dropped connection's consumer: it hears nothing any more."""


@dataclass(frozen=True, slots=True)
class Range:
    """The figures that are right, both ends included; None: no end."""

    low: float = 0
    high: float | None = None

    def __contains__(self, figure: float) -> bool:
        """Tell whether a figure is right."""
        return self.low <= figure and (self.high is None or figure <= self.high)

    def __str__(self) -> str:
        """Return it in words."""
        if self.high is None:
            return f"at least {self.low:g}" if self.low else "anything"
        if self.low == self.high:
            return f"{self.low:g}"
        return f"{self.low:g} to {self.high:g}" if self.low else f"at most {self.high:g}"


Expected = Mapping[str, Range]


def exactly(count: float) -> Range:
    """Only this figure is right."""
    return Range(count, count)


def at_most(count: float) -> Range:
    """Anything up to this is right."""
    return Range(0, count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planting:
    """Where a defect was planted, and what happened there."""

    kind: Kind
    layer: str
    truth: Truth

    @property
    def opened(self) -> int:
        """Return how many connections were opened."""
        return len(self.truth.opened)

    @property
    def dropped(self) -> int:
        """Return how many of them were dropped."""
        return len(self.truth.dropped)


ANYTHING = Range()
"""For what follows from the defect, but depends on who happened to speak at the time."""


def nothing_wrong(truth: Truth) -> dict[str, Range]:
    """Return what must be said of a trial with consumers that do everything right."""
    dropped, opened = exactly(len(truth.dropped)), len(truth.opened)
    right = dict.fromkeys(("dropped", "disconnect_called", "noticed", "returned"), dropped)
    wrong = ("missed", "unknown", "never_reached", "raised", "groups_left", "tasks_left", "presence_left")
    right |= dict.fromkeys(
        (*wrong, "queues_left", "subscriptions_left", "lost", "duplicated", "reordered", "deaf"), exactly(0)
    )
    right |= dict.fromkeys(map(cause_figure, CAUSES), exactly(0))
    right |= dict.fromkeys(map(left_figure, _LEFT_BY_CONSUMERS), exactly(0))
    return right | {
        left_figure(MEMORY): at_most(MEMORY_NOISE_KB),
        left_figure("orphaned layer queues"): exactly(0),  # none is under way in a calm trial
        left_figure("orphaned layer subscriptions"): exactly(0),
        left_figure("empty layer queues"): at_most(opened),  # as the bare layer shows: at most one for each channel
        left_figure("layer sockets"): at_most(opened),
        "stalled_ms": at_most(SHORT_STALLS_MS),
        "latency_ms_max": ANYTHING,
    }


_LEFT_BY_CONSUMERS = (
    "group members",
    "layer queues",
    "layer subscriptions",
    "asyncio tasks",
    "threads",
    "file descriptors",
    "presence rows",
)


def _group_kept(planting: Planting) -> dict[str, Range]:
    return _still_members(planting, planting.truth.opened)


def _abnormal_kept(planting: Planting) -> dict[str, Range]:
    dropped = planting.truth.dropped
    kept = [connection for connection, name in dropped.items() if DROPS[name].code != NORMAL_CODE]
    return _still_members(planting, kept) | _still_present(planting, kept)


def _disconnect_raises(planting: Planting) -> dict[str, Range]:
    entered = {"raised": exactly(planting.dropped), "returned": exactly(0)}
    return entered | _not_cleaned_up(planting)


def _disconnect_blocks(planting: Planting) -> dict[str, Range]:
    dropped = planting.dropped
    entered = dropped if planting.kind == "async" else 1  # in sync the first one holds the thread that all others need
    blocked = {
        "disconnect_called": exactly(entered),
        "returned": exactly(0),
        "missed": exactly(dropped - entered),
        cause_figure(HANDLER_BUSY): exactly(dropped - entered),
    }
    unsure = ["queues_left", left_figure("layer queues")]  # a consumer takes one more message, or passes none on
    if planting.kind == "sync":
        unsure += ["noticed", "lost", "deaf"]
    return blocked | _not_cleaned_up(planting) | _still_running(planting) | dict.fromkeys(unsure, ANYTHING)


def _send_raises(planting: Planting) -> dict[str, Range]:
    missed = dict.fromkeys(("missed", cause_figure(SEND_RAISED)), exactly(planting.dropped))
    never_entered = dict.fromkeys(("disconnect_called", "returned"), exactly(0))
    return missed | never_entered | _not_cleaned_up(planting)


def _presence_kept(planting: Planting) -> dict[str, Range]:
    return _still_present(planting, planting.truth.opened)


def _task_kept(planting: Planting) -> dict[str, Range]:
    started = "asyncio tasks" if planting.kind == "async" else "threads"
    return {left_figure(started): exactly(planting.opened), left_figure(MEMORY): ANYTHING}


def _descriptor_kept(planting: Planting) -> dict[str, Range]:
    return {left_figure("file descriptors"): exactly(planting.opened)}


def _duplicated(planting: Planting) -> dict[str, Range]:
    return {"duplicated": exactly(_times_members(planting.truth, _is_chosen))}


def _lost(planting: Planting) -> dict[str, Range]:
    return {"lost": exactly(_times_members(planting.truth, _is_chosen))}


def _swapped(planting: Planting) -> dict[str, Range]:
    truth = planting.truth
    sent = {(message.sender, message.sequence) for message in truth.sent}

    def has_next(message: SentMessage) -> bool:
        return (message.sender, message.sequence + 1) in sent

    return {
        "reordered": exactly(_times_members(truth, lambda message: _is_chosen(message) and has_next(message))),
        "lost": exactly(_times_members(truth, lambda message: _is_chosen(message) and not has_next(message))),
    }


def _blocking(planting: Planting) -> dict[str, Range]:
    blocks = sum(_is_chosen(message) and message.room == BLOCKING_ROOM for message in planting.truth.sent)
    return {
        "stalled_ms": Range(blocks * (BLOCKED_MS - TICK_MS), blocks * BLOCKED_MS + SHORT_STALLS_MS),
        "latency_ms_max": Range(BLOCKED_MS - TICK_MS, None),
    }


def _never_stops(planting: Planting) -> dict[str, Range]:
    return _still_running(planting)


def _leaking(planting: Planting) -> dict[str, Range]:
    leaked_kb = planting.opened * LEAK_BYTES / 1000
    return {left_figure(MEMORY): Range(leaked_kb, leaked_kb + MEMORY_NOISE_KB)}


def _deaf(planting: Planting) -> dict[str, Range]:
    truth = planting.truth
    members = [connection for connection, room in truth.opened.items() if room == DEAF_ROOM]
    sent = sum(message.counts and message.room == DEAF_ROOM for message in truth.sent)
    heard = sum(truth.received[connection] for connection in members)
    return {"deaf": exactly(len(members)), "lost": exactly(sent * len(members) - heard)}


def _not_cleaned_up(planting: Planting) -> dict[str, Range]:
    opened = planting.truth.opened
    return _still_members(planting, opened) | _still_present(planting, opened)


def _still_members(planting: Planting, kept: Collection[int]) -> dict[str, Range]:
    """These connections are still in their groups: messages may be kept for them, and a subscription for each group."""
    truth = planting.truth
    groups = {truth.opened[connection] for connection in kept}
    dropped = [connection for connection in kept if connection in truth.dropped]
    spoken_to = sum(truth.is_spoken_to(connection, after_ns=NOTICED_NS) for connection in dropped)
    is_subscribing = LAYERS[planting.layer].subscribes
    return {
        "groups_left": exactly(len(dropped)),
        left_figure("group members"): exactly(len(kept)),
        left_figure("layer subscriptions"): exactly(len(groups) if is_subscribing else 0),
        "queues_left": ANYTHING if is_subscribing else Range(spoken_to, len(dropped)),
        left_figure("layer queues"): ANYTHING if is_subscribing else Range(spoken_to, None),
    }


def _still_present(planting: Planting, kept: Collection[int]) -> dict[str, Range]:
    dropped = sum(connection in planting.truth.dropped for connection in kept)
    return {"presence_left": exactly(dropped), left_figure("presence rows"): exactly(len(kept))}


def _still_running(planting: Planting) -> dict[str, Range]:
    """No consumer has ended: each holds a task for its scope, others that wait, and the subscription to its channel."""
    subscriptions = planting.opened if LAYERS[planting.layer].subscribes else 0
    return {
        "tasks_left": exactly(planting.dropped),
        "subscriptions_left": exactly(planting.dropped if subscriptions else 0),
        left_figure("asyncio tasks"): Range(planting.opened, None),
        left_figure("layer subscriptions"): Range(subscriptions, None),
        **dict.fromkeys(map(left_figure, ("layer queues", "file descriptors", "threads")), ANYTHING),
    }


def _times_members(truth: Truth, is_meant: Callable[[SentMessage], bool]) -> int:
    return sum(truth.members(message.room) for message in truth.sent if message.counts and is_meant(message))


def _is_chosen(message: SentMessage) -> bool:
    return message.sequence % EVERY == 0


EXPECTED: Mapping[str, Callable[[Planting], dict[str, Range]]] = MappingProxyType(
    {
        "group-kept": _group_kept,
        "abnormal-kept": _abnormal_kept,
        "disconnect-raises": _disconnect_raises,
        "disconnect-blocks": _disconnect_blocks,
        "send-raises": _send_raises,
        "presence-kept": _presence_kept,
        "task-kept": _task_kept,
        "descriptor-kept": _descriptor_kept,
        "duplicated": _duplicated,
        "lost": _lost,
        "swapped": _swapped,
        "blocking": _blocking,
        "never-stops": _never_stops,
        "leaking": _leaking,
        "deaf": _deaf,
    }
)
"""By the planted defect: the figures that it changes. What it does not name must be as if nothing were wrong."""
