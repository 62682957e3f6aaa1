"""What still names a person, found without reading through the books.

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_FACTS = (
    "topic IN ('pickup.placed', 'pickup.taken', 'pickup.cancelled') "
    """AND body NOT LIKE '%"forgotten":%'"""
)
INDEXES = (
    ("ix_outbox_message_people", "outbox_message", "made_at", _FACTS),
    ("ix_inbox_message_people", "inbox_message", "received_at", _FACTS),
    ("ix_pickup_order_people", "pickup_order", "moved_at", "(customer_name <> '' OR customer_phone <> '')"),
    ("ix_customer_message_people", "customer_message", "ended_at", "phone <> ''"),
    ("ix_group_member_people", "group_member", "group_id", "phone <> ''"),
    ("ix_print_job_pick_list", "print_job", "queued_at", "kind = 'pick_list' AND paper IS NOT NULL"),
)


def upgrade() -> None:
    for name, table, column, those in INDEXES:
        op.create_index(name, table, [column], sqlite_where=sa.text(those), postgresql_where=sa.text(those))


def downgrade() -> None:
    for name, table, _, _ in reversed(INDEXES):
        op.drop_index(name, table_name=table)
