"""No wrong codes are counted by order: a code that fits none is counted by shop.

Revision ID: 0073
Revises: 0072
"""

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("pickup_order", "tries")
    op.drop_column("pickup_try", "order_id")


def downgrade() -> None:
    op.add_column("pickup_try", sa.Column("order_id", sa.String(), nullable=True))
    op.add_column("pickup_order", sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False))
