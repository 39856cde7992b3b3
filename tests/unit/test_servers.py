"""Servers: rows that are complete, and commands that say all that was asked for."""

from __future__ import annotations

import dataclasses

import pytest

from loadtest.contract import Identity
from loadtest.servers import HOST, SERVERS, Server, Serving, find_server
from loadtest.servers.own_command import at_port, server_of

SERVING = Serving(application="a.asgi:application", port=8001, python="python3")
EVERY = pytest.mark.parametrize("server", SERVERS.values(), ids=list(SERVERS))


@EVERY
def test_server_when_listed_then_its_row_is_complete(server: Server) -> None:
    assert SERVERS[server.name] is server
    assert server.summary and "\n" not in server.summary
    assert server.unavailable() is None, "the tests install every server there is"
    assert server.version[0].isdigit()
    told = Identity(pid=1, python="3.12.1", packages={}, layer="", database="")
    assert server.websockets(told).split()[0]
    assert (server.ping_interval_s is None) == (server.ping_timeout_s is None)
    assert server.default or server.extra, "one that is not always there has an extra that brings it"


@EVERY
def test_command_when_made_then_it_serves_the_application_on_loopback_and_the_port(server: Server) -> None:
    command = server.command(SERVING)
    assert command[0] == "python3"
    assert {"a.asgi:application", HOST, "8001"} <= set(command)


@EVERY
def test_command_when_pings_are_given_then_it_has_them_and_else_the_defaults_hold(server: Server) -> None:
    if server.ping_interval_s is None:
        pytest.skip("it never pings")
    pinging = dataclasses.replace(SERVING, ping_interval_s=3.0, ping_timeout_s=7.0)
    said = [word for word in server.command(pinging) if word not in server.command(SERVING)]
    assert [float(word) for word in said if word[0].isdigit()] == [3.0, 7.0]
    assert not any("ping" in word for word in server.command(SERVING))


def test_servers_when_listed_then_uvicorn_alone_is_the_default() -> None:
    assert [server.name for server in SERVERS.values() if server.default] == ["uvicorn"]


def test_server_when_it_is_not_installed_then_it_says_what_installs_it() -> None:
    missing = dataclasses.replace(SERVERS["daphne"], package="no-such-distribution")
    assert missing.unavailable() == "no-such-distribution is not installed; pip install 'channels-loadtest[servers]'"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("daphne -p {port} a.asgi:application", "daphne"),
        ("/venv/bin/gunicorn -k uvicorn_worker.UvicornWorker a.asgi", "gunicorn"),
        ("python -m uvicorn a.asgi --port {port}", "uvicorn"),
        ("uv run hypercorn a.asgi", "hypercorn"),
        ("python manage.py runserver {port}", "runserver"),
        ("./serve.sh {port}", "serve.sh"),
    ],
)
def test_server_when_a_users_own_command_starts_it_then_it_is_called_by_its_program(command: str, name: str) -> None:
    assert server_of(command.split()) == name


def test_command_when_a_port_is_put_in_then_other_braces_stay() -> None:
    assert at_port(["-b", "127.0.0.1:{port}", "{x}"], 8001) == ["-b", "127.0.0.1:8001", "{x}"]


def test_server_when_it_is_in_no_list_then_nothing_is_claimed_of_it() -> None:
    server = find_server("serve.sh")
    assert (server.name, server.ping_interval_s, server.ignores_gone) == ("serve.sh", None, False)
    assert find_server("daphne") is SERVERS["daphne"]
