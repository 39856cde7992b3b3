"""What the form offers: scenarios, consumers, layers, servers and kinds of drop, each with a line on what it is."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from loadtest.bench.choices import Choice, choices_of
from loadtest.bench.scenarios import Scenario, read_scenario
from loadtest.dimensions import CONSUMER, LAYER, SERVER
from loadtest.drops import DROPS
from loadtest.targets import Offer
from loadtest.webui.stage.tabs import TABS

WATCHED_S = 30.0
"""The least that a test of the form lasts: most scenarios take 3 s of a bench, which nobody can watch."""


def offered(offer: Offer, locustfiles: Iterable[Path]) -> dict[str, Any]:
    """Return what there is to choose from, as JSON has it: a list of choices for each field, and the tabs."""
    choices = choices_of(offer)
    return {
        "scenarios": [told for path in locustfiles if (told := _scenario(path))],
        "consumer": _told(choices[CONSUMER.plural]),
        "layer": _told(choices[LAYER.plural]),
        "server": _told(choices[SERVER.plural]),
        "drop_kind": [
            {
                "name": drop.name,
                "says": drop.wire,
                "default": drop.default,
                "unavailable": drop.unavailable() or "",
            }
            for drop in DROPS.values()
        ],
        "tabs": [
            {
                "key": tab.key,
                "title": tab.title,
                "structure": [{"key": key, "title": title} for key, title in tab.headings.items()],
            }
            for tab in TABS
        ],
        "files": sorted({table.file for tab in TABS for table in tab.files} | {"drops.csv", "unknown.csv"}),
    }


def _scenario(path: Path) -> dict[str, Any] | None:
    """Return what is filled in for a scenario; None for a locustfile that does not say what load it takes."""
    try:
        scenario: Scenario = read_scenario(path)
    except ValueError:
        return None
    return {
        "name": scenario.name,
        "says": scenario.summary,
        "locustfile": str(path),
        "users": scenario.users,
        "rate": scenario.rate,
        "room_size": scenario.room_size,
        "duration": max(scenario.duration, WATCHED_S),
        "drops": scenario.drops,
    }


def _told(choices: Sequence[Choice]) -> list[dict[str, Any]]:
    return [
        {
            "name": choice.name,
            "says": choice.value.summary,
            "default": choice.default,
            "unavailable": choice.unavailable or "",
        }
        for choice in choices
    ]
