"""Server `uvicorn`: on asyncio, HTTP by h11, and the WebSocket implementation that it picks itself."""

from importlib.metadata import version

from loadtest.contract import Identity
from loadtest.servers.kind import HOST, Server, Serving


def _command(serving: Serving) -> list[str]:
    command = [
        *(serving.python, "-m", "uvicorn", serving.application),
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


def _websockets(told: Identity) -> str:
    """Name what uvicorn's `--ws auto` finds, and its version: "websockets-sansio 17.4", say.

    Which one of a package's it is, is known of the uvicorn that is installed here, and is left out of another one.
    """
    if told.version_of("uvicorn") != version("uvicorn"):
        found = next((name for name in ("websockets", "wsproto") if name in told.packages), None)
        return f"{found} {told.version_of(found)}" if found else "none"
    from uvicorn.config import WS_PROTOCOLS
    from uvicorn.importer import import_from_string
    from uvicorn.protocols.websockets.auto import AutoWebSocketsProtocol

    for name, path in WS_PROTOCOLS.items():
        if name not in ("auto", "none", "websockets") and import_from_string(path) is AutoWebSocketsProtocol:
            return f"{name} {told.version_of(name.partition('-')[0])}"
    return "none"


KIND = Server(
    name="uvicorn",
    summary="uvicorn on asyncio, HTTP by h11, the WebSocket implementation that it picks itself",
    package="uvicorn",
    oldest=(0, 22),  # --timeout-graceful-shutdown
    needs_one_of=("websockets", "wsproto"),
    command=_command,
    websockets=_websockets,
    ping_interval_s=20.0,
    ping_timeout_s=20.0,
    settings=("UVICORN_",),
    default=True,
)
