"""The service a shop's orders aim at, and its look at the weeks ahead.

Revision ID: 0069
Revises: 0068
"""

import sqlalchemy as sa
from alembic import op

from config.database import UtcDateTime

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "order_service",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("service_bp", sa.BigInteger(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_order_service_store_id_store")),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_order_service")),
    )
    op.create_table(
        "weeks_ahead",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_weeks_ahead_store_id_store")),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_weeks_ahead")),
    )


def downgrade() -> None:
    op.drop_table("weeks_ahead")
    op.drop_table("order_service")
