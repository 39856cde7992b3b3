"""Probed elsewhere: a server that runs elsewhere, with the probe in it, which the bench asks over HTTP."""

import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from loadtest.contract import Identity, ProcessResidue, Status
from loadtest.contract.elsewhere import Request
from loadtest.layers import CONFIGURED
from loadtest.ledger.reader import LedgerError, read_ledger
from loadtest.servers import ELSEWHERE
from loadtest.stack.errors import EnvironmentFailed
from loadtest.targets.clock import RoundTrip, offset_between
from loadtest.targets.prime import PROMPT_S
from loadtest.targets.probe_client import Busy, ProbeClient
from loadtest.targets.target import CollectedLedger, Reading, Setting

POLL_S: Final = 0.1
"""Between two questions whether connections are still open: each is a request to the server that is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeElsewhere:
    """The probe of a server elsewhere."""

    client: ProbeClient
    machine: str
    """The one that answered first."""
    told: str = ""
    """What the server calls itself in its answers."""
    is_probe: bool = True

    @classmethod
    def reached(cls, client: ProbeClient, told: str) -> "ProbeElsewhere":
        """Ask for it. Raises EnvironmentFailed where there is none that can be used."""
        return cls(client=client, machine=client.hello().machine, told=told)

    def watch(self, setting: Setting) -> "Watched":
        """Return what it tells in one trial."""
        return Watched(probe=self, setting=setting)


@dataclass(slots=True, kw_only=True)
class Watched:
    """What the probe tells in one trial."""

    probe: ProbeElsewhere
    setting: Setting
    _before: list[RoundTrip] = field(default_factory=list)
    _after: list[RoundTrip] = field(default_factory=list)
    _last_polled_s: float = 0.0

    @property
    def _client(self) -> ProbeClient:
        return self.probe.client

    def begin(self) -> None:
        """Have all processes record, and compare clocks. Raises EnvironmentFailed where one of them does not."""
        name = secrets.token_hex(8)  # no part of what is measured: two benches must not choose the same
        self._client.ledger = name
        begun = self._client.of_all(Request.BEGIN, Status)
        idle = [str(status.pid) for status in begun.answered if not status.ledger.endswith(name)]
        if begun.unanswered or idle:
            why = begun.unanswered or f"process {', '.join(idle)} does not; is its disk full?"
            raise EnvironmentFailed(f"not every process of the server records: {why}")
        self._before = self._client.round_trips(self.probe.machine)

    def require_alive(self) -> None:
        """Ask for the time, which tells the probe too that the bench lives; a busy server may not answer in time."""
        with suppress(Busy):
            self._client.ask(Request.CLOCK)

    def wait_until_forgotten(self) -> None:
        """Wait until the first message's connections are gone, but not long: those of others may be open as well."""
        deadline = time.monotonic() + PROMPT_S
        while time.monotonic() < deadline and self._open(lambda status: status.open) != 0:
            time.sleep(POLL_S)

    def open_connections(self) -> int | None:
        """Return how many of ours are open; others may use the server as well."""
        wait_s = self._last_polled_s + POLL_S - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        self._last_polled_s = time.monotonic()
        return self._open(lambda status: status.ours)

    def read_residue(self) -> Reading:
        """Return what each of its processes holds."""
        try:
            answers = self._client.of_all(Request.RESIDUE, ProcessResidue)
        except EnvironmentFailed as error:
            return Reading(processes=(), unknown=str(error))
        return Reading(processes=answers.answered, unknown=answers.unanswered)

    def end(self) -> None:
        """Compare clocks again, and have nothing more recorded; that it cannot be shows when the ledger is fetched."""
        if self._after:
            return
        with suppress(EnvironmentFailed):
            self._after = self._client.round_trips(self.probe.machine)
            self._client.of_all(Request.END, Status)

    def collect_ledger(self) -> CollectedLedger:
        """Return what was recorded, with how far its times may be off. Raises LedgerError."""
        assert self.setting.ledger is not None, "the target keeps no ledger"
        try:
            self._client.fetch_ledger(self.setting.ledger)
            offset = offset_between(self._before, self._after)
        except (EnvironmentFailed, ValueError) as error:
            raise LedgerError(f"it cannot be fetched: {error}") from error
        return CollectedLedger(
            records=read_ledger(self.setting.ledger, "server"),
            clock_offset_ns=offset.ahead_ns,
            clock_bound_ns=offset.bound_ns,
        )

    def identity(self) -> Mapping[str, str]:
        """Return the versions of what runs there."""
        answers = self._client.of_all(Request.IDENTITY, Identity)
        found = {f"server {ELSEWHERE.name}": f"it calls itself {self.probe.told}" if self.probe.told else "not known"}
        for told in answers.answered:
            package = told.layer.partition(".")[0]
            layer = f"{told.layer} {told.version_of(package)}" if told.layer else "none"
            found |= {f"layer {CONFIGURED.name}": layer}
            found |= {"target's python": told.python, "target's database": told.database}
            found |= {f"target's {name}": number for name, number in told.packages.items()}
        return found

    def forget(self) -> None:
        """Have nothing kept; where that cannot be said any more, the probe forgets by itself."""
        if self._client.ledger:
            with suppress(EnvironmentFailed):
                self._client.of_all(Request.FORGET, Status)
            self._client.ledger = ""
            self._client.close()

    def _open(self, count: Callable[[Status], int]) -> int | None:
        try:
            statuses = self._client.of_all(Request.STATUS, Status)
        except EnvironmentFailed:
            return None
        return None if statuses.silent else sum(map(count, statuses.answered))
