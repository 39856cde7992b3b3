"""A target and the broker that its layer needs: the one place that brings them up, and down, together."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from loadtest.brokers import RunningBroker, broker_of
from loadtest.stack.pinning import Placement, floating, on_cpus
from loadtest.targets.target import PreparedTarget, RunningTarget, Setting

ANYWHERE = floating(frozenset())
"""Every part where the kernel likes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What is running: the target, and the broker when its layer needs one."""

    target: RunningTarget
    broker: RunningBroker | None

    def require_alive(self) -> None:
        """Raise EnvironmentFailed unless both run."""
        self.target.require_alive()
        if self.broker is not None:
            self.broker.require_alive()


@contextlib.contextmanager
def running(
    target: PreparedTarget, setting: Setting, addresses: Mapping[str, str], placement: Placement = ANYWHERE
) -> Iterator[Running]:
    """Run a target in that setting, on the user's own broker where `addresses` names it, else on a private one.

    Raises EnvironmentFailed when a part does not start.
    """
    with contextlib.ExitStack() as ending:
        with on_cpus(placement.load):
            broker = ending.enter_context(broker_of(setting.layer, addresses, setting.folder))
        with on_cpus(placement.server):
            started = ending.enter_context(target.start(replace(setting, broker=broker)))
        yield Running(target=started, broker=broker)
