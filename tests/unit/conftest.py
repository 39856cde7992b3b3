"""What unit tests share: Locust's users are imported without its patching of the whole process, before any test does;
and an example that hypothesis invents may take as long as a busy machine makes it."""

import os

from hypothesis import settings

_SKIP = "LOCUST_SKIP_MONKEY_PATCH"
os.environ[_SKIP] = "1"
try:
    import loadtest.users  # noqa: F401
finally:
    del os.environ[_SKIP]  # what tests start gets Locust as it is

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
