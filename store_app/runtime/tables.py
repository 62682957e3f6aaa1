"""Every table of the house, known at once: for making, comparing and migrating a database."""

import importlib
import pkgutil
from types import ModuleType

import config
import pos
import supply
from config.database import Base


def modules_of(package: ModuleType) -> list[str]:
    """Return the names of a package's modules, those of its rooms too; migrations are none."""
    walked = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return [one.name for one in walked if not one.ispkg and not one.name.startswith("config.migrations")]


def known() -> list[str]:
    """Import every module that may hold a table; returns the names of all tables.

    A partial index is written with `sqlite_where` alone: PostgreSQL is told the same here, as its dialect takes its
    time to load and a store that sells does without.
    """
    for package in (config, pos, supply):
        for name in modules_of(package):
            importlib.import_module(name)
    importlib.import_module("store_app.runtime.job_runs")
    for table in Base.metadata.tables.values():
        for index in table.indexes:
            where = index.dialect_options["sqlite"]["where"]
            if where is not None:
                index.dialect_kwargs["postgresql_where"] = where
    return sorted(Base.metadata.tables)
