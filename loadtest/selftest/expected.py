"""What the audit must say: of any trial in which nothing is wrong, and, defect by defect, what is different."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from loadtest.checks.fates import CAUSES, HANDLER_BUSY, SEND_RAISED
from loadtest.checks.residue import MEMORY
from loadtest.drops import DROPS
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


ANYTHING = Range()
"""For what follows from the defect, but depends on who happened to speak at the time."""


def nothing_wrong(truth: Truth) -> dict[str, Range]:
    """Return what must be said of a trial with consumers that do everything right."""
    dropped, opened = exactly(len(truth.dropped)), len(truth.opened)
    right = dict.fromkeys(("dropped", "disconnect_called", "noticed", "returned"), dropped)
    wrong = ("missed", "unknown", "never_reached", "raised", "groups_left", "tasks_left", "presence_left")
    right |= dict.fromkeys((*wrong, "queues_left", "lost", "duplicated", "reordered", "deaf"), exactly(0))
    right |= dict.fromkeys(map(cause_figure, CAUSES), exactly(0))
    right |= dict.fromkeys(map(left_figure, _LEFT_BY_CONSUMERS), exactly(0))
    return right | {
        left_figure(MEMORY): at_most(MEMORY_NOISE_KB),
        left_figure("layer queues, of nobody"): exactly(
            0
        ),  # messages under way to channels that go: not in a calm trial
        left_figure("layer subscriptions, of nobody"): exactly(0),
        left_figure("layer queues, empty"): at_most(opened),  # as the bare layer shows: at most one for each channel
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


def _group_kept(truth: Truth, kind: Kind) -> dict[str, Range]:
    return _still_members(len(truth.dropped), len(truth.opened))


def _abnormal_kept(truth: Truth, kind: Kind) -> dict[str, Range]:
    kept = sum(DROPS[name].code != NORMAL_CODE for name in truth.dropped.values())
    return _still_members(kept, kept) | _still_present(kept, kept)


def _disconnect_raises(truth: Truth, kind: Kind) -> dict[str, Range]:
    dropped, opened = len(truth.dropped), len(truth.opened)
    entered = {"raised": exactly(dropped), "returned": exactly(0)}
    return entered | _still_members(dropped, opened) | _still_present(dropped, opened)


def _disconnect_blocks(truth: Truth, kind: Kind) -> dict[str, Range]:
    dropped, opened = len(truth.dropped), len(truth.opened)
    entered = dropped if kind == "async" else 1  # in sync the first one holds the thread that all others need
    blocked = {
        "disconnect_called": exactly(entered),
        "returned": exactly(0),
        "missed": exactly(dropped - entered),
        cause_figure(HANDLER_BUSY): exactly(dropped - entered),
    }
    if kind == "sync":
        blocked |= dict.fromkeys(("noticed", "lost", "deaf"), ANYTHING)
    return blocked | _still_running(dropped, opened) | _still_members(dropped, opened) | _still_present(dropped, opened)


def _send_raises(truth: Truth, kind: Kind) -> dict[str, Range]:
    dropped, opened = len(truth.dropped), len(truth.opened)
    missed = dict.fromkeys(("missed", cause_figure(SEND_RAISED)), exactly(dropped))
    never_entered = dict.fromkeys(("disconnect_called", "returned"), exactly(0))
    return missed | never_entered | _still_members(dropped, opened) | _still_present(dropped, opened)


def _presence_kept(truth: Truth, kind: Kind) -> dict[str, Range]:
    return _still_present(len(truth.dropped), len(truth.opened))


def _task_kept(truth: Truth, kind: Kind) -> dict[str, Range]:
    started = "asyncio tasks" if kind == "async" else "threads"
    return {left_figure(started): exactly(len(truth.opened)), left_figure(MEMORY): ANYTHING}


def _duplicated(truth: Truth, kind: Kind) -> dict[str, Range]:
    return {"duplicated": exactly(_times_members(truth, _is_chosen))}


def _lost(truth: Truth, kind: Kind) -> dict[str, Range]:
    return {"lost": exactly(_times_members(truth, _is_chosen))}


def _swapped(truth: Truth, kind: Kind) -> dict[str, Range]:
    sent = {(message.sender, message.sequence) for message in truth.sent}

    def has_next(message: SentMessage) -> bool:
        return (message.sender, message.sequence + 1) in sent

    return {
        "reordered": exactly(_times_members(truth, lambda message: _is_chosen(message) and has_next(message))),
        "lost": exactly(_times_members(truth, lambda message: _is_chosen(message) and not has_next(message))),
    }


def _blocking(truth: Truth, kind: Kind) -> dict[str, Range]:
    blocks = sum(_is_chosen(message) and message.room == BLOCKING_ROOM for message in truth.sent)
    return {
        "stalled_ms": Range(blocks * (BLOCKED_MS - TICK_MS), blocks * BLOCKED_MS + SHORT_STALLS_MS),
        "latency_ms_max": Range(BLOCKED_MS - TICK_MS, None),
    }


def _never_stops(truth: Truth, kind: Kind) -> dict[str, Range]:
    return _still_running(len(truth.dropped), len(truth.opened))


def _leaking(truth: Truth, kind: Kind) -> dict[str, Range]:
    leaked_kb = len(truth.opened) * LEAK_BYTES / 1000
    return {left_figure(MEMORY): Range(leaked_kb, leaked_kb + MEMORY_NOISE_KB)}


def _deaf(truth: Truth, kind: Kind) -> dict[str, Range]:
    members = [connection for connection, room in truth.opened.items() if room == DEAF_ROOM]
    sent = sum(message.counts and message.room == DEAF_ROOM for message in truth.sent)
    heard = sum(truth.received[connection] for connection in members)
    return {"deaf": exactly(len(members)), "lost": exactly(sent * len(members) - heard)}


def _still_members(dropped: int, opened: int) -> dict[str, Range]:
    """So many of the dropped, and of all, are still in a group: messages and a subscription are kept for them."""
    return {
        "groups_left": exactly(dropped),
        left_figure("group members"): exactly(opened),
        **dict.fromkeys(("queues_left", *map(left_figure, ("layer queues", "layer subscriptions"))), ANYTHING),
    }


def _still_present(dropped: int, opened: int) -> dict[str, Range]:
    return {"presence_left": exactly(dropped), left_figure("presence rows"): exactly(opened)}


def _still_running(dropped: int, opened: int) -> dict[str, Range]:
    """So many consumers have not ended: each holds a task for its scope and others that wait, and its subscription."""
    return {
        "tasks_left": exactly(dropped),
        left_figure("asyncio tasks"): Range(opened, None),
        **dict.fromkeys(
            map(left_figure, ("layer subscriptions", "layer queues", "file descriptors", "threads")), ANYTHING
        ),
    }


def _times_members(truth: Truth, is_meant: Callable[[SentMessage], bool]) -> int:
    return sum(truth.members(message.room) for message in truth.sent if message.counts and is_meant(message))


def _is_chosen(message: SentMessage) -> bool:
    return message.sequence % EVERY == 0


EXPECTED: Mapping[str, Callable[[Truth, Kind], dict[str, Range]]] = MappingProxyType(
    {
        "group-kept": _group_kept,
        "abnormal-kept": _abnormal_kept,
        "disconnect-raises": _disconnect_raises,
        "disconnect-blocks": _disconnect_blocks,
        "send-raises": _send_raises,
        "presence-kept": _presence_kept,
        "task-kept": _task_kept,
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
