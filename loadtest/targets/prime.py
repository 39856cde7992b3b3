"""Priming: one WebSocket through the whole app before anything is measured.

It proves that messages pass, and has the server make what it makes only once (threads, pools, a subscriber), so that
none of it is later taken for something left behind.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from loadtest.load.markers import marker_of
from loadtest.load.talk import Talk
from loadtest.stack.errors import EnvironmentFailed
from loadtest.targets.control import ask_residue, ask_status

ANSWER_S = 10.0
PROMPT_S = 1.0
"""Nobody else is there yet, so a consumer that ends by itself has ended by then, or is handling its disconnect."""
SECOND_S = 0.3
"""An acknowledgement comes with the message: both are made by the same handler, and nobody else is there."""
TOLD_FRAMES = 3
TOLD_LENGTH = 200
"""Of frames that came instead of the one that was waited for: enough to see what they are."""
_POLL_S = 0.01


def prime(url: str, control: Path) -> None:
    """Send a message to a room of our own at `url`, see it come back, and wait until the server has forgotten us.

    A consumer that does not end is waited for only as long as it handles something. Raises EnvironmentFailed when the
    message does not come back.
    """
    message = json.dumps({"message": "prime"})
    try:
        with connect(url, open_timeout=ANSWER_S, close_timeout=ANSWER_S, compression=None, proxy=None) as ws:
            ws.send(message)
            if ws.recv(timeout=ANSWER_S) != message:
                raise EnvironmentFailed(f"{url} answers with something else than what was sent to its room")
    except (OSError, WebSocketException) as error:  # TimeoutError is an OSError
        raise EnvironmentFailed(
            f"no message comes back from {url} ({error}); see the server's log, and whether its channel layer works"
        ) from error
    _wait_until_forgotten(control)


def prime_app(talk: Talk, url: str, control: Path) -> None:
    """Join at `url` as a user does, send a message, see its marker come back, and wait until we are forgotten.

    Raises EnvironmentFailed, with what came instead, when the marker does not come back.
    """
    marker, heard = marker_of(1, time.monotonic_ns()), _Heard()
    try:
        origin = f"http://{urlsplit(url).netloc}"
        with connect(
            url, origin=Origin(origin), open_timeout=ANSWER_S, close_timeout=ANSWER_S, compression=None, proxy=None
        ) as ws:
            for frame in talk.joining(room=0, user=0):
                ws.send(frame)
            if talk.expect:
                heard.wait_for(ws, talk.is_expected, f"no frame with {talk.expect!r} came after joining at {url}")
            ws.send(talk.of_user(room=0, user=0).frame(marker, 1))
            came = heard.wait_for(
                ws,
                lambda frame: talk.find(frame) == marker,
                f"the marker of a message did not come back from {url}",
            )
            _require_one(came, ws, lambda frame: talk.find(frame) == marker)
    except ConnectionClosed as error:
        raise EnvironmentFailed(f"the app closed the connection to {url} ({error}); {heard}") from error
    except (OSError, WebSocketException) as error:
        raise EnvironmentFailed(f"{url} cannot be opened: {error}") from error
    _wait_until_forgotten(control)


def _require_one(came: str | bytes, ws: ClientConnection, is_it: Callable[[str | bytes], bool]) -> None:
    """Listen on for a moment; EnvironmentFailed where the same message comes a second time, as an answer to it, say."""
    deadline = time.monotonic() + SECOND_S
    while (left_s := deadline - time.monotonic()) > 0:
        try:
            second = ws.recv(timeout=left_s)
        except TimeoutError:
            return
        if is_it(second):
            raise EnvironmentFailed(
                f"the marker of one message came back in two frames, {came[:TOLD_LENGTH]!r} and "
                f"{second[:TOLD_LENGTH]!r}; --ack 'TEXT' says by which text an acknowledgement is known"
            )


class _Heard:
    """What has come so far, told in an error."""

    def __init__(self) -> None:
        self._frames: list[str | bytes] = []

    def wait_for(self, ws: ClientConnection, is_it: Callable[[str | bytes], bool], otherwise: str) -> str | bytes:
        """Wait for a frame, for ANSWER_S in all, and return it; EnvironmentFailed with what came instead."""
        deadline = time.monotonic() + ANSWER_S
        while True:
            try:
                frame = ws.recv(timeout=max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                raise EnvironmentFailed(f"{otherwise} within {ANSWER_S:.0f} s; {self}") from None
            if is_it(frame):
                return frame
            self._frames.append(frame)

    def __str__(self) -> str:
        told = [repr(frame[:TOLD_LENGTH]) for frame in self._frames[:TOLD_FRAMES]]
        more = f" and {len(self._frames) - TOLD_FRAMES} more" if len(self._frames) > TOLD_FRAMES else ""
        return f"what came: {', '.join(told)}{more}" if told else "nothing came"


def _wait_until_forgotten(control: Path) -> None:
    if not _has_forgotten(control, PROMPT_S) and _may_still_end(control):
        _has_forgotten(control, ANSWER_S)


def _has_forgotten(control: Path, within_s: float) -> bool:
    """Wait until no process holds a connection; False when one still does after that time."""
    deadline = time.monotonic() + within_s
    while any(status.open for status in ask_status(control).answered):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _may_still_end(control: Path) -> bool:
    """Tell whether a consumer is in a handler that may return; one that waits for a message gets none any more."""
    answers = ask_residue(control)
    told = [residue.busy for residue in answers.answered]
    return bool(answers.silent) or any(busy is None or any(busy.values()) for busy in told)
