"""The probe: records inside a target, per connection, what the server did with it.

A target takes it in with two lines and is otherwise left as it is:

    INSTALLED_APPS = [..., "loadtest.probe"]                   # settings.py
    application = Probe(ProtocolTypeRouter({...}))             # asgi.py

Without LOADTEST_LEDGER and LOADTEST_PROBE_TOKEN in the environment `Probe(application)` is that application itself: it
does nothing and costs nothing.
"""

from loadtest.probe.wrapper import Probe

__all__ = ["Probe"]
