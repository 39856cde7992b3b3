"""Scenarios: one locustfile each, which says in SCENARIO what load it takes when a plan names none.

Some come with the tool, and a plan may bring files of its user's own. The files are read, not imported: importing one
brings in Locust, which patches the process that does it.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, computed_field

from loadtest.load import Duration, Rate, RoomSize, Users
from loadtest.shipped import LOCUSTFILES

_EXAMPLE: Final = 'SCENARIO = {"users": 20, "rate": 1, "room_size": 10, "drops": True}'
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
"""It stands in lists with commas, in thresholds and in the names of folders."""


class Scenario(BaseModel):
    """One scenario; rate in messages per second from each sender, 0: as fast as answers come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    locustfile: Path
    sha256: str
    """Of the file, by which a run that goes on finds out that it was changed."""
    summary: str = Field(min_length=1)
    users: Users
    rate: Rate
    room_size: RoomSize
    drops: bool = Field(description="whether members are dropped in it")
    duration: Duration = 3.0
    """Enough to show what it is about."""
    default: bool = Field(False, description="whether it belongs to the default plan")
    uses_layer: bool = Field(True, description="whether its messages pass the channel layer")

    @computed_field  # type: ignore[prop-decorator]  # so that a manifest names it
    @cached_property
    def name(self) -> str:
        """Return the scenario's name, that of its file."""
        return self.locustfile.stem

    @property
    def takes_load(self) -> bool:
        """Tell whether its rate can be a share of what a cell carries: senders keep a planned rate, in rooms or churn.

        Where each user waits for its answer the rate is what the server makes it, and there is nothing to set.
        """
        return self.rate > 0 and (self.drops or self.room_size > 1)


def read_scenario(locustfile: Path) -> Scenario:
    """Return what a locustfile says of its scenario: the first line of its docstring and its SCENARIO.

    Raises ValueError, with all that is wrong, where it says none.
    """
    try:
        source = locustfile.read_bytes()
    except OSError as error:
        raise ValueError(f"{locustfile} cannot be read: {error.strerror}") from None
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError) as error:  # ValueError: there is a null byte in it
        line = f" ({locustfile.name}, line {error.lineno})" if isinstance(error, SyntaxError) else ""
        what = error.msg if isinstance(error, SyntaxError) else error
        raise ValueError(f"{locustfile} cannot be imported: {type(error).__name__}: {what}{line}") from None
    first_line = (ast.get_docstring(module) or "").partition("\n")[0]
    summary = (first_line.partition(": ")[2] or first_line or locustfile.name).rstrip(".")
    known = {"locustfile": locustfile, "sha256": sha256(source).hexdigest(), "summary": summary}
    try:
        return Scenario.model_validate({**known, **_load_in(module, locustfile)})
    except ValidationError as error:
        raise ValueError(f"{locustfile}: SCENARIO: {'; '.join(_problems(error))}") from None


def _load_in(module: ast.Module, locustfile: Path) -> dict[str, Any]:
    """Return what SCENARIO is in a module."""
    loads = [
        statement.value
        for statement in module.body
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value and _target(statement) == "SCENARIO"
    ]
    if not loads:
        raise ValueError(f"{locustfile} does not say what load it takes; add {_EXAMPLE}")
    try:
        load = ast.literal_eval(loads[-1])
    except ValueError:
        load = None
    if not isinstance(load, dict):
        raise ValueError(f"{locustfile}: SCENARIO has to be written out, for it is read and not run, as {_EXAMPLE}")
    return load


def _target(statement: ast.Assign | ast.AnnAssign) -> str:
    return ast.unparse(statement.targets[0] if isinstance(statement, ast.Assign) else statement.target)


def _problems(error: ValidationError) -> Iterator[str]:
    for one in error.errors():
        key = ".".join(map(str, one["loc"]))
        match one["type"]:
            case "extra_forbidden":
                yield f"{key}: unknown key; there are {', '.join(_KEYS)}"
            case "missing":
                yield f"{key} is missing"
            case _:
                yield f"{key}: {one['msg']}, got {one['input']!r}"


_KEYS: Final = tuple(name for name in Scenario.model_fields if name not in ("locustfile", "sha256", "summary"))

SCENARIOS: Final[Mapping[str, Scenario]] = {
    scenario.name: scenario
    for scenario in sorted(
        (read_scenario(path) for path in LOCUSTFILES.glob("*.py") if path.stem != "__init__"),
        key=lambda scenario: (scenario.drops, scenario.room_size, scenario.name),
    )
}
"""Those that come with the tool, by name; the plainest first. A plan has more where its user brings some."""


def _read_own(given: Any) -> Any:
    """Return the scenarios of files that are given as paths, or as a manifest has them; raises ValueError."""
    if not isinstance(given, list | tuple):
        given = (given,)
    return tuple(one if isinstance(one, Scenario) else _read_one(one) for one in given)


def _read_one(given: Any) -> Scenario:
    was = given if isinstance(given, Mapping) else {"locustfile": given}
    path = was.get("locustfile")
    if not isinstance(path, str | Path) or not str(path):
        raise ValueError(f"the path of a locustfile, got {path!r}")
    found = read_scenario(Path(path).expanduser().resolve())
    if was.get("sha256", found.sha256) != found.sha256:
        raise ValueError(
            f"{path} has been changed since that run began; put it back as it was, or start a new run with it"
        )
    return found


def own_names(given: Any) -> tuple[str, ...]:
    """Return the names of the scenarios whose files are given, whether or not there are such files."""
    given = given if isinstance(given, list | tuple) else (given,)
    paths = [one.get("locustfile", "") if isinstance(one, Mapping) else one for one in given]
    return tuple(Path(path).stem for path in paths if isinstance(path, str | Path) and str(path))


def _told_apart(own: tuple[Scenario, ...]) -> tuple[Scenario, ...]:
    """Refuse files whose names are those of others, or cannot be the name of a scenario."""
    own = tuple(dict.fromkeys(own))
    for row in own:
        if not _NAME.fullmatch(row.name):
            raise ValueError(
                f"{row.locustfile.name}: the scenario has the name of its file; use letters, digits, _ and - only"
            )
        if row.name in SCENARIOS:
            raise ValueError(
                f"{row.locustfile}: there is a scenario {row.name} that comes with the tool; rename the file"
            )
        if twins := [str(other.locustfile) for other in own if other.name == row.name and other is not row]:
            raise ValueError(f"{row.locustfile} and {twins[0]} would both be the scenario {row.name}; rename one")
    return own


OwnScenarios = Annotated[
    tuple[Scenario, ...],
    BeforeValidator(_read_own),
    AfterValidator(_told_apart),
    Field(
        description="a locustfile of your own, measured as the scenario of that name; --scenarios names others beside "
        "it; may be given several times"
    ),
]
"""As paths, or as they stand in a manifest: then a file that was changed is refused."""


def find_scenario(name: str, own: Iterable[Scenario]) -> Scenario:
    """Return the scenario of that name; KeyError where there is none."""
    return next((row for row in own if row.name == name), None) or SCENARIOS[name]
