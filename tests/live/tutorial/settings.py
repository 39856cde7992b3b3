"""The reference app's settings with a test database in a file: ChannelsLiveServerTestCase wants one."""

import os

from target_app.settings import *  # noqa: F403
from target_app.settings import DATABASES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast: nobody else knows these users
DATABASES["default"]["TEST"] = {"NAME": os.environ["TEST_DATABASE"]}
