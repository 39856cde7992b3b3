"""Reasons: how many different ones of a server's are told apart."""

from typing import Final

MOST_REASONS: Final = 50
"""Different ones under one row's name in a generator: each is a row in Locust's tables, and an app has a few."""
OTHERS: Final = f"(one of more than {MOST_REASONS} reasons)"
"""Stands for those that came after so many others; how often it is counted says how many failures had them."""
