"""The meeting place: a folder that the processes of one server share, with what is to be recorded and the ledger.

Each request of the bench meets one of them. What it asks for is written down here, so that all of them find it, those
that start later too; and their control sockets and ledgers are here, so that each can speak for all.
"""

import hashlib
import json
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic_ns
from typing import Final

from loadtest.contract.elsewhere import LEASE_S, SHARED_VARIABLE

_STATE: Final = "asked.json"
_LEDGERS: Final = "ledger-"
_NS: Final = 1_000_000_000
_LEASE_NS: Final = round(LEASE_S * _NS)
_RENEW_NS: Final = _LEASE_NS // 10
"""A lease is renewed when so much of it is over: the file is not written with every request."""


class Occupied(Exception):
    """Another bench has this server record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a bench has asked for, and until when that counts (CLOCK_MONOTONIC, which all processes share)."""

    name: str
    is_recording: bool
    until_ns: int


class Meeting:
    """The folder; raises OSError where it cannot be used."""

    def __init__(self, folder: Path, now_ns: Callable[[], int] = monotonic_ns) -> None:
        """Make the folder, for this user alone; PermissionError where it is somebody else's."""
        self.folder = folder
        self._now_ns = now_ns
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise PermissionError(f"{folder} has to be a folder of this user, with mode 0700")
        self.machine = f"{socket.gethostname()}-{found.st_ino}"
        """Tells this folder from one of another machine or container."""

    @property
    def asked(self) -> Asked | None:
        """What a bench has asked for; None where none has, or not for so long that it must have died."""
        try:
            asked = Asked(**json.loads((self.folder / _STATE).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None
        left_ns = asked.until_ns - self._now_ns()
        return asked if 0 < left_ns <= _LEASE_NS else None  # more is left where the machine was started anew

    @property
    def ledger(self) -> Path | None:
        """The folder to record into; None: nothing is to be recorded."""
        asked = self.asked
        return self._ledger_of(asked.name) if asked and asked.is_recording else None

    @property
    def recorded(self) -> Path | None:
        """The folder of what was recorded last, whether that goes on or has ended."""
        asked = self.asked
        return self._ledger_of(asked.name) if asked else None

    def begin(self, name: str) -> None:
        """Have all processes record into a new ledger of that name; Occupied while another one is."""
        asked = self.asked
        if asked is not None and asked.name == name:
            return  # a request that had to be sent again
        if asked is not None and asked.is_recording:
            raise Occupied(f"another bench measures this server; if it has died, wait {LEASE_S:.0f} s and try again")
        self.forget()
        self._ledger_of(name).mkdir(mode=0o700)
        self._write(Asked(name=name, is_recording=True, until_ns=self._now_ns() + _LEASE_NS))

    def renew(self, name: str) -> None:
        """Take in that the bench lives whose ledger has that name."""
        asked = self.asked
        until_ns = self._now_ns() + _LEASE_NS
        if asked is not None and asked.name == name and until_ns - asked.until_ns > _RENEW_NS:
            self._write(Asked(name=asked.name, is_recording=asked.is_recording, until_ns=until_ns))

    def end(self) -> None:
        """Have nothing more recorded; what was is kept for a while."""
        asked = self.asked
        if asked is not None:
            self._write(Asked(name=asked.name, is_recording=False, until_ns=self._now_ns() + _LEASE_NS))

    def forget(self) -> None:
        """Remove what was asked for and all that was recorded."""
        (self.folder / _STATE).unlink(missing_ok=True)
        for ledger in self.folder.glob(f"{_LEDGERS}*"):
            shutil.rmtree(ledger, ignore_errors=True)

    def tidy(self) -> None:
        """Remove what a bench that died has left."""
        if (self.folder / _STATE).exists() and self.asked is None:
            self.forget()

    def _ledger_of(self, name: str) -> Path:
        return self.folder / f"{_LEDGERS}{name}"

    def _write(self, asked: Asked) -> None:
        """Write it whole or not at all: other processes read it at any time."""
        new = self.folder / f"{_STATE}.{os.getpid()}"
        new.write_text(json.dumps(asdict(asked)))
        new.replace(self.folder / _STATE)


def meeting_of(token: str) -> Meeting:
    """Return the meeting place of all processes that were started with that token by this user."""
    if folder := os.environ.get(SHARED_VARIABLE):
        return Meeting(Path(folder))
    known_by = hashlib.blake2b(token.encode(), digest_size=6, person=b"loadtest").hexdigest()
    return Meeting(Path(tempfile.gettempdir()) / f"loadtest-{os.geteuid()}-{known_by}")
