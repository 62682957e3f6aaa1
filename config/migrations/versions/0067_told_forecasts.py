"""Shops tell the network what they expect to sell.

Revision ID: 0067
Revises: 0066
"""

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "told_forecast",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("origin_day", sa.Date(), nullable=True),
        sa.Column("horizon_days", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("aisles", sa.JSON(), nullable=False),
        sa.Column("unlikely", sa.JSON(), nullable=False),
        sa.Column("refused_run_id", sa.Text(), nullable=True),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_told_forecast")),
    )
    op.create_table(
        "told_demand",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("per_day", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "sku", name=op.f("pk_told_demand")),
    )


def downgrade() -> None:
    op.drop_table("told_demand")
    op.drop_table("told_forecast")
