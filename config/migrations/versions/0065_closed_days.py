"""Days on which a shop stays closed, settled ahead.

Revision ID: 0065
Revises: 0064
"""

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "closed_day",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_closed_day_store_id_store")),
        sa.PrimaryKeyConstraint("store_id", "day", name=op.f("pk_closed_day")),
    )


def downgrade() -> None:
    op.drop_table("closed_day")
