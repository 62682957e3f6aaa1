"""Shops tell the network what offers and prices made of their days.

Revision ID: 0071
Revises: 0070
"""

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "told_effect",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("aisle", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("worth", sa.Double(), nullable=False),
        sa.Column("moved", sa.Double(), nullable=False),
        sa.Column("origin_day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "aisle", "feature", name=op.f("pk_told_effect")),
    )
    op.add_column("forecast_run", sa.Column("effects", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("forecast_run", "effects")
    op.drop_table("told_effect")
