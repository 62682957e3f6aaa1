"""What shops sell a day, and what a region will lack, is kept.

Revision ID: 0040
Revises: 0039
"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "selling_rate",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("per_day", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "sku", name=op.f("pk_selling_rate")),
    )
    op.create_table(
        "region_outlook",
        sa.Column("region_id", sa.Text(), nullable=False),
        sa.Column("days", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("region_id", "days", name=op.f("pk_region_outlook")),
    )
    op.create_table(
        "rates_kept",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_rates_kept")),
    )


def downgrade() -> None:
    op.drop_table("region_outlook")
    op.drop_table("rates_kept")
    op.drop_table("selling_rate")
