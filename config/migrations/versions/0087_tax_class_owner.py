"""Tax classes have an owner: '*' the network's catalogue, else the store whose own class it is.

At the network a store's own is 'store:id'. At a store its own are those it added itself, as its journal says, and that
no product of the network uses; all others came with the network's edition.

Revision ID: 0087
Revises: 0086
"""

import sqlalchemy as sa
from alembic import op

revision = "0087"
down_revision = "0086"
branch_labels = None
depends_on = None

_TAX = sa.table("tax_class", *map(sa.column, ("id", "owner_id")))
_NODE = sa.table("node", sa.column("id"))
_ADDED = sa.table("journal_entry", *map(sa.column, ("node_id", "verb", "subject", "body"))).c
_PRODUCT = sa.table("product", *map(sa.column, ("tax_class_id", "owner_id"))).c


def upgrade() -> None:
    with op.batch_alter_table("tax_class") as batch:
        batch.add_column(sa.Column("owner_id", sa.Text(), nullable=False, server_default="*"))
    with op.batch_alter_table("tax_class") as batch:
        batch.alter_column("owner_id", server_default=None)
    connection = op.get_bind()
    for key in connection.scalars(sa.select(_TAX.c.id).where(_TAX.c.id.contains(":"))).all():
        _give(key, key.partition(":")[0])
    node_id = connection.scalar(sa.select(_NODE.c.id))
    if node_id not in (None, "network"):
        shared = sa.select(_PRODUCT.tax_class_id).where(_PRODUCT.owner_id == "*")
        added = sa.exists().where(
            _ADDED.node_id == node_id, _ADDED.verb == "tax class.set", _ADDED.subject == "tax:" + _TAX.c.id,
            _ADDED.body.contains('"before_bp":null'),
        )  # fmt: skip
        for key in connection.scalars(sa.select(_TAX.c.id).where(added, _TAX.c.id.not_in(shared))).all():
            _give(key, node_id)


def downgrade() -> None:
    with op.batch_alter_table("tax_class") as batch:
        batch.drop_column("owner_id")


def _give(key: str, owner_id: str) -> None:
    op.execute(sa.update(_TAX).where(_TAX.c.id == key).values(owner_id=owner_id))
