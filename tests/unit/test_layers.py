"""Layers: rows that say what to write into Django's settings."""

import json

import pytest
from channels.layers import BaseChannelLayer
from channels_redis.utils import create_pool, decode_hosts
from django.utils.module_loading import import_string

from loadtest.layers import KEY_PREFIX, LAYERS, SHORT_EXPIRY_S, Layer, new_prefix

URL = "unix:///tmp/valkey.sock?db=0"
EVERY = pytest.mark.parametrize("layer", LAYERS.values(), ids=list(LAYERS))


@EVERY
def test_layer_when_listed_then_its_row_is_complete(layer: Layer) -> None:
    assert LAYERS[layer.name] is layer
    assert layer.summary and "\n" not in layer.summary
    assert layer.at_capacity
    assert layer.version[0].isdigit()
    assert callable(import_string(layer.backend))


@EVERY
def test_setting_when_filled_then_no_placeholder_is_left_and_it_survives_json(layer: Layer) -> None:
    setting = layer.setting(broker_url=URL, prefix="loadtest-1.")
    assert json.loads(json.dumps(setting)) == setting
    assert not any(word in json.dumps(setting) for word in ("{broker_url}", "{prefix}"))
    assert setting["default"]["BACKEND"] == layer.backend


@pytest.mark.parametrize("name", ["redis", "redis-pubsub"])
def test_setting_when_redis_then_reads_have_no_timeout(name: str) -> None:
    config = LAYERS[name].setting(broker_url=URL, prefix="loadtest-1.")["default"]["CONFIG"]
    assert config == {"hosts": [{"address": URL, "socket_timeout": None}], "prefix": "loadtest-1."}


def test_setting_when_redis_stock_then_hosts_are_as_the_tutorial_has_them() -> None:
    config = LAYERS["redis-stock"].setting(broker_url=URL, prefix="loadtest-1.")["default"]["CONFIG"]
    assert config["hosts"] == [URL]


def test_setting_when_short_expiry_then_it_is_redis_but_for_that() -> None:
    config, redis = (dict(LAYERS[name].config) for name in ("redis-short-expiry", "redis"))
    assert config.pop("group_expiry") == SHORT_EXPIRY_S
    assert config == redis


@pytest.mark.parametrize("hosts", [[("localhost", 6379)], None])
def test_setting_when_redis_stock_is_at_the_tutorials_address_then_its_connections_are_the_tutorials(
    hosts: list[tuple[str, int]] | None,
) -> None:
    """A tutorial writes a pair, or nothing; a URL is the same, with the same time after which a read is given up."""
    stock = LAYERS["redis-stock"].setting(broker_url="redis://localhost:6379", prefix="loadtest-1.")["default"][
        "CONFIG"
    ]
    ours, theirs = (create_pool(decode_hosts(given)[0]).make_connection() for given in (stock["hosts"], hosts))
    assert (ours.host, ours.port, ours.db) == (theirs.host, theirs.port, theirs.db) == ("localhost", 6379, 0)
    assert ours.socket_timeout == theirs.socket_timeout is not None


def test_setting_when_redis_is_needed_and_not_given_then_value_error() -> None:
    with pytest.raises(ValueError, match="redis-pubsub needs the URL"):
        LAYERS["redis-pubsub"].setting()


def test_default_layers_when_listed_then_those_that_need_no_warning() -> None:
    assert [layer.name for layer in LAYERS.values() if layer.default] == ["inmemory", "redis", "redis-pubsub"]


def test_new_prefix_when_made_then_ours_unlike_the_last_and_valid_in_a_channel_name() -> None:
    first, second = new_prefix(), new_prefix()
    assert first != second
    assert first.startswith(KEY_PREFIX)
    assert BaseChannelLayer().require_valid_channel_name(f"{first}specific.0123456789abcdef!")
