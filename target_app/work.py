"""Handler work: what a consumer does with each message besides answering, named in its connection's query string.

`?work=none`, `?work=sleep:20` (ms), `?work=cpu:5` (ms of CPU) or `?work=orm` (one query).
"""

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import parse_qs

from loadtest.contract.work import WorkError, WorkKind, read_work
from target_app.presence.models import Presence

REFUSED = 4400
"""Close code for a query string that names no work (4000-4999 are the application's: RFC 6455 section 7.4.2)."""


class UnknownWork(ValueError):
    """The query string names no handler work that there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What to do with each message; `ms` counts for sleep and cpu only."""

    kind: WorkKind = "none"
    ms: int = 0

    def run(self) -> None:
        """Do the work in a sync handler: everything blocks its thread."""
        match self.kind:
            case "none":
                pass
            case "sleep":
                time.sleep(self.ms / 1000)
            case "cpu":
                burn_cpu(self.ms)
            case "orm":
                Presence.objects.filter(online=True).first()

    async def arun(self) -> None:
        """Do the work in an async handler: sleeping and querying let others run, burning CPU does not."""
        match self.kind:
            case "none":
                pass
            case "sleep":
                await asyncio.sleep(self.ms / 1000)
            case "cpu":
                burn_cpu(self.ms)
            case "orm":
                await Presence.objects.filter(online=True).afirst()


def parse_work(query_string: bytes) -> Work:
    """Return the work that an ASGI scope's query string asks for; none when it does not say. Raises UnknownWork."""
    name = parse_qs(query_string.decode("latin-1"), keep_blank_values=True).get("work", ["none"])[-1]
    try:
        asked = read_work(name)
    except WorkError as error:
        raise UnknownWork(f"work: {error}") from None
    return Work(kind=asked.kind, ms=asked.ms)


def burn_cpu(ms: int) -> None:
    """Spend `ms` of this thread's own CPU time, however long that takes on a busy machine."""
    until = time.thread_time() + ms / 1000
    while time.thread_time() < until:
        pass
