"""What waits to be sent is found by its epoch, without a look at what was sent.

Revision ID: 0059
Revises: 0058
"""

from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_outbox_message_waiting", "outbox_message"


def upgrade() -> None:
    op.drop_index(NAME, TABLE)
    op.create_index(NAME, TABLE, ["to_node", "state", "epoch", "n"])


def downgrade() -> None:
    op.drop_index(NAME, TABLE)
    op.create_index(NAME, TABLE, ["to_node", "state", "n"])
