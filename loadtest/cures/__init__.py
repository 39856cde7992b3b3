"""Cures for what dropped connections leave behind: mixins for consumers of your own, to import or to paste.

- `loadtest.cures.guard`: `SyncGuard`, `AsyncGuard`: disconnect() also runs when the consumer's task ends without it
- `loadtest.cures.catching`: `CatchesSendErrors`: a send to a client that is gone does nothing
- `loadtest.cures.heartbeat`: `SyncHeartbeat`, `AsyncHeartbeat`: heartbeat() is called while the connection is open, so
  that presence and group members can expire
- `loadtest.cures.error_hook`: `ErrorHook`: error() is called whatever fails in a consumer (docs/tutorials.md)

They need Channels and nothing else; importing one imports nothing else of this package. docs/cures.md tells what each
mends, what it does not, and what it costs.
"""
