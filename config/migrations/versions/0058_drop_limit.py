"""How much a role may put in the safe out of one drawer by itself.

Revision ID: 0058
Revises: 0057
"""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("role_limit", sa.Column("drop_minor", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("role_limit", "drop_minor")
