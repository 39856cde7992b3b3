"""Our command with a ramp of five seconds instead of 30: `python short_ramp.py bench ...`.

For trials in which not all users get a connection, for then all of the ramp is waited for.
"""

from typing import Any
from unittest.mock import patch

from loadtest.bench import generator
from loadtest.cli.start import start
from loadtest.load import Job

RAMP_S = 5.0


def job_of(*given: Any, **named: Any) -> Job:
    """Return the job as it is, but for its ramp."""
    return generator.job_of(*given, **named).model_copy(update={"ramp": RAMP_S})


if __name__ == "__main__":
    with patch("loadtest.bench.trial.job_of", job_of):
        start()
