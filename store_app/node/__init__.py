"""Running a node: serve, back up, join, verify, diagnose."""
