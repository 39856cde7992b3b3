"""One readable file a scenario; `locust -f` loads them too."""
