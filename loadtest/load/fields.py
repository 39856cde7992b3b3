"""The fields of a load: each with its limits and its help text, for every model that has such a field.

Durations are in seconds, sizes in bytes, rates in messages a second.
"""

from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.fields import FieldInfo

from loadtest.contract.work import check_blocking_work, check_work
from loadtest.load.handshake import (
    check_ca_file,
    check_header,
    check_origin,
    check_proxy,
    check_subprotocol,
)
from loadtest.load.push import check_push
from loadtest.load.talk import Form, check_message
from loadtest.load.talk import Reaches as _Reaches

SMALLEST_PAYLOAD: Final = 47
"""A message with its number and its planned time, and no padding (loadtest/users/messages.py)."""
LARGEST_PAYLOAD: Final = 2**20
"""The longest message that our own reader takes; daphne's limit is the same 1 MiB, other servers' are higher."""
MOST_GENERATORS: Final = 255
"""A generator's number is one byte of its connections' ids."""
MOST_USERS: Final = 1_000_000
"""More than one address of a server has ports for, sixteen times; a generator has ids for 2 ** 24 connections."""
LONGEST_S: Final = 7 * 24 * 3600.0
"""A part of a trial that lasts longer than a week is a typing error; and all times in ns stay far below 2 ** 63."""
FASTEST: Final = 1_000_000.0
"""Messages a second from one sender: ten times what a whole generator sends (`make perf`)."""
LARGEST_SEED: Final = 2**63 - 1
"""What every reader of a manifest can hold."""


def by_comma(value: object) -> object:
    """Split a text at its commas; anything else is left as it is."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def by_line(value: object) -> object:
    """Split a text into its lines; None is no line."""
    return value.splitlines() if isinstance(value, str) else value or ()


Users = Annotated[int, Field(ge=1, le=MOST_USERS, description="users in every trial")]
Consumer = Annotated[str, Field(pattern=r"^[\w-]+$", description="consumer of the reference app: /ws/<consumer>/...")]
Rate = Annotated[
    float, Field(ge=0, le=FASTEST, description="messages per second from each sender; 0: as fast as answers come")
]
Arrivals = Annotated[
    Literal["constant", "poisson"],
    Field(description="when each sender's messages are due: constant, evenly spaced, or poisson, at random times"),
]
PayloadSize = Annotated[int, Field(ge=SMALLEST_PAYLOAD, le=LARGEST_PAYLOAD, description="bytes in each message")]
RoomSize = Annotated[int, Field(ge=1, le=MOST_USERS, description="members in each room")]
DropKind = Annotated[
    tuple[str, ...],
    BeforeValidator(by_comma),
    Field(min_length=1, description="how to drop, comma-separated"),
]
DropShare = Annotated[float, Field(ge=0, le=1, description="share of the members that is dropped each second")]
Offline = Annotated[
    float,
    Field(
        ge=0,
        le=LONGEST_S,
        description="mean seconds that a dropped member stays away; each time is from 0.5 to 1.5 of it",
    ),
]
OFFLINE_SPREAD: Final = 0.5
"""A time away is drawn evenly from 1 - 0.5 to 1 + 0.5 of the mean: never so short that the server has not noticed the
drop, and with a longest one, which the phase of recovery has to wait for."""
HandlerWork = Annotated[
    str,
    AfterValidator(check_work),
    Field(
        description="what the reference app does for each message: none, sleep:MS, cpu:MS (milliseconds), orm (a query)"
    ),
]
BlockerWork = Annotated[
    str,
    AfterValidator(check_blocking_work),
    Field(description="what blocks the one handler in the scenario `blocker`: sleep:MS or cpu:MS (milliseconds)"),
]
Origin = Annotated[
    str,
    AfterValidator(check_origin),
    Field(description="Origin header; empty: the target's own address, as its own page would send"),
]
Header = Annotated[
    tuple[Annotated[str, AfterValidator(check_header)], ...],
    BeforeValidator(by_line),
    Field(
        description="'Name: value' for the opening request: Cookie or Authorization, say; @FILE: a file with one in "
        "each line, which keeps them out of the list of processes; may be given several times"
    ),
]
Subprotocol = Annotated[
    tuple[Annotated[str, AfterValidator(check_subprotocol)], ...],
    BeforeValidator(by_comma),
    Field(description="subprotocols to ask for, comma-separated; the server has to choose one"),
]
CaFile = Annotated[
    str,
    AfterValidator(check_ca_file),
    Field(description="PEM file of the only CA to trust behind wss://; empty: those of the system"),
]
Proxy = Annotated[
    str,
    AfterValidator(check_proxy),
    Field(description="HTTP proxy on the way to the target: http://[user:password@]host:port; empty: none"),
]
MessageTemplate = Annotated[
    str,
    AfterValidator(check_message),
    Field(
        description='what a user sends, such as \'{"command": "say", "text": "{marker}"}\': {marker} has to be in '
        "it and come back, {room} {user} {n} are numbers, {payload} pads to the payload size; empty: as the tutorial"
    ),
]
MessageForm = Annotated[
    Form, Field(description="how messages and joins are sent: text, bytes, or msgpack (of templates in JSON)")
]
Join = Annotated[
    tuple[str, ...],
    BeforeValidator(by_line),
    Field(
        description="what a user sends when a connection has opened, written as a message; may be given several times"
    ),
]
Expect = Annotated[
    str,
    Field(
        description="text of the frame that ends the opening of a connection, after the joins; empty: none is awaited"
    ),
]
Ack = Annotated[
    str,
    Field(
        description="text of the frames that acknowledge a message to its sender and are not the message; empty: none"
    ),
]
Reaches = Annotated[
    _Reaches,
    Field(
        description="who gets what a user says: everyone in its room, others but itself, or nobody (the app sends by "
        "itself only)"
    ),
]
Push = Annotated[
    str,
    AfterValidator(check_push),
    Field(
        description='what makes the app send, where users only listen: a request, \'POST /notify/{room}/ {"text": '
        '"{marker}"}\', or a command line; --rate is then the pushes a second to each room; empty: users talk'
    ),
]
PingMessage = Annotated[
    str,
    Field(description="what each user sends now and then to stay connected, written as a message; empty: nothing"),
]
PingEvery = Annotated[
    float, Field(gt=0, le=LONGEST_S, description="seconds between two pings of a user, where there are some")
]
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED, description="seed of every random choice")]

Ramp = Annotated[float, Field(gt=0, le=LONGEST_S, description="seconds that all users have to open their connections")]
WarmUp = Annotated[float, Field(ge=0, le=LONGEST_S, description="seconds before anything counts")]
Duration = Annotated[float, Field(gt=0, le=LONGEST_S, description="seconds that count in each trial")]
Drain = Annotated[
    float, Field(gt=0, le=LONGEST_S, description="seconds to wait, at most, for messages that are under way")
]


def flag_of(name: str) -> str:
    """Return a field's option on Locust's command line."""
    return f"--{name.replace('_', '-')}"


def variable_of(name: str) -> str:
    """Return the environment variable that stands for a field's option."""
    return f"LOADTEST_{name.upper()}"


def help_of(field: FieldInfo) -> str:
    """Return a field's help text, also where the model allows None beside the type that has it."""
    if field.description:
        return field.description
    parts: tuple[Any, ...] = get_args(field.annotation)
    found = [one for part in parts for one in getattr(part, "__metadata__", ()) if isinstance(one, FieldInfo)]
    return next((one.description for one in found if one.description), "")
