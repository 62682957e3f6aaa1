"""A printer as another package adds it: each job is a file in a folder that another program prints from."""

from pathlib import Path

from pydantic import BaseModel, Field

from config.errors import Unreachable
from config.ids import new_id
from config.plugins import Plugin
from pos.printing.wires import Said


class PrintFolder(BaseModel):
    """What the shopkeeper enters."""

    folder: str = Field(title="Print folder", min_length=1, description="Another program prints what lies there.")


class FolderPrinter:
    """The way to the printer: see `pos.printing.wires.PrinterPlugin` for what each method promises."""

    def __init__(self, settings: PrintFolder, _own: Path) -> None:
        self._folder = Path(settings.folder)

    def longest_s(self, paper: bytes) -> float:
        """A disk is fast."""
        del paper
        return 5.0

    def send(self, paper: bytes) -> Said:
        """Lay the job down whole, or say that nothing was printed."""
        unfinished = self._folder / f"{new_id()}.part"
        try:
            unfinished.write_bytes(paper)
        except OSError as fault:
            raise Unreachable("printer-offline", "The print folder is not there.") from fault
        unfinished.rename(unfinished.with_suffix(".bin"))  # what fails from here on may have been printed
        return Said()


PLUGIN = Plugin("corner-paper", "Print folder", PrintFolder, FolderPrinter, api=1)
