"""Priming: one WebSocket through the whole app before anything is measured.

It proves that messages pass, and has the server make what it makes only once (threads, pools, a subscriber), so that
none of it is later taken for something left behind.
"""

import json
import time
from pathlib import Path

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from loadtest.stack.errors import EnvironmentFailed
from loadtest.targets.control import ask_residue, ask_status

ANSWER_S = 10.0
PROMPT_S = 1.0
"""Nobody else is there yet, so a consumer that ends by itself has ended by then, or is handling its disconnect."""
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
    wait_until_forgotten(control)


def wait_until_forgotten(control: Path) -> None:
    """Wait until no process holds a connection, or those that do are in no handler that may return."""
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
