"""What becomes of goods the network recalls, how many were taken away, and what was credited.

Revision ID: 0061
Revises: 0060
"""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("recall", sa.Column("afterwards", sa.Text(), nullable=False, server_default=""))
    op.add_column("recall", sa.Column("taken_qty", sa.BigInteger(), nullable=True))
    op.add_column("recall", sa.Column("settled_qty", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("recall", "settled_qty")
    op.drop_column("recall", "taken_qty")
    op.drop_column("recall", "afterwards")
