"""A bank account a store has changed rests before anything is paid to it.

Revision ID: 0077
Revises: 0076
"""

import sqlalchemy as sa
from alembic import op

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("bank_rests_until", sa.DateTime(timezone=True), nullable=True)
    op.add_column("settlement_account", column)


def downgrade() -> None:
    op.drop_column("settlement_account", "bank_rests_until")
