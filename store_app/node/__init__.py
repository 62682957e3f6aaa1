"""Keeping a node: backup, joining, verifying, the doctor."""
