"""The database itself refuses to change or delete rows of append-only tables.

Revision ID: 0079
Revises: 0078
"""

from alembic import op

from config.nodes import append_only

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None

TABLES: dict[str, tuple[str, ...]] = {
    "approval": ("used_at",),
    "cash_count": (),
    "cash_movement": (),
    "consigned_move": (),
    "count_entry": (),
    "count_result": (),
    "counter_money": (),
    "coupon_use": ("given_back_at",),
    "customer_consent": (),
    "escrow_entry": (),
    "inbox_message": ("state", "reason", "batch"),
    "journal_doubt": ("seen_at",),
    "journal_entry": (),
    "late_sale": ("told_by",),
    "network_terms": (),
    "outbox_message": ("epoch", "n", "head", "state", "attempts", "reason", "delivered_at"),
    "payment": (
        "sale_id", "state", "reference", "asked_at", "ask_again_at", "tries", "provider_ref", "shown_code", "reason",
        "unwanted_since", "contradicted", "claimed_by", "same_as",
    ),
    "points_entry": (),
    "produce_move": ("statement_id",),
    "reservation": (),
    "sale": (),
    "sale_line": (),
    "settlement_entry": (),
    "shared_points_entry": ("n", "sale_id"),
    "signed_batch": (),
    "slip_number": (),
    "stock_count": (),
    "stock_movement": (),
    "tab_entry": (),
    "tab_paid": (),
    "upstream_entry": (),
    "voucher_movement": (),
    "waste": (),
}  # fmt: skip
"""Table -> the columns that may be set after a row was written."""


def upgrade() -> None:
    for name, later in TABLES.items():
        append_only.lay(op.get_bind(), name, later)


def downgrade() -> None:
    for name in TABLES:
        append_only.lift(op.get_bind(), name)
