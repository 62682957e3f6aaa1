"""The counter's side of sync: other nodes' facts into these tables, recovery, and the checks of the books."""
