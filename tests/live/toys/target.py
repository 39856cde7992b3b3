"""Target `toy`: the reference app under another name, which says what it was started for."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from loadtest.dimensions import Value
from loadtest.targets.offer import Offer
from loadtest.targets.reference import PreparedReference, ReferenceApp
from loadtest.targets.target import RunningTarget, Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyTarget:
    """A target with one consumer."""

    name: str = "toy"

    @property
    def offer(self) -> Offer:
        """Its one consumer."""
        value = Value(name="async", summary="the only one", kind="async")
        return Offer(consumers=(value,), default_consumers=("async",))

    def prepare(self, folder: Path, users: int = 0) -> "PreparedToy":
        """Prepare what it stands on."""
        return PreparedToy(app=ReferenceApp().prepare(folder))


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedToy:
    """A target that can be started."""

    app: PreparedReference

    def start(self, setting: Setting) -> AbstractContextManager[RunningTarget]:
        """Say so, and start it."""
        (setting.folder / "started-by-the-toy").touch()
        return self.app.start(setting)
