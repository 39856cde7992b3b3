"""Job: a load and what a generator is told besides it; the bench hands it over as one JSON file."""

from pathlib import Path
from typing import Final, Self

from pydantic import Field

from loadtest.load.fields import LONGEST_S, MOST_GENERATORS, Drain, Ramp, WarmUp
from loadtest.load.load import Load


class Job(Load):
    """What one generator is to do; durations in seconds."""

    ledger: str = Field(default="", description="folder for the ledger; empty: none is kept")
    ramp: Ramp = 30.0
    warm_up: WarmUp = 1.0
    steady: float = Field(
        default=0.0, ge=0, le=LONGEST_S, description="seconds that count; 0: no phases, run until stopped"
    )
    drain: Drain = 5.0
    generator: int = Field(default=1, ge=1, le=MOST_GENERATORS, description="number of this generator")
    """A part of its connections' ids."""
    generators: int = Field(default=1, ge=1, le=MOST_GENERATORS, description="how many generators share the members")
    conductor: str = Field(default="", description="Unix socket of the bench, which conducts; empty: there is no bench")
    commands: str = Field(default="", description="Unix socket where push commands are run; empty: none can be")
    entry: str = Field(default="", description="file with what users open their connections with; empty: nothing more")

    def at(self, host: str, entry: Path | None = None, commands: Path | None = None) -> Self:
        """Return the same job for a target at that address.

        The file says with what users open their connections; at the socket push commands are run.
        """
        return self.model_copy(update={"host": host, "entry": str(entry or ""), "commands": str(commands or "")})

    def with_each_alone(self) -> Self:
        """Return the same job with each user in a room of its own."""
        return self.model_copy(update={"room_size": 1})


IDENTITY: Final = frozenset({"generator", "generators", "conductor", "commands", "entry"})
"""What only a job file says: a person's command line has no number to give, and no bench behind it."""
