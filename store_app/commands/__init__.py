"""The command line `cornerstore`: one file a group of commands, and what `serve` runs."""
