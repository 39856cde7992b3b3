"""How a command makes the folder of a new run."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, TypeVar

from loadtest.cli.app_options import redacted_variables
from loadtest.cli.broker_options import redacted_addresses
from loadtest.dimensions import Value
from loadtest.stack.errors import EnvironmentFailed

P = TypeVar("P", contravariant=True)
R = TypeVar("R", covariant=True)


class Create(Protocol[P, R]):
    """Makes a run's folder in `out`; OSError when it cannot."""

    def __call__(self, out: Path, plan: P, /, *, command: str, values: Mapping[str, tuple[Value, ...]]) -> R: ...


def new_run(create: Create[P, R], out: Path, plan: P, values: Mapping[str, tuple[Value, ...]]) -> R:
    """Return the new run, which knows the command that was typed."""
    try:
        return create(out, plan, command=typed_command(), values=values)
    except OSError as error:
        raise EnvironmentFailed(
            f"cannot make the run's folder in {out}: {error.strerror}; pass --out with a folder that can be written"
        ) from error


def typed_command() -> str:
    """Return the command that was typed, without passwords."""
    return shlex.join(["channels-loadtest", *redacted_addresses(redacted_variables(sys.argv[1:]))])
