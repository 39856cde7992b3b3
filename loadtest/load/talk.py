"""Talk: what a user says to an app, as templates: after opening, and as each of its messages.

In a template {room} and {user} stand for numbers, {n} for the message's number within its connection, {marker} for what
tells which message it is, and {payload} for padding up to the load's payload size. Any other brace is left as it is,
so that JSON is written as JSON.
"""

import json
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgpack

from loadtest.load.markers import find_marker

Form = Literal["text", "bytes", "msgpack"]
"""How a template becomes a frame: text, the same as bytes in a binary frame, or, written as JSON, MessagePack."""

Reaches = Literal["everyone", "others", "nobody"]
"""Who gets what a user says: everyone in its room, everyone but itself, or no user at all."""

MARKER: Final = "{marker}"
ROOM: Final = "{room}"
USER: Final = "{user}"
TUTORIAL: Final = '{"message": "{marker}{payload}"}'
"""What the chat of Channels' tutorial takes, and gives to everybody in the room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """The templates of a load."""

    message: str = TUTORIAL
    form: Form = "text"
    join: tuple[str, ...] = ()
    """Sent one after the other when a connection has opened."""
    expect: str = ""
    """The connection is open once a frame has come that holds this text; empty: at once."""
    ack: str = ""
    """A frame that holds this text is no message, also where it holds a marker; empty: there is none such."""
    reaches: Reaches = "everyone"
    push: str = ""
    """What makes the app send (see push.py): users only listen then; empty: they say the message."""
    ping: str = ""
    """Sent now and then by each user, and no message; empty: nothing is."""

    def joining(self, *, room: int, user: int) -> list[str | bytes]:
        """Return the frames that are sent when a connection has opened."""
        return [_frame(_of_user(one, room, user), self.form) for one in self.join]

    def pinging(self, *, room: int, user: int) -> str | bytes:
        """Return the frame of a user's pings."""
        return _frame(_of_user(self.ping, room, user), self.form)

    def is_expected(self, frame: str | bytes) -> bool:
        """Tell whether a frame is the one that opens the connection."""
        return _holds(frame, self.expect)

    def find(self, frame: str | bytes) -> str | None:
        """Return the marker of the message that a frame is; None where it is none, or an acknowledgement of one."""
        return None if self.ack and _holds(frame, self.ack) else find_marker(frame)

    def of_user(self, *, room: int, user: int, payload_size: int = 0) -> "Saying":
        """Return what one user says; its messages have `payload_size` bytes where they have {payload} in them."""
        return Saying(_of_user(self.message, room, user), self.form, payload_size)


class Saying:
    """The messages of one user."""

    def __init__(self, template: str, form: Form, payload_size: int) -> None:
        """Work out what is the same in all of them."""
        without = template.replace("{payload}", "").replace(MARKER, "m" * 36).replace("{n}", "0")
        self._template = template.replace("{payload}", "x" * max(0, payload_size - len(without.encode())))
        self._form: Form = form
        self._has_number = "{n}" in self._template

    def frame(self, marker: str, n: int) -> str | bytes:
        """Return the frame of the n-th message of a connection."""
        text = self._template.replace(MARKER, marker)
        if self._has_number:
            text = text.replace("{n}", str(n))
        return text if self._form == "text" else _frame(text, self._form)


def check_message(template: str) -> str:
    """Return a template that can be a message, or "" for the scenario's own; raises ValueError."""
    if template and MARKER not in template:
        raise ValueError(f"there is no {MARKER} in {template!r}, by which a message is known when it comes back")
    return template


def check_form(form: Form, *templates: str) -> Form:
    """Return the form if these templates can have it; raises ValueError."""
    if form == "msgpack":
        for template in filter(None, templates):
            try:
                json.loads(_of_user(template, 0, 0).replace("{n}", "0"))
            except (ValueError, RecursionError) as error:
                raise ValueError(f"msgpack wants templates in JSON, and {template!r} is none: {error}") from None
    return form


def _holds(frame: str | bytes, text: str) -> bool:
    return text in frame if isinstance(frame, str) else text.encode() in frame


def _of_user(template: str, room: int, user: int) -> str:
    return template.replace(ROOM, str(room)).replace(USER, str(user))


def _frame(text: str, form: Form) -> str | bytes:
    if form == "text":
        return text
    packed: Any = text.encode() if form == "bytes" else msgpack.packb(json.loads(text))
    return bytes(packed)
