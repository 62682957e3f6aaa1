"""A computer without a store: the screens that ask what a new one is, until it is founded."""
