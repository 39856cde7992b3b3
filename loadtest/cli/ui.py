"""`ui`: Locust's web UI with our form and tabs, until stopped; it starts the reference app for each test."""

import json
import os
import socket
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from loadtest.bench.choices import choices_of
from loadtest.bench.plan import PlanError
from loadtest.bench.profiles import make_plan
from loadtest.bench.scenarios import SCENARIOS
from loadtest.cli.broker_options import with_broker_options
from loadtest.cli.run_argument import RESULTS
from loadtest.layers import LAYERS
from loadtest.report.console import PlainConsole
from loadtest.servers import HOST, SERVERS
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import short_folder
from loadtest.stack.ports import LARGEST_PORT, free_port
from loadtest.stack.process import Process, describe_exit
from loadtest.targets.reference import ReferenceApp
from loadtest.webui import ALLOW_CONTENTION, BROKERS

_POLL_S = 0.2
_UP_S = 20.0
"""Locust and its stage are there within 4 s; this is for a machine that is very busy."""


@with_broker_options
def ui(
    server: Annotated[str, typer.Option(help="ASGI server that the form begins with")] = "uvicorn",
    layer: Annotated[str, typer.Option(help="channel layer that the form begins with")] = "inmemory",
    port: Annotated[
        int, typer.Option(min=0, max=LARGEST_PORT, help="port of the reference app; 0 picks a free one")
    ] = 0,
    web_host: Annotated[
        str,
        typer.Option(help="address that the web UI listens on; other than loopback it wants LOADTEST_WEB_PASSWORD set"),
    ] = HOST,
    web_port: Annotated[
        int, typer.Option(min=0, max=LARGEST_PORT, help="port of the web UI; 0 picks a free one")
    ] = 8089,
    processes: Annotated[int, typer.Option(min=1, help="processes of Locust that share the users")] = 1,
    plan: Annotated[
        Path | None,
        typer.Option(help="TOML file of the plan that the comparison runs; the quick profile where left out"),
    ] = None,
    allow_contention: Annotated[bool, typer.Option("--allow-contention", help=ALLOW_CONTENTION)] = False,
    out: Annotated[
        Path | None, typer.Option(help="folder that gets a folder for each test; results where left out")
    ] = None,
    *,
    addresses: Mapping[str, str],
) -> None:
    """Start Locust's web UI, which starts the reference app for each test and audits it; stopping this stops all."""
    _require_usable(layer, server)
    _require_password(web_host)
    if plan is not None:
        make_plan({}, plan, choices=choices_of(ReferenceApp().offer))  # what is wrong with it is told now
    web_port = web_port or free_port(HOST)
    console = PlainConsole(soft_wrap=True)
    options = {
        "--server": server,
        "--layer": layer,
        "--app-port": str(port or free_port(HOST)),
        "--results": str((out or RESULTS).resolve()),
        "--web-host": web_host,
        "--web-port": str(web_port),
        "--plan": str(plan.resolve()) if plan else "",
        "--plan-folder": str(Path.cwd()),
    }
    switches = ["--allow-contention"] if allow_contention else []
    if processes > 1:
        among_them = str(free_port(HOST))  # Locust's own is one for the whole machine
        options |= {"--processes": str(processes), "--master-bind-host": HOST}
        options |= {"--master-bind-port": among_them, "--master-port": among_them}
    _require_database()
    with short_folder() as folder, _locust(options, switches, folder, addresses) as locust:
        _wait_until_up(locust, web_host, web_port)
        console.print(f"Locust's web UI:   http://{web_host}:{web_port}")
        console.print(f"the reference app: http://{HOST}:{options['--app-port']}, while a test runs")
        console.print("Ctrl-C stops both.")
        try:
            while (code := locust.exited) is None:
                time.sleep(_POLL_S)
        except KeyboardInterrupt:
            console.print("stopped")
            return
        raise EnvironmentFailed(f"Locust ended ({describe_exit(code)}); its last lines:\n{locust.log_tail()}")


def _require_usable(layer: str, server: str) -> None:
    if layer not in LAYERS:
        raise PlanError(f"unknown layer {layer!r}; there are {', '.join(LAYERS)}")
    if server not in SERVERS:
        raise PlanError(f"unknown server {server!r}; there are {', '.join(SERVERS)}")
    for row in (LAYERS[layer], SERVERS[server]):
        if why := row.unavailable():
            raise PlanError(f"{row.name} cannot be used here: {why}")


def _require_password(web_host: str) -> None:
    """Refuse an address that others reach without a password, before anything starts."""
    from loadtest.webui.beside_locust.guard import NoPassword, require_password  # here: it brings in Flask

    try:
        require_password(web_host)
    except NoPassword as error:
        raise PlanError(str(error)) from None


def _require_database() -> None:
    """Make the tables in a database of the user's own now: what is wrong with it is told before there is a form."""
    if own := os.environ.get("DATABASE_URL"):
        with short_folder() as folder:
            ReferenceApp(database_url=own).prepare(folder)


def _wait_until_up(locust: Process, web_host: str, web_port: int) -> None:
    deadline = time.monotonic() + _UP_S
    while time.monotonic() < deadline and locust.alive:
        with socket.socket() as sock:
            if sock.connect_ex((web_host, web_port)) == 0:
                return
        time.sleep(_POLL_S)
    raise EnvironmentFailed(f"Locust's web UI did not come up on port {web_port}; its last lines:\n{locust.log_tail()}")


def _locust(options: Mapping[str, str], switches: Iterable[str], folder: Path, addresses: Mapping[str, str]) -> Process:
    files = ",".join(str(scenario.locustfile) for scenario in SCENARIOS.values())
    command = [sys.executable, "-m", "locust", "-f", files]
    command += [*(f"{option}={value}" for option, value in options.items()), *switches]
    env = {**os.environ, BROKERS: json.dumps(dict(addresses))}
    return Process(command, name="Locust", log=folder / "locust.log", env=env, cwd=folder)
