"""The bare layer: what each channel layer keeps without consumers, as far as it is known of the pinned versions."""

from pathlib import Path

import pytest

from loadtest.selftest.bare_layer import CHANNELS, run_bare_layer
from loadtest.selftest.cases import BARE_LAYER, Case

pytestmark = pytest.mark.live


@pytest.mark.parametrize(
    ("layer", "idle", "busy"),
    [
        ("inmemory", "nothing", f"{CHANNELS} orphaned layer queues"),
        ("redis", f"{CHANNELS} empty layer queues", f"{CHANNELS} orphaned layer queues"),
        ("redis-pubsub", "nothing", f"{CHANNELS} orphaned layer queues, {CHANNELS} orphaned layer subscriptions"),
    ],
)
def test_layer_when_channels_come_and_go_then_what_it_keeps_is_charged_to_it(
    tmp_path: Path, layer: str, idle: str, busy: str
) -> None:
    outcome = run_bare_layer(Case(consumer=BARE_LAYER, layer=layer), tmp_path, {})
    assert outcome.verdict == "clean", outcome.says
    said_idle, said_busy = outcome.says
    assert idle in said_idle
    assert busy in said_busy
