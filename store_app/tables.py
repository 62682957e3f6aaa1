"""Every table of the house, known at once: for making, comparing and migrating a database."""

import importlib
import pkgutil

import config
import pos
import supply
from config.database import Base


def known() -> list[str]:
    """Import every module that may hold a table; returns the names of all tables."""
    for package in (config, pos, supply):
        for module in pkgutil.iter_modules(package.__path__):
            if not module.ispkg:
                importlib.import_module(f"{package.__name__}.{module.name}")
    importlib.import_module("store_app.job_book")
    return sorted(Base.metadata.tables)
