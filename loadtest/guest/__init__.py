"""The guest: what runs in the process of an app that knows nothing of us, beside the probe.

It changes no file of the app. A target's interpreter finds on its path a folder with this package, `loadtest.probe`,
what these two need, and `sitecustomize.py`, which Python imports when it starts. Nothing but the standard library,
asgiref, channels and django is imported, and the last three only where the app does so anyway.
"""
