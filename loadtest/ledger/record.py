"""The record: one fixed-size struct an event, the same on both sides of the wire.

A ledger is a folder. Each process that writes has in it
- segments `<side>-<pid>-<n>.ledger`: HEADER, then records, then zeroes; a record whose time is 0 was never written;
- one `<side>-<pid>.strings`: a JSON string a line; records name a text by its line number, counted from 1.

Format version 4. Changes:
  1  first version
  2  LOOP_BUSY, SYNC_THREAD_BUSY, ASKED and SPARED on the server's side; HELD_UP, UNSENT and the code of SENT on
     the client's
  3  the value of OPENED
  4  PUSHING, PUSHED and ASIDE on the client's side
"""

import enum
import struct
from typing import Literal

VERSION = 4
MAGIC = b"CLTLEDGR"

Side = Literal["client", "server"]

HEADER = struct.Struct("<8sHHIQ40x")
"""magic, version, record size in bytes, pid, CLOCK_MONOTONIC of the opening in ns; 64 bytes."""

RECORD = struct.Struct("<QQQIHBx")
"""time_ns (CLOCK_MONOTONIC), connection, value, argument, code, event; 32 bytes."""

SERVER_NAMED = 1 << 63
"""Set in the id of a connection that came without a name of ours: the server named it itself."""


class Phase(enum.IntEnum):
    """The parts of a trial, in order, as the generator marks them (`code` of a PHASE record)."""

    RAMP = 1
    WARM_UP = 2
    STEADY = 3
    RECOVER = 4  # no more drops; the dropped come back
    DRAIN = 5  # nobody sends; what is under way arrives
    CLOSE = 6
    END = 7  # only what was dropped without a word is still held


class BusyBy(enum.IntEnum):
    """How a loop's busy time was measured (`code` of a LOOP_BUSY record)."""

    SELECT = 1  # all but the time in which it waited in its selector
    CPU = 2  # the CPU time of its thread


class Event(enum.IntEnum):
    """What happened. In brackets: what code, argument and value hold; those not named are 0.

    "text" in an argument is the number of a line in the strings file; "message" in a value is
    the sender's connection << 32 | its sequence number, so it is the same on both sides.
    """

    # either side
    TRUNCATED = 1  # the ledger could not grow (disk full): nothing after this was recorded

    # the client's side
    PHASE = 2  # [code: Phase; value: for CLOSE 1 if all had fallen quiet before it, else 0]
    OPENING = 3  # [argument: text, the room; value: member number]
    OPENED = 4  # [code: HTTP status; value: 1 if it has asked to join a room and awaited no answer, else 0]
    OPEN_FAILED = 5  # [code: HTTP status or 0; argument: text, the error's name]
    SENT = 6  # [code: 1 if at the planned time its sender awaited an answer or a connection, else 0;
    # argument: µs behind the planned time; value: message]
    RECEIVED = 7  # [argument: µs from arrival to handling; value: message] time is the arrival
    DROPPED = 8  # [argument: text, the drop's name] time is just before the drop's first system call
    DROP_DONE = 9  # time is just after its last
    CLOSED = 10  # we closed it in order at the end [code: the code sent]
    PEER_CLOSED = 11  # the server ended it (after DROPPED: one we held) [code: close code; argument: text, the reason]
    SEND_FAILED = 12  # [argument: text, the error's name; value: message]
    FOREIGN = 13  # a message arrived that none of our users sent [value: its length in bytes]
    HELD_UP = 14  # the generator's hub came round late, now [argument: µs of it without a processor; value: ns late]
    UNSENT = 15  # at the end of what counts, of users with a rate [value: messages that were due in it and not sent;
    # argument: ms since the first of them was due]
    PUSHING = 16  # something else than a user has the app send: a sender of one message [argument: text, the room]
    PUSHED = 17  # it was answered: the app has taken it; SEND_FAILED instead: it has refused it
    ASIDE = 18  # a user sends what is no message: a join, or a ping

    # the server's side
    SCOPE = 32  # the ASGI scope reached the application [argument: text, the path]
    CONNECT_IN = 33
    RECEIVE_IN = 34  # [value: length of the text or the bytes]
    DISCONNECT_IN = 35  # [code]
    ACCEPTED = 36
    REJECTED = 37  # [code: close code or HTTP status]
    SEND_RAISED = 38  # [argument: text, exception class]
    CONSUMER = 39  # a consumer's __call__ began [argument: text, its class]
    CHANNEL = 40  # [argument: text, the channel's name]
    DISCONNECT_ENTERED = 41  # [code]
    DISCONNECT_RETURNED = 42
    DISCONNECT_RAISED = 43  # [argument: text, exception class]
    GROUP_ADDED = 44  # [argument: text, the group]
    GROUP_DISCARDED = 45  # [argument: text, the group]
    TASK_ENDED = 46  # the application's call ended [argument: text, exception class, or 0]
    CLOSE_OUT = 47  # the application closed an accepted connection [code]
    STALLED = 48  # the event loop ran nothing for a while, until now [value: ns]
    LOOP_BUSY = 49  # how long the event loop has been at work so far [code: BusyBy; value: ns]
    SYNC_THREAD_BUSY = 50  # the same of the thread that sync consumers share [value: ns]
    ASKED = 51  # what would a drop meet just now? [code: 1 the consumer in the midst of a message; value: how often]
    SPARED = 52  # asked at that time, in the midst: its handling ended without a send [value: how often]


TEXT_EVENTS = frozenset(
    {
        Event.OPENING,
        Event.OPEN_FAILED,
        Event.DROPPED,
        Event.PEER_CLOSED,
        Event.SEND_FAILED,
        Event.PUSHING,
        Event.SCOPE,
        Event.SEND_RAISED,
        Event.CONSUMER,
        Event.CHANNEL,
        Event.DISCONNECT_RAISED,
        Event.GROUP_ADDED,
        Event.GROUP_DISCARDED,
        Event.TASK_ENDED,
    }
)
"""Events whose argument is the number of a text (0: none)."""


SEQUENCE = 2**32 - 1
"""The bits of a message's number that count the messages of its connection."""


def message_id(connection: int, sequence: int) -> int:
    """The message's number, the same on both sides: sender's connection (32 bits), its sequence number (32 bits)."""
    return connection << 32 | sequence
