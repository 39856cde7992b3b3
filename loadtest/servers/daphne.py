"""Server `daphne`: Channels' own, on Twisted's asyncio reactor, one process.

It has no lifespan protocol, so the application first runs with the first request. It looks at its ping settings every
2 s only (daphne.server.Server.timeout_checker), and takes them in whole seconds. 10 s after a client has gone it
cancels a consumer that has not ended (--application-close-timeout).
"""

from loadtest.contract import Identity
from loadtest.servers.kind import HOST, Server, Serving


def _command(serving: Serving) -> list[str]:
    command = [
        *(serving.python, "-m", "daphne", "-b", HOST, "-p", str(serving.port)),
        *("--verbosity", "0"),  # warnings, and no access log
    ]
    if serving.ping_interval_s is not None:
        command += ["--ping-interval", f"{serving.ping_interval_s:.0f}"]
    if serving.ping_timeout_s is not None:
        command += ["--ping-timeout", f"{serving.ping_timeout_s:.0f}"]
    return [*command, serving.application]


def _websockets(told: Identity) -> str:
    return f"autobahn {told.version_of('autobahn')}"


KIND = Server(
    name="daphne",
    summary="Channels' own server, on Twisted, WebSockets by autobahn",
    package="daphne",
    extra="servers",
    command=_command,
    websockets=_websockets,
    ping_interval_s=20.0,
    ping_timeout_s=30.0,
    ignores_gone=True,
    has_whole_pings=True,
    max_workers=1,
)
