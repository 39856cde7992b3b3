"""A project that the probe was not made for: one entry in INSTALLED_APPS, one wrapper, consumers of all sorts."""
