"""Drops as samples: on a server that is a simple queue, trials differ no more than independent drops would make them.

One thread handles each message once for each member of its room, one member after the other. A drop is missed when a
message for the room waits or is being handled, and the dropped member's turn has not been.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, repeat, takewhile
from random import Random

import pytest

from loadtest.stats.share import share_of
from loadtest.users.drop_plan import DropPlan
from loadtest.users.pacing import gaps_of

MEMBERS, ROOM = 80, 20
HANDLING_S = 0.0002
"""The thread is busy for 80 messages a second times 20 members times this: 32 % of the time."""
BEGIN_S, STEADY_S = 1.0, 4.5
DROPS_PER_S = 24
TRIALS = 60

Drops = list[tuple[float, int]]
"""When, and which member."""


def handled(seed: int) -> list[tuple[float, float, int]]:
    """Return each message as when it was sent, when its first member had its turn, and its room."""
    sent = [
        (due_ns / 1e9, member // ROOM)
        for member in range(MEMBERS)
        for due_ns in takewhile(
            lambda due_ns: due_ns < (BEGIN_S + STEADY_S) * 1e9,
            accumulate(gaps_of("constant", 1.0, Random(f"{seed}/{member}"))),
        )
    ]
    begins = accumulate(sorted(sent), lambda free_s, one: max(free_s, one[0]) + ROOM * HANDLING_S, initial=0.0)
    return [(at_s, max(at_s, free_s), room) for (at_s, room), free_s in zip(sorted(sent), begins, strict=False)]


def missed(messages: list[tuple[float, float, int]], drops: Drops) -> int:
    return sum(
        any(
            room == member // ROOM and sent_s <= at_s < begun_s + (member % ROOM + 1) * HANDLING_S
            for sent_s, begun_s, room in messages
        )
        for at_s, member in drops
    )


def singles(seed: int) -> Drops:
    plan = DropPlan(lambda name: Random(f"{seed}/{name}"), kinds=("rst",), offline=1)
    after_s = takewhile(lambda at_s: at_s < STEADY_S, accumulate(plan.gap_s(DROPS_PER_S) for _ in repeat(None)))
    return [(BEGIN_S + at_s, next(plan.in_random_order(range(MEMBERS)))) for at_s in after_s]


def bursts_on_a_beat(seed: int) -> Drops:
    """What is wrong: many members at once, each second, which is the interval of the senders, too."""
    chance = Random(seed)
    beats = [BEGIN_S + 0.5 + beat for beat in range(int(STEADY_S))]
    return [(at_s, member) for at_s in beats for member in chance.sample(range(MEMBERS), DROPS_PER_S)]


@pytest.mark.parametrize(("drops", "least", "most"), [(singles, 0.5, 2.0), (bursts_on_a_beat, 8.0, 40.0)])
def test_missed_share_when_drops_are_single_then_trials_differ_as_independent_drops_do_and_else_far_more(
    drops: Callable[[int], Drops], least: float, most: float
) -> None:
    planned = [drops(seed) for seed in range(TRIALS)]
    counts = [missed(handled(seed), trial) for seed, trial in enumerate(planned)]
    share = share_of(counts, [len(trial) for trial in planned])
    assert 0.03 < share.interval.estimate < 0.1
    assert least < share.design_effect < most
