"""Every table of the house, known at once: for making, comparing and migrating a database."""

import importlib
import pkgutil

import config
import pos
import supply
from config.database import Base


def known() -> list[str]:
    """Import every module that may hold a table; returns the names of all tables.

    A partial index is written with `sqlite_where` alone: PostgreSQL is told the same here, as its dialect takes its
    time to load and a shop that sells does without.
    """
    for package in (config, pos, supply):
        for module in pkgutil.iter_modules(package.__path__):
            if not module.ispkg:
                importlib.import_module(f"{package.__name__}.{module.name}")
    importlib.import_module("store_app.job_book")
    for table in Base.metadata.tables.values():
        for index in table.indexes:
            where = index.dialect_options["sqlite"]["where"]
            if where is not None:
                index.dialect_kwargs["postgresql_where"] = where
    return sorted(Base.metadata.tables)
