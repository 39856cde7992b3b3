"""Push: what makes an app send by itself, as a template: a request to it, or a command.

`POST /notify/{room}/ {"text": "{marker}"}`, where POST may be left out; whatever begins with no method, no slash and no
http:// is a command line. What stands in braces is as in messages (see talk.py); {payload} pads the body, or the line.
"""

import re
from dataclasses import dataclass
from typing import Final

from loadtest.load.talk import MARKER, ROOM, USER, Talk

METHODS: Final = ("POST", "PUT", "PATCH", "DELETE", "GET")
"""The first one where none is named."""
_REQUEST: Final = re.compile(r"(?:([A-Z]+)\s+)?((?:https?:/)?/\S*)(?:\s+(.*))?", re.DOTALL)
_BEGINS_WITH_METHOD: Final = re.compile(rf"(?:{'|'.join(METHODS)})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request, or a template of one."""

    method: str
    url: str
    """A path of the app's, or a whole address."""
    body: str = ""

    @property
    def content_type(self) -> str:
        """What the body is; empty where there is none."""
        if not self.body:
            return ""
        return "application/json" if self.body[0] in "{[" else "application/x-www-form-urlencoded"

    def __str__(self) -> str:
        """Return method and address."""
        return f"{self.method} {self.url}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command line, as a shell reads it, or a template of one."""

    line: str

    def __str__(self) -> str:
        """Return the line."""
        return self.line


Push = Request | Command


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedTo:
    """What one push is for."""

    room: int
    user: int
    n: int
    """How many-th it is for them."""


def read_push(template: str) -> Push:
    """Return the template of a request or a command; raises ValueError for what is meant as a request and is none."""
    text = template.strip()
    found = _REQUEST.fullmatch(text)
    if found and (found[1] or METHODS[0]) in METHODS:
        return Request(method=found[1] or METHODS[0], url=found[2], body=found[3] or "")
    if _BEGINS_WITH_METHOD.match(text):
        raise ValueError(f"{text!r} is no request; write POST /notify/{{room}}/ BODY, or http://... for the path")
    return Command(line=text)


def filled(push: Push, marker: str, to: PushedTo, payload_size: int = 0) -> Push:
    """Return what a template becomes for one push."""

    def fill(template: str, size: int) -> str:
        saying = Talk(message=template).of_user(room=to.room, user=to.user, payload_size=size)
        return str(saying.frame(marker, to.n))

    match push:
        case Request(method=method, url=url, body=body):
            return Request(method=method, url=fill(url, 0), body=fill(body, payload_size))
        case Command(line=line):
            return Command(line=fill(line, payload_size))


def is_for_one_user(template: str) -> bool:
    """Tell whether a push is for one user alone: it names a user and no room."""
    return USER in template and ROOM not in template


def check_push(template: str) -> str:
    """Return a template that can be a push, or "" for none; raises ValueError."""
    if template and MARKER not in template:
        raise ValueError(f"there is no {MARKER} in {template!r}, by which it is known what was sent because of it")
    if template:
        read_push(template)
    return template
