"""Suppliers have closed days and an hour up to which an order counts for its day.

Revision ID: 0051
Revises: 0050
"""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("supplier", sa.Column("closed_days", sa.JSON(), nullable=True))
    op.add_column("supplier", sa.Column("cut_off_minute", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("supplier", "cut_off_minute")
    op.drop_column("supplier", "closed_days")
