"""Statistics: samples in, intervals and verdicts out. Pure; knows no table, no file and no cell.

Trials are the units: what happens within one trial has common causes, so every interval comes from how trials differ.
"""
