"""Priming of a user's own app: a message goes to whom it is said to reach, before anything is measured.

Where it does not, nothing that is measured would mean anything, and what came instead tells why.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from loadtest.load.entry import Entry
from loadtest.load.markers import marker_of
from loadtest.load.talk import USER, Talk
from loadtest.stack.errors import EnvironmentFailed
from loadtest.targets.opening import open_as_user
from loadtest.targets.prime import ANSWER_S, wait_until_forgotten

SECOND_S: Final = 0.3
"""An acknowledgement comes with the message: both are made by the same handler, and nobody else is there."""
LISTEN_S: Final = 2.0
"""For a message to come to another member, where it has not come to its sender: an idle app takes some ms."""
TOLD_FRAMES: Final = 3
TOLD_LENGTH: Final = 200
"""Of frames that came instead of the one that was waited for: enough to see what they are."""
SENDER, OTHER = 0, 1

Frame = str | bytes


def prime_app(talk: Talk, url: str, control: Path, entry: Entry) -> None:
    """Send a message through the app at `url`, see it come to whom it reaches, and wait to be forgotten.

    Raises EnvironmentFailed as `send_through` does.
    """
    send_through(talk, url, entry)
    wait_until_forgotten(control)


def send_through(talk: Talk, url: str, entry: Entry) -> None:
    """Join at `url` as users do, send a message, and see its marker come to whom it reaches.

    In the address {user} stands for the user's number. Raises EnvironmentFailed, with what came instead, when the
    marker does not come, or comes to somebody whom it should not reach.
    """
    member = partial(_member, talk, url, entry)
    with ExitStack() as opened:
        match talk.reaches:
            case "everyone":
                _comes_back(opened.enter_context(member(SENDER)), member)
            case "others":
                other = opened.enter_context(member(OTHER))
                _comes_to(other, opened.enter_context(member(SENDER)))
            case "nobody":
                _comes_to_nobody(opened.enter_context(member(SENDER)))


def _comes_back(sender: "_Member", member: "_Opening") -> None:
    marker = sender.say(1)
    came = sender.wait_for(marker, ANSWER_S)
    if came is None:
        raise EnvironmentFailed(
            f"the marker of a message did not come back from {sender.url} within {ANSWER_S:.0f} s; {sender.heard}; "
            f"{_who_else(sender, member)}"
        )
    _require_one(sender, marker, came)


def _who_else(sender: "_Member", member: "_Opening") -> str:
    """Return who gets a message, where its sender does not, and which option says so."""
    try:
        with member(OTHER) as other:
            came = other.wait_for(sender.say(2), LISTEN_S)
    except EnvironmentFailed as error:
        return f"whether another user gets it is not known: {error}"
    if came is not None:
        return f"another user got it, as {_shown(came)}: where that is meant, say --reaches others"
    return (
        "another user did not get it either; --message says what users send, --join what they send before, and "
        "--reaches nobody that the app passes nothing on and sends by itself only"
    )


def _comes_to(other: "_Member", sender: "_Member") -> None:
    marker = sender.say(1)
    came = other.wait_for(marker, ANSWER_S)
    if came is None:
        raise EnvironmentFailed(
            f"the marker of a message did not come to another user at {other.url} within {ANSWER_S:.0f} s; there "
            f"{other.heard}; at its sender {sender.heard}"
        )
    _require_one(other, marker, came)
    if (back := sender.wait_for(marker, SECOND_S)) is not None:
        raise EnvironmentFailed(
            f"the marker of a message came back to its sender too, in {_shown(back)}; leave out --reaches others, or "
            "say with --ack 'TEXT' by which text an acknowledgement is known"
        )


def _comes_to_nobody(sender: "_Member") -> None:
    if (back := sender.wait_for(sender.say(1), SECOND_S)) is not None:
        raise EnvironmentFailed(
            f"the marker of a message came back to its sender, in {_shown(back)}; leave out --reaches nobody, or say "
            "with --ack 'TEXT' by which text an acknowledgement is known"
        )


def _require_one(receiver: "_Member", marker: str, came: Frame) -> None:
    """Raise EnvironmentFailed where the same message comes a second time in a moment, as an answer to it, say."""
    second = receiver.wait_for(marker, SECOND_S)
    if second is not None:
        raise EnvironmentFailed(
            f"the marker of one message came back in two frames, {_shown(came)} and {_shown(second)}; --ack 'TEXT' "
            "says by which text an acknowledgement is known"
        )


_Opening = Callable[[int], AbstractContextManager["_Member"]]
"""Gives the user of a number, who has joined."""


class _Member:
    """A user that has joined, and what has come to it so far."""

    def __init__(self, ws: ClientConnection, talk: Talk, url: str, user: int) -> None:
        self.talk = talk
        self.url = url
        self._ws = ws
        self._user = user
        self._frames: list[Frame] = []

    def join(self) -> None:
        """Send what users send first, and wait for what answers it."""
        for frame in self.talk.joining(room=0, user=self._user):
            self._ws.send(frame)
        if self.talk.expect and self._wait(self.talk.is_expected, ANSWER_S) is None:
            raise EnvironmentFailed(
                f"no frame with {self.talk.expect!r} came after joining at {self.url} within {ANSWER_S:.0f} s; "
                f"{self.heard}"
            )

    def say(self, number: int) -> str:
        """Send the message of that number and return its marker."""
        marker = marker_of(number, time.monotonic_ns())
        with self._telling():
            self._ws.send(self.talk.of_user(room=0, user=self._user).frame(marker, number))
        return marker

    def wait_for(self, marker: str, for_s: float) -> Frame | None:
        """Wait for the message of a marker and return its frame; None where it does not come in that time."""
        with self._telling():
            return self._wait(lambda frame: self.talk.find(frame) == marker, for_s)

    @property
    def heard(self) -> str:
        """What came that was not waited for."""
        told = [_shown(frame) for frame in self._frames[:TOLD_FRAMES]]
        more = f" and {len(self._frames) - TOLD_FRAMES} more" if len(self._frames) > TOLD_FRAMES else ""
        return f"what came: {', '.join(told)}{more}" if told else "nothing came"

    def _wait(self, is_it: Callable[[Frame], bool], for_s: float) -> Frame | None:
        deadline = time.monotonic() + for_s
        while True:
            try:
                frame = self._ws.recv(timeout=max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                return None
            if is_it(frame):
                return frame
            self._frames.append(frame)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Raise EnvironmentFailed, with what came before, where the app closes the connection."""
        try:
            yield
        except ConnectionClosed as error:
            raise EnvironmentFailed(f"the app closed the connection to {self.url} ({error}); {self.heard}") from error


@contextmanager
def _member(talk: Talk, template: str, entry: Entry, user: int) -> Iterator[_Member]:
    """Give a user that has joined; EnvironmentFailed where it cannot."""
    url = template.replace(USER, str(user))
    ws = open_as_user(url, entry, user)
    with ws:
        member = _Member(ws, talk, url, user)
        with member._telling():
            member.join()
        yield member


def _shown(frame: Frame) -> str:
    return repr(frame[:TOLD_LENGTH])
