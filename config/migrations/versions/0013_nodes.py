"""What is still on its way between nodes, what a copy took with it, and which days want to be added up again.

Revision ID: 0013
Revises: 0010
Create Date: 2026-11-25 15:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inbox_head", sa.Column("sent", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("outbox_head", sa.Column("moved", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "fresh_day",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "business_day", name=op.f("pk_fresh_day")),
    )


def downgrade() -> None:
    op.drop_table("fresh_day")
    op.drop_column("outbox_head", "moved")
    op.drop_column("inbox_head", "sent")
