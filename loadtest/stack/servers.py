"""ASGI servers, a row each: the command that serves an application, and the versions of what does the work."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from types import MappingProxyType

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What a server is asked to serve, and how. Its own default where None."""

    application: str
    port: int
    workers: int = 1
    ping_interval_s: float | None = None
    ping_timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server: `command` makes its command line, `websockets` names the implementation that it will use."""

    name: str
    summary: str
    package: str
    command: Callable[[Serving], list[str]]
    websockets: Callable[[], str]
    ping_interval_s: float
    ping_timeout_s: float
    default: bool

    @property
    def version(self) -> str:
        """The installed version of the server."""
        return version(self.package)


def _uvicorn(serving: Serving) -> list[str]:
    command = [
        *(sys.executable, "-m", "uvicorn", serving.application),
        *("--host", HOST, "--port", str(serving.port)),  # a socket handed over with --fd would be without TCP_NODELAY
        *("--workers", str(serving.workers)),
        *("--log-level", "warning", "--no-access-log"),
        # What `auto` finds depends on what else is installed: named, so that every machine measures the same
        *("--loop", "asyncio", "--http", "h11"),
        *("--ws", "auto", "--lifespan", "auto"),
        *("--timeout-graceful-shutdown", "2"),  # s; a task that hangs must not hold up the next trial
    ]
    if serving.ping_interval_s is not None:
        command += ["--ws-ping-interval", str(serving.ping_interval_s)]
    if serving.ping_timeout_s is not None:
        command += ["--ws-ping-timeout", str(serving.ping_timeout_s)]
    return command


def _uvicorn_websockets() -> str:
    """Name what uvicorn's `--ws auto` finds, and its version: "websockets-sansio 17.4", say."""
    from uvicorn.config import WS_PROTOCOLS
    from uvicorn.importer import import_from_string
    from uvicorn.protocols.websockets.auto import AutoWebSocketsProtocol

    for name, path in WS_PROTOCOLS.items():
        if name not in ("auto", "none", "websockets") and import_from_string(path) is AutoWebSocketsProtocol:
            return f"{name} {version(name.partition('-')[0])}"
    return "none"


SERVERS: Mapping[str, Server] = MappingProxyType(
    {
        server.name: server
        for server in (
            Server(
                name="uvicorn",
                summary="uvicorn on asyncio, HTTP by h11, the WebSocket implementation that it picks itself",
                package="uvicorn",
                command=_uvicorn,
                websockets=_uvicorn_websockets,
                ping_interval_s=20.0,  # uvicorn's defaults
                ping_timeout_s=20.0,
                default=True,
            ),
        )
    }
)
