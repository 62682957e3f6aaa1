"""What a printer's codes mean to the person who stands in front of it: what is wrong, and what to do."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from config.words import N_
from pos.printing.label_printer import LABEL_PRINTERS
from pos.printing.printers import PrinterHealth
from pos.printing.wires import SENTENCES

REASONS = SENTENCES | {
    "printer-off": N_("Not reachable. Check its power, cable and address."),
    "printer-refused": N_("It refuses the connection. Is another program using it? Turn it off and on."),
    "printer-library": N_("This computer doesn’t have the program for this connection. Connect it another way."),
    "printer-permission": N_("This computer has no access to it. Add its user to the group lp or dialout."),
    "connection-lost": N_("The connection broke while printing. Check the printout."),
    "stopped-midway": N_("The computer stopped while printing. Check the printout."),
    "unprintable": N_("One document could not be prepared for printing. The others were printed."),
    "agent-silent": N_("Its print agent is offline. Check the computer beside the printer and its internet."),
    "agent-late": N_("Its print agent responded too late. It will be retried."),
    "agent-disk": N_("The print agent's disk is full or broken. Check that computer."),
    "busy": N_("It is busy. Try again in a moment."),
}
WAYS = {
    "net": _l("Local network"),
    "usb": _l("USB cable"),
    "serial": _l("Serial cable"),
    "file": _l("Device file"),
    "cups": _l("CUPS queue"),
    "windows": _l("Windows printer"),
    "plugin": _l("Plug-in"),
    "agent": _l("Print agent"),
    "paper": _l("Practice, on screen only"),
}
PAPERS = {"both": _l("Receipts and labels"), "receipts": _l("Receipts only"), "labels": _l("Labels only")}
WIDTHS = {48: _l("80 mm, 48 columns"), 42: _l("80 mm, 42 columns"), 32: _l("58 mm, 32 columns")}
DRAWERS = {0: _l("No drawer"), 2: _l("Drawer 1 (pin 2)"), 5: _l("Drawer 2 (pin 5)")}


def reason(code: str | None) -> str:
    """Return what a code of a failure says; a code without words says the most likely thing."""
    return _(REASONS.get(code or "", REASONS["printer-off"]))


def wire(setting: str) -> str:
    """Return in words how a printer is connected: 'Network · 192.168.1.50'."""
    kind, _colon, where = setting.partition(":")
    way = str(WAYS.get(kind, kind))
    return f"{way} · {where.removesuffix(':9100')}" if where else way


def label_printers() -> dict[str, str]:
    """Return the profiles of label printers in words, by their names."""
    return {name: _("Labels %(size)s", size=width(name, 0)) for name in LABEL_PRINTERS}


def width(profile: str, columns: int) -> str:
    """Return how wide a printer's paper is; of a label printer, the size of its labels."""
    labels = LABEL_PRINTERS.get(profile)
    if labels is None:
        return str(WIDTHS[columns])
    return f"{labels.width_mm} × {labels.height_mm} mm, {labels.dpi} dpi"


def amber(code: str, name: str) -> str:
    """Return what a light says that is neither good nor bad."""
    words = {
        "unconfirmed": _("The last print may not have come out. Check Cash drawer."),
        "slow": _(
            "Print jobs have been waiting for a minute or more. Check that the store's computer is on and printing."
        ),
        "elsewhere": _("Not working; using the backup printer."),
        "paper-low": _("Its paper is nearly used up. Have a new roll ready."),
    }[code]
    return f"{name}: {words}" if name else words


def health(known: PrinterHealth | None) -> tuple[str, str]:
    """Return the dot and the sentence of how a printer last was."""
    if known is not None and known.fault:
        return "dot-bad", reason(known.fault)
    if known is not None and known.near_end:
        return "dot-warn", _("Its paper is nearly used up. Have a new roll ready.")
    if known is not None and known.answers:
        return "", _("It confirmed printing.")
    return "", _("No known problem.")
