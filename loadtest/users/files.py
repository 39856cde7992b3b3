"""Open files: each user needs one, and Locust itself raises the limit to 10,000 only."""

import resource

from loadtest.users.options import OptionsError

SPARE_FILES = 200
"""For Locust itself: web UI, logs, libraries."""


def allow_open_files(users: int) -> None:
    """Raise the soft limit so that each user can hold a connection; OptionsError when the hard limit is lower."""
    needed = users + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise OptionsError(
            f"--users: {users} users need {needed} open files, and this process may have {hard} (hard limit "
            f"RLIMIT_NOFILE); raise it (as root: ulimit -Hn {needed}) or use fewer users"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
