"""How much a role pays into one drawer by itself.

Revision ID: 0044
Revises: 0043
"""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("role_limit", sa.Column("pay_in_minor", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("role_limit", "pay_in_minor")
