"""The words a customer agreed to, and the known customer an order at the counter is for.

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("customer_consent", schema=None) as batch_op:
        batch_op.add_column(sa.Column("words", sa.Text(), server_default="", nullable=False))
    with op.batch_alter_table("pickup_order", schema=None) as batch_op:
        batch_op.add_column(sa.Column("customer_id", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("pickup_order", schema=None) as batch_op:
        batch_op.drop_column("customer_id")
    with op.batch_alter_table("customer_consent", schema=None) as batch_op:
        batch_op.drop_column("words")
