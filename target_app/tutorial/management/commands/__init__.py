"""The management commands of the tutorials' app."""
