"""What the complete till keeps.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approval",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("granted_by_name", sa.Text(), nullable=False),
        sa.Column("granted_by_role", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_approval")),
    )
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.create_index("ix_approval_sale", ["store_id", "sale_id"], unique=False)

    op.create_table(
        "basket",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("till_id", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("kept_by", sa.Text(), nullable=False),
        sa.Column("kept_by_name", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_basket")),
    )
    with op.batch_alter_table("basket", schema=None) as batch_op:
        batch_op.create_index("ix_basket_state", ["store_id", "state"], unique=False)

    op.create_table(
        "cash_count",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("shift_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("pieces", sa.JSON(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_cash_count")),
    )
    with op.batch_alter_table("cash_count", schema=None) as batch_op:
        batch_op.create_index("ix_cash_count_shift", ["store_id", "shift_id"], unique=False)

    op.create_table(
        "count_result",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("take_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("counted_qty", sa.BigInteger(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expected_qty", sa.BigInteger(), nullable=False),
        sa.Column("booked_qty", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "take_id", "sku", name=op.f("pk_count_result")),
    )
    op.create_table(
        "coupon_use",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "sale_id", "code", name=op.f("pk_coupon_use")),
    )
    op.create_table(
        "customer",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_customer")),
    )
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.create_index("ix_customer_name", ["store_id", "name"], unique=False)

    op.create_table(
        "customer_consent",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_customer_consent")),
    )
    with op.batch_alter_table("customer_consent", schema=None) as batch_op:
        batch_op.create_index("ix_customer_consent_customer", ["store_id", "customer_id"], unique=False)

    op.create_table(
        "goods_note",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("supplier_name", sa.Text(), nullable=False),
        sa.Column("paper_no", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_goods_note")),
    )
    with op.batch_alter_table("goods_note", schema=None) as batch_op:
        batch_op.create_index("ix_goods_note_state", ["store_id", "state"], unique=False)

    op.create_table(
        "journal_anchor",
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("node_id", "n", name=op.f("pk_journal_anchor")),
    )
    op.create_table(
        "journal_doubt",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_doubt")),
    )
    with op.batch_alter_table("journal_doubt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_journal_doubt_node_id"), ["node_id"], unique=False)

    op.create_table(
        "late_sale",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("till_id", sa.Text(), nullable=False),
        sa.Column("shift_id", sa.Text(), nullable=False),
        sa.Column("receipt_no", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("store_id", "sale_id", name=op.f("pk_late_sale")),
    )
    with op.batch_alter_table("late_sale", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_late_sale_till_id"), ["till_id"], unique=False)

    op.create_table(
        "loyalty_scheme",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("per_minor", sa.BigInteger(), nullable=False),
        sa.Column("worth_minor", sa.BigInteger(), nullable=False),
        sa.Column("least_points", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_loyalty_scheme")),
    )
    op.create_table(
        "offer",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=True),
        sa.Column("until_day", sa.Date(), nullable=True),
        sa.Column("needs_coupon", sa.Boolean(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
    )
    with op.batch_alter_table("offer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_offer_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "offer_edition",
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_offer_edition")),
    )
    op.create_table(
        "points_account",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("member", sa.Boolean(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "customer_id", name=op.f("pk_points_account")),
    )
    op.create_table(
        "points_entry",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("sale_id", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_points_entry")),
        sa.UniqueConstraint("store_id", "customer_id", "n", name=op.f("uq_points_entry_store_id_customer_id_n")),
    )
    with op.batch_alter_table("points_entry", schema=None) as batch_op:
        batch_op.create_index("ix_points_entry_sale", ["store_id", "sale_id"], unique=False)

    op.create_table(
        "role_limit",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("discount_bp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "role", name=op.f("pk_role_limit")),
    )
    op.create_table(
        "stock_count",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("counted_qty", sa.BigInteger(), nullable=False),
        sa.Column("before_qty", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_stock_count")),
    )
    with op.batch_alter_table("stock_count", schema=None) as batch_op:
        batch_op.create_index("ix_stock_count_sku", ["store_id", "sku", "at"], unique=False)

    op.create_table(
        "stock_take",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("posting_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("missing_is_gone", sa.Boolean(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_stock_take")),
    )
    with op.batch_alter_table("stock_take", schema=None) as batch_op:
        batch_op.create_index("ix_stock_take_state", ["store_id", "state"], unique=False)

    op.create_table(
        "tab_account",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("limit_minor", sa.BigInteger(), nullable=False),
        sa.Column("balance_minor", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("balance_minor >= 0", name=op.f("ck_tab_account_balance_not_negative")),
        sa.PrimaryKeyConstraint("store_id", "customer_id", name=op.f("pk_tab_account")),
    )
    op.create_table(
        "tab_entry",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("balance_minor", sa.BigInteger(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("sale_id", sa.Text(), nullable=True),
        sa.Column("shift_id", sa.Text(), nullable=True),
        sa.Column("tender", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_tab_entry")),
        sa.UniqueConstraint("store_id", "customer_id", "n", name=op.f("uq_tab_entry_store_id_customer_id_n")),
    )
    op.create_table(
        "tab_paid",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("credit_id", sa.Text(), nullable=False),
        sa.Column("charge_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_tab_paid_amount_positive")),
        sa.PrimaryKeyConstraint("store_id", "credit_id", "charge_id", name=op.f("pk_tab_paid")),
    )
    with op.batch_alter_table("tab_paid", schema=None) as batch_op:
        batch_op.create_index("ix_tab_paid_charge", ["store_id", "charge_id"], unique=False)

    op.create_table(
        "voucher",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("balance_minor", sa.BigInteger(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.CheckConstraint("balance_minor >= 0", name=op.f("ck_voucher_balance_not_negative")),
        sa.PrimaryKeyConstraint("store_id", "code", name=op.f("pk_voucher")),
    )
    with op.batch_alter_table("voucher", schema=None) as batch_op:
        batch_op.create_index("ix_voucher_sale", ["store_id", "sale_id"], unique=False)

    op.create_table(
        "voucher_movement",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("balance_minor", sa.BigInteger(), nullable=False),
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_voucher_movement")),
    )
    with op.batch_alter_table("voucher_movement", schema=None) as batch_op:
        batch_op.create_index("ix_voucher_movement_code", ["store_id", "code"], unique=False)
        batch_op.create_index("ix_voucher_movement_sale", ["store_id", "sale_id"], unique=False)

    op.create_table(
        "coupon",
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("most_uses", sa.BigInteger(), nullable=True),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "uses >= 0 and (most_uses is null or uses <= most_uses)", name=op.f("ck_coupon_uses_within_limit")
        ),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_coupon_offer_id_offer")),
        sa.PrimaryKeyConstraint("owner_id", "code", name=op.f("pk_coupon")),
    )
    with op.batch_alter_table("coupon", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_coupon_offer_id"), ["offer_id"], unique=False)

    op.create_table(
        "stock_take_section",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("take_id", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id", "take_id"],
            ["stock_take.store_id", "stock_take.id"],
            name=op.f("fk_stock_take_section_store_id_take_id_stock_take"),
        ),
        sa.PrimaryKeyConstraint("store_id", "take_id", "n", name=op.f("pk_stock_take_section")),
    )
    op.create_table(
        "batch",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("batch", sa.Text(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("leaves_on", sa.Date(), nullable=False),
        sa.Column("received_qty", sa.BigInteger(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("source_kind", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.CheckConstraint("received_qty > 0", name=op.f("ck_batch_received_positive")),
        sa.ForeignKeyConstraint(["sku"], ["product.sku"], name=op.f("fk_batch_sku_product")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_batch")),
    )
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.create_index("ix_batch_leaves", ["store_id", "leaves_on"], unique=False)
        batch_op.create_index("ix_batch_sku", ["store_id", "sku", "leaves_on"], unique=False)

    op.create_table(
        "count_entry",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("take_id", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("section_n", sa.BigInteger(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("is_total", sa.Boolean(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sku"], ["product.sku"], name=op.f("fk_count_entry_sku_product")),
        sa.ForeignKeyConstraint(
            ["store_id", "take_id"],
            ["stock_take.store_id", "stock_take.id"],
            name=op.f("fk_count_entry_store_id_take_id_stock_take"),
        ),
        sa.PrimaryKeyConstraint("store_id", "take_id", "n", name=op.f("pk_count_entry")),
        sa.UniqueConstraint("store_id", "take_id", "id", name=op.f("uq_count_entry_store_id_take_id_id")),
    )
    with op.batch_alter_table("count_entry", schema=None) as batch_op:
        batch_op.create_index("ix_count_entry_sku", ["store_id", "take_id", "sku"], unique=False)

    op.create_table(
        "goods_line",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("note_id", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("batch", sa.Text(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.CheckConstraint("qty > 0", name=op.f("ck_goods_line_qty_positive")),
        sa.ForeignKeyConstraint(["sku"], ["product.sku"], name=op.f("fk_goods_line_sku_product")),
        sa.ForeignKeyConstraint(
            ["store_id", "note_id"],
            ["goods_note.store_id", "goods_note.id"],
            name=op.f("fk_goods_line_store_id_note_id_goods_note"),
        ),
        sa.PrimaryKeyConstraint("store_id", "note_id", "n", name=op.f("pk_goods_line")),
    )
    op.create_table(
        "product_tare",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("tare_grams", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("tare_grams > 0", name=op.f("ck_product_tare_tare_positive")),
        sa.ForeignKeyConstraint(["sku"], ["product.sku"], name=op.f("fk_product_tare_sku_product")),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_product_tare_store_id_store")),
        sa.PrimaryKeyConstraint("store_id", "sku", name=op.f("pk_product_tare")),
    )
    op.create_table(
        "quick_key",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("page", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sku"], ["product.sku"], name=op.f("fk_quick_key_sku_product")),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_quick_key_store_id_store")),
        sa.PrimaryKeyConstraint("store_id", "page", "place", name=op.f("pk_quick_key")),
    )
    with op.batch_alter_table("quick_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quick_key_sku"), ["sku"], unique=False)

    op.create_table(
        "quick_page",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("page", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_quick_page_store_id_store")),
        sa.PrimaryKeyConstraint("store_id", "page", name=op.f("pk_quick_page")),
    )
    op.create_table(
        "recall",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("batch", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("called_by", sa.Text(), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sku"], ["product.sku"], name=op.f("fk_recall_sku_product")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_recall")),
    )
    with op.batch_alter_table("recall", schema=None) as batch_op:
        batch_op.create_index(
            "ix_recall_in_force",
            ["store_id", "sku"],
            unique=False,
            sqlite_where=sa.text("state <> 'lifted'"),
            postgresql_where=sa.text("state <> 'lifted'"),
        )

    op.create_table(
        "scan_scheme",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_scan_scheme_store_id_store")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan_scheme")),
    )
    with op.batch_alter_table("scan_scheme", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_scan_scheme_store_id"), ["store_id"], unique=False)

    op.create_table(
        "till_edition",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_till_edition_store_id_store")),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_till_edition")),
    )
    op.create_table(
        "waste",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("batch", sa.Text(), nullable=True),
        sa.Column("cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("value_minor", sa.BigInteger(), nullable=True),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.CheckConstraint("qty > 0", name=op.f("ck_waste_qty_positive")),
        sa.ForeignKeyConstraint(["sku"], ["product.sku"], name=op.f("fk_waste_sku_product")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_waste")),
    )
    with op.batch_alter_table("waste", schema=None) as batch_op:
        batch_op.create_index("ix_waste_day", ["store_id", "business_day"], unique=False)

    with op.batch_alter_table("cash_movement", schema=None) as batch_op:
        batch_op.create_index(
            "ix_cash_movement_apart",
            ["store_id", "shift_id", "kind"],
            unique=False,
            sqlite_where=sa.text("kind NOT IN ('sale', 'change', 'refund')"),
            postgresql_where=sa.text("kind NOT IN ('sale', 'change', 'refund')"),
        )

    with op.batch_alter_table("delivery_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("batch", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("expires_on", sa.Date(), nullable=True))

    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cost_minor", sa.BigInteger(), nullable=True))

    with op.batch_alter_table("node", schema=None) as batch_op:
        batch_op.add_column(sa.Column("peer_journal_n", sa.BigInteger(), nullable=True))

    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("till_id", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("provider", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("way", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("request_hash", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("requested_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("ask_again_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("tries", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("provider_ref", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("shown_code", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("reason", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("unwanted_since", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("contradicted", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("claimed_by", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("same_as", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("gives_back", sa.Text(), nullable=True))
        batch_op.create_index(
            "ix_payment_provider",
            ["store_id", "provider"],
            unique=False,
            sqlite_where=sa.text("provider IS NOT NULL"),
            postgresql_where=sa.text("provider IS NOT NULL"),
        )

    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.Text(), server_default="goods", nullable=False))
        batch_op.add_column(sa.Column("deposit_sku", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("price_typed", sa.Boolean(), server_default=sa.text("(false)"), nullable=False))

    with op.batch_alter_table("sale", schema=None) as batch_op:
        batch_op.add_column(sa.Column("age_how", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("customer_id", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("note", sa.Text(), server_default="", nullable=False))

    with op.batch_alter_table("sale_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.Text(), server_default="goods", nullable=False))
        batch_op.add_column(sa.Column("list_price_minor", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("price_type", sa.Text(), server_default="list", nullable=False))
        batch_op.add_column(sa.Column("manual_discount_minor", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("reason", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("note", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("batch", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("expires_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("amount_minor", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("deposit_of", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("cost_minor", sa.BigInteger(), nullable=True))

    with op.batch_alter_table("shift", schema=None) as batch_op:
        batch_op.add_column(sa.Column("totals", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("held_by", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("held_by_name", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("counted_times", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.create_index("uq_shift_z_no", ["store_id", "till_id", "z_no"], unique=True)

    with op.batch_alter_table("store", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cash_tolerance_minor", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("store", schema=None) as batch_op:
        batch_op.drop_column("cash_tolerance_minor")

    with op.batch_alter_table("shift", schema=None) as batch_op:
        batch_op.drop_index("uq_shift_z_no")
        batch_op.drop_column("counted_times")
        batch_op.drop_column("held_by_name")
        batch_op.drop_column("held_by")
        batch_op.drop_column("totals")

    with op.batch_alter_table("sale_line", schema=None) as batch_op:
        batch_op.drop_column("cost_minor")
        batch_op.drop_column("deposit_of")
        batch_op.drop_column("amount_minor")
        batch_op.drop_column("expires_on")
        batch_op.drop_column("batch")
        batch_op.drop_column("note")
        batch_op.drop_column("reason")
        batch_op.drop_column("manual_discount_minor")
        batch_op.drop_column("price_type")
        batch_op.drop_column("list_price_minor")
        batch_op.drop_column("kind")

    with op.batch_alter_table("sale", schema=None) as batch_op:
        batch_op.drop_column("note")
        batch_op.drop_column("customer_id")
        batch_op.drop_column("age_how")

    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.drop_column("price_typed")
        batch_op.drop_column("deposit_sku")
        batch_op.drop_column("kind")

    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_payment_provider",
            sqlite_where=sa.text("provider IS NOT NULL"),
            postgresql_where=sa.text("provider IS NOT NULL"),
        )
        batch_op.drop_column("gives_back")
        batch_op.drop_column("same_as")
        batch_op.drop_column("claimed_by")
        batch_op.drop_column("contradicted")
        batch_op.drop_column("unwanted_since")
        batch_op.drop_column("reason")
        batch_op.drop_column("shown_code")
        batch_op.drop_column("provider_ref")
        batch_op.drop_column("tries")
        batch_op.drop_column("ask_again_at")
        batch_op.drop_column("asked_at")
        batch_op.drop_column("requested_at")
        batch_op.drop_column("request_hash")
        batch_op.drop_column("way")
        batch_op.drop_column("provider")
        batch_op.drop_column("till_id")

    with op.batch_alter_table("node", schema=None) as batch_op:
        batch_op.drop_column("peer_journal_n")

    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.drop_column("cost_minor")

    with op.batch_alter_table("delivery_line", schema=None) as batch_op:
        batch_op.drop_column("expires_on")
        batch_op.drop_column("batch")

    with op.batch_alter_table("cash_movement", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_cash_movement_apart",
            sqlite_where=sa.text("kind NOT IN ('sale', 'change', 'refund')"),
            postgresql_where=sa.text("kind NOT IN ('sale', 'change', 'refund')"),
        )

    with op.batch_alter_table("waste", schema=None) as batch_op:
        batch_op.drop_index("ix_waste_day")

    op.drop_table("waste")
    op.drop_table("till_edition")
    with op.batch_alter_table("scan_scheme", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_scan_scheme_store_id"))

    op.drop_table("scan_scheme")
    with op.batch_alter_table("recall", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_recall_in_force",
            sqlite_where=sa.text("state <> 'lifted'"),
            postgresql_where=sa.text("state <> 'lifted'"),
        )

    op.drop_table("recall")
    op.drop_table("quick_page")
    with op.batch_alter_table("quick_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quick_key_sku"))

    op.drop_table("quick_key")
    op.drop_table("product_tare")
    op.drop_table("goods_line")
    with op.batch_alter_table("count_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_count_entry_sku")

    op.drop_table("count_entry")
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.drop_index("ix_batch_sku")
        batch_op.drop_index("ix_batch_leaves")

    op.drop_table("batch")
    op.drop_table("stock_take_section")
    with op.batch_alter_table("coupon", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_coupon_offer_id"))

    op.drop_table("coupon")
    with op.batch_alter_table("voucher_movement", schema=None) as batch_op:
        batch_op.drop_index("ix_voucher_movement_sale")
        batch_op.drop_index("ix_voucher_movement_code")

    op.drop_table("voucher_movement")
    with op.batch_alter_table("voucher", schema=None) as batch_op:
        batch_op.drop_index("ix_voucher_sale")

    op.drop_table("voucher")
    with op.batch_alter_table("tab_paid", schema=None) as batch_op:
        batch_op.drop_index("ix_tab_paid_charge")

    op.drop_table("tab_paid")
    op.drop_table("tab_entry")
    op.drop_table("tab_account")
    with op.batch_alter_table("stock_take", schema=None) as batch_op:
        batch_op.drop_index("ix_stock_take_state")

    op.drop_table("stock_take")
    with op.batch_alter_table("stock_count", schema=None) as batch_op:
        batch_op.drop_index("ix_stock_count_sku")

    op.drop_table("stock_count")
    op.drop_table("role_limit")
    with op.batch_alter_table("points_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_points_entry_sale")

    op.drop_table("points_entry")
    op.drop_table("points_account")
    op.drop_table("offer_edition")
    with op.batch_alter_table("offer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_offer_owner_id"))

    op.drop_table("offer")
    op.drop_table("loyalty_scheme")
    with op.batch_alter_table("late_sale", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_late_sale_till_id"))

    op.drop_table("late_sale")
    with op.batch_alter_table("journal_doubt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_journal_doubt_node_id"))

    op.drop_table("journal_doubt")
    op.drop_table("journal_anchor")
    with op.batch_alter_table("goods_note", schema=None) as batch_op:
        batch_op.drop_index("ix_goods_note_state")

    op.drop_table("goods_note")
    with op.batch_alter_table("customer_consent", schema=None) as batch_op:
        batch_op.drop_index("ix_customer_consent_customer")

    op.drop_table("customer_consent")
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.drop_index("ix_customer_name")

    op.drop_table("customer")
    op.drop_table("coupon_use")
    op.drop_table("count_result")
    with op.batch_alter_table("cash_count", schema=None) as batch_op:
        batch_op.drop_index("ix_cash_count_shift")

    op.drop_table("cash_count")
    with op.batch_alter_table("basket", schema=None) as batch_op:
        batch_op.drop_index("ix_basket_state")

    op.drop_table("basket")
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.drop_index("ix_approval_sale")

    op.drop_table("approval")
