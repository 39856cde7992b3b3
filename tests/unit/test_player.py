"""A player that holds what it dropped silently: it lets go in time, whatever becomes of the conductor."""

import random
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from loadtest.ledger import Phase
from loadtest.load import Job
from loadtest.phases import Order, Task
from loadtest.users.player import Player


@pytest.mark.parametrize(("hold_s", "ended"), [(0.05, 1), (0.0, 0), (30.0, 0)])
def test_player_when_nobody_tells_it_to_let_go_then_it_does_so_at_its_deadline(hold_s: float, ended: int) -> None:
    session: Any = SimpleNamespace(
        at_end=lambda _: None, mark=lambda *_, **__: None, load=Job(host="ws://h"), stream=random.Random
    )
    ends: list[int] = []
    player = Player(session, lambda *_: None, lambda: ends.append(1))
    player.obey(Order(task=Task.BEGIN, phase=Phase.END, hold_s=hold_s))
    gevent.sleep(0.15)
    assert len(ends) == ended
