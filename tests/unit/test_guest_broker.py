"""The broker of an app's own layer: where it is, in every form that channels_redis takes, and another in its place."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from loadtest.contract.inspection import Inspection
from loadtest.guest.broker import addresses, at_broker
from loadtest.stack.errors import EnvironmentFailed
from loadtest.targets.configured_layer import require_broker

BACKEND = "channels_redis.core.RedisChannelLayer"


@pytest.mark.parametrize(
    ("hosts", "told"),
    [
        (None, ["localhost:6379"]),
        ([("127.0.0.1", 6390)], ["127.0.0.1:6390"]),
        (["redis://:secret@db.example:6380/1"], ["db.example:6380"]),
        (["unix:///run/redis.sock?db=0"], ["/run/redis.sock"]),
        ([{"address": "rediss://db.example", "socket_timeout": None}], ["db.example:6379"]),
        ([{"host": "a", "port": 1}, {"host": "b"}], ["a:1", "b:6379"]),
        ([{"sentinels": [("a", 26379), ("b", 26380)], "master_name": "m"}], []),
        ([7], []),
    ],
)
def test_addresses_when_hosts_are_named_in_whatever_form_then_they_are_told_without_passwords(
    hosts: Any, told: list[str]
) -> None:
    assert addresses({"BACKEND": BACKEND, "CONFIG": {"hosts": hosts}}) == told


def test_addresses_when_the_layer_is_another_one_then_none_are_known() -> None:
    assert addresses({"BACKEND": "channels.layers.InMemoryChannelLayer"}) == []
    assert addresses({}) == []


def test_layer_when_it_gets_another_broker_then_all_else_of_it_stays() -> None:
    host = {"address": "rediss://:secret@db", "ssl_cert_reqs": None, "socket_timeout": None}
    layer = {"BACKEND": BACKEND, "CONFIG": {"hosts": [host], "prefix": "shop", "capacity": 9}}
    assert at_broker(layer, "unix:///ours") == {
        "BACKEND": BACKEND,
        "CONFIG": {"hosts": [{"address": "unix:///ours", "socket_timeout": None}], "prefix": "shop", "capacity": 9},
    }
    other = {"BACKEND": "a.B", "CONFIG": {"hosts": ["x"]}}
    assert at_broker(other, "unix:///ours") == other


def test_broker_when_nobody_listens_then_the_option_for_another_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(
        EnvironmentFailed, match=r"nobody answers at db:1.*Connection refused; start it, or say --broker"
    ):
        require_broker(Inspection(python="3.12", layer=BACKEND, layer_addresses=["db:1"]))
