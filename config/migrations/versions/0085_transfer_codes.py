"""The code of a transfer between stores is derived where it is shown, and kept nowhere.

A transfer that was agreed before has no code any more: the fetching store takes the goods in first, and the other store
then lets go of them as counted there.

Revision ID: 0085
Revises: 0084
"""

import sqlalchemy as sa
from alembic import op

revision = "0085"
down_revision = "0084"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("goods_transfer", "code")


def downgrade() -> None:
    op.add_column("goods_transfer", sa.Column("code", sa.Text(), nullable=False, server_default=""))
