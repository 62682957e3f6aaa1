"""How a shop heard of a recall: by its node, or by a person.

Revision ID: 0063
Revises: 0062
"""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("recall", sa.Column("told_how", sa.Text(), nullable=False, server_default=""))
    op.execute(
        "update recall set told_how = 'node' where afterwards <> '' "
        "and exists (select 1 from store where store.id = recall.store_id and store.has_node)"
    )
    # nobody told a shop without a node: a person has to, but not of what is over
    op.execute("update recall set told_how = 'hand' where afterwards <> '' and told_how = '' and state = 'lifted'")


def downgrade() -> None:
    op.drop_column("recall", "told_how")
