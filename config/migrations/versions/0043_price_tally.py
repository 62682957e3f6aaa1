"""What one person changes of a price on a day is compared with what it was before.

Revision ID: 0043
Revises: 0042
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("price_tally")
    op.create_table(
        "price_tally",
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("price_list", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("staff_id", "day", "price_list", "sku", name=op.f("pk_price_tally")),
    )


def downgrade() -> None:
    op.drop_table("price_tally")
    op.create_table(
        "price_tally",
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("prices", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("staff_id", "day", name=op.f("pk_price_tally")),
    )
