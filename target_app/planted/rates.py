"""How much and how often the planted defects do what they do; the self-test computes from these what must be found."""

EVERY = 3
"""A message whose sequence number divides by this is duplicated, lost, held back or blocked on."""

BLOCKED_MS = 600
"""How long a blocking handler holds everyone up: far longer than a message takes on a busy machine."""

BLOCKING_ROOM = "room-0"
"""The only room whose messages block: that the others suffer is the defect."""

DEAF_ROOM = "room-1"
"""The only room whose members go deaf."""

DEAF_AFTER = 4
"""Messages that a member gets before it goes deaf."""

LEAK_BYTES = 1_000_000
"""Kept of every connection: large against what an allocator keeps for itself."""

FOREVER_S = 3600.0
"""Longer than any settling."""

PRIMING_ROOM = "prime"
"""The room of the one connection that every trial opens and closes before it begins to count: where a defect would keep
that one from ending, it is not planted in this room, or each trial would begin with waiting for it in vain."""

_SENDER_DIGITS = 8
_SEQUENCE_END = 16


def is_chosen(message: str) -> bool:
    """Tell whether the defect acts on a load test's message, by its own sequence number; on no other message."""
    try:
        return int(message[_SENDER_DIGITS:_SEQUENCE_END], 16) % EVERY == 0
    except ValueError:
        return False


def sender(message: str) -> str:
    """Return the part of a load test's message that is the same for all messages of a sender's connection."""
    return message[:_SENDER_DIGITS]
