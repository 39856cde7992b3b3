"""Trying again where the machine was the limit: what others do on it must not fail a test of what is measured."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

TRIES = 3


def again_until(is_good: Callable[[T], bool], attempt: Callable[[int], T]) -> T:
    """Make attempts 0, 1, ... until one is good, or TRIES have been made; return the last one."""
    for number in range(TRIES):
        found = attempt(number)
        if is_good(found):
            break
    return found
