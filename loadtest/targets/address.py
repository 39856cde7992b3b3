"""The address of a server that runs elsewhere, as it is given: ws:// or wss://, with the path of a consumer."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from loadtest.load.talk import ROOM, USER

_PORTS: Final = {"ws": 80, "wss": 443}


class NoAddress(ValueError):
    """That is no address that can be measured; the message says what to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a consumer of a server elsewhere is; {room} and {user} stand for numbers."""

    url: str

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        parts = self._parts
        return parts.hostname or "", parts.port or _PORTS[parts.scheme]

    @property
    def is_secure(self) -> bool:
        """Tell whether it is reached by TLS."""
        return self._parts.scheme == "wss"

    @property
    def pages(self) -> str:
        """Where the pages of the same server are: "https://example.com"."""
        return f"{'https' if self.is_secure else 'http'}://{self._parts.netloc}"

    @property
    def name(self) -> str:
        """A short name of what answers there: "ws-chat-lobby" of /ws/chat/lobby/."""
        return re.sub(r"\W+", "-", self._parts.path).strip("-")

    @property
    def of_first_room(self) -> str:
        """The address of room 0; {user} is left in it."""
        return self.url.replace(ROOM, "0")

    @property
    def of_first_user(self) -> str:
        """The address of the first user of all."""
        return self.of_first_room.replace(USER, "0")

    @property
    def _parts(self) -> SplitResult:
        return urlsplit(self.url)


def read_address(text: str) -> Address:
    """Return the address that a text is; raises NoAddress."""
    example = "write wss://example.com/ws/chat/lobby/, say"
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", text)
    except ValueError:  # brackets that do not match, or a port that is no number
        is_address = False
    if not is_address:
        raise NoAddress(f"that is no WebSocket address; {example}")
    if parts.username is not None or parts.fragment:
        raise NoAddress(
            "an address has no user and no fragment; what lets users in is for --header-file or --login-url"
        )
    if not re.search(r"\w", parts.path):
        raise NoAddress(f"the path of a consumer is missing; {example}")
    return Address(url=text)
