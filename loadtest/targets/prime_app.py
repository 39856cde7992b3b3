"""Priming of a user's own app: a message goes to whom it is said to reach, before anything is measured.

Where it does not, nothing that is measured would mean anything, and what came instead tells why.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from loadtest.load.entry import Entry
from loadtest.load.markers import find_marker, marker_of
from loadtest.load.push import Command, Push, PushedTo, Request, filled, read_push
from loadtest.pushes import Outcome
from loadtest.pushes.requests import base_of, send_request
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import short_folder
from loadtest.targets.opening import open_as_user
from loadtest.targets.prime import ANSWER_S, wait_until_forgotten
from loadtest.targets.push_command import StartCommand, run_command_of
from loadtest.targets.speaking import Frame, Speaker

SECOND_S: Final = 0.3
"""An acknowledgement comes with the message: both are made by the same handler, and nobody else is there."""
LISTEN_S: Final = 2.0
"""For a message to come to another member, where it has not come to its sender: an idle app takes some ms."""
TOLD_FRAMES: Final = 3
TOLD_LENGTH: Final = 200
"""Of frames that came instead of the one that was waited for: enough to see what they are."""
SENDER, OTHER = 0, 1
_ELSEWHERE: Final = "a command runs in a process of its own, which a channel layer in memory does not reach"


def prime_app(
    speakers: Sequence[Speaker], push: str, url: str, control: Path, entry: Entry, start: StartCommand
) -> None:
    """Send a message through the app at `url`, see it come to whom it reaches, and wait to be forgotten.

    Where something else has the app send, push instead. Raises EnvironmentFailed as `send_through` does.
    """
    for speaker in speakers:
        if push:
            push_through(speaker, push, url, entry, start)
        else:
            send_through(speaker, url, entry)
    wait_until_forgotten(control)


def push_through(speaker: Speaker, push: str, url: str, entry: Entry, start: StartCommand) -> None:
    """Join at `url` as users do, push, and see the marker come; EnvironmentFailed when it does not."""
    with _member(speaker, url, entry, SENDER) as listener:
        _comes_by_push(listener, read_push(push), entry, start)


def send_through(speaker: Speaker, url: str, entry: Entry) -> None:
    """Join at `url` as users do, send a message, and see its marker come to whom it reaches.

    Raises EnvironmentFailed, with what came instead, when the marker does not come, or comes to somebody whom it
    should not reach.
    """
    member = partial(_member, speaker, url, entry)
    with ExitStack() as opened:
        match speaker.reaches:
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
            f"the marker of a message did not come back from {sender.url} within {ANSWER_S:.0f} s; "
            f"{sender.said}; {sender.heard}; {_why(sender, marker) or _who_else(sender, member)}"
        )
    _require_one(sender, marker, came)


def _why(receiver: "_Member", marker: str) -> str:
    """Say that the marker did come, where it stands in a frame that was taken for something else; else ""."""
    frame = receiver.frame_with(marker)
    return "" if frame is None else f"{receiver.speaker.overlooked}: {_shown(frame)}"


def _comes_by_push(listener: "_Member", template: Push, entry: Entry, start: StartCommand) -> None:
    marker = marker_of(1, time.monotonic_ns())
    push = filled(template, marker, PushedTo(room=0, user=SENDER, n=1))
    outcome = _carry_out(push, listener.url, entry, start)
    if outcome.kind != "ok":
        raise EnvironmentFailed(f"--push: {push} failed: {outcome.said}")
    came = listener.wait_for(marker, ANSWER_S)
    if came is None:
        elsewhere = f"; {_ELSEWHERE}" if isinstance(push, Command) else ""
        raise EnvironmentFailed(
            f"--push: {push} was carried out ({outcome.said}), and its marker did not come to a user at "
            f"{listener.url} within {ANSWER_S:.0f} s; {listener.heard}{elsewhere}"
        )
    _require_one(listener, marker, came)


def _carry_out(push: Push, url: str, entry: Entry, start: StartCommand) -> Outcome:
    match push:
        case Request():
            return send_request(push, base_of(url), entry.of_request(SENDER))
        case Command():
            with short_folder() as folder:
                return run_command_of(start, push, folder / "command.log")


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
        f"another user did not get it either; {sender.speaker.advice}, and --reaches nobody that the app passes "
        "nothing on and sends by itself only"
    )


def _comes_to(other: "_Member", sender: "_Member") -> None:
    marker = sender.say(1)
    came = other.wait_for(marker, ANSWER_S)
    if came is None:
        raise EnvironmentFailed(
            f"the marker of a message did not come to another user at {other.url} within {ANSWER_S:.0f} s; "
            f"{'; '.join(filter(None, (sender.said, f'there {other.heard}', _why(other, marker))))}; at its sender "
            f"{sender.heard}"
        )
    _require_one(other, marker, came)
    if (back := sender.wait_for(marker, SECOND_S)) is not None:
        raise EnvironmentFailed(
            f"the marker of a message came back to its sender too, in {_shown(back)}; leave out --reaches others, or "
            f"else {sender.speaker.ack_advice}"
        )


def _comes_to_nobody(sender: "_Member") -> None:
    if (back := sender.wait_for(sender.say(1), SECOND_S)) is not None:
        raise EnvironmentFailed(
            f"the marker of a message came back to its sender, in {_shown(back)}; leave out --reaches nobody, or else "
            f"{sender.speaker.ack_advice}"
        )


def _require_one(receiver: "_Member", marker: str, came: Frame) -> None:
    """Raise EnvironmentFailed where the same message comes a second time in a moment, as an answer to it, say."""
    second = receiver.wait_for(marker, SECOND_S)
    if second is not None:
        raise EnvironmentFailed(
            f"the marker of one message came back in two frames, {_shown(came)} and {_shown(second)}; "
            f"{receiver.speaker.ack_advice}"
        )


_Opening = Callable[[int], AbstractContextManager["_Member"]]
"""Gives the user of a number, who has joined."""


class _Member:
    """A user that has joined, and what has come to it so far."""

    def __init__(self, ws: ClientConnection, speaker: Speaker, url: str, user: int) -> None:
        self.speaker = speaker
        self.url = url
        self._ws = ws
        self._user = user
        self._sent: Frame = ""
        self._frames: list[Frame] = []

    def join(self) -> None:
        """Send what users send first, and wait for what answers it."""
        for frame in self.speaker.joining(self._user):
            self._ws.send(frame)
        awaited = self.speaker.awaited
        if awaited and self._wait(partial(self.speaker.is_expected, self._user), ANSWER_S) is None:
            raise EnvironmentFailed(f"{awaited} at {self.url} within {ANSWER_S:.0f} s; {self.heard}")

    def say(self, number: int) -> str:
        """Send the message of that number and return its marker."""
        marker = marker_of(number, time.monotonic_ns())
        self._sent = self.speaker.frame(self._user, marker, number)
        with self._telling():
            self._ws.send(self._sent)
        return marker

    def wait_for(self, marker: str, for_s: float) -> Frame | None:
        """Wait for the message of a marker and return its frame; None where it does not come in that time."""
        with self._telling():
            return self._wait(lambda frame: self.speaker.find(self._user, frame) == marker, for_s)

    def frame_with(self, marker: str) -> Frame | None:
        """Return a frame that came, was not taken for the message of a marker, and has that marker in it."""
        return next((frame for frame in reversed(self._frames) if find_marker(frame) == marker), None)

    @property
    def said(self) -> str:
        """What was sent last."""
        without = "" if find_marker(self._sent) else ", in which the marker cannot be seen"
        return f"what was sent{without}: {_shown(self._sent)}"

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
def _member(speaker: Speaker, target: str, entry: Entry, user: int) -> Iterator[_Member]:
    """Give a user that has joined; EnvironmentFailed where it cannot."""
    url = speaker.address(target, user)
    ws = open_as_user(url, entry, user)
    with ws:
        member = _Member(ws, speaker, url, user)
        with member._telling():
            member.join()
        yield member


def _shown(frame: Frame) -> str:
    return repr(frame[:TOLD_LENGTH])
