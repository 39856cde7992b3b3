"""Presence: who is online, as a chat would show it; what stays online after a drop is residue."""


def online_connections() -> list[int]:
    """Return the load test's connection ids whose row says online and has not expired; sync, Django being set up."""
    from target_app.presence.models import Presence  # models cannot be imported before Django is set up

    online = Presence.objects.present().filter(connection__isnull=False)
    return sorted(online.values_list("connection", flat=True))
