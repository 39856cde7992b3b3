"""Capacity: the highest rate, or number of connections, that keeps a service level, searched for by open-loop steps."""
