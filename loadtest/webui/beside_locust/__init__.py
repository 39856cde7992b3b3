"""What is added to Locust's own process: routes, a form, tabs; all of it asks the stage."""
