"""The nodes that are attacked: the applications the pages' tests use."""

from tests.store_app.conftest import build, founded, house, kept, market, network, served

__all__ = ["build", "founded", "house", "kept", "market", "network", "served"]
