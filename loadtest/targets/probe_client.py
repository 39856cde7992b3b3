"""The client of a probe elsewhere: asks it over HTTP, and says in one sentence why it does not answer."""

import http.client
import json
import ssl
import threading
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic_ns
from typing import Final
from urllib.parse import urlencode, urlsplit

from loadtest.contract import Answer, AnswerError
from loadtest.contract.elsewhere import (
    MARK,
    ROUTES,
    TOKEN_VARIABLE,
    Hello,
    Request,
    read_files,
    read_heard,
    read_hello,
)
from loadtest.ledger.record import VERSION as LEDGER_VERSION
from loadtest.stack.errors import EnvironmentFailed
from loadtest.targets.clock import RoundTrip
from loadtest.targets.control import Answers, Silent
from loadtest.targets.opening import connection_to, why_not

ANSWER_S: Final = 15.0
"""The process that is asked gives each of its siblings 10 s."""
ROUND_TRIPS: Final = 32
"""Of a burst: the shortest of so many is near what the way takes at least, and they cost a few ms."""


class Busy(EnvironmentFailed):
    """It takes the question and does not answer it in time."""


@dataclass(slots=True, kw_only=True)
class ProbeClient:
    """Asks the probe behind the pages at an address; threads may share it, one at a time asks."""

    pages: str
    """Where the server's pages are: "https://example.com"."""
    token: str = field(repr=False)
    trust: ssl.SSLContext | None = None
    ledger: str = ""
    """The name of what is recorded for this bench; "" where nothing is."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def hello(self) -> Hello:
        """Return what answers. Raises EnvironmentFailed where that is no probe of this release, or sees too little."""
        hello = self._read_hello(self.ask(Request.CLOCK))
        if hello.ledger_version != LEDGER_VERSION:
            raise EnvironmentFailed(
                f"the probe at {self.pages} writes ledgers of version {hello.ledger_version}, and this bench reads "
                f"version {LEDGER_VERSION}; install the same release of channels-loadtest on both sides"
            )
        if not hello.is_watching:
            raise EnvironmentFailed(
                f'the probe at {self.pages} sees connections and no consumers; put "loadtest.probe" in INSTALLED_APPS '
                "there too"
            )
        return hello

    def round_trips(self, machine: str) -> list[RoundTrip]:
        """Compare clocks; EnvironmentFailed where another machine answers than before."""
        return [self._round_trip(machine) for _ in range(ROUND_TRIPS)]

    def of_all(self, request: Request, kind: type[Answer]) -> Answers[Answer]:
        """Return what the processes of the server answer."""
        try:
            answered, silent = read_heard(self.ask(request), kind)
        except AnswerError as error:
            raise EnvironmentFailed(f"the probe at {self.pages}: {error}") from error
        return Answers(answered=tuple(answered), silent=tuple(Silent(pid=one.pid, why=one.why) for one in silent))

    def fetch_ledger(self, folder: Path) -> None:
        """Copy the files of the ledger into a folder. Raises EnvironmentFailed, or OSError of this machine's disk."""
        try:
            for file in read_files(self.ask(Request.LEDGER)):
                packed = self.ask(Request.LEDGER, file=file.name)
                (folder / Path(file.name).name).write_bytes(zlib.decompress(packed))
        except (AnswerError, zlib.error) as error:
            raise EnvironmentFailed(f"the ledger cannot be had from the probe at {self.pages}: {error}") from error

    def ask(self, request: Request, **query: str) -> bytes:
        """Return the body of an answer. Raises EnvironmentFailed, with what to do."""
        with self._lock:
            try:
                response, body = self._exchange(request, query)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                raise _unanswered(self.pages, error) from error
            except BaseException:  # Ctrl-C: what is left of an answer must not be taken for the next one
                self.close()
                raise
        if response.getheader(MARK) is None:
            raise EnvironmentFailed(
                f"no probe answers at {self.pages}{ROUTES} (HTTP {response.status}): {TOKEN_VARIABLE} has to be in the "
                "environment of the server, its outermost application in loadtest.probe.Probe(...), and a proxy before "
                "it has to pass this path on"
            )
        if response.status == http.HTTPStatus.FORBIDDEN:
            raise EnvironmentFailed(
                f"the probe at {self.pages} refuses the token: {TOKEN_VARIABLE} is another one in the environment of "
                "the server"
            )
        if response.status != http.HTTPStatus.OK:
            raise EnvironmentFailed(f"the probe at {self.pages} refuses: {_said(body)}")
        return body

    def close(self) -> None:
        """Close the connection; the next question opens another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, request: Request, query: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
        """Ask once, and once again where a connection that was kept has been closed meanwhile."""
        named = {"ledger": self.ledger, **query} if self.ledger else query
        target = f"{ROUTES}{request.value}" + (f"?{urlencode(named)}" if named else "")
        headers = {"Authorization": f"Bearer {self.token}", "Content-Length": "0"}
        was_kept = self._connection is not None
        try:
            return self._send(target, headers)
        except (http.client.RemoteDisconnected, ConnectionError):
            if not was_kept:
                raise
            self.close()
            return self._send(target, headers)

    def _send(self, target: str, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
        if self._connection is None:
            parts = urlsplit(self.pages)
            self._connection = connection_to(parts.scheme, parts.netloc, self.trust, timeout_s=ANSWER_S)
        self._connection.request("POST", target, headers=headers)
        response = self._connection.getresponse()
        return response, response.read()

    def _round_trip(self, machine: str) -> RoundTrip:
        asked_ns = monotonic_ns()
        body = self.ask(Request.CLOCK)
        answered_ns = monotonic_ns()
        hello = self._read_hello(body)
        if hello.machine != machine:
            raise EnvironmentFailed(
                f"several machines or containers answer at {self.pages}, and the processes of one only are known to "
                "its probe; give --target the address of one of them"
            )
        return RoundTrip(asked_ns=asked_ns, theirs_ns=hello.time_ns, answered_ns=answered_ns)

    def _read_hello(self, body: bytes) -> Hello:
        try:
            return read_hello(body)
        except AnswerError as error:
            raise EnvironmentFailed(f"{self.pages}: {error}") from error


def _unanswered(pages: str, error: Exception) -> EnvironmentFailed:
    kind = Busy if isinstance(error, TimeoutError) else EnvironmentFailed
    return kind(f"the probe at {pages} does not answer: {why_not(error)}")


def _said(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return repr(body[:200])
