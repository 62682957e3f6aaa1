"""How many empties a cashier takes back in one sale without asking.

Revision ID: 0030
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("role_limit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("empties", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("role_limit", schema=None) as batch_op:
        batch_op.drop_column("empties")
