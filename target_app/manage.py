#!/usr/bin/env python
"""Django's command line for the reference app: `python target_app/manage.py migrate`."""

import os
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Run the command named on the command line, from whatever folder it is typed in."""
    sys.path[0] = str(PROJECT)  # Python put this file's own folder there, from where `target_app` cannot be imported
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "target_app.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
