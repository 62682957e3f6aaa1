"""The nodes that are attacked: the applications the pages' tests use."""

from tests.store_app.conftest import build, founded, house, kept, network

__all__ = ["build", "founded", "house", "kept", "network"]
