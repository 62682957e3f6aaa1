"""Shops and regions have the warehouse that supplies them.

Revision ID: 0046
Revises: 0045
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "served_from",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("of_id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.CheckConstraint("kind in ('store', 'region')", name=op.f("ck_served_from_kind_known")),
        sa.PrimaryKeyConstraint("kind", "of_id", name=op.f("pk_served_from")),
    )


def downgrade() -> None:
    op.drop_table("served_from")
