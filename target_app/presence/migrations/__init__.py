"""The tables of presence."""
