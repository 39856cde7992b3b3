"""Priming: one WebSocket through the whole app before anything is measured.

It proves that messages pass, and has the server make what it makes only once (threads, pools, a subscriber), so that
none of it is later taken for something left behind.
"""

import json
import time
from pathlib import Path

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from loadtest.stack.control import ask_status
from loadtest.stack.errors import EnvironmentFailed

ANSWER_S = 10.0
_POLL_S = 0.01


def prime(url: str, control: Path) -> None:
    """Send a message to a room of our own at `url`, see it come back, and wait until the server has forgotten us.

    Raises EnvironmentFailed when the message does not come back.
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
    deadline = time.monotonic() + ANSWER_S
    while any(status.open for status in ask_status(control).answered) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
