"""Around: the application that a server runs in the place of the user's own: that one, in the probe's wrapper.

    LOADTEST_APPLICATION=myproject.asgi:application uvicorn loadtest.guest.around:application

Where the app is in a wrapper of its own already, that one is left out.
"""

import os

from loadtest.contract.variables import APPLICATION_VARIABLE
from loadtest.guest.loading import load_application
from loadtest.guest.wrapping import around

application = around(load_application(os.environ[APPLICATION_VARIABLE]))
