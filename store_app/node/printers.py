"""The printers of a node: those set up on its page, else the one its settings name."""

from typing import Any

from sqlalchemy.orm import Session

from config.settings import Settings
from pos.printing import printers
from pos.printing.wires import PRINTERS
from store_app.runtime import plugins


def printers_in_force(session: Session, settings: Settings) -> list[Any]:
    """Return the printers of this node."""
    plugged = plugins.made(PRINTERS, settings)
    return printers.outlets(session, settings.node_id, settings.printer, model_of_settings(settings), plugged)


def model_of_settings(settings: Settings) -> Any:
    """Return what the settings say of the first printer."""
    from pos.printing.models import PrinterModel

    return PrinterModel(settings.printer_columns, settings.printer_chinese, settings.printer_profile)
