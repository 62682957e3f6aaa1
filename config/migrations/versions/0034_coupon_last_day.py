"""A coupon's own last day.

Revision ID: 0034
Revises: 0033
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("coupon", sa.Column("until_day", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("coupon", "until_day")
