"""Each slip's number that paid, whatever it paid for.

Revision ID: 0056
Revises: 0055
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

KEY = ("store_id", "business_day", "tender", "number", "amount_minor")
PAID = """
    SELECT sale.store_id, sale.business_day, payment.tender, payment.amount_minor, payment.reference,
           'sale:' || sale.id AS source
    FROM sale JOIN payment ON payment.store_id = sale.store_id AND payment.sale_id = sale.id
    WHERE sale.business_day = (SELECT max(business_day) FROM sale) AND payment.tender IN ('card', 'wallet')
      AND payment.provider IS NULL AND payment.amount_minor > 0
    UNION ALL
    SELECT store_id, business_day, tender, -amount_minor, reference, 'tab:' || id
    FROM tab_entry
    WHERE business_day = (SELECT max(business_day) FROM tab_entry) AND kind = 'repayment' AND tender = 'card'"""
"""What was typed on the last day, when a slip could have paid for something else, too."""


def upgrade() -> None:
    op.create_table(
        "slip_number",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("tender", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "business_day", "tender", "number", "amount_minor", name="pk_slip_number"),
    )
    table = sa.table("slip_number", *(sa.column(name) for name in (*KEY, "source")))
    rows = {}
    for *key, reference, source in op.get_bind().execute(sa.text(PAID)):
        number = "".join(sign for sign in unicodedata.normalize("NFKC", reference).casefold() if sign.isalnum())
        if number:
            found = [*key[:3], number.lstrip("0") or "0", key[3], source]
            rows.setdefault(tuple(found[:5]), dict(zip((*KEY, "source"), found, strict=True)))
    if rows:
        op.bulk_insert(table, list(rows.values()))


def downgrade() -> None:
    op.drop_table("slip_number")
