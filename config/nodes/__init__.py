"""What nodes prove to each other: a node's signing key, and the keys each node knows of others.

`signing` signs and verifies bytes; `signing_keys` keeps who may sign for a store, and the signatures that came with its
facts. Both import the plain ground of `config` alone.
"""
