"""The supply side of sync: applying facts, plausibility, recovery, checks."""
