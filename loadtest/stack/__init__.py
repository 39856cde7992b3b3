"""The stack: what a trial runs against, and the only door to subprocess. Rows (layers, servers) and processes."""
