"""What an app of the user's own is found to be before it is measured, as a file of JSON."""

import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPath:
    """What answers at one path."""

    path: str
    consumer: str = ""
    """The full name of the consumer's class; "" where none was reached."""
    kind: str = ""
    """"sync" or "async"."""
    problem: str = ""
    """Why none was reached."""
    is_routed: bool = True
    """The app knows the path; else `problem` says that no route fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What an interpreter and the app in it were found to be."""

    python: str
    packages: dict[str, str] = field(default_factory=dict)
    """The version by the name of each package, in its normal form."""
    problem: str = ""
    """Why the app cannot be measured at all; what follows is then not known."""
    settings: str = ""
    """The settings module; "" where the app configures Django itself."""
    is_debugging: bool = False
    databases: dict[str, str] = field(default_factory=dict)
    """Engine and name by alias, as the app's own settings have them."""
    layer: str = ""
    """The BACKEND of the default channel layer, as the app's own settings have it; "" where there is none."""
    layer_addresses: list[str] = field(default_factory=list)
    """Where its Redis listens, each "host:port" or "/path"; empty: it has none, or that is not known."""
    paths: list[FoundPath] = field(default_factory=list)
    routes: list[str] = field(default_factory=list)
    """The patterns that the app's URL routers know, where they could be found."""


def write_inspection(inspection: Inspection) -> str:
    """Return the text of the file."""
    return json.dumps(asdict(inspection))


def read_inspection(text: str) -> Inspection:
    """Return what a file holds; raises ValueError, KeyError or TypeError when it is not one of `write_inspection`."""
    said = json.loads(text)
    return Inspection(**{**said, "paths": [FoundPath(**one) for one in said["paths"]]})
