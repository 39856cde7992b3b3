"""Handler work: what a consumer does with each message besides answering, named in its connection's query string.

`?work=none`, `?work=sleep:20` (ms), `?work=cpu:5` (ms of CPU) or `?work=orm` (one query).
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import parse_qs

from target_app.presence.models import Presence

Kind = Literal["none", "sleep", "cpu", "orm"]
TIMED: tuple[Kind, ...] = ("sleep", "cpu")
MAX_MS = 60_000
"""A handler that works for more than a minute a message is a typing error, and would hold a trial up."""

REFUSED = 4400
"""Close code for a query string that names no work (4000-4999 are the application's: RFC 6455 section 7.4.2)."""


class UnknownWork(ValueError):
    """The query string names no handler work that there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What to do with each message; `ms` counts for sleep and cpu only."""

    kind: Kind = "none"
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
    values = parse_qs(query_string.decode("latin-1"), keep_blank_values=True).get("work", ["none"])
    kind, _, ms = values[-1].partition(":")
    if kind not in get_args(Kind):
        raise UnknownWork(f"work={values[-1]} is none of none, sleep:MS, cpu:MS, orm")
    if kind not in TIMED:
        if ms:
            raise UnknownWork(f"work={kind} takes no number")
        return Work(kind=kind)
    if not (ms.isascii() and ms.isdigit() and len(ms) < 10 and int(ms) <= MAX_MS):
        raise UnknownWork(f"work={kind} needs whole milliseconds up to {MAX_MS}: work={kind}:5")
    return Work(kind=kind, ms=int(ms))


def burn_cpu(ms: int) -> None:
    """Spend `ms` of this thread's own CPU time, however long that takes on a busy machine."""
    until = time.thread_time() + ms / 1000
    while time.thread_time() < until:
        pass
