"""A fact that arrived is known by its sender and its id: nobody's id keeps another's out.

Revision ID: 0038
Revises: 0037
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

KEY, PEOPLE = "pk_inbox_message", "ix_inbox_message_people"
_FACTS = (
    "topic IN ('pickup.placed', 'pickup.taken', 'pickup.cancelled') "
    """AND body NOT LIKE '%"forgotten":%'"""
)


def upgrade() -> None:
    _key_by("from_node", "id")


def downgrade() -> None:
    _key_by("id")


def _key_by(*columns: str) -> None:
    op.drop_index(PEOPLE, table_name="inbox_message")
    with op.batch_alter_table("inbox_message", schema=None) as batch_op:
        batch_op.drop_constraint(KEY, type_="primary")
        batch_op.create_primary_key(KEY, list(columns))
    where = sa.text(_FACTS)
    op.create_index(PEOPLE, "inbox_message", ["received_at"], sqlite_where=where, postgresql_where=where)
