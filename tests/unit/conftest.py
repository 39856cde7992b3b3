"""Imports the users before any test does, without Locust's patching of the whole process: tests are not gevent's."""

import os

_SKIP = "LOCUST_SKIP_MONKEY_PATCH"
os.environ[_SKIP] = "1"
try:
    import loadtest.users  # noqa: F401
finally:
    del os.environ[_SKIP]  # what tests start gets Locust as it is
