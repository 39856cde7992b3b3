"""Metrics: what the probe counts in production, as prometheus_client keeps and shows it.

The library is imported when metrics are asked for; whoever asks has it. It is the library's own registry that they are
in, so that an app that has an endpoint shows them there; and its own mode for several processes
(PROMETHEUS_MULTIPROC_DIR) in which any worker shows the sum of all.
"""

import contextlib
import functools
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

NOBODY: Final = ""
"""Stands for the consumer of a connection that reached none of Channels."""
CAUSES: Final = ("send", "raised", "cancelled", "returned")
"""How a task ended without disconnect(): a send to the client that was gone raised, something else raised, the server
cancelled it, or the application returned."""
STALLS_S: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""The histogram's borders, from what a person notices to what ends connections by a ping's timeout."""
FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client's own."""
_LIVE_FILE: Final = re.compile(r"gauge_live\w+_(\d+)\.db")


@dataclass(frozen=True, slots=True)
class OfConsumer:
    """The counters of one consumer's connections, each a Counter or Gauge of prometheus_client."""

    opened: Any
    connections: Any
    ended: Any
    without_disconnect: Mapping[str, Any]
    """By cause."""
    disconnect_raised: Any
    imagined: Any
    imagined_heard: Any


class Metrics:
    """All metrics of a process, registered."""

    def __init__(self, registry: Any = None) -> None:
        """Register in the default registry, or in this one; ImportError without the library, and what to do."""
        try:
            from prometheus_client import REGISTRY, Counter, Gauge, Histogram
        except ImportError as error:
            raise ImportError(
                "Probe(..., metrics=True) needs the package prometheus-client in the interpreter of the server: "
                "pip install prometheus-client"
            ) from error
        by_consumer: dict[str, Any] = {"labelnames": ("consumer",), "registry": registry or REGISTRY}
        by_cause = {**by_consumer, "labelnames": ("consumer", "cause")}
        self._opened = Counter("loadtest_probe_connections_opened", "WebSockets that were accepted", **by_consumer)
        self._connections = Gauge(
            "loadtest_probe_connections",
            "Accepted WebSockets whose application task has not ended",
            multiprocess_mode="livesum",
            **by_consumer,
        )
        self._ended = Counter(
            "loadtest_probe_connections_ended", "Accepted WebSockets whose application task has ended", **by_consumer
        )
        self._without_disconnect = Counter(
            "loadtest_probe_ended_without_disconnect",
            "Of those that ended: the consumer's disconnect() was never called",
            **by_cause,
        )
        self._disconnect_raised = Counter(
            "loadtest_probe_disconnect_raised", "Calls of disconnect() that ended with an exception", **by_consumer
        )
        self._imagined = Counter(
            "loadtest_probe_imagined_drops",
            "Open connections of which, at a random moment, it was asked what a drop just now would meet",
            **by_consumer,
        )
        self._imagined_heard = Counter(
            "loadtest_probe_imagined_drops_heard", "Of those: disconnect() would have been called", **by_consumer
        )
        self.stall = Histogram(
            "loadtest_probe_stall_seconds",
            "Times in which the event loop of a process ran nothing for 0.1 s or longer",
            buckets=STALLS_S,
            registry=registry or REGISTRY,
        )
        """How long each was."""
        self.of = functools.cache(self._of)
        """Return the counters of a consumer, by the name of its class; all of them stand at 0 from its first
        connection on, or what is counted first would not show as a rise."""

    def _of(self, consumer: str) -> OfConsumer:
        return OfConsumer(
            opened=self._opened.labels(consumer),
            connections=self._connections.labels(consumer),
            ended=self._ended.labels(consumer),
            without_disconnect={cause: self._without_disconnect.labels(consumer, cause) for cause in CAUSES},
            disconnect_raised=self._disconnect_raised.labels(consumer),
            imagined=self._imagined.labels(consumer),
            imagined_heard=self._imagined_heard.labels(consumer),
        )


@functools.cache
def metrics_of_process() -> Metrics:
    """Return those of this process, in the library's default registry, which takes each name once."""
    return Metrics()


def exposition() -> tuple[str, bytes]:
    """Return content type and text of the metrics of this process, or of all workers where they share a folder."""
    from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess

    registry = REGISTRY
    if folder := os.environ.get(FOLDER_VARIABLE):
        forget_dead(Path(folder))
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return CONTENT_TYPE_LATEST, generate_latest(registry)


def forget_dead(folder: Path) -> None:
    """Remove what worker processes that have ended count as open still: the library leaves that to the server."""
    for path in folder.glob("gauge_live*.db"):
        named = _LIVE_FILE.fullmatch(path.name)
        if named and not _lives(int(named[1])):
            with contextlib.suppress(FileNotFoundError):  # another worker was first
                path.unlink()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's
    return True
