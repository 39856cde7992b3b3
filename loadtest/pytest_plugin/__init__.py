"""The pytest plugin: a test drops connections of its own app, on a real server, and asserts on what became of them."""

from loadtest.pytest_plugin.result import Detection, Result
from loadtest.pytest_plugin.scenarios import Scenarios

__all__ = ["Detection", "Result", "Scenarios"]
