"""Pushes carried out: a request sent, a command run; what came of it is ok, fail or unknown."""

from loadtest.pushes.outcome import Outcome

__all__ = ["Outcome"]
