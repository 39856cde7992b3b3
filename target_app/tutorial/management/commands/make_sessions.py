"""`manage.py make_sessions COUNT FILE`: make users who are signed in, for a load test."""

import json
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from target_app.tutorial.sessions import make_sessions

OURS_ALONE = 0o600
"""A session's cookie lets in whoever has it."""


class Command(BaseCommand):
    """Makes users and writes the cookies of their sessions."""

    help = "Make users who are signed in, and write their cookies into a new file; forget_connections deletes them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how many, and where to write."""
        parser.add_argument("count", type=int)
        parser.add_argument("file", help="gets a list of cookies in JSON; only its owner may read it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make them."""
        with os.fdopen(os.open(options["file"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, OURS_ALONE), "w") as file:
            json.dump(make_sessions(options["count"]), file)
