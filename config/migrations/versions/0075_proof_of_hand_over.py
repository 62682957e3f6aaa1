"""An order keeps when its network heard of the hand-over, what proves it, and its store's terms of the day.

Revision ID: 0075
Revises: 0074
"""

import sqlalchemy as sa
from alembic import op

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("pickup_order") as table:
        table.add_column(sa.Column("handed_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("proved_by", sa.Text(), nullable=False, server_default=""))
        table.add_column(sa.Column("return_days", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("by_hearsay", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    with op.batch_alter_table("escrow") as table:
        table.add_column(sa.Column("proved", sa.Boolean(), nullable=False, server_default=sa.text("false")))


def downgrade() -> None:
    with op.batch_alter_table("escrow") as table:
        table.drop_column("proved")
    with op.batch_alter_table("pickup_order") as table:
        for name in ("by_hearsay", "return_days", "proved_by", "proved_at", "handed_at"):
            table.drop_column(name)
