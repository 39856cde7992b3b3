"""What a shell offers for the values of options that choose among what there is."""

from collections.abc import Callable, Iterator
from typing import Final

from loadtest.bench.choices import choices_of
from loadtest.bench.profiles import PROFILES
from loadtest.targets.reference import ReferenceApp

CHOOSING: Final = ("consumers", "layers", "scenarios", "drops", "servers")
"""Keys of a plan that take names separated by commas."""

Completer = Callable[[str], list[str]]


def completer_of(key: str) -> Completer | None:
    """Return what completes the values of a key of a plan; None for a key whose values are free."""
    if key == "profile":
        return lambda incomplete: [name for name in ("quick", *PROFILES) if name.startswith(incomplete)]
    if key in CHOOSING:
        return lambda incomplete: list(_offered(key, incomplete))
    return None


def _offered(key: str, incomplete: str) -> Iterator[str]:
    """`redis,in` is completed to `redis,inmemory`: names that stand there already are not offered again."""
    before, comma, last = incomplete.rpartition(",")
    for choice in choices_of(ReferenceApp().offer)[key]:
        if choice.name.startswith(last) and choice.name not in before.split(","):
            yield f"{before}{comma}{choice.name}"
