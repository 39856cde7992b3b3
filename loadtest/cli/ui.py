"""`ui`: the reference app and Locust's web UI beside it, until stopped."""

import os
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from loadtest.bench.plan import PlanError
from loadtest.bench.scenarios import SCENARIOS
from loadtest.cli.broker_options import with_broker_options
from loadtest.layers import LAYERS
from loadtest.report.console import PlainConsole
from loadtest.servers import SERVERS
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import short_folder
from loadtest.stack.ports import LARGEST_PORT, free_port
from loadtest.stack.process import Process, describe_exit
from loadtest.targets import Setting, running
from loadtest.targets.reference import ReferenceApp

_LOOPBACK = "127.0.0.1"
_POLL_S = 0.2
_UP_S = 20.0
"""Locust is there within 2 s; this is for a machine that is very busy."""


@with_broker_options
def ui(
    server: Annotated[str, typer.Option(help="ASGI server of the reference app")] = "uvicorn",
    layer: Annotated[str, typer.Option(help="channel layer of the reference app")] = "inmemory",
    port: Annotated[
        int, typer.Option(min=0, max=LARGEST_PORT, help="port of the reference app; 0 picks a free one")
    ] = 0,
    web_port: Annotated[
        int, typer.Option(min=0, max=LARGEST_PORT, help="port of the web UI; 0 picks a free one")
    ] = 8089,
    *,
    addresses: Mapping[str, str],
) -> None:
    """Start the reference app and Locust's web UI, both on 127.0.0.1; stopping this stops both."""
    if layer not in LAYERS:
        raise PlanError(f"unknown layer {layer!r}; there are {', '.join(LAYERS)}")
    if server not in SERVERS:
        raise PlanError(f"unknown server {server!r}; there are {', '.join(SERVERS)}")
    for row in (LAYERS[layer], SERVERS[server]):
        if why := row.unavailable():
            raise PlanError(f"{row.name} cannot be used here: {why}")
    web_port = web_port or free_port(_LOOPBACK)
    console = PlainConsole(soft_wrap=True)
    with (
        short_folder() as folder,
        running(
            ReferenceApp(database_url=os.environ.get("DATABASE_URL")).prepare(folder),
            Setting(server=SERVERS[server], layer=LAYERS[layer], folder=folder, port=port),
            addresses,
        ) as stack,
        _locust(stack.target.url, web_port, folder) as locust,
    ):
        _wait_until_up(locust, web_port)
        console.print(f"Locust's web UI:   http://127.0.0.1:{web_port}")
        page = stack.target.url.replace("ws", "http", 1)
        console.print(f"the reference app: {page} on {server}, layer {layer}")
        console.print("Ctrl-C stops both.")
        try:
            while (code := locust.exited) is None:
                stack.require_alive()
                time.sleep(_POLL_S)
        except KeyboardInterrupt:
            console.print("stopped")
            return
        raise EnvironmentFailed(f"Locust ended ({describe_exit(code)}); its last lines:\n{locust.log_tail()}")


def _wait_until_up(locust: Process, web_port: int) -> None:
    deadline = time.monotonic() + _UP_S
    while time.monotonic() < deadline and locust.alive:
        with socket.socket() as sock:
            if sock.connect_ex((_LOOPBACK, web_port)) == 0:
                return
        time.sleep(_POLL_S)
    raise EnvironmentFailed(f"Locust's web UI did not come up on port {web_port}; its last lines:\n{locust.log_tail()}")


def _locust(host: str, web_port: int, folder: Path) -> Process:
    files = ",".join(str(scenario.locustfile) for scenario in SCENARIOS.values())
    command = [sys.executable, "-m", "locust", "-f", files, "--class-picker", "--host", host]
    command += ["--web-host", _LOOPBACK, "--web-port", str(web_port)]
    return Process(command, name="Locust", log=folder / "locust.log", env=os.environ, cwd=folder)
