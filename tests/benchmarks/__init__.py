"""One module per measurement; each prints one JSON line and is no part of the test run."""
