"""Scenarios: one locustfile each, which says in SCENARIO what load it takes when a plan names none.

The files are read, not imported: importing one brings in Locust, which patches the process that does it.
"""

import ast
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from loadtest.load import Duration, Rate, RoomSize, Users
from loadtest.shipped import LOCUSTFILES


class Scenario(BaseModel):
    """One scenario; rate in messages per second from each sender, 0: as fast as answers come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    locustfile: Path
    summary: str = Field(min_length=1)
    users: Users
    rate: Rate
    room_size: RoomSize
    drops: bool = Field(description="whether members are dropped in it")
    duration: Duration = 3.0
    """Enough to show what it is about."""
    default: bool = Field(False, description="whether it belongs to the default plan")
    uses_layer: bool = Field(True, description="whether its messages pass the channel layer")

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
    """Return what a locustfile says of its scenario: the first line of its docstring and its SCENARIO."""
    module = ast.parse(locustfile.read_text(encoding="utf-8"))
    summary = (ast.get_docstring(module) or "").partition("\n")[0].partition(": ")[2].rstrip(".")
    assigned = (statement for statement in module.body if isinstance(statement, ast.Assign))
    loads = [ast.literal_eval(one.value) for one in assigned if ast.unparse(one.targets[0]) == "SCENARIO"]
    if not loads:
        raise ValueError(f"{locustfile} does not say what load it takes; add SCENARIO = {{...}} as the others have it")
    return Scenario.model_validate({"locustfile": locustfile, "summary": summary, **loads[0]})


SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in sorted(
        (read_scenario(path) for path in LOCUSTFILES.glob("*.py") if path.stem != "__init__"),
        key=lambda scenario: (scenario.drops, scenario.room_size, scenario.name),
    )
}
"""By name; the plainest first."""
