"""Scenarios: one locustfile each, which says in SCENARIO what load it takes when a plan names none.

The files are read, not imported: importing one brings in Locust, which patches the process that does it.
"""

import ast
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

import loadtest

LOCUSTFILES = Path(loadtest.__file__).resolve().parent.parent / "locustfiles"


class Scenario(BaseModel):
    """One scenario; rate in messages a second and sender, 0: as fast as answers come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    locustfile: Path
    summary: str = Field(min_length=1)
    users: int = Field(ge=1)
    rate: float = Field(ge=0)
    room_size: int = Field(ge=1)
    drops: bool = Field(description="whether members are dropped in it")

    @cached_property
    def name(self) -> str:
        """Return the scenario's name, that of its file."""
        return self.locustfile.stem


def read_scenario(locustfile: Path) -> Scenario:
    """Return what a locustfile says of its scenario: the first line of its docstring and its SCENARIO."""
    module = ast.parse(locustfile.read_text(encoding="utf-8"))
    summary = (ast.get_docstring(module) or "").partition("\n")[0].partition(": ")[2].rstrip(".")
    load = next(
        ast.literal_eval(statement.value)
        for statement in module.body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "SCENARIO"
    )
    return Scenario.model_validate({"locustfile": locustfile, "summary": summary, **load})


SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in sorted(
        (read_scenario(path) for path in LOCUSTFILES.glob("*.py") if path.stem != "__init__"),
        key=lambda scenario: (scenario.drops, scenario.room_size, scenario.name),
    )
}
"""By name; the plainest first."""
