"""A day of all shops is found without reading every day of each.

Revision ID: 0039
Revises: 0038
"""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_store_day_day", "store_day", ["business_day", "store_id"])


def downgrade() -> None:
    op.drop_index("ix_store_day_day", table_name="store_day")
