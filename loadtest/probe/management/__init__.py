"""What the probe adds to manage.py."""
