"""The configured layer: the channel layer that an app's own settings name, and whether its broker is there."""

import contextlib
import socket
from typing import Final

from loadtest.contract.inspection import Inspection
from loadtest.stack.errors import EnvironmentFailed

OF_REDIS: Final = "channels_redis."
"""So begins the BACKEND of a layer that can have a private broker."""
ANSWER_S: Final = 2.0


def require_broker(found: Inspection) -> None:
    """Raise EnvironmentFailed where nobody listens at an address at which the app's layer has its broker."""
    for address in found.layer_addresses:
        try:
            _connect(address)
        except OSError as error:
            raise EnvironmentFailed(
                f"nobody answers at {address}, where the app's settings have the broker of its channel layer "
                f"({found.layer}): {error.strerror or error}; start it, or say --broker private for one of our own"
            ) from error


def _connect(address: str) -> None:
    if address.startswith("/"):
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as sock:
            sock.settimeout(ANSWER_S)
            sock.connect(address)
        return
    host, _, port = address.rpartition(":")
    socket.create_connection((host, int(port)), ANSWER_S).close()
