"""Figures: what a column, a table, a cell and a finding are, and how they are summed up and written. Pure; no files."""
