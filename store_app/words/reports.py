"""What the figures of a period are called and mean, on pages and in mail (`pos.reports.figures`, `dashboard`)."""

from config.words import N_

FIGURES = {
    "total_minor": N_("Sales"), "net_minor": N_("Net sales"), "margin_minor": N_("Margin"), "units": N_("Units"),
    "baskets": N_("Baskets"),
}  # fmt: skip
BEFORE = {"week": N_("week before"), "month": N_("month before"), "year": N_("year before")}
MEANINGS = {
    "total_minor": N_("The totals of all receipts, with tax, deposits, vouchers and rounding. Refunds are subtracted."),
    "net_minor": N_("Products and services without tax, deposits and vouchers."),
    "margin_minor": N_("Net sales less cost, for products with a known cost."),
    "units": N_("Units sold. A weighed item counts as one. Refunds are subtracted."),
    "baskets": N_("Completed sales and exchanges. A refund is not a basket."),
}
NETWORK_FIGURES = {
    "out_of_stock_bp": (
        N_("Out-of-stock rate"),
        N_("Share of the trading day on which a listed product was sold out, over all listed products with stock."),
    ),
    "service_bp": (N_("Service level"), N_("Share of listed products that were not sold out at closing time.")),
    "fill_bp": (
        N_("Fill rate"),
        N_("Value received of the value ordered from the network, for finished orders due in the period."),
    ),
    "wape_bp": (
        N_("Forecast error (WAPE)"),
        N_("Difference between a day’s sales and the last forecast before it, per product, over sales in units."),
    ),
    "bias_bp": (
        N_("Forecast bias"),
        N_("Forecast less sales, over sales in units. Above zero, forecasts were too high."),
    ),
    "waste_bp": (
        N_("Waste"),
        N_("Written off, at shelf price, over the sales of the days reported."),
    ),
}
PRODUCT_FIGURES = {
    "abc": (
        N_("ABC"),
        N_("A: the best sellers that bring 80 percent of the department’s sales. B: the next 15 percent. C: the rest."),
    ),
    "xyz": (
        N_("XYZ"),
        N_("How much weekly units vary over 13 weeks. X: by up to half their average. Y: up to all of it. Z: more."),
    ),
}
"""Each with what it means."""
SCORECARD = (
    (
        N_("Lead time"),
        N_("Days from the order to goods receipt, over everything received that was due in the period: average and "
           "spread (standard deviation). A purchase sent later than its order day counts from the day it was sent."),
    ),
    (
        N_("Late"),
        N_("Share of what was due in the period that came after its day, or did not come."),
    ),
    (
        N_("Fill rate, lines"),
        N_("Order lines received in full, over all lines due. Purchases called off are left out."),
    ),
    (
        N_("Fill rate, units"),
        N_("Units received of the units ordered, in packs, never more than ordered. For deliveries to stores: by "
           "value, as on the dashboard."),
    ),
    (
        N_("Price changes"),
        N_("Products whose unit cost differs from the purchase before, with the average size. The effect is what the "
           "purchases of the period cost more because of it."),
    ),
    (
        N_("Claims"),
        N_("Claims made in the period: open and settled, with the value claimed and credited."),
    ),
)  # fmt: skip
"""The figures of a supplier's scorecard, each with what it means (`supply.membership.scorecards`)."""
