"""The command line `cornerstore`."""
