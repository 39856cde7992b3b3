"""The stage: a process behind the web UI, in which the target is run, and tests are audited while they run."""
