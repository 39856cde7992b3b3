"""The bench: a plan, its trials one after the other, and the folder they are saved in."""
