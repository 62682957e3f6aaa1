"""The supply side of sync: applying facts, recovery, checks."""
