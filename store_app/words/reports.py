"""What the figures of a period are called, on pages and in mail (`pos.reports.figures`)."""

from config.words import N_

FIGURES = {
    "total_minor": N_("Sales"), "net_minor": N_("Net sales"), "margin_minor": N_("Margin"), "units": N_("Units"),
    "baskets": N_("Baskets"),
}  # fmt: skip
BEFORE = {"week": N_("week before"), "month": N_("month before"), "year": N_("year before")}
