"""The link to a group leader's own page.

Revision ID: 0029b
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0029b"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("group_offer", sa.Column("leader_token", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("group_offer", "leader_token")
