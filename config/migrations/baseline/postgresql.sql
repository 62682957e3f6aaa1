CREATE SCHEMA weeks;

CREATE TABLE agent (
  store_id TEXT NOT NULL,
  name TEXT NOT NULL,
  account TEXT NOT NULL,
  bic TEXT NOT NULL,
  reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_agent PRIMARY KEY (store_id, name)
);

CREATE TABLE approval (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  permission TEXT NOT NULL,
  sale_id TEXT NOT NULL,
  granted_by TEXT NOT NULL,
  granted_by_name TEXT NOT NULL,
  granted_by_role TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  why TEXT NOT NULL,
  covers JSON DEFAULT '[]' NOT NULL,
  granted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  used_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_approval PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_approval_sale ON approval (store_id, sale_id);

CREATE TABLE archived_receipts (
  store_id TEXT NOT NULL,
  week DATE NOT NULL,
  till_id TEXT NOT NULL,
  epoch TEXT NOT NULL,
  first_no BIGINT NOT NULL,
  last_no BIGINT NOT NULL,
  sales BIGINT NOT NULL,
  CONSTRAINT pk_archived_receipts PRIMARY KEY (store_id, week, till_id, epoch)
);

CREATE TABLE archived_stock (
  store_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  place TEXT NOT NULL,
  qty BIGINT NOT NULL,
  CONSTRAINT pk_archived_stock PRIMARY KEY (store_id, sku, place)
);

CREATE TABLE archived_week (
  week DATE NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_archived_week PRIMARY KEY (week)
);

CREATE TABLE assortment_finding (
  store_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  region_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  qty_milli BIGINT NOT NULL,
  worth_minor BIGINT,
  peers BIGINT NOT NULL,
  selling BIGINT NOT NULL,
  idle_days BIGINT,
  supply_days DOUBLE PRECISION,
  seen_on DATE NOT NULL,
  CONSTRAINT pk_assortment_finding PRIMARY KEY (store_id, sku)
);

CREATE INDEX ix_assortment_finding_region ON assortment_finding (region_id, kind);

CREATE TABLE assortment_line (
  region_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  stores BIGINT NOT NULL,
  told BIGINT NOT NULL,
  listed BIGINT NOT NULL,
  selling BIGINT NOT NULL,
  stocked BIGINT NOT NULL,
  sold_qty BIGINT NOT NULL,
  stock_qty BIGINT NOT NULL,
  gaps BIGINT NOT NULL,
  dead BIGINT NOT NULL,
  CONSTRAINT pk_assortment_line PRIMARY KEY (region_id, sku)
);

CREATE TABLE assortment_report (
  store_id TEXT NOT NULL,
  step BIGINT NOT NULL,
  mark TEXT NOT NULL,
  reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_assortment_report PRIMARY KEY (store_id)
);

CREATE TABLE badge_reader (
  node_id TEXT NOT NULL,
  failed_tries BIGINT NOT NULL,
  locked_until TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_badge_reader PRIMARY KEY (node_id)
);

CREATE TABLE badge_rule (
  node_id TEXT NOT NULL,
  role TEXT NOT NULL,
  asks_pin BOOLEAN NOT NULL,
  CONSTRAINT pk_badge_rule PRIMARY KEY (node_id, role)
);

CREATE TABLE bank_entry (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  statement_id TEXT NOT NULL,
  account TEXT NOT NULL,
  booked_on DATE NOT NULL,
  amount_minor BIGINT NOT NULL,
  mark TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  payer TEXT NOT NULL,
  words TEXT NOT NULL,
  CONSTRAINT pk_bank_entry PRIMARY KEY (store_id, id),
  CONSTRAINT uq_bank_entry UNIQUE (store_id, account, booked_on, amount_minor, mark, ordinal)
);

CREATE TABLE bank_match (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  entry_id TEXT,
  payment_id TEXT,
  amount_minor BIGINT NOT NULL,
  how TEXT NOT NULL,
  why TEXT NOT NULL,
  undoes TEXT,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_name TEXT NOT NULL,
  CONSTRAINT pk_bank_match PRIMARY KEY (store_id, id),
  CONSTRAINT uq_bank_match_store_id_undoes UNIQUE (store_id, undoes)
);

CREATE INDEX ix_bank_match_entry ON bank_match (store_id, entry_id);

CREATE INDEX ix_bank_match_payment ON bank_match (store_id, payment_id);

CREATE TABLE bank_statement (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  account TEXT NOT NULL,
  number TEXT NOT NULL,
  currency TEXT NOT NULL,
  opening_minor BIGINT,
  closing_minor BIGINT,
  first_day DATE NOT NULL,
  last_day DATE NOT NULL,
  entries BIGINT NOT NULL,
  digest TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_name TEXT NOT NULL,
  CONSTRAINT pk_bank_statement PRIMARY KEY (store_id, id)
);

CREATE TABLE basket (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  till_id TEXT NOT NULL,
  label TEXT NOT NULL,
  total_minor BIGINT NOT NULL,
  content JSON NOT NULL,
  kept_by TEXT NOT NULL,
  kept_by_name TEXT NOT NULL,
  kept_at TIMESTAMP WITH TIME ZONE NOT NULL,
  why TEXT NOT NULL,
  CONSTRAINT pk_basket PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_basket_state ON basket (store_id, state);

CREATE TABLE benchmark_figure (
  scope_id TEXT NOT NULL,
  name TEXT NOT NULL,
  sku TEXT NOT NULL,
  value BIGINT NOT NULL,
  day DATE NOT NULL,
  sets JSON NOT NULL,
  CONSTRAINT pk_benchmark_figure PRIMARY KEY (scope_id, name, sku)
);

CREATE TABLE book_clock (
  book_id TEXT NOT NULL,
  tz TEXT NOT NULL,
  CONSTRAINT pk_book_clock PRIMARY KEY (book_id)
);

CREATE TABLE campaign (
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  why TEXT NOT NULL,
  from_day DATE NOT NULL,
  until_day DATE NOT NULL,
  answer_by DATE NOT NULL,
  lines JSON NOT NULL,
  fee_minor BIGINT NOT NULL,
  hold_out_bp BIGINT NOT NULL,
  goal TEXT DEFAULT '' NOT NULL,
  held_out JSON NOT NULL,
  state TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  effect JSON NOT NULL,
  CONSTRAINT pk_campaign PRIMARY KEY (id)
);

CREATE TABLE campaign_ask (
  store_id TEXT NOT NULL,
  campaign_id TEXT NOT NULL,
  name TEXT NOT NULL,
  why TEXT NOT NULL,
  from_day DATE NOT NULL,
  until_day DATE NOT NULL,
  answer_by DATE NOT NULL,
  lines JSON NOT NULL,
  fee_minor BIGINT NOT NULL,
  state TEXT NOT NULL,
  answered_why TEXT NOT NULL,
  placed_on DATE,
  paid_minor BIGINT,
  effect JSON DEFAULT '{}' NOT NULL,
  CONSTRAINT pk_campaign_ask PRIMARY KEY (store_id, campaign_id)
);

CREATE INDEX ix_campaign_ask_state ON campaign_ask (store_id, state);

CREATE TABLE cash_count (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  shift_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  pieces JSON NOT NULL,
  total_minor BIGINT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  CONSTRAINT pk_cash_count PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_cash_count_shift ON cash_count (store_id, shift_id);

CREATE TABLE cash_movement (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  shift_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  source_id TEXT NOT NULL,
  why TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id TEXT NOT NULL,
  CONSTRAINT pk_cash_movement PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_cash_movement_apart ON cash_movement (store_id, shift_id, kind) WHERE kind NOT IN ('sale', 'change', 'refund');

CREATE INDEX ix_cash_movement_shift ON cash_movement (store_id, shift_id);

CREATE TABLE category_day (
  region_id TEXT NOT NULL,
  business_day DATE NOT NULL,
  department TEXT NOT NULL,
  category TEXT NOT NULL,
  revenue_minor BIGINT NOT NULL,
  net_minor BIGINT NOT NULL,
  costed_minor BIGINT NOT NULL,
  cost_minor BIGINT NOT NULL,
  CONSTRAINT pk_category_day PRIMARY KEY (region_id, business_day, department, category)
);

CREATE INDEX ix_category_day_day ON category_day (business_day);

CREATE TABLE category_names (
  owner_id TEXT NOT NULL,
  name TEXT NOT NULL,
  names JSON NOT NULL,
  search_text TEXT NOT NULL,
  CONSTRAINT pk_category_names PRIMARY KEY (owner_id, name)
);

CREATE TABLE changed_day (
  store_id TEXT NOT NULL,
  business_day DATE NOT NULL,
  since TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_changed_day PRIMARY KEY (store_id, business_day)
);

CREATE TABLE claim (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  claim_no BIGINT NOT NULL,
  supplier_id TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  state TEXT NOT NULL,
  wish TEXT NOT NULL,
  words TEXT NOT NULL,
  late BOOLEAN NOT NULL,
  filed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  filed_by TEXT NOT NULL,
  photos BIGINT NOT NULL,
  claimed_minor BIGINT NOT NULL,
  granted_minor BIGINT NOT NULL,
  round BIGINT NOT NULL,
  remedy TEXT NOT NULL,
  answer TEXT NOT NULL,
  answered_at TIMESTAMP WITH TIME ZONE,
  answered_by TEXT NOT NULL,
  contest TEXT NOT NULL,
  contested_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_claim PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_claim_delivery ON claim (store_id, delivery_id);

CREATE INDEX ix_claim_state ON claim (state);

CREATE TABLE claim_photo (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  claim_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  pieces BIGINT NOT NULL,
  data BYTEA,
  CONSTRAINT pk_claim_photo PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_claim_photo_claim ON claim_photo (store_id, claim_id);

CREATE TABLE claim_photo_piece (
  store_id TEXT NOT NULL,
  photo_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  data BYTEA NOT NULL,
  CONSTRAINT pk_claim_photo_piece PRIMARY KEY (store_id, photo_id, n)
);

CREATE TABLE consigned (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  sku TEXT NOT NULL,
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  supplier_id TEXT NOT NULL,
  pack_qty BIGINT NOT NULL,
  pack_cost_minor BIGINT NOT NULL,
  came_on DATE NOT NULL,
  came_at TIMESTAMP WITH TIME ZONE NOT NULL,
  until DATE NOT NULL,
  came_qty BIGINT NOT NULL,
  ahead_qty BIGINT NOT NULL,
  left_qty BIGINT NOT NULL,
  sold_qty BIGINT NOT NULL,
  back_qty BIGINT NOT NULL,
  bought_qty BIGINT NOT NULL,
  reported_step BIGINT NOT NULL,
  charged_qty BIGINT NOT NULL,
  CONSTRAINT pk_consigned PRIMARY KEY (store_id, id),
  CONSTRAINT ck_consigned_adds_up CHECK (came_qty = left_qty + sold_qty + back_qty + bought_qty and left_qty >= 0 and ahead_qty >= 0)
);

CREATE INDEX ix_consigned_left ON consigned (store_id, sku, left_qty);

CREATE TABLE consignment_movement (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  consigned_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  qty BIGINT NOT NULL,
  source_id TEXT NOT NULL,
  business_day DATE NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_consignment_movement PRIMARY KEY (store_id, id),
  CONSTRAINT ck_consignment_movement_qty_positive CHECK (qty > 0)
);

CREATE INDEX ix_consigned_move_day ON consignment_movement (store_id, business_day);

CREATE INDEX ix_consigned_move_lot ON consignment_movement (store_id, consigned_id);

CREATE INDEX ix_consigned_move_source ON consignment_movement (store_id, source_id);

CREATE TABLE count_result (
  store_id TEXT NOT NULL,
  take_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  counted_qty BIGINT NOT NULL,
  counted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expected_qty BIGINT NOT NULL,
  booked_qty BIGINT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_count_result PRIMARY KEY (store_id, take_id, sku)
);

CREATE TABLE count_task (
  store_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  reason TEXT NOT NULL,
  opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  done_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_count_task PRIMARY KEY (store_id, sku)
);

CREATE TABLE counter_money (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  tender TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  rounding_minor BIGINT NOT NULL,
  shift_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id TEXT NOT NULL,
  CONSTRAINT pk_counter_money PRIMARY KEY (store_id, id),
  CONSTRAINT ck_counter_money_amount_not_zero CHECK (amount_minor != 0)
);

CREATE INDEX ix_counter_money_order ON counter_money (store_id, order_id);

CREATE TABLE counts_reported (
  store_id TEXT NOT NULL,
  day DATE NOT NULL,
  sold_products BIGINT NOT NULL,
  counted_products BIGINT NOT NULL,
  CONSTRAINT pk_counts_reported PRIMARY KEY (store_id)
);

CREATE TABLE coupon_use (
  store_id TEXT NOT NULL,
  sale_id TEXT NOT NULL,
  code TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  owner_id TEXT DEFAULT '' NOT NULL,
  given_back_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_coupon_use PRIMARY KEY (store_id, sale_id, code)
);

CREATE TABLE credit_draw (
  store_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  order_no BIGINT NOT NULL,
  amount_minor BIGINT NOT NULL,
  state TEXT NOT NULL,
  asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  why TEXT NOT NULL,
  CONSTRAINT pk_credit_draw PRIMARY KEY (store_id, order_id)
);

CREATE INDEX ix_credit_draw_state ON credit_draw (state);

CREATE TABLE credit_line (
  store_id TEXT NOT NULL,
  state TEXT NOT NULL,
  limit_minor BIGINT NOT NULL,
  level BIGINT NOT NULL,
  held_by TEXT NOT NULL,
  held_why TEXT NOT NULL,
  facts JSON NOT NULL,
  terms JSON NOT NULL,
  terms_n BIGINT NOT NULL,
  steps JSON NOT NULL,
  worked_out_on DATE NOT NULL,
  advance_most_minor BIGINT NOT NULL,
  step BIGINT NOT NULL,
  CONSTRAINT pk_credit_line PRIMARY KEY (store_id)
);

CREATE TABLE customer (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  phone TEXT NOT NULL,
  language TEXT NOT NULL,
  online_key TEXT DEFAULT '' NOT NULL,
  search_text TEXT NOT NULL,
  added_at TIMESTAMP WITH TIME ZONE NOT NULL,
  erased_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_customer PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_customer_name ON customer (store_id, name);

CREATE INDEX ix_customer_online_key ON customer (online_key);

CREATE TABLE customer_consent (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  purpose TEXT NOT NULL,
  given BOOLEAN NOT NULL,
  words TEXT DEFAULT '' NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id TEXT NOT NULL,
  CONSTRAINT pk_customer_consent PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_customer_consent_customer ON customer_consent (store_id, customer_id);

CREATE TABLE customer_session (
  mark TEXT NOT NULL,
  purpose TEXT NOT NULL,
  number TEXT NOT NULL,
  begun_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_customer_session PRIMARY KEY (mark, purpose, number)
);

CREATE INDEX ix_customer_session_number ON customer_session (number);

CREATE TABLE daily_demand (
  store_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  business_day DATE NOT NULL,
  sold_qty BIGINT NOT NULL,
  revenue_minor BIGINT NOT NULL,
  net_minor BIGINT DEFAULT '0' NOT NULL,
  costed_minor BIGINT DEFAULT '0' NOT NULL,
  cost_minor BIGINT DEFAULT '0' NOT NULL,
  sales BIGINT NOT NULL,
  pickup_qty BIGINT NOT NULL,
  out_of_stock_bp BIGINT NOT NULL,
  imported BOOLEAN NOT NULL,
  CONSTRAINT pk_daily_demand PRIMARY KEY (store_id, sku, business_day)
);

CREATE INDEX ix_daily_demand_day ON daily_demand (business_day, store_id);

CREATE TABLE day_report (
  store_id TEXT NOT NULL,
  business_day DATE NOT NULL,
  listed BIGINT NOT NULL,
  empty BIGINT NOT NULL,
  empty_bp BIGINT NOT NULL,
  waste_cost_minor BIGINT NOT NULL,
  waste_value_minor BIGINT NOT NULL,
  forecast_milli BIGINT NOT NULL,
  sold_milli BIGINT NOT NULL,
  missed_milli BIGINT NOT NULL,
  reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_day_report PRIMARY KEY (store_id, business_day)
);

CREATE INDEX ix_day_report_day ON day_report (business_day, store_id);

CREATE TABLE day_seal (
  table_name TEXT NOT NULL,
  day TEXT NOT NULL,
  columns TEXT NOT NULL,
  rows BIGINT NOT NULL,
  hashes BYTEA NOT NULL,
  CONSTRAINT pk_day_seal PRIMARY KEY (table_name, day)
);

CREATE TABLE delivery (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  supplier_id TEXT NOT NULL,
  order_id TEXT,
  network_offer_id TEXT,
  state TEXT NOT NULL,
  expected_day DATE NOT NULL,
  advised_at TIMESTAMP WITH TIME ZONE NOT NULL,
  posted_at TIMESTAMP WITH TIME ZONE,
  posted_by TEXT,
  CONSTRAINT pk_delivery PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_delivery_state ON delivery (store_id, state);

CREATE TABLE delivery_note (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  way TEXT NOT NULL,
  state TEXT NOT NULL,
  supplier_name TEXT NOT NULL,
  paper_no TEXT NOT NULL,
  opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  opened_by TEXT NOT NULL,
  closed_at TIMESTAMP WITH TIME ZONE,
  closed_by TEXT NOT NULL,
  reason TEXT DEFAULT '' NOT NULL,
  why TEXT NOT NULL,
  CONSTRAINT pk_delivery_note PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_delivery_note_state ON delivery_note (store_id, state);

CREATE TABLE delivery_route (
  id TEXT NOT NULL,
  plan_id TEXT NOT NULL,
  warehouse_id TEXT NOT NULL,
  day DATE NOT NULL,
  vehicle_id TEXT NOT NULL,
  vehicle_name TEXT NOT NULL,
  vehicle_packs BIGINT NOT NULL,
  state TEXT NOT NULL,
  packs BIGINT NOT NULL,
  metres BIGINT NOT NULL,
  leaves_s BIGINT NOT NULL,
  back_s BIGINT NOT NULL,
  driver TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  left_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_delivery_route PRIMARY KEY (id)
);

CREATE INDEX ix_vehicle_round_day ON delivery_route (warehouse_id, day);

CREATE INDEX ix_vehicle_round_token ON delivery_route (token_hash);

CREATE TABLE delivery_tracking (
  store_id TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  route_id TEXT NOT NULL,
  step BIGINT NOT NULL,
  state TEXT NOT NULL,
  comes_at TIMESTAMP WITH TIME ZONE NOT NULL,
  n BIGINT NOT NULL,
  vehicle TEXT NOT NULL,
  driver TEXT NOT NULL,
  receiver TEXT NOT NULL,
  note TEXT NOT NULL,
  reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_delivery_tracking PRIMARY KEY (store_id, delivery_id)
);

CREATE TABLE departure (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  answered_at TIMESTAMP WITH TIME ZONE,
  still_open JSON DEFAULT '[]' NOT NULL,
  CONSTRAINT pk_departure PRIMARY KEY (store_id, id)
);

CREATE TABLE device_code (
  node_id TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  until TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_device_code PRIMARY KEY (node_id)
);

CREATE TABLE escrow (
  id TEXT NOT NULL,
  store_id TEXT NOT NULL,
  purpose TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  provider TEXT NOT NULL,
  state TEXT NOT NULL,
  opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  pay_by TIMESTAMP WITH TIME ZONE NOT NULL,
  ask_again_at TIMESTAMP WITH TIME ZONE,
  tries BIGINT NOT NULL,
  shown_code TEXT NOT NULL,
  reference TEXT NOT NULL,
  reason TEXT NOT NULL,
  release_at TIMESTAMP WITH TIME ZONE,
  proved BOOLEAN DEFAULT false NOT NULL,
  disputed_why TEXT NOT NULL,
  CONSTRAINT pk_escrow PRIMARY KEY (id),
  CONSTRAINT ck_escrow_amount_positive CHECK (amount_minor > 0)
);

CREATE INDEX ix_escrow_state ON escrow (state, release_at);

CREATE TABLE external_rank (
  source TEXT NOT NULL,
  listed_on DATE NOT NULL,
  place BIGINT NOT NULL,
  gtin TEXT NOT NULL,
  name TEXT NOT NULL,
  sku TEXT,
  by_hand BOOLEAN NOT NULL,
  CONSTRAINT pk_external_rank PRIMARY KEY (source, listed_on, place)
);

CREATE INDEX ix_outside_place_day ON external_rank (listed_on, sku);

CREATE TABLE forecast_run (
  id TEXT NOT NULL,
  scope_kind TEXT NOT NULL,
  scope_id TEXT NOT NULL,
  state TEXT NOT NULL,
  origin_day DATE NOT NULL,
  horizon_days BIGINT NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  seconds DOUBLE PRECISION NOT NULL,
  series BIGINT NOT NULL,
  region_origin_day DATE,
  signal JSON,
  reason TEXT,
  version BIGINT,
  measured_day DATE,
  said JSON,
  effects JSON,
  CONSTRAINT pk_forecast_run PRIMARY KEY (id)
);

CREATE INDEX ix_forecast_run_scope ON forecast_run (scope_id, state, origin_day);

CREATE TABLE forecast_state (
  store_id TEXT NOT NULL,
  measured_day DATE NOT NULL,
  version BIGINT NOT NULL,
  body BYTEA NOT NULL,
  CONSTRAINT pk_forecast_state PRIMARY KEY (store_id)
);

CREATE TABLE group_offer (
  id TEXT NOT NULL,
  store_id TEXT NOT NULL,
  owner TEXT NOT NULL,
  sku TEXT NOT NULL,
  name TEXT NOT NULL,
  steps JSON NOT NULL,
  threshold_qty BIGINT NOT NULL,
  case_qty BIGINT NOT NULL,
  minimum_cases BIGINT NOT NULL,
  closes_at TIMESTAMP WITH TIME ZONE NOT NULL,
  vehicle_day DATE NOT NULL,
  pickup_until DATE NOT NULL,
  store_takes BIGINT NOT NULL,
  commission_bp BIGINT NOT NULL,
  leader TEXT NOT NULL,
  leader_token TEXT DEFAULT '' NOT NULL,
  state TEXT NOT NULL,
  opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  cases BIGINT NOT NULL,
  price_minor BIGINT,
  arrived_qty BIGINT,
  why TEXT NOT NULL,
  step BIGINT NOT NULL,
  members BIGINT NOT NULL,
  taken_qty BIGINT NOT NULL,
  CONSTRAINT pk_group_offer PRIMARY KEY (id)
);

CREATE INDEX ix_group_offer_store ON group_offer (store_id, state);

CREATE TABLE home_delivery (
  store_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  state TEXT NOT NULL,
  place TEXT NOT NULL,
  street TEXT NOT NULL,
  note TEXT NOT NULL,
  lat_e6 BIGINT NOT NULL,
  lon_e6 BIGINT NOT NULL,
  fee_minor BIGINT NOT NULL,
  charged_minor BIGINT NOT NULL,
  trip_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  before BIGINT NOT NULL,
  comes_at TIMESTAMP WITH TIME ZONE,
  ended_at TIMESTAMP WITH TIME ZONE,
  receiver TEXT NOT NULL,
  why TEXT NOT NULL,
  CONSTRAINT pk_home_delivery PRIMARY KEY (store_id, order_id)
);

CREATE INDEX ix_home_delivery_state ON home_delivery (store_id, state);

CREATE TABLE inbox_alarm (
  from_node TEXT NOT NULL,
  message_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  epoch TEXT NOT NULL,
  n BIGINT NOT NULL,
  body TEXT NOT NULL,
  reason TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_inbox_alarm PRIMARY KEY (from_node, message_id, hash)
);

CREATE TABLE inbox_head (
  from_node TEXT NOT NULL,
  epoch TEXT NOT NULL,
  count BIGINT NOT NULL,
  n BIGINT NOT NULL,
  head TEXT NOT NULL,
  sent BIGINT DEFAULT '0' NOT NULL,
  CONSTRAINT pk_inbox_head PRIMARY KEY (from_node, epoch)
);

CREATE TABLE inbox_message (
  from_node TEXT NOT NULL,
  id TEXT NOT NULL,
  epoch TEXT NOT NULL,
  n BIGINT NOT NULL,
  topic TEXT NOT NULL,
  version BIGINT NOT NULL,
  made_at TEXT NOT NULL,
  business_day TEXT NOT NULL,
  body TEXT NOT NULL,
  hash TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  refusal JSON,
  received_at TIMESTAMP WITH TIME ZONE NOT NULL,
  batch TEXT,
  CONSTRAINT pk_inbox_message PRIMARY KEY (from_node, id),
  CONSTRAINT uq_inbox_message_from_node_epoch_n UNIQUE (from_node, epoch, n)
);

CREATE INDEX ix_inbox_message_people ON inbox_message (received_at) WHERE topic IN ('pickup.placed', 'pickup.taken', 'pickup.cancelled') AND body NOT LIKE '%"forgotten":%';

CREATE INDEX ix_inbox_message_state ON inbox_message (state);

CREATE TABLE incoming_check (
  store_id TEXT NOT NULL,
  source TEXT NOT NULL,
  checked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  refusal JSON,
  CONSTRAINT pk_incoming_check PRIMARY KEY (store_id, source)
);

CREATE TABLE incoming_file (
  store_id TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  name TEXT NOT NULL,
  source TEXT NOT NULL,
  sender TEXT NOT NULL,
  state TEXT NOT NULL,
  came_at TIMESTAMP WITH TIME ZONE NOT NULL,
  refusal JSON,
  said JSON,
  paper_id TEXT,
  CONSTRAINT pk_incoming_file PRIMARY KEY (store_id, sha256)
);

CREATE INDEX ix_incoming_file_state ON incoming_file (store_id, state);

CREATE TABLE invitation (
  code_hash TEXT NOT NULL,
  store_id TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  used_at TIMESTAMP WITH TIME ZONE,
  wrong BIGINT DEFAULT '0' NOT NULL,
  CONSTRAINT pk_invitation PRIMARY KEY (code_hash)
);

CREATE INDEX ix_invitation_store_id ON invitation (store_id);

CREATE TABLE job_run (
  node_id TEXT NOT NULL,
  job TEXT NOT NULL,
  day DATE NOT NULL,
  state TEXT NOT NULL,
  tries BIGINT NOT NULL,
  began_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  outcome TEXT NOT NULL,
  so_far BIGINT,
  whole BIGINT,
  CONSTRAINT pk_job_run PRIMARY KEY (node_id, job, day)
);

CREATE TABLE journal_anchor (
  node_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  hash TEXT NOT NULL,
  epoch TEXT NOT NULL,
  heard_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_journal_anchor PRIMARY KEY (node_id, n)
);

CREATE TABLE journal_doubt (
  id TEXT NOT NULL,
  node_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  what TEXT NOT NULL,
  heard_at TIMESTAMP WITH TIME ZONE NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_journal_doubt PRIMARY KEY (id)
);

CREATE INDEX ix_journal_doubt_node_id ON journal_doubt (node_id);

CREATE TABLE journal_entry (
  node_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  verb TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  hash TEXT NOT NULL,
  CONSTRAINT pk_journal_entry PRIMARY KEY (node_id, n)
);

CREATE INDEX ix_journal_entry_at ON journal_entry (at);

CREATE INDEX ix_journal_entry_subject ON journal_entry (subject);

CREATE TABLE journal_head (
  node_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  hash TEXT NOT NULL,
  CONSTRAINT pk_journal_head PRIMARY KEY (node_id)
);

CREATE TABLE label_inspection (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  seed BIGINT NOT NULL,
  skus JSON NOT NULL,
  drawn_at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  CONSTRAINT pk_label_inspection PRIMARY KEY (store_id, id)
);

CREATE TABLE late_sale (
  store_id TEXT NOT NULL,
  sale_id TEXT NOT NULL,
  till_id TEXT NOT NULL,
  shift_id TEXT NOT NULL,
  receipt_no BIGINT NOT NULL,
  total_minor BIGINT NOT NULL,
  noted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  reported_by TEXT,
  CONSTRAINT pk_late_sale PRIMARY KEY (store_id, sale_id)
);

CREATE INDEX ix_late_sale_till_id ON late_sale (till_id);

CREATE TABLE lesson_done (
  store_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  lesson_id TEXT NOT NULL,
  first_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_at TIMESTAMP WITH TIME ZONE NOT NULL,
  times BIGINT NOT NULL,
  CONSTRAINT pk_lesson_done PRIMARY KEY (store_id, staff_id, lesson_id)
);

CREATE TABLE level_review (
  store_id TEXT NOT NULL,
  day DATE NOT NULL,
  level BIGINT NOT NULL,
  level_before BIGINT NOT NULL,
  measures JSON NOT NULL,
  evidence JSON NOT NULL,
  CONSTRAINT pk_level_review PRIMARY KEY (store_id)
);

CREATE TABLE logo (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  narrow_across BIGINT NOT NULL,
  narrow BYTEA NOT NULL,
  wide_across BIGINT NOT NULL,
  wide BYTEA NOT NULL,
  set_at TIMESTAMP WITH TIME ZONE NOT NULL,
  set_by TEXT NOT NULL,
  CONSTRAINT pk_logo PRIMARY KEY (store_id, id)
);

CREATE TABLE lost_entry (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  n BIGINT NOT NULL,
  business_day DATE NOT NULL,
  kind TEXT NOT NULL,
  from_account TEXT NOT NULL,
  to_account TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  invoice_id TEXT,
  source_id TEXT NOT NULL,
  words TEXT NOT NULL,
  state TEXT NOT NULL,
  why TEXT NOT NULL,
  CONSTRAINT pk_lost_entry PRIMARY KEY (store_id, id)
);

CREATE TABLE map_point (
  id TEXT NOT NULL,
  lat_e6 BIGINT NOT NULL,
  lon_e6 BIGINT NOT NULL,
  from_minute BIGINT NOT NULL,
  until_minute BIGINT NOT NULL,
  service_minutes BIGINT NOT NULL,
  source TEXT NOT NULL,
  CONSTRAINT pk_map_point PRIMARY KEY (id)
);

CREATE TABLE measured_leg (
  from_id TEXT NOT NULL,
  to_id TEXT NOT NULL,
  metres BIGINT NOT NULL,
  seconds BIGINT NOT NULL,
  CONSTRAINT pk_measured_leg PRIMARY KEY (from_id, to_id)
);

CREATE TABLE money_proposal (
  kind TEXT NOT NULL,
  store_id TEXT NOT NULL,
  asked JSON NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  proposed_by TEXT NOT NULL,
  proposed_name TEXT NOT NULL,
  CONSTRAINT pk_money_proposal PRIMARY KEY (id)
);

CREATE TABLE network_lesson (
  id TEXT NOT NULL,
  texts JSON NOT NULL,
  written_by TEXT NOT NULL,
  written_at TIMESTAMP WITH TIME ZONE NOT NULL,
  taken_back_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_network_lesson PRIMARY KEY (id)
);

CREATE TABLE network_offer (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  supplier_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  name TEXT NOT NULL,
  pack_qty BIGINT NOT NULL,
  pack_cost_minor BIGINT NOT NULL,
  packs BIGINT NOT NULL,
  why TEXT NOT NULL,
  state TEXT NOT NULL,
  offered_at TIMESTAMP WITH TIME ZONE NOT NULL,
  answer_by DATE NOT NULL,
  return_until DATE,
  answered_why TEXT NOT NULL,
  terms JSON,
  care_minor BIGINT,
  CONSTRAINT pk_network_offer PRIMARY KEY (store_id, id)
);

CREATE TABLE network_terms (
  n BIGINT NOT NULL,
  terms JSON NOT NULL,
  set_by TEXT NOT NULL,
  set_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_network_terms PRIMARY KEY (n)
);

CREATE TABLE node (
  id TEXT NOT NULL,
  epoch TEXT NOT NULL,
  born_at TIMESTAMP WITH TIME ZONE NOT NULL,
  peer_nonce TEXT,
  peer_incarnation TEXT,
  peer_journal_n BIGINT,
  last_contact_at TIMESTAMP WITH TIME ZONE,
  last_fault TEXT,
  CONSTRAINT pk_node PRIMARY KEY (id)
);

CREATE TABLE note_lesson (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  supplier_id TEXT NOT NULL,
  wording TEXT NOT NULL,
  sku TEXT NOT NULL,
  unit TEXT NOT NULL,
  taught_at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id TEXT NOT NULL,
  CONSTRAINT pk_note_lesson PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_note_lesson_supplier ON note_lesson (store_id, supplier_id, taught_at);

CREATE TABLE objection (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  about TEXT NOT NULL,
  words TEXT NOT NULL,
  state TEXT NOT NULL,
  raised_by TEXT NOT NULL,
  raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
  answer TEXT NOT NULL,
  answered_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_objection PRIMARY KEY (store_id, id)
);

CREATE TABLE offer (
  id TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  from_day DATE,
  until_day DATE,
  needs_coupon BOOLEAN NOT NULL,
  terms JSON NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  made_by TEXT NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  goal TEXT DEFAULT '' NOT NULL,
  CONSTRAINT pk_offer PRIMARY KEY (id)
);

CREATE INDEX ix_offer_owner_id ON offer (owner_id);

CREATE TABLE offer_edition (
  owner_id TEXT NOT NULL,
  token TEXT NOT NULL,
  CONSTRAINT pk_offer_edition PRIMARY KEY (owner_id)
);

CREATE TABLE online_coupon (
  store_id TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  code TEXT NOT NULL,
  counter_uses BIGINT NOT NULL,
  taken BIGINT NOT NULL,
  edition BIGINT NOT NULL,
  CONSTRAINT pk_online_coupon PRIMARY KEY (store_id, owner_id, code)
);

CREATE TABLE online_listing (
  store_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  price_minor BIGINT NOT NULL,
  available_qty BIGINT NOT NULL,
  taken_qty BIGINT NOT NULL,
  shelf_rank BIGINT,
  published_at TIMESTAMP WITH TIME ZONE NOT NULL,
  listed BOOLEAN NOT NULL,
  edition BIGINT NOT NULL,
  seen_through BIGINT NOT NULL,
  seen_also JSON NOT NULL,
  order_days BIGINT,
  CONSTRAINT pk_online_listing PRIMARY KEY (store_id, sku)
);

CREATE TABLE online_member (
  store_id TEXT NOT NULL,
  key TEXT NOT NULL,
  member BOOLEAN NOT NULL,
  edition BIGINT NOT NULL,
  CONSTRAINT pk_online_member PRIMARY KEY (store_id, key)
);

CREATE TABLE order_replay (
  scope_kind TEXT NOT NULL,
  scope_id TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_day DATE NOT NULL,
  body JSON NOT NULL,
  CONSTRAINT pk_order_replay PRIMARY KEY (scope_kind, scope_id)
);

CREATE TABLE outbox_head (
  to_node TEXT NOT NULL,
  epoch TEXT NOT NULL,
  n BIGINT NOT NULL,
  head TEXT NOT NULL,
  moved BIGINT DEFAULT '0' NOT NULL,
  CONSTRAINT pk_outbox_head PRIMARY KEY (to_node, epoch)
);

CREATE TABLE outbox_message (
  id TEXT NOT NULL,
  to_node TEXT NOT NULL,
  epoch TEXT NOT NULL,
  n BIGINT NOT NULL,
  topic TEXT NOT NULL,
  version BIGINT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  business_day DATE NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  hash TEXT NOT NULL,
  head TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  reason TEXT,
  delivered_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_outbox_message PRIMARY KEY (id),
  CONSTRAINT uq_outbox_message_to_node_epoch_n UNIQUE (to_node, epoch, n)
);

CREATE INDEX ix_outbox_message_people ON outbox_message (made_at) WHERE topic IN ('pickup.placed', 'pickup.taken', 'pickup.cancelled') AND body NOT LIKE '%"forgotten":%';

CREATE INDEX ix_outbox_message_subject ON outbox_message (subject);

CREATE INDEX ix_outbox_message_waiting ON outbox_message (to_node, state, epoch, n);

CREATE TABLE outgoing_message (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  about TEXT NOT NULL,
  carrier TEXT NOT NULL,
  phone TEXT NOT NULL,
  email TEXT NOT NULL,
  language TEXT NOT NULL,
  body JSON NOT NULL,
  state TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  try_at TIMESTAMP WITH TIME ZONE NOT NULL,
  tries BIGINT NOT NULL,
  fault_code TEXT NOT NULL,
  fault TEXT NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_outgoing_message PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_outgoing_message_about ON outgoing_message (store_id, about);

CREATE INDEX ix_outgoing_message_due ON outgoing_message (state, try_at);

CREATE INDEX ix_outgoing_message_people ON outgoing_message (ended_at) WHERE carrier = 'any' AND (phone <> '' OR email <> '');

CREATE TABLE outreach (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  offer_id TEXT NOT NULL,
  words JSON NOT NULL,
  away_days BIGINT NOT NULL,
  days BIGINT NOT NULL,
  made_on DATE NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  made_by TEXT NOT NULL,
  CONSTRAINT pk_outreach PRIMARY KEY (store_id, id)
);

CREATE TABLE outreach_recipient (
  store_id TEXT NOT NULL,
  outreach_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  code TEXT NOT NULL,
  reported_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_outreach_recipient PRIMARY KEY (store_id, outreach_id, customer_id)
);

CREATE TABLE paper_note (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  photo BYTEA NOT NULL,
  width BIGINT NOT NULL,
  height BIGINT NOT NULL,
  said JSON NOT NULL,
  supplier_id TEXT,
  entered JSON NOT NULL,
  invoice_id TEXT,
  advice_id TEXT,
  taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
  taken_by TEXT NOT NULL,
  CONSTRAINT pk_paper_note PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_paper_note_taken ON paper_note (store_id, state, taken_at);

CREATE UNIQUE INDEX ix_paper_note_photo ON paper_note (store_id, sha256) WHERE state <> 'abandoned';

CREATE TABLE partner_key (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  scopes JSON NOT NULL,
  key_sha256 TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  revoked_at TIMESTAMP WITH TIME ZONE,
  used_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_partner_key PRIMARY KEY (store_id, id),
  CONSTRAINT uq_partner_key_key_sha256 UNIQUE (key_sha256)
);

CREATE TABLE partner_request (
  store_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  name TEXT NOT NULL,
  asked TEXT NOT NULL,
  answer TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_partner_request PRIMARY KEY (store_id, key_id, name)
);

CREATE INDEX ix_partner_request_at ON partner_request (at);

CREATE TABLE payment (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  sale_id TEXT NOT NULL,
  tender TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  is_change BOOLEAN NOT NULL,
  state TEXT NOT NULL,
  reference TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  till_id TEXT,
  provider TEXT,
  way TEXT,
  request_hash TEXT,
  requested_at TIMESTAMP WITH TIME ZONE,
  asked_at TIMESTAMP WITH TIME ZONE,
  ask_again_at TIMESTAMP WITH TIME ZONE,
  tries BIGINT,
  provider_ref TEXT,
  shown_code TEXT,
  reason TEXT,
  paper TEXT,
  unwanted_since TIMESTAMP WITH TIME ZONE,
  contradicted TEXT,
  claimed_by TEXT,
  same_as TEXT,
  gives_back TEXT,
  CONSTRAINT pk_payment PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_payment_provider ON payment (store_id, provider) WHERE provider IS NOT NULL;

CREATE INDEX ix_payment_sale ON payment (store_id, sale_id);

CREATE TABLE payout (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  agent TEXT DEFAULT '' NOT NULL,
  amount_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  payee TEXT NOT NULL,
  bank_account TEXT NOT NULL,
  bic TEXT NOT NULL,
  state TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_payout PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_payout_run ON payout (run_id);

CREATE TABLE peer (
  id TEXT NOT NULL,
  epoch TEXT NOT NULL,
  nonce TEXT NOT NULL,
  heard_at TIMESTAMP WITH TIME ZONE NOT NULL,
  waiting BIGINT NOT NULL,
  alarm TEXT,
  oldest_at TIMESTAMP WITH TIME ZONE,
  catalogue_at TIMESTAMP WITH TIME ZONE,
  checked_at TIMESTAMP WITH TIME ZONE,
  free_bytes BIGINT,
  clock_off_s BIGINT,
  CONSTRAINT pk_peer PRIMARY KEY (id)
);

CREATE TABLE phone_code (
  id TEXT NOT NULL,
  store_id TEXT NOT NULL,
  number TEXT NOT NULL,
  browser TEXT NOT NULL,
  range TEXT NOT NULL,
  digits BIGINT NOT NULL,
  sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
  tries BIGINT NOT NULL,
  proved_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_phone_code PRIMARY KEY (id)
);

CREATE INDEX ix_phone_code_at ON phone_code (store_id, sent_at);

CREATE INDEX ix_phone_code_browser ON phone_code (browser, sent_at);

CREATE INDEX ix_phone_code_number ON phone_code (number, sent_at);

CREATE TABLE pick_list (
  id TEXT NOT NULL,
  warehouse_id TEXT NOT NULL,
  pick_no BIGINT NOT NULL,
  state TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  made_by TEXT NOT NULL,
  sent_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_pick_list PRIMARY KEY (id),
  CONSTRAINT uq_pick_list_warehouse_id_pick_no UNIQUE (warehouse_id, pick_no)
);

CREATE INDEX ix_pick_list_state ON pick_list (state);

CREATE TABLE pickup_order (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  number BIGINT NOT NULL,
  order_no TEXT NOT NULL,
  state TEXT NOT NULL,
  step BIGINT NOT NULL,
  why TEXT NOT NULL,
  customer_name TEXT NOT NULL,
  customer_phone TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  total_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  placed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  moved_at TIMESTAMP WITH TIME ZONE NOT NULL,
  cancel_asked_at TIMESTAMP WITH TIME ZONE,
  ready_by TIMESTAMP WITH TIME ZONE,
  ready_at TIMESTAMP WITH TIME ZONE,
  hold_until TIMESTAMP WITH TIME ZONE,
  collected_at TIMESTAMP WITH TIME ZONE,
  collected_by TEXT,
  sale_id TEXT,
  window_from TIMESTAMP WITH TIME ZONE,
  window_until TIMESTAMP WITH TIME ZONE,
  answer_by TIMESTAMP WITH TIME ZONE,
  if_short TEXT DEFAULT 'less' NOT NULL,
  paid_minor BIGINT DEFAULT '0' NOT NULL,
  group_id TEXT,
  comes_on DATE,
  coupons JSON DEFAULT '[]' NOT NULL,
  member BOOLEAN DEFAULT false NOT NULL,
  customer_id TEXT,
  return_until TIMESTAMP WITH TIME ZONE,
  returned_minor BIGINT DEFAULT '0' NOT NULL,
  return_asked_at TIMESTAMP WITH TIME ZONE,
  return_asked_step BIGINT,
  handed_at TIMESTAMP WITH TIME ZONE,
  proved_at TIMESTAMP WITH TIME ZONE,
  proved_by TEXT DEFAULT '' NOT NULL,
  return_days BIGINT,
  reported_by_store BOOLEAN DEFAULT false NOT NULL,
  email TEXT DEFAULT '' NOT NULL,
  language TEXT DEFAULT '' NOT NULL,
  CONSTRAINT pk_pickup_order PRIMARY KEY (store_id, id),
  CONSTRAINT uq_pickup_order_store_id_order_no UNIQUE (store_id, order_no)
);

CREATE INDEX ix_pickup_order_number ON pickup_order (store_id, number);

CREATE INDEX ix_pickup_order_people ON pickup_order (moved_at) WHERE (customer_name <> '' OR customer_phone <> '');

CREATE INDEX ix_pickup_order_state ON pickup_order (store_id, state);

CREATE INDEX ix_pickup_order_token_hash ON pickup_order (token_hash);

CREATE TABLE pickup_try (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id TEXT NOT NULL,
  CONSTRAINT pk_pickup_try PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_pickup_try_at ON pickup_try (store_id, at);

CREATE TABLE pin_tries (
  node_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  failed_tries BIGINT NOT NULL,
  locked_until TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_pin_tries PRIMARY KEY (node_id, staff_id, asked_by)
);

CREATE TABLE planned_demand (
  store_id TEXT NOT NULL,
  source TEXT NOT NULL,
  sku TEXT NOT NULL,
  qty BIGINT NOT NULL,
  day DATE NOT NULL,
  carried_by TEXT,
  CONSTRAINT pk_planned_demand PRIMARY KEY (store_id, source, sku),
  CONSTRAINT ck_planned_demand_qty_positive CHECK (qty > 0)
);

CREATE TABLE plausible_day (
  store_id TEXT NOT NULL,
  business_day DATE NOT NULL,
  measures JSON NOT NULL,
  let_in JSON NOT NULL,
  CONSTRAINT pk_plausible_day PRIMARY KEY (store_id, business_day)
);

CREATE TABLE plausible_limit (
  store_id TEXT NOT NULL,
  days BIGINT NOT NULL,
  good JSON NOT NULL,
  most JSON NOT NULL,
  CONSTRAINT pk_plausible_limit PRIMARY KEY (store_id)
);

CREATE TABLE points_account (
  store_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  member BOOLEAN NOT NULL,
  key TEXT NOT NULL,
  linked BOOLEAN NOT NULL,
  points BIGINT NOT NULL,
  reported_points BIGINT NOT NULL,
  reported_n BIGINT NOT NULL,
  CONSTRAINT pk_points_account PRIMARY KEY (store_id, customer_id, scope)
);

CREATE TABLE points_entry (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  scope TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  member_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  kind TEXT NOT NULL,
  points BIGINT NOT NULL,
  amount_minor BIGINT NOT NULL,
  sale_id TEXT NOT NULL,
  of_sale_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  business_day DATE NOT NULL,
  actor_id TEXT NOT NULL,
  CONSTRAINT pk_points_entry PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_points_entry_customer ON points_entry (store_id, customer_id);

CREATE INDEX ix_points_entry_member ON points_entry (member_id, n);

CREATE INDEX ix_points_entry_of_sale ON points_entry (store_id, of_sale_id);

CREATE INDEX ix_points_entry_sale ON points_entry (store_id, sale_id);

CREATE TABLE points_link (
  store_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  member_id TEXT NOT NULL,
  has_left BOOLEAN NOT NULL,
  word_at TIMESTAMP WITH TIME ZONE NOT NULL,
  reported BIGINT NOT NULL,
  key TEXT DEFAULT '' NOT NULL,
  proved_key TEXT DEFAULT '' NOT NULL,
  CONSTRAINT pk_points_link PRIMARY KEY (store_id, customer_id)
);

CREATE INDEX ix_points_link_key ON points_link (key);

CREATE INDEX ix_points_link_member_id ON points_link (member_id);

CREATE TABLE points_member (
  id TEXT NOT NULL,
  key TEXT,
  points BIGINT NOT NULL,
  lines BIGINT NOT NULL,
  moved_on DATE,
  CONSTRAINT pk_points_member PRIMARY KEY (id),
  CONSTRAINT uq_points_member_key UNIQUE (key)
);

CREATE TABLE points_part (
  store_id TEXT NOT NULL,
  from_day DATE NOT NULL,
  until_day DATE,
  reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_points_part PRIMARY KEY (store_id, from_day)
);

CREATE TABLE points_terms (
  scope TEXT NOT NULL,
  from_day DATE NOT NULL,
  active BOOLEAN NOT NULL,
  points BIGINT NOT NULL,
  per_minor BIGINT NOT NULL,
  worth_minor BIGINT NOT NULL,
  least_points BIGINT NOT NULL,
  name TEXT NOT NULL,
  currency TEXT NOT NULL,
  expiry_months BIGINT NOT NULL,
  lapsed_to TEXT NOT NULL,
  notice_days BIGINT NOT NULL,
  CONSTRAINT pk_points_terms PRIMARY KEY (scope, from_day)
);

CREATE TABLE points_waiting (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  waits_for TEXT NOT NULL,
  why TEXT NOT NULL,
  kind TEXT NOT NULL,
  points BIGINT NOT NULL,
  business_day DATE NOT NULL,
  body JSON NOT NULL,
  since TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_points_waiting PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_points_waiting_sale ON points_waiting (store_id, waits_for);

CREATE TABLE premises (
  warehouse_id TEXT NOT NULL,
  address TEXT NOT NULL,
  phone TEXT NOT NULL,
  by_list BOOLEAN DEFAULT false NOT NULL,
  CONSTRAINT pk_premises PRIMARY KEY (warehouse_id)
);

CREATE TABLE price_proposal (
  kind TEXT NOT NULL,
  supplier_id TEXT NOT NULL,
  from_day DATE,
  suffix TEXT NOT NULL,
  file BYTEA NOT NULL,
  moved BIGINT NOT NULL,
  most_percent BIGINT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  proposed_by TEXT NOT NULL,
  proposed_name TEXT NOT NULL,
  CONSTRAINT pk_price_proposal PRIMARY KEY (id)
);

CREATE TABLE price_tally (
  staff_id TEXT NOT NULL,
  day DATE NOT NULL,
  price_list TEXT NOT NULL,
  sku TEXT NOT NULL,
  qty BIGINT NOT NULL,
  amount_minor BIGINT NOT NULL,
  CONSTRAINT pk_price_tally PRIMARY KEY (staff_id, day, price_list, sku)
);

CREATE TABLE print_job (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  till_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  source_id TEXT NOT NULL,
  document JSON NOT NULL,
  copy_no BIGINT NOT NULL,
  opens_drawer BOOLEAN NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  reason TEXT,
  queued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  due_at TIMESTAMP WITH TIME ZONE NOT NULL,
  printed_at TIMESTAMP WITH TIME ZONE,
  paper BYTEA,
  printer_id TEXT,
  claim_id TEXT,
  CONSTRAINT pk_print_job PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_print_job_claim_id ON print_job (claim_id);

CREATE INDEX ix_print_job_due ON print_job (store_id, state, due_at);

CREATE INDEX ix_print_job_pick_list ON print_job (queued_at) WHERE kind = 'pick_list' AND paper IS NOT NULL;

CREATE INDEX ix_print_job_source_id ON print_job (source_id);

CREATE UNIQUE INDEX ux_print_job_in_hand ON print_job (store_id, printer_id) WHERE state = 'sending';

CREATE TABLE printer_health (
  store_id TEXT NOT NULL,
  printer_id TEXT NOT NULL,
  answers BOOLEAN NOT NULL,
  near_end BOOLEAN NOT NULL,
  fault TEXT,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  heard_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_printer_health PRIMARY KEY (store_id, printer_id)
);

CREATE TABLE producer (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  place TEXT NOT NULL,
  phone TEXT NOT NULL,
  account TEXT NOT NULL,
  commission_bp BIGINT NOT NULL,
  agent_name TEXT NOT NULL,
  agent_bp BIGINT NOT NULL,
  joined_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_producer PRIMARY KEY (store_id, id),
  CONSTRAINT ck_producer_agent_within_commission CHECK (agent_bp >= 0 and agent_bp <= commission_bp)
);

CREATE TABLE producer_lot (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  producer_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  code TEXT NOT NULL,
  harvested_on DATE,
  came_on DATE NOT NULL,
  came_at TIMESTAMP WITH TIME ZONE NOT NULL,
  came_qty BIGINT NOT NULL,
  left_qty BIGINT NOT NULL,
  back_qty BIGINT NOT NULL,
  lost_qty BIGINT NOT NULL,
  CONSTRAINT pk_producer_lot PRIMARY KEY (store_id, id),
  CONSTRAINT uq_producer_lot_store_id_code UNIQUE (store_id, code),
  CONSTRAINT ck_producer_lot_none_below_zero CHECK (left_qty >= 0 and back_qty >= 0 and lost_qty >= 0)
);

CREATE INDEX ix_producer_lot_left ON producer_lot (store_id, sku, left_qty);

CREATE TABLE producer_movement (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  producer_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  lot_id TEXT,
  sale_id TEXT NOT NULL,
  line_n BIGINT NOT NULL,
  qty BIGINT NOT NULL,
  net_minor BIGINT NOT NULL,
  commission_minor BIGINT NOT NULL,
  agent_minor BIGINT NOT NULL,
  agent_name TEXT DEFAULT '' NOT NULL,
  due_minor BIGINT NOT NULL,
  answers_id TEXT,
  business_day DATE NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  statement_id TEXT,
  CONSTRAINT pk_producer_movement PRIMARY KEY (store_id, id),
  CONSTRAINT ck_producer_movement_adds_up CHECK (qty <> 0 and net_minor = commission_minor + due_minor)
);

CREATE INDEX ix_producer_movement_answers ON producer_movement (store_id, answers_id);

CREATE INDEX ix_producer_movement_lot ON producer_movement (store_id, lot_id);

CREATE INDEX ix_producer_movement_open ON producer_movement (store_id, producer_id, statement_id);

CREATE INDEX ix_producer_movement_sale ON producer_movement (store_id, sale_id);

CREATE TABLE producer_picture (
  store_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  id TEXT NOT NULL,
  jpeg BYTEA NOT NULL,
  put_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_producer_picture PRIMARY KEY (store_id, sku, id)
);

CREATE TABLE producer_product (
  store_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  producer_id TEXT NOT NULL,
  story TEXT NOT NULL,
  CONSTRAINT pk_producer_product PRIMARY KEY (store_id, sku)
);

CREATE TABLE producer_statement (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  producer_id TEXT NOT NULL,
  no BIGINT NOT NULL,
  until_day DATE NOT NULL,
  net_minor BIGINT NOT NULL,
  commission_minor BIGINT NOT NULL,
  agent_minor BIGINT NOT NULL,
  due_minor BIGINT NOT NULL,
  carried_minor BIGINT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  made_by TEXT NOT NULL,
  paid_at TIMESTAMP WITH TIME ZONE,
  paid_how TEXT NOT NULL,
  CONSTRAINT pk_producer_statement PRIMARY KEY (store_id, id),
  CONSTRAINT uq_producer_statement_store_id_producer_id_no UNIQUE (store_id, producer_id, no)
);

CREATE TABLE publication (
  kind TEXT NOT NULL,
  scope_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  body TEXT NOT NULL,
  CONSTRAINT pk_publication PRIMARY KEY (kind, scope_id)
);

CREATE TABLE pulled (
  kind TEXT NOT NULL,
  version BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  pulled_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_pulled PRIMARY KEY (kind)
);

CREATE TABLE purchase (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  purchase_no BIGINT NOT NULL,
  state TEXT NOT NULL,
  supplier_id TEXT,
  order_day DATE,
  expected_day DATE NOT NULL,
  cost_minor BIGINT NOT NULL,
  proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ordered_at TIMESTAMP WITH TIME ZONE,
  received_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_purchase PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_purchase_state ON purchase (state, expected_day);

CREATE TABLE rates_kept (
  store_id TEXT NOT NULL,
  day DATE NOT NULL,
  CONSTRAINT pk_rates_kept PRIMARY KEY (store_id)
);

CREATE TABLE receipt_counter (
  store_id TEXT NOT NULL,
  till_id TEXT NOT NULL,
  epoch TEXT NOT NULL,
  last_no BIGINT NOT NULL,
  CONSTRAINT pk_receipt_counter PRIMARY KEY (store_id, till_id, epoch)
);

CREATE TABLE recovery_code (
  node_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  CONSTRAINT pk_recovery_code PRIMARY KEY (node_id, staff_id, code_hash)
);

CREATE TABLE referral_reward (
  store_id TEXT NOT NULL,
  friend_id TEXT NOT NULL,
  outreach_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  sale_id TEXT NOT NULL,
  code TEXT NOT NULL,
  given_at TIMESTAMP WITH TIME ZONE NOT NULL,
  reported_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_referral_reward PRIMARY KEY (store_id, friend_id)
);

CREATE TABLE refund (
  id TEXT NOT NULL,
  escrow_id TEXT NOT NULL,
  store_id TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  state TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  tries BIGINT NOT NULL,
  try_at TIMESTAMP WITH TIME ZONE NOT NULL,
  answer TEXT NOT NULL,
  reason TEXT NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  reference TEXT NOT NULL,
  CONSTRAINT pk_refund PRIMARY KEY (id)
);

CREATE INDEX ix_refund_escrow ON refund (escrow_id);

CREATE INDEX ix_refund_waiting ON refund (state, try_at);

CREATE TABLE refused_edition (
  kind TEXT NOT NULL,
  version BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  code TEXT NOT NULL,
  reported TEXT NOT NULL,
  facts JSON NOT NULL,
  refused_at TIMESTAMP WITH TIME ZONE NOT NULL,
  allowed_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_refused_edition PRIMARY KEY (kind)
);

CREATE TABLE region (
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  CONSTRAINT pk_region PRIMARY KEY (id)
);

CREATE TABLE region_outlook (
  region_id TEXT NOT NULL,
  days BIGINT NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  rows JSON NOT NULL,
  CONSTRAINT pk_region_outlook PRIMARY KEY (region_id, days)
);

CREATE TABLE regional_demand (
  region_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  business_day DATE NOT NULL,
  sold_qty BIGINT NOT NULL,
  revenue_minor BIGINT NOT NULL,
  net_minor BIGINT DEFAULT '0' NOT NULL,
  costed_minor BIGINT DEFAULT '0' NOT NULL,
  cost_minor BIGINT DEFAULT '0' NOT NULL,
  stores_open BIGINT NOT NULL,
  stores_selling BIGINT NOT NULL,
  pickup_qty BIGINT NOT NULL,
  CONSTRAINT pk_regional_demand PRIMARY KEY (region_id, sku, business_day)
);

CREATE INDEX ix_regional_demand_day ON regional_demand (region_id, business_day);

CREATE TABLE replenishment_order (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  order_no BIGINT NOT NULL,
  supplier_id TEXT NOT NULL,
  state TEXT NOT NULL,
  order_day DATE NOT NULL,
  delivery_day DATE NOT NULL,
  next_delivery_day DATE NOT NULL,
  cost_minor BIGINT NOT NULL,
  ordered_minor BIGINT,
  received_minor BIGINT,
  proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  sent_at TIMESTAMP WITH TIME ZONE,
  forecast_run_id TEXT,
  forecast_age_days BIGINT,
  promise_step BIGINT DEFAULT '0' NOT NULL,
  postponed BOOLEAN NOT NULL,
  by_rule BOOLEAN NOT NULL,
  CONSTRAINT pk_replenishment_order PRIMARY KEY (store_id, id),
  CONSTRAINT uq_replenishment_order_store_id_order_no UNIQUE (store_id, order_no)
);

CREATE INDEX ix_replenishment_order_delivery ON replenishment_order (delivery_day);

CREATE INDEX ix_replenishment_order_state ON replenishment_order (store_id, state);

CREATE TABLE reported_demand (
  store_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  per_day DOUBLE PRECISION NOT NULL,
  CONSTRAINT pk_reported_demand PRIMARY KEY (store_id, sku)
);

CREATE TABLE reported_effect (
  store_id TEXT NOT NULL,
  top_category TEXT NOT NULL,
  feature TEXT NOT NULL,
  worth DOUBLE PRECISION NOT NULL,
  moved DOUBLE PRECISION NOT NULL,
  origin_day DATE NOT NULL,
  CONSTRAINT pk_reported_effect PRIMARY KEY (store_id, top_category, feature)
);

CREATE TABLE reported_forecast (
  store_id TEXT NOT NULL,
  run_id TEXT,
  origin_day DATE,
  horizon_days BIGINT NOT NULL,
  reported_at TIMESTAMP WITH TIME ZONE,
  top_categories JSON NOT NULL,
  unlikely JSON NOT NULL,
  refused_run_id TEXT,
  refused TEXT,
  CONSTRAINT pk_reported_forecast PRIMARY KEY (store_id)
);

CREATE TABLE reported_story (
  store_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  edition BIGINT NOT NULL,
  producer TEXT NOT NULL,
  kind TEXT NOT NULL,
  place TEXT NOT NULL,
  story TEXT NOT NULL,
  lot_code TEXT NOT NULL,
  harvested_on DATE,
  pictures JSON NOT NULL,
  CONSTRAINT pk_reported_story PRIMARY KEY (store_id, sku)
);

CREATE TABLE reservation (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  qty BIGINT NOT NULL,
  kind TEXT NOT NULL,
  answers_id TEXT,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_reservation PRIMARY KEY (store_id, id),
  CONSTRAINT ck_reservation_qty_positive CHECK (qty > 0),
  CONSTRAINT ck_reservation_answer_names_promise CHECK ((kind = 'held') = (answers_id is null)),
  CONSTRAINT uq_reservation_store_id_answers_id UNIQUE (store_id, answers_id)
);

CREATE INDEX ix_reservation_order ON reservation (store_id, order_id);

CREATE TABLE review (
  store_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  stars BIGINT NOT NULL,
  words TEXT NOT NULL,
  by_name TEXT NOT NULL,
  state TEXT NOT NULL,
  written_at TIMESTAMP WITH TIME ZONE NOT NULL,
  answer TEXT NOT NULL,
  answered_at TIMESTAMP WITH TIME ZONE,
  reported_why TEXT NOT NULL,
  decided_why TEXT NOT NULL,
  CONSTRAINT pk_review PRIMARY KEY (store_id, order_id, sku),
  CONSTRAINT ck_review_stars_one_to_five CHECK (stars between 1 and 5)
);

CREATE INDEX ix_review_product ON review (store_id, sku);

CREATE TABLE role_limit (
  store_id TEXT NOT NULL,
  role TEXT NOT NULL,
  discount_bp BIGINT NOT NULL,
  pay_in_minor BIGINT,
  pay_out_minor BIGINT,
  drop_minor BIGINT,
  empties BIGINT,
  allowed JSON DEFAULT '[]' NOT NULL,
  denied JSON DEFAULT '[]' NOT NULL,
  CONSTRAINT pk_role_limit PRIMARY KEY (store_id, role)
);

CREATE TABLE route_load (
  store_id TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  route_id TEXT NOT NULL,
  CONSTRAINT pk_route_load PRIMARY KEY (store_id, delivery_id)
);

CREATE INDEX ix_route_load_route_id ON route_load (route_id);

CREATE TABLE route_plan (
  id TEXT NOT NULL,
  warehouse_id TEXT NOT NULL,
  day DATE NOT NULL,
  asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  begun_at TIMESTAMP WITH TIME ZONE,
  done_at TIMESTAMP WITH TIME ZONE,
  fault TEXT NOT NULL,
  calls BIGINT NOT NULL,
  metres BIGINT NOT NULL,
  left_out JSON NOT NULL,
  CONSTRAINT pk_route_plan PRIMARY KEY (id)
);

CREATE TABLE sale (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  till_id TEXT NOT NULL,
  shift_id TEXT NOT NULL,
  epoch TEXT NOT NULL,
  receipt_no BIGINT NOT NULL,
  state TEXT NOT NULL,
  kind TEXT NOT NULL,
  channel TEXT NOT NULL,
  order_id TEXT,
  business_day DATE NOT NULL,
  completed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  cashier_id TEXT NOT NULL,
  cashier_name TEXT NOT NULL,
  currency TEXT NOT NULL,
  lines_minor BIGINT NOT NULL,
  rounding_minor BIGINT NOT NULL,
  total_minor BIGINT NOT NULL,
  tax_minor BIGINT NOT NULL,
  age_checked BIGINT,
  age_how TEXT,
  customer_id TEXT,
  note TEXT DEFAULT '' NOT NULL,
  request_hash TEXT NOT NULL,
  CONSTRAINT pk_sale PRIMARY KEY (store_id, business_day, id),
  CONSTRAINT uq_sale_store_id_till_id_epoch_receipt_no UNIQUE (store_id, till_id, receipt_no, epoch, business_day)
) PARTITION BY RANGE (business_day);

CREATE TABLE weeks.sale_rest PARTITION OF sale DEFAULT;

CREATE INDEX ix_sale_id ON sale (store_id, id);

CREATE INDEX ix_sale_customer ON sale (store_id, customer_id) WHERE customer_id IS NOT NULL;

CREATE INDEX ix_sale_day ON sale (store_id, business_day);

CREATE INDEX ix_sale_shift ON sale (store_id, shift_id);

CREATE TABLE sale_line (
  store_id TEXT NOT NULL,
  sale_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  sku TEXT NOT NULL,
  name TEXT NOT NULL,
  stock_unit TEXT NOT NULL,
  qty BIGINT NOT NULL,
  unit_price_minor BIGINT NOT NULL,
  price_quantity BIGINT NOT NULL,
  discount_minor BIGINT NOT NULL,
  offer TEXT NOT NULL,
  total_minor BIGINT NOT NULL,
  net_minor BIGINT NOT NULL,
  tax_minor BIGINT NOT NULL,
  tax_class_id TEXT NOT NULL,
  rate_bp BIGINT NOT NULL,
  returns_sale_id TEXT,
  returns_n BIGINT,
  kind TEXT DEFAULT 'goods' NOT NULL,
  list_price_minor BIGINT,
  price_type TEXT DEFAULT 'list' NOT NULL,
  manual_discount_minor BIGINT DEFAULT '0' NOT NULL,
  reason TEXT DEFAULT '' NOT NULL,
  note TEXT DEFAULT '' NOT NULL,
  batch TEXT,
  expires_on DATE,
  amount_minor BIGINT,
  deposit_of BIGINT,
  cost_minor BIGINT,
  top_category TEXT DEFAULT '' NOT NULL,
  business_day DATE NOT NULL,
  CONSTRAINT pk_sale_line PRIMARY KEY (store_id, business_day, sale_id, n)
) PARTITION BY RANGE (business_day);

CREATE TABLE weeks.sale_line_rest PARTITION OF sale_line DEFAULT;

CREATE INDEX ix_sale_line_day ON sale_line (store_id, business_day);

CREATE INDEX ix_sale_line_returns ON sale_line (store_id, returns_sale_id) WHERE returns_sale_id IS NOT NULL;

CREATE INDEX ix_sale_line_sku ON sale_line (store_id, sku);

CREATE TABLE saved_view (
  node_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  path TEXT NOT NULL,
  name TEXT NOT NULL,
  query TEXT NOT NULL,
  CONSTRAINT pk_saved_view PRIMARY KEY (node_id, staff_id, path, name)
);

CREATE TABLE school_holiday (
  scope_id TEXT NOT NULL,
  day DATE NOT NULL,
  name TEXT NOT NULL,
  CONSTRAINT pk_school_holiday PRIMARY KEY (scope_id, day)
);

CREATE TABLE selling_rate (
  store_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  per_day DOUBLE PRECISION NOT NULL,
  CONSTRAINT pk_selling_rate PRIMARY KEY (store_id, sku)
);

CREATE TABLE settlement_account (
  store_id TEXT NOT NULL,
  last_n BIGINT NOT NULL,
  last_invoice_no BIGINT NOT NULL,
  payee TEXT NOT NULL,
  bank_account TEXT NOT NULL,
  bic TEXT NOT NULL,
  bank_reported_at TIMESTAMP WITH TIME ZONE,
  bank_rests_until TIMESTAMP WITH TIME ZONE,
  put_back_at TIMESTAMP WITH TIME ZONE,
  put_back_waits BOOLEAN DEFAULT false NOT NULL,
  CONSTRAINT pk_settlement_account PRIMARY KEY (store_id)
);

CREATE TABLE settlement_advance (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  asked_minor BIGINT NOT NULL,
  given_minor BIGINT NOT NULL,
  state TEXT NOT NULL,
  asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_settlement_advance PRIMARY KEY (store_id, id)
);

CREATE TABLE settlement_entry (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  n BIGINT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  business_day DATE NOT NULL,
  kind TEXT NOT NULL,
  from_account TEXT NOT NULL,
  to_account TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  invoice_id TEXT,
  source_id TEXT NOT NULL,
  words TEXT NOT NULL,
  CONSTRAINT pk_settlement_entry PRIMARY KEY (store_id, id),
  CONSTRAINT uq_settlement_entry_store_id_n UNIQUE (store_id, n),
  CONSTRAINT ck_settlement_entry_amount_positive CHECK (amount_minor > 0)
);

CREATE INDEX ix_settlement_entry_invoice ON settlement_entry (store_id, invoice_id);

CREATE TABLE settlement_invoice (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  no BIGINT NOT NULL,
  made_day DATE NOT NULL,
  due_day DATE NOT NULL,
  on_credit BOOLEAN NOT NULL,
  amount_minor BIGINT NOT NULL,
  delivery_id TEXT,
  order_id TEXT,
  lines JSON NOT NULL,
  changed_n BIGINT NOT NULL,
  CONSTRAINT pk_settlement_invoice PRIMARY KEY (store_id, id),
  CONSTRAINT uq_settlement_invoice_store_id_no UNIQUE (store_id, no)
);

CREATE TABLE shelf_plan (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  from_day DATE NOT NULL,
  drafted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  based_on_day DATE NOT NULL,
  CONSTRAINT pk_shelf_plan PRIMARY KEY (store_id, id)
);

CREATE TABLE shift (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  till_id TEXT NOT NULL,
  state TEXT NOT NULL,
  opened_by TEXT NOT NULL,
  opened_by_name TEXT NOT NULL,
  opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  business_day DATE NOT NULL,
  expected_minor BIGINT NOT NULL,
  counted_minor BIGINT,
  over_short_minor BIGINT,
  closed_at TIMESTAMP WITH TIME ZONE,
  z_no BIGINT,
  z_report JSON,
  totals JSON DEFAULT '{}' NOT NULL,
  held_by TEXT,
  held_by_name TEXT,
  counted_times BIGINT DEFAULT '0' NOT NULL,
  CONSTRAINT pk_shift PRIMARY KEY (store_id, id)
);

CREATE UNIQUE INDEX uq_shift_one_open ON shift (store_id, till_id) WHERE state <> 'closed';

CREATE UNIQUE INDEX uq_shift_z_no ON shift (store_id, till_id, z_no);

CREATE TABLE signed_batch (
  from_node TEXT NOT NULL,
  id TEXT NOT NULL,
  key TEXT NOT NULL,
  text TEXT NOT NULL,
  signature TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_signed_batch PRIMARY KEY (from_node, id)
);

CREATE TABLE signed_out (
  session_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_signed_out PRIMARY KEY (session_id)
);

CREATE TABLE signing_key (
  node_id TEXT NOT NULL,
  public TEXT NOT NULL,
  state TEXT NOT NULL,
  how TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  good_at TIMESTAMP WITH TIME ZONE,
  ended_at TIMESTAMP WITH TIME ZONE,
  doubted_since TIMESTAMP WITH TIME ZONE,
  vouched_by TEXT,
  vouch TEXT,
  CONSTRAINT pk_signing_key PRIMARY KEY (node_id, public)
);

CREATE UNIQUE INDEX ix_signing_key_first ON signing_key (node_id) WHERE how = 'first';

CREATE TABLE slip_number (
  store_id TEXT NOT NULL,
  business_day DATE NOT NULL,
  tender TEXT NOT NULL,
  number TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  source TEXT NOT NULL,
  CONSTRAINT pk_slip_number PRIMARY KEY (store_id, business_day, tender, number, amount_minor)
);

CREATE TABLE staff (
  node_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  pin_hash TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  failed_tries BIGINT NOT NULL,
  locked_until TIMESTAMP WITH TIME ZONE,
  badge_hash TEXT,
  badge_given_at TIMESTAMP WITH TIME ZONE,
  totp_salt TEXT,
  code_step BIGINT,
  CONSTRAINT pk_staff PRIMARY KEY (node_id, id),
  CONSTRAINT uq_staff_badge_hash UNIQUE (badge_hash)
);

CREATE TABLE staff_session (
  session_id TEXT NOT NULL,
  node_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  stamp TEXT NOT NULL,
  device TEXT NOT NULL,
  place TEXT NOT NULL,
  begun_at TIMESTAMP WITH TIME ZONE NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_staff_session PRIMARY KEY (session_id)
);

CREATE INDEX ix_staff_session_staff ON staff_session (node_id, staff_id);

CREATE TABLE stock_count (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  sku TEXT NOT NULL,
  counted_qty BIGINT NOT NULL,
  before_qty BIGINT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id TEXT NOT NULL,
  CONSTRAINT pk_stock_count PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_stock_count_sku ON stock_count (store_id, sku, at);

CREATE TABLE stock_level (
  store_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  place TEXT NOT NULL,
  qty BIGINT NOT NULL,
  CONSTRAINT pk_stock_level PRIMARY KEY (store_id, sku, place)
);

CREATE TABLE stock_movement (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  sku TEXT NOT NULL,
  qty BIGINT NOT NULL,
  from_place TEXT NOT NULL,
  to_place TEXT NOT NULL,
  reason TEXT NOT NULL,
  source_kind TEXT NOT NULL,
  source_id TEXT NOT NULL,
  business_day DATE NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id TEXT NOT NULL,
  CONSTRAINT pk_stock_movement PRIMARY KEY (store_id, business_day, id),
  CONSTRAINT ck_stock_movement_qty_positive CHECK (qty > 0),
  CONSTRAINT ck_stock_movement_places_differ CHECK (from_place <> to_place)
) PARTITION BY RANGE (business_day);

CREATE TABLE weeks.stock_movement_rest PARTITION OF stock_movement DEFAULT;

CREATE INDEX ix_stock_movement_sku ON stock_movement (store_id, sku, business_day);

CREATE INDEX ix_stock_movement_source ON stock_movement (store_id, source_kind, source_id);

CREATE TABLE stock_take (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  categories JSON NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  started_by TEXT NOT NULL,
  posting_at TIMESTAMP WITH TIME ZONE,
  missing_is_gone BOOLEAN NOT NULL,
  closed_at TIMESTAMP WITH TIME ZONE,
  closed_by TEXT NOT NULL,
  CONSTRAINT pk_stock_take PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_stock_take_state ON stock_take (store_id, state);

CREATE TABLE store_day (
  store_id TEXT NOT NULL,
  business_day DATE NOT NULL,
  open BOOLEAN NOT NULL,
  sales BIGINT NOT NULL,
  revenue_minor BIGINT NOT NULL,
  net_minor BIGINT DEFAULT '0' NOT NULL,
  costed_minor BIGINT DEFAULT '0' NOT NULL,
  cost_minor BIGINT DEFAULT '0' NOT NULL,
  imported BOOLEAN NOT NULL,
  CONSTRAINT pk_store_day PRIMARY KEY (store_id, business_day)
);

CREATE INDEX ix_store_day_day ON store_day (business_day, store_id);

CREATE TABLE storefront (
  store_id TEXT NOT NULL,
  taking_orders BOOLEAN NOT NULL,
  edition BIGINT NOT NULL,
  last_order_no BIGINT NOT NULL,
  rules JSON DEFAULT '{}' NOT NULL,
  promotions_token TEXT DEFAULT '' NOT NULL,
  promotions_edition BIGINT DEFAULT '0' NOT NULL,
  CONSTRAINT pk_storefront PRIMARY KEY (store_id)
);

CREATE TABLE suggestion (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  sku TEXT NOT NULL,
  name TEXT NOT NULL,
  facts JSON NOT NULL,
  expected_minor BIGINT NOT NULL,
  state TEXT NOT NULL,
  made_on DATE NOT NULL,
  answered_on DATE,
  why TEXT NOT NULL,
  measured_minor BIGINT,
  CONSTRAINT pk_suggestion PRIMARY KEY (store_id, id)
);

CREATE TABLE supplier (
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  calendar JSON NOT NULL,
  minimum_minor BIGINT NOT NULL,
  warehouse_id TEXT,
  send_by TEXT DEFAULT 'paper' NOT NULL,
  email TEXT DEFAULT '' NOT NULL,
  customer_no TEXT DEFAULT '' NOT NULL,
  language TEXT DEFAULT 'en' NOT NULL,
  active BOOLEAN DEFAULT true NOT NULL,
  CONSTRAINT pk_supplier PRIMARY KEY (id)
);

CREATE TABLE supplier_document (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  supplier_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  number TEXT NOT NULL,
  day DATE NOT NULL,
  state TEXT NOT NULL,
  order_id TEXT,
  delivery_id TEXT,
  invoice_id TEXT,
  payable_minor BIGINT NOT NULL,
  said JSON NOT NULL,
  answers JSON NOT NULL,
  taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
  taken_by TEXT NOT NULL,
  CONSTRAINT pk_supplier_document PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_supplier_document_taken ON supplier_document (store_id, taken_at);

CREATE UNIQUE INDEX ix_supplier_document_no ON supplier_document (store_id, supplier_id, kind, number) WHERE state <> 'abandoned';

CREATE TABLE supplier_return (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  source TEXT NOT NULL,
  supplier_id TEXT NOT NULL,
  state TEXT NOT NULL,
  proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  send_by DATE NOT NULL,
  sent_at TIMESTAMP WITH TIME ZONE,
  sent_by TEXT NOT NULL,
  received_at TIMESTAMP WITH TIME ZONE,
  received_by TEXT NOT NULL,
  words TEXT NOT NULL,
  CONSTRAINT pk_supplier_return PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_supplier_return_state ON supplier_return (state);

CREATE TABLE supply_route (
  kind TEXT NOT NULL,
  of_id TEXT NOT NULL,
  warehouse_id TEXT NOT NULL,
  CONSTRAINT pk_supply_route PRIMARY KEY (kind, of_id),
  CONSTRAINT ck_supply_route_kind_known CHECK (kind in ('store', 'region'))
);

CREATE TABLE support_permission (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  words TEXT NOT NULL,
  given_by TEXT NOT NULL,
  given_at TIMESTAMP WITH TIME ZONE NOT NULL,
  until TIMESTAMP WITH TIME ZONE NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  step BIGINT NOT NULL,
  reported JSON NOT NULL,
  CONSTRAINT pk_support_permission PRIMARY KEY (store_id, id)
);

CREATE TABLE support_visit (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  leave_id TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  until TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_support_visit PRIMARY KEY (store_id, id)
);

CREATE TABLE tab_account (
  store_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  limit_minor BIGINT NOT NULL,
  balance_minor BIGINT NOT NULL,
  lines BIGINT NOT NULL,
  CONSTRAINT pk_tab_account PRIMARY KEY (store_id, customer_id),
  CONSTRAINT ck_tab_account_balance_not_negative CHECK (balance_minor >= 0)
);

CREATE TABLE tab_entry (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  kind TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  balance_minor BIGINT NOT NULL,
  business_day DATE NOT NULL,
  sale_id TEXT,
  shift_id TEXT,
  tender TEXT,
  reference TEXT NOT NULL,
  why TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  CONSTRAINT pk_tab_entry PRIMARY KEY (store_id, id),
  CONSTRAINT uq_tab_entry_store_id_customer_id_n UNIQUE (store_id, customer_id, n)
);

CREATE TABLE tab_settlement (
  store_id TEXT NOT NULL,
  credit_id TEXT NOT NULL,
  charge_id TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  CONSTRAINT pk_tab_settlement PRIMARY KEY (store_id, credit_id, charge_id),
  CONSTRAINT ck_tab_settlement_amount_positive CHECK (amount_minor > 0)
);

CREATE INDEX ix_tab_settlement_charge ON tab_settlement (store_id, charge_id);

CREATE TABLE tax_class (
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  rate_bp BIGINT NOT NULL,
  inclusive BOOLEAN NOT NULL,
  owner_id TEXT NOT NULL,
  CONSTRAINT pk_tax_class PRIMARY KEY (id)
);

CREATE TABLE transfer (
  id TEXT NOT NULL,
  giver_id TEXT NOT NULL,
  taker_id TEXT NOT NULL,
  giver_name TEXT NOT NULL,
  taker_name TEXT NOT NULL,
  metres BIGINT NOT NULL,
  state TEXT NOT NULL,
  proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  answer_by DATE NOT NULL,
  fetch_by DATE NOT NULL,
  giver_minor BIGINT,
  taker_minor BIGINT,
  giver_yes BOOLEAN NOT NULL,
  taker_yes BOOLEAN NOT NULL,
  why TEXT NOT NULL,
  declined_by TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  handed_over_at TIMESTAMP WITH TIME ZONE,
  received_at TIMESTAMP WITH TIME ZONE,
  cost_minor BIGINT NOT NULL,
  CONSTRAINT pk_transfer PRIMARY KEY (id)
);

CREATE INDEX ix_transfer_state ON transfer (state, giver_id, taker_id);

CREATE TABLE transfer_sheet (
  store_id TEXT NOT NULL,
  day DATE NOT NULL,
  body JSON NOT NULL,
  CONSTRAINT pk_transfer_sheet PRIMARY KEY (store_id)
);

CREATE TABLE vehicle (
  id TEXT NOT NULL,
  warehouse_id TEXT NOT NULL,
  name TEXT NOT NULL,
  packs BIGINT NOT NULL,
  from_minute BIGINT NOT NULL,
  until_minute BIGINT NOT NULL,
  retired_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_vehicle PRIMARY KEY (id)
);

CREATE TABLE voucher (
  store_id TEXT NOT NULL,
  mark TEXT NOT NULL,
  kind TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  balance_minor BIGINT NOT NULL,
  expires_on DATE,
  sale_id TEXT NOT NULL,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  issued_by TEXT NOT NULL,
  CONSTRAINT pk_voucher PRIMARY KEY (store_id, mark),
  CONSTRAINT ck_voucher_balance_not_negative CHECK (balance_minor >= 0)
);

CREATE INDEX ix_voucher_sale ON voucher (store_id, sale_id);

CREATE TABLE voucher_movement (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  mark TEXT NOT NULL,
  kind TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  balance_minor BIGINT NOT NULL,
  sale_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id TEXT NOT NULL,
  CONSTRAINT pk_voucher_movement PRIMARY KEY (store_id, id)
);

CREATE INDEX ix_voucher_movement_mark ON voucher_movement (store_id, mark);

CREATE INDEX ix_voucher_movement_sale ON voucher_movement (store_id, sale_id);

CREATE TABLE weather_day (
  scope_id TEXT NOT NULL,
  day DATE NOT NULL,
  temperature_tenths BIGINT,
  rain_tenths BIGINT,
  CONSTRAINT pk_weather_day PRIMARY KEY (scope_id, day)
);

CREATE TABLE webhook_endpoint (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  url TEXT NOT NULL,
  resources JSON NOT NULL,
  secret_salt TEXT NOT NULL,
  last_n BIGINT NOT NULL,
  round BIGINT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  failing_since TIMESTAMP WITH TIME ZONE,
  paused_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_webhook_endpoint PRIMARY KEY (store_id, id)
);

CREATE TABLE claim_credit (
  store_id TEXT NOT NULL,
  claim_id TEXT NOT NULL,
  paper_id TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  credited_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_claim_credit PRIMARY KEY (store_id, claim_id, paper_id),
  CONSTRAINT fk_claim_credit_store_id_claim_id_claim FOREIGN KEY(store_id, claim_id) REFERENCES claim (store_id, id),
  CONSTRAINT ck_claim_credit_amount_positive CHECK (amount_minor > 0)
);

CREATE TABLE claim_line (
  store_id TEXT NOT NULL,
  claim_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  qty BIGINT NOT NULL,
  pack_qty BIGINT NOT NULL,
  pack_cost_minor BIGINT NOT NULL,
  charged BOOLEAN NOT NULL,
  granted_qty BIGINT,
  CONSTRAINT pk_claim_line PRIMARY KEY (store_id, claim_id, sku, kind),
  CONSTRAINT fk_claim_line_store_id_claim_id_claim FOREIGN KEY(store_id, claim_id) REFERENCES claim (store_id, id),
  CONSTRAINT ck_claim_line_qty_positive CHECK (qty > 0),
  CONSTRAINT ck_claim_line_granted_fits CHECK (granted_qty is null or granted_qty between 0 and qty)
);

CREATE TABLE coupon (
  owner_id TEXT NOT NULL,
  code TEXT NOT NULL,
  offer_id TEXT NOT NULL,
  most_uses BIGINT,
  uses BIGINT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  until_day DATE,
  CONSTRAINT pk_coupon PRIMARY KEY (owner_id, code),
  CONSTRAINT ck_coupon_uses_within_limit CHECK (uses >= 0 and (most_uses is null or uses <= most_uses)),
  CONSTRAINT fk_coupon_offer_id_offer FOREIGN KEY(offer_id) REFERENCES offer (id)
);

CREATE INDEX ix_coupon_offer_id ON coupon (offer_id);

CREATE TABLE delivery_line (
  store_id TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  name TEXT NOT NULL,
  pack_qty BIGINT NOT NULL,
  advised_qty BIGINT NOT NULL,
  counted_qty BIGINT,
  difference_why TEXT NOT NULL,
  batch TEXT,
  expires_on DATE,
  lots JSON,
  promised_qty BIGINT,
  less_why TEXT DEFAULT '' NOT NULL,
  CONSTRAINT pk_delivery_line PRIMARY KEY (store_id, delivery_id, sku),
  CONSTRAINT fk_delivery_line_store_id_delivery_id_delivery FOREIGN KEY(store_id, delivery_id) REFERENCES delivery (store_id, id),
  CONSTRAINT ck_delivery_line_counted_not_negative CHECK (counted_qty is null or counted_qty >= 0)
);

CREATE TABLE escrow_entry (
  id TEXT NOT NULL,
  escrow_id TEXT NOT NULL,
  from_account TEXT NOT NULL,
  to_account TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  why TEXT NOT NULL,
  answers_id TEXT,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_escrow_entry PRIMARY KEY (id),
  CONSTRAINT ck_escrow_entry_amount_positive CHECK (amount_minor > 0),
  CONSTRAINT uq_escrow_entry_answers_id UNIQUE (answers_id),
  CONSTRAINT fk_escrow_entry_escrow_id_escrow FOREIGN KEY(escrow_id) REFERENCES escrow (id)
);

CREATE INDEX ix_escrow_entry_escrow ON escrow_entry (escrow_id);

CREATE TABLE forecast_quantile (
  run_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  first_day DATE NOT NULL,
  last_day DATE NOT NULL,
  mean DOUBLE PRECISION NOT NULL,
  q50 DOUBLE PRECISION NOT NULL,
  q75 DOUBLE PRECISION NOT NULL,
  q90 DOUBLE PRECISION NOT NULL,
  q95 DOUBLE PRECISION NOT NULL,
  q99 DOUBLE PRECISION NOT NULL,
  CONSTRAINT pk_forecast_quantile PRIMARY KEY (run_id, sku, first_day, last_day),
  CONSTRAINT fk_forecast_quantile_run_id_forecast_run FOREIGN KEY(run_id) REFERENCES forecast_run (id)
);

CREATE TABLE forecast_series (
  run_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  model TEXT NOT NULL,
  reason TEXT NOT NULL,
  level DOUBLE PRECISION NOT NULL,
  regional_share DOUBLE PRECISION NOT NULL,
  weekday_profile JSON NOT NULL,
  quiet_days BIGINT,
  lately_spread DOUBLE PRECISION,
  moved JSON,
  CONSTRAINT pk_forecast_series PRIMARY KEY (run_id, sku),
  CONSTRAINT fk_forecast_series_run_id_forecast_run FOREIGN KEY(run_id) REFERENCES forecast_run (id)
);

CREATE TABLE group_member (
  id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  name TEXT NOT NULL,
  phone TEXT NOT NULL,
  email TEXT NOT NULL,
  language TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  want_qty BIGINT NOT NULL,
  maximum_qty BIGINT NOT NULL,
  joined_at TIMESTAMP WITH TIME ZONE NOT NULL,
  left_at TIMESTAMP WITH TIME ZONE,
  gets_qty BIGINT,
  CONSTRAINT pk_group_member PRIMARY KEY (id),
  CONSTRAINT fk_group_member_group_id_group_offer FOREIGN KEY(group_id) REFERENCES group_offer (id)
);

CREATE INDEX ix_group_member_group ON group_member (group_id, joined_at);

CREATE INDEX ix_group_member_people ON group_member (group_id) WHERE phone <> '';

CREATE INDEX ix_group_member_token_hash ON group_member (token_hash);

CREATE TABLE markdown (
  store_id TEXT NOT NULL,
  offer_id TEXT NOT NULL,
  marked_qty BIGINT NOT NULL,
  sold_qty BIGINT DEFAULT '0' NOT NULL,
  CONSTRAINT pk_markdown PRIMARY KEY (store_id, offer_id),
  CONSTRAINT ck_markdown_sold_of_marked CHECK (sold_qty between 0 and marked_qty),
  CONSTRAINT fk_markdown_offer_id_offer FOREIGN KEY(offer_id) REFERENCES offer (id)
);

CREATE TABLE order_line (
  store_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  name TEXT NOT NULL,
  pack_qty BIGINT NOT NULL,
  pack_cost_minor BIGINT NOT NULL,
  minimum_packs BIGINT NOT NULL,
  packs_proposed BIGINT NOT NULL,
  packs BIGINT NOT NULL,
  changed_why TEXT NOT NULL,
  changed_by TEXT NOT NULL,
  teaches BOOLEAN NOT NULL,
  packs_acknowledged BIGINT,
  qty_received BIGINT NOT NULL,
  why JSON NOT NULL,
  CONSTRAINT pk_order_line PRIMARY KEY (store_id, order_id, sku),
  CONSTRAINT fk_order_line_store_id_order_id_replenishment_order FOREIGN KEY(store_id, order_id) REFERENCES replenishment_order (store_id, id),
  CONSTRAINT ck_order_line_packs_not_negative CHECK (packs >= 0)
);

CREATE TABLE pick_line (
  pick_id TEXT NOT NULL,
  store_id TEXT NOT NULL,
  source TEXT NOT NULL,
  source_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  name TEXT NOT NULL,
  pack_qty BIGINT NOT NULL,
  qty BIGINT NOT NULL,
  picked_qty BIGINT,
  short_why TEXT NOT NULL,
  picked_by TEXT NOT NULL,
  lost_qty BIGINT DEFAULT '0' NOT NULL,
  lots JSON DEFAULT '[]' NOT NULL,
  CONSTRAINT pk_pick_line PRIMARY KEY (pick_id, store_id, source, source_id, sku),
  CONSTRAINT ck_pick_line_qty_positive CHECK (qty > 0),
  CONSTRAINT ck_pick_line_picked_within CHECK (picked_qty between 0 and qty),
  CONSTRAINT fk_pick_line_pick_id_pick_list FOREIGN KEY(pick_id) REFERENCES pick_list (id)
);

CREATE INDEX ix_pick_line_source ON pick_line (store_id, source_id);

CREATE TABLE pickup_line (
  store_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  name TEXT NOT NULL,
  qty BIGINT NOT NULL,
  picked_qty BIGINT,
  price_minor BIGINT NOT NULL,
  price_quantity BIGINT NOT NULL,
  saved JSON DEFAULT '[]' NOT NULL,
  deposit_sku TEXT,
  deposit_minor BIGINT,
  instead_of TEXT,
  awaited BOOLEAN DEFAULT false NOT NULL,
  CONSTRAINT pk_pickup_line PRIMARY KEY (store_id, order_id, sku),
  CONSTRAINT fk_pickup_line_store_id_order_id_pickup_order FOREIGN KEY(store_id, order_id) REFERENCES pickup_order (store_id, id),
  CONSTRAINT ck_pickup_line_qty_positive CHECK (qty > 0),
  CONSTRAINT ck_pickup_line_picked_at_most_ordered CHECK (picked_qty >= 0 and picked_qty <= qty)
);

CREATE TABLE product (
  sku TEXT NOT NULL,
  name TEXT NOT NULL,
  names JSON,
  brand TEXT NOT NULL,
  category TEXT NOT NULL,
  department TEXT NOT NULL,
  pack_text TEXT NOT NULL,
  stock_unit TEXT NOT NULL,
  price_quantity BIGINT NOT NULL,
  tax_class_id TEXT NOT NULL,
  minimum_age BIGINT,
  maximum_qty BIGINT,
  shelf_life_days BIGINT,
  search_text TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  kind TEXT DEFAULT 'goods' NOT NULL,
  deposit_sku TEXT,
  price_typed BOOLEAN DEFAULT false NOT NULL,
  owner_id TEXT NOT NULL,
  CONSTRAINT pk_product PRIMARY KEY (sku),
  CONSTRAINT ck_product_stock_unit_known CHECK (stock_unit in ('each', 'gram', 'millilitre')),
  CONSTRAINT ck_product_price_quantity_positive CHECK (price_quantity > 0),
  CONSTRAINT fk_product_tax_class_id_tax_class FOREIGN KEY(tax_class_id) REFERENCES tax_class (id)
);

CREATE INDEX ix_product_category ON product (category);

CREATE TABLE purchase_line (
  store_id TEXT NOT NULL,
  purchase_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  name TEXT NOT NULL,
  pack_qty BIGINT NOT NULL,
  pack_cost_minor BIGINT NOT NULL,
  packs BIGINT NOT NULL,
  received_qty BIGINT,
  expires_on DATE,
  why JSON NOT NULL,
  CONSTRAINT pk_purchase_line PRIMARY KEY (store_id, purchase_id, sku),
  CONSTRAINT fk_purchase_line_store_id_purchase_id_purchase FOREIGN KEY(store_id, purchase_id) REFERENCES purchase (store_id, id),
  CONSTRAINT ck_purchase_line_packs_not_negative CHECK (packs >= 0)
);

CREATE TABLE route_stop (
  route_id TEXT NOT NULL,
  store_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  packs BIGINT NOT NULL,
  urgency BIGINT NOT NULL,
  metres BIGINT NOT NULL,
  begins_s BIGINT NOT NULL,
  leaves_s BIGINT NOT NULL,
  from_s BIGINT NOT NULL,
  until_s BIGINT NOT NULL,
  step BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  receiver TEXT NOT NULL,
  note TEXT NOT NULL,
  done_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_route_stop PRIMARY KEY (route_id, store_id),
  CONSTRAINT fk_route_stop_route_id_delivery_route FOREIGN KEY(route_id) REFERENCES delivery_route (id)
);

CREATE TABLE shelf_slot (
  store_id TEXT NOT NULL,
  plan_id TEXT NOT NULL,
  slot BIGINT NOT NULL,
  sku TEXT NOT NULL,
  name TEXT NOT NULL,
  facings BIGINT NOT NULL,
  fill_qty BIGINT NOT NULL,
  score BIGINT NOT NULL,
  why JSON NOT NULL,
  CONSTRAINT pk_shelf_slot PRIMARY KEY (store_id, plan_id, slot),
  CONSTRAINT fk_shelf_slot_store_id_plan_id_shelf_plan FOREIGN KEY(store_id, plan_id) REFERENCES shelf_plan (store_id, id),
  CONSTRAINT uq_shelf_slot_store_id_plan_id_sku UNIQUE (store_id, plan_id, sku)
);

CREATE TABLE stock_take_section (
  store_id TEXT NOT NULL,
  take_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  CONSTRAINT pk_stock_take_section PRIMARY KEY (store_id, take_id, n),
  CONSTRAINT fk_stock_take_section_store_id_take_id_stock_take FOREIGN KEY(store_id, take_id) REFERENCES stock_take (store_id, id)
);

CREATE TABLE store (
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  slug TEXT NOT NULL,
  region_id TEXT NOT NULL,
  address TEXT NOT NULL,
  tax_number TEXT DEFAULT '' NOT NULL,
  phone TEXT NOT NULL,
  currency TEXT NOT NULL,
  smallest_coin_minor BIGINT NOT NULL,
  tz TEXT NOT NULL,
  rollover_hour BIGINT NOT NULL,
  language TEXT NOT NULL,
  opening_hours TEXT NOT NULL,
  pickup_hold_days BIGINT NOT NULL,
  cash_tolerance_minor BIGINT,
  logo_id TEXT,
  has_node BOOLEAN NOT NULL,
  receipts_at TEXT DEFAULT '' NOT NULL,
  sells_beyond BOOLEAN DEFAULT true NOT NULL,
  lock_minutes BIGINT DEFAULT '0' NOT NULL,
  usual_sales_minor BIGINT DEFAULT '0' NOT NULL,
  summary_email TEXT DEFAULT '' NOT NULL,
  summary_weekly BOOLEAN DEFAULT false NOT NULL,
  joined_at TIMESTAMP WITH TIME ZONE NOT NULL,
  left_on DATE,
  CONSTRAINT pk_store PRIMARY KEY (id),
  CONSTRAINT uq_store_slug UNIQUE (slug),
  CONSTRAINT fk_store_region_id_region FOREIGN KEY(region_id) REFERENCES region (id)
);

CREATE TABLE supplier_return_line (
  store_id TEXT NOT NULL,
  return_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  name TEXT NOT NULL,
  pack_qty BIGINT NOT NULL,
  pack_cost_minor BIGINT NOT NULL,
  charged BOOLEAN NOT NULL,
  qty BIGINT NOT NULL,
  sent_qty BIGINT,
  received_qty BIGINT,
  fit_qty BIGINT,
  CONSTRAINT pk_supplier_return_line PRIMARY KEY (store_id, return_id, sku),
  CONSTRAINT fk_supplier_return_line_store_id_return_id_supplier_return FOREIGN KEY(store_id, return_id) REFERENCES supplier_return (store_id, id),
  CONSTRAINT ck_supplier_return_line_qty_positive CHECK (qty > 0)
);

CREATE TABLE transfer_line (
  transfer_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  name TEXT NOT NULL,
  stock_unit TEXT NOT NULL,
  price_quantity BIGINT NOT NULL,
  qty BIGINT NOT NULL,
  pack_qty BIGINT NOT NULL,
  pack_cost_minor BIGINT NOT NULL,
  last_day DATE,
  given_qty BIGINT,
  taken_qty BIGINT,
  CONSTRAINT pk_transfer_line PRIMARY KEY (transfer_id, sku),
  CONSTRAINT ck_transfer_line_qty_positive CHECK (qty > 0),
  CONSTRAINT fk_transfer_line_transfer_id_transfer FOREIGN KEY(transfer_id) REFERENCES transfer (id)
);

CREATE TABLE barcode (
  code TEXT NOT NULL,
  sku TEXT NOT NULL,
  qty BIGINT NOT NULL,
  CONSTRAINT pk_barcode PRIMARY KEY (code),
  CONSTRAINT fk_barcode_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE INDEX ix_barcode_sku ON barcode (sku);

CREATE TABLE batch (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  sku TEXT NOT NULL,
  batch TEXT,
  expires_on DATE,
  leaves_on DATE NOT NULL,
  received_qty BIGINT NOT NULL,
  gone_qty BIGINT DEFAULT '0' NOT NULL,
  received_on DATE NOT NULL,
  source_kind TEXT NOT NULL,
  source_id TEXT NOT NULL,
  CONSTRAINT pk_batch PRIMARY KEY (store_id, id),
  CONSTRAINT ck_batch_received_positive CHECK (received_qty > 0),
  CONSTRAINT ck_batch_gone_fits CHECK (gone_qty between 0 and received_qty),
  CONSTRAINT fk_batch_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE INDEX ix_batch_leaves ON batch (store_id, leaves_on);

CREATE INDEX ix_batch_sku ON batch (store_id, sku, leaves_on);

CREATE TABLE bay (
  warehouse_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  name TEXT NOT NULL,
  CONSTRAINT pk_bay PRIMARY KEY (warehouse_id, sku),
  CONSTRAINT fk_bay_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE TABLE closed_day (
  store_id TEXT NOT NULL,
  day DATE NOT NULL,
  CONSTRAINT pk_closed_day PRIMARY KEY (store_id, day),
  CONSTRAINT fk_closed_day_store_id_store FOREIGN KEY(store_id) REFERENCES store (id)
);

CREATE TABLE count_entry (
  store_id TEXT NOT NULL,
  take_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  id TEXT NOT NULL,
  section_n BIGINT NOT NULL,
  sku TEXT NOT NULL,
  qty BIGINT NOT NULL,
  is_total BOOLEAN NOT NULL,
  again BOOLEAN NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  CONSTRAINT pk_count_entry PRIMARY KEY (store_id, take_id, n),
  CONSTRAINT fk_count_entry_store_id_take_id_stock_take FOREIGN KEY(store_id, take_id) REFERENCES stock_take (store_id, id),
  CONSTRAINT uq_count_entry_store_id_take_id_id UNIQUE (store_id, take_id, id),
  CONSTRAINT fk_count_entry_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE INDEX ix_count_entry_sku ON count_entry (store_id, take_id, sku);

CREATE TABLE delivery_note_line (
  store_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  id TEXT NOT NULL,
  sku TEXT NOT NULL,
  qty BIGINT NOT NULL,
  cost_minor BIGINT,
  batch TEXT,
  expires_on DATE,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id TEXT NOT NULL,
  CONSTRAINT pk_delivery_note_line PRIMARY KEY (store_id, note_id, n),
  CONSTRAINT fk_delivery_note_line_store_id_note_id_delivery_note FOREIGN KEY(store_id, note_id) REFERENCES delivery_note (store_id, id),
  CONSTRAINT ck_delivery_note_line_qty_positive CHECK (qty > 0),
  CONSTRAINT fk_delivery_note_line_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE TABLE favorites (
  store_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  skus JSON NOT NULL,
  CONSTRAINT pk_favorites PRIMARY KEY (store_id, staff_id),
  CONSTRAINT fk_favorites_store_id_store FOREIGN KEY(store_id) REFERENCES store (id)
);

CREATE TABLE label_look (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  sku TEXT NOT NULL,
  shown_minor BIGINT,
  shown_quantity BIGINT NOT NULL,
  asked_minor BIGINT NOT NULL,
  price_minor BIGINT NOT NULL,
  price_quantity BIGINT NOT NULL,
  inspection_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  CONSTRAINT pk_label_look PRIMARY KEY (store_id, id),
  CONSTRAINT fk_label_look_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE INDEX ix_label_look_at ON label_look (store_id, at);

CREATE INDEX ix_label_look_inspection ON label_look (store_id, inspection_id);

CREATE TABLE listing (
  store_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  hold_back_qty BIGINT NOT NULL,
  quick_key BIGINT,
  cost_minor BIGINT,
  ordered BOOLEAN DEFAULT true NOT NULL,
  CONSTRAINT pk_listing PRIMARY KEY (store_id, sku),
  CONSTRAINT fk_listing_store_id_store FOREIGN KEY(store_id) REFERENCES store (id),
  CONSTRAINT fk_listing_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE TABLE order_adjustment (
  store_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  adjusted_qty BIGINT NOT NULL,
  adjusted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_order_adjustment PRIMARY KEY (store_id, sku),
  CONSTRAINT fk_order_adjustment_store_id_store FOREIGN KEY(store_id) REFERENCES store (id),
  CONSTRAINT fk_order_adjustment_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE TABLE order_budget (
  store_id TEXT NOT NULL,
  week_minor BIGINT NOT NULL,
  network_too BOOLEAN DEFAULT true NOT NULL,
  set_by TEXT NOT NULL,
  set_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_order_budget PRIMARY KEY (store_id),
  CONSTRAINT fk_order_budget_store_id_store FOREIGN KEY(store_id) REFERENCES store (id)
);

CREATE TABLE order_preference (
  store_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  room_qty BIGINT,
  show_qty BIGINT NOT NULL,
  service_bp BIGINT,
  CONSTRAINT pk_order_preference PRIMARY KEY (store_id, sku),
  CONSTRAINT fk_order_preference_store_id_store FOREIGN KEY(store_id) REFERENCES store (id),
  CONSTRAINT fk_order_preference_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE TABLE order_rule (
  store_id TEXT NOT NULL,
  supplier_id TEXT NOT NULL,
  most_order_minor BIGINT NOT NULL,
  most_week_minor BIGINT NOT NULL,
  set_by TEXT NOT NULL,
  set_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_order_rule PRIMARY KEY (store_id, supplier_id),
  CONSTRAINT fk_order_rule_store_id_store FOREIGN KEY(store_id) REFERENCES store (id)
);

CREATE TABLE order_service (
  store_id TEXT NOT NULL,
  service_bp BIGINT NOT NULL,
  set_by TEXT NOT NULL,
  set_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_order_service PRIMARY KEY (store_id),
  CONSTRAINT fk_order_service_store_id_store FOREIGN KEY(store_id) REFERENCES store (id)
);

CREATE TABLE price (
  sku TEXT NOT NULL,
  scope_id TEXT NOT NULL,
  from_day DATE NOT NULL,
  price_minor BIGINT NOT NULL,
  CONSTRAINT pk_price PRIMARY KEY (sku, scope_id, from_day),
  CONSTRAINT ck_price_price_not_negative CHECK (price_minor >= 0),
  CONSTRAINT fk_price_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE TABLE printer (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  wire TEXT NOT NULL,
  columns BIGINT NOT NULL,
  chinese BOOLEAN NOT NULL,
  profile TEXT NOT NULL,
  cutter BOOLEAN NOT NULL,
  drawer_pin BIGINT NOT NULL,
  pulse_ms BIGINT NOT NULL,
  asked BOOLEAN NOT NULL,
  tills JSON NOT NULL,
  papers TEXT NOT NULL,
  fallback_id TEXT NOT NULL,
  agent_key_sha256 TEXT,
  CONSTRAINT pk_printer PRIMARY KEY (store_id, id),
  CONSTRAINT fk_printer_store_id_store FOREIGN KEY(store_id) REFERENCES store (id),
  CONSTRAINT uq_printer_agent_key_sha256 UNIQUE (agent_key_sha256)
);

CREATE TABLE product_photo (
  store_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  mark TEXT NOT NULL,
  webp BYTEA NOT NULL,
  put_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_product_photo PRIMARY KEY (store_id, sku),
  CONSTRAINT fk_product_photo_store_id_store FOREIGN KEY(store_id) REFERENCES store (id)
);

CREATE TABLE product_tare (
  store_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  tare_grams BIGINT NOT NULL,
  CONSTRAINT pk_product_tare PRIMARY KEY (store_id, sku),
  CONSTRAINT ck_product_tare_tare_positive CHECK (tare_grams > 0),
  CONSTRAINT fk_product_tare_store_id_store FOREIGN KEY(store_id) REFERENCES store (id),
  CONSTRAINT fk_product_tare_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE TABLE promise_change (
  store_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  packs BIGINT NOT NULL,
  rule_packs BIGINT,
  why TEXT NOT NULL,
  by TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_promise_change PRIMARY KEY (store_id, order_id, sku),
  CONSTRAINT fk_promise_change_store_id_order_id_sku_order_line FOREIGN KEY(store_id, order_id, sku) REFERENCES order_line (store_id, order_id, sku),
  CONSTRAINT ck_promise_change_packs_not_negative CHECK (packs >= 0)
);

CREATE TABLE quick_key (
  store_id TEXT NOT NULL,
  page BIGINT NOT NULL,
  place BIGINT NOT NULL,
  sku TEXT NOT NULL,
  label TEXT NOT NULL,
  colour TEXT NOT NULL,
  CONSTRAINT pk_quick_key PRIMARY KEY (store_id, page, place),
  CONSTRAINT fk_quick_key_store_id_store FOREIGN KEY(store_id) REFERENCES store (id),
  CONSTRAINT fk_quick_key_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE INDEX ix_quick_key_sku ON quick_key (sku);

CREATE TABLE quick_page (
  store_id TEXT NOT NULL,
  page BIGINT NOT NULL,
  name TEXT NOT NULL,
  CONSTRAINT pk_quick_page PRIMARY KEY (store_id, page),
  CONSTRAINT fk_quick_page_store_id_store FOREIGN KEY(store_id) REFERENCES store (id)
);

CREATE TABLE recall (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  sku TEXT NOT NULL,
  batch TEXT,
  state TEXT NOT NULL,
  why TEXT NOT NULL,
  called_by TEXT NOT NULL,
  called_at TIMESTAMP WITH TIME ZONE NOT NULL,
  cleared_at TIMESTAMP WITH TIME ZONE,
  lifted_at TIMESTAMP WITH TIME ZONE,
  lifted_why TEXT NOT NULL,
  afterwards TEXT DEFAULT '' NOT NULL,
  taken_qty BIGINT,
  settled_qty BIGINT,
  reported_how TEXT DEFAULT '' NOT NULL,
  CONSTRAINT pk_recall PRIMARY KEY (store_id, id),
  CONSTRAINT fk_recall_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE INDEX ix_recall_in_force ON recall (store_id, sku) WHERE state <> 'lifted';

CREATE TABLE scan_scheme (
  id TEXT NOT NULL,
  store_id TEXT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT NOT NULL,
  pattern TEXT NOT NULL,
  step BIGINT NOT NULL,
  CONSTRAINT pk_scan_scheme PRIMARY KEY (id),
  CONSTRAINT fk_scan_scheme_store_id_store FOREIGN KEY(store_id) REFERENCES store (id)
);

CREATE INDEX ix_scan_scheme_store_id ON scan_scheme (store_id);

CREATE TABLE selling_hours (
  store_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  from_minute BIGINT NOT NULL,
  until_minute BIGINT NOT NULL,
  CONSTRAINT pk_selling_hours PRIMARY KEY (store_id, kind),
  CONSTRAINT ck_selling_hours_within_a_day CHECK (from_minute between 0 and 1439 and until_minute between 0 and 1439 and from_minute <> until_minute),
  CONSTRAINT fk_selling_hours_store_id_store FOREIGN KEY(store_id) REFERENCES store (id)
);

CREATE TABLE shelf_label (
  store_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  price_minor BIGINT,
  price_quantity BIGINT NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  place TEXT NOT NULL,
  position BIGINT NOT NULL,
  CONSTRAINT pk_shelf_label PRIMARY KEY (store_id, sku),
  CONSTRAINT ck_shelf_label_label_has_a_price CHECK (price_minor >= 0 and price_quantity > 0),
  CONSTRAINT fk_shelf_label_store_id_store FOREIGN KEY(store_id) REFERENCES store (id),
  CONSTRAINT fk_shelf_label_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE TABLE store_key (
  sha256 TEXT NOT NULL,
  store_id TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  revoked_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_store_key PRIMARY KEY (sha256),
  CONSTRAINT fk_store_key_store_id_store FOREIGN KEY(store_id) REFERENCES store (id)
);

CREATE INDEX ix_store_key_store_id ON store_key (store_id);

CREATE TABLE supplier_cost (
  supplier_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  from_day DATE NOT NULL,
  pack_cost_minor BIGINT NOT NULL,
  CONSTRAINT pk_supplier_cost PRIMARY KEY (supplier_id, sku, from_day),
  CONSTRAINT ck_supplier_cost_cost_not_negative CHECK (pack_cost_minor >= 0),
  CONSTRAINT fk_supplier_cost_supplier_id_supplier FOREIGN KEY(supplier_id) REFERENCES supplier (id),
  CONSTRAINT fk_supplier_cost_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE TABLE supplier_product (
  supplier_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  pack_qty BIGINT NOT NULL,
  pack_cost_minor BIGINT NOT NULL,
  minimum_packs BIGINT NOT NULL,
  valid_from DATE,
  article_no TEXT DEFAULT '' NOT NULL,
  CONSTRAINT pk_supplier_product PRIMARY KEY (supplier_id, sku),
  CONSTRAINT ck_supplier_product_pack_qty_positive CHECK (pack_qty > 0),
  CONSTRAINT fk_supplier_product_supplier_id_supplier FOREIGN KEY(supplier_id) REFERENCES supplier (id),
  CONSTRAINT fk_supplier_product_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE TABLE till (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  CONSTRAINT pk_till PRIMARY KEY (store_id, id),
  CONSTRAINT fk_till_store_id_store FOREIGN KEY(store_id) REFERENCES store (id)
);

CREATE TABLE till_edition (
  store_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  CONSTRAINT pk_till_edition PRIMARY KEY (store_id),
  CONSTRAINT fk_till_edition_store_id_store FOREIGN KEY(store_id) REFERENCES store (id)
);

CREATE TABLE upstream_claim (
  id TEXT NOT NULL,
  recall_id TEXT NOT NULL,
  supplier_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  state TEXT NOT NULL,
  qty BIGINT NOT NULL,
  claimed_minor BIGINT NOT NULL,
  credited_minor BIGINT NOT NULL,
  parts JSON NOT NULL,
  returns JSON DEFAULT '[]' NOT NULL,
  claimed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  claimed_by TEXT NOT NULL,
  settled_at TIMESTAMP WITH TIME ZONE,
  settled_by TEXT NOT NULL,
  answer TEXT NOT NULL,
  CONSTRAINT pk_upstream_claim PRIMARY KEY (id),
  CONSTRAINT fk_upstream_claim_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE UNIQUE INDEX ix_upstream_claim_open ON upstream_claim (recall_id, supplier_id) WHERE state = 'open';

CREATE TABLE upstream_return (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  return_no BIGINT NOT NULL,
  recall_id TEXT NOT NULL,
  supplier_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  state TEXT NOT NULL,
  proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  ended_by TEXT NOT NULL,
  CONSTRAINT pk_upstream_return PRIMARY KEY (store_id, id),
  CONSTRAINT fk_upstream_return_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE INDEX ix_upstream_return_recall ON upstream_return (recall_id);

CREATE TABLE waste (
  store_id TEXT NOT NULL,
  id TEXT NOT NULL,
  sku TEXT NOT NULL,
  qty BIGINT NOT NULL,
  reason TEXT NOT NULL,
  note TEXT NOT NULL,
  batch TEXT,
  lot_id TEXT,
  recall_id TEXT,
  cost_minor BIGINT,
  value_minor BIGINT,
  business_day DATE NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id TEXT NOT NULL,
  CONSTRAINT pk_waste PRIMARY KEY (store_id, id),
  CONSTRAINT ck_waste_qty_positive CHECK (qty > 0),
  CONSTRAINT fk_waste_sku_product FOREIGN KEY(sku) REFERENCES product (sku)
);

CREATE INDEX ix_waste_day ON waste (store_id, business_day);

CREATE TABLE weeks_ahead (
  store_id TEXT NOT NULL,
  first_day DATE NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  body JSON NOT NULL,
  CONSTRAINT pk_weeks_ahead PRIMARY KEY (store_id),
  CONSTRAINT fk_weeks_ahead_store_id_store FOREIGN KEY(store_id) REFERENCES store (id)
);

CREATE TABLE upstream_entry (
  id TEXT NOT NULL,
  supplier_id TEXT NOT NULL,
  claim_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  from_account TEXT NOT NULL,
  to_account TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  CONSTRAINT pk_upstream_entry PRIMARY KEY (id),
  CONSTRAINT ck_upstream_entry_amount_positive CHECK (amount_minor > 0),
  CONSTRAINT fk_upstream_entry_claim_id_upstream_claim FOREIGN KEY(claim_id) REFERENCES upstream_claim (id)
);

CREATE INDEX ix_upstream_entry_claim ON upstream_entry (claim_id);

CREATE TABLE upstream_return_line (
  store_id TEXT NOT NULL,
  return_id TEXT NOT NULL,
  lot_id TEXT NOT NULL,
  purchase_id TEXT NOT NULL,
  batch TEXT,
  expires_on DATE,
  qty BIGINT NOT NULL,
  CONSTRAINT pk_upstream_return_line PRIMARY KEY (store_id, return_id, lot_id),
  CONSTRAINT fk_upstream_return_line_store_id_return_id_upstream_return FOREIGN KEY(store_id, return_id) REFERENCES upstream_return (store_id, id),
  CONSTRAINT ck_upstream_return_line_qty_positive CHECK (qty > 0)
);

CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('cornerstore.amending', true) = 'yes' THEN
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER append_only_approval_update BEFORE UPDATE ON approval FOR EACH ROW WHEN (ROW(OLD."asked_by"::text, OLD."covers"::text, OLD."granted_at"::text, OLD."granted_by"::text, OLD."granted_by_name"::text, OLD."granted_by_role"::text, OLD."id"::text, OLD."permission"::text, OLD."sale_id"::text, OLD."store_id"::text, OLD."why"::text) IS DISTINCT FROM ROW(NEW."asked_by"::text, NEW."covers"::text, NEW."granted_at"::text, NEW."granted_by"::text, NEW."granted_by_name"::text, NEW."granted_by_role"::text, NEW."id"::text, NEW."permission"::text, NEW."sale_id"::text, NEW."store_id"::text, NEW."why"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_approval_delete BEFORE DELETE ON approval FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_approval_truncate BEFORE TRUNCATE ON approval FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_bank_entry_update BEFORE UPDATE ON bank_entry FOR EACH ROW WHEN (ROW(OLD."account"::text, OLD."amount_minor"::text, OLD."booked_on"::text, OLD."id"::text, OLD."mark"::text, OLD."ordinal"::text, OLD."payer"::text, OLD."statement_id"::text, OLD."store_id"::text, OLD."words"::text) IS DISTINCT FROM ROW(NEW."account"::text, NEW."amount_minor"::text, NEW."booked_on"::text, NEW."id"::text, NEW."mark"::text, NEW."ordinal"::text, NEW."payer"::text, NEW."statement_id"::text, NEW."store_id"::text, NEW."words"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_bank_entry_delete BEFORE DELETE ON bank_entry FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_bank_entry_truncate BEFORE TRUNCATE ON bank_entry FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_bank_match_update BEFORE UPDATE ON bank_match FOR EACH ROW WHEN (ROW(OLD."actor_name"::text, OLD."amount_minor"::text, OLD."at"::text, OLD."entry_id"::text, OLD."how"::text, OLD."id"::text, OLD."payment_id"::text, OLD."store_id"::text, OLD."undoes"::text, OLD."why"::text) IS DISTINCT FROM ROW(NEW."actor_name"::text, NEW."amount_minor"::text, NEW."at"::text, NEW."entry_id"::text, NEW."how"::text, NEW."id"::text, NEW."payment_id"::text, NEW."store_id"::text, NEW."undoes"::text, NEW."why"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_bank_match_delete BEFORE DELETE ON bank_match FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_bank_match_truncate BEFORE TRUNCATE ON bank_match FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_bank_statement_update BEFORE UPDATE ON bank_statement FOR EACH ROW WHEN (ROW(OLD."account"::text, OLD."actor_name"::text, OLD."at"::text, OLD."closing_minor"::text, OLD."currency"::text, OLD."digest"::text, OLD."entries"::text, OLD."first_day"::text, OLD."id"::text, OLD."last_day"::text, OLD."number"::text, OLD."opening_minor"::text, OLD."store_id"::text) IS DISTINCT FROM ROW(NEW."account"::text, NEW."actor_name"::text, NEW."at"::text, NEW."closing_minor"::text, NEW."currency"::text, NEW."digest"::text, NEW."entries"::text, NEW."first_day"::text, NEW."id"::text, NEW."last_day"::text, NEW."number"::text, NEW."opening_minor"::text, NEW."store_id"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_bank_statement_delete BEFORE DELETE ON bank_statement FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_bank_statement_truncate BEFORE TRUNCATE ON bank_statement FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_cash_count_update BEFORE UPDATE ON cash_count FOR EACH ROW WHEN (ROW(OLD."actor_id"::text, OLD."actor_name"::text, OLD."at"::text, OLD."id"::text, OLD."kind"::text, OLD."pieces"::text, OLD."shift_id"::text, OLD."store_id"::text, OLD."total_minor"::text) IS DISTINCT FROM ROW(NEW."actor_id"::text, NEW."actor_name"::text, NEW."at"::text, NEW."id"::text, NEW."kind"::text, NEW."pieces"::text, NEW."shift_id"::text, NEW."store_id"::text, NEW."total_minor"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_cash_count_delete BEFORE DELETE ON cash_count FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_cash_count_truncate BEFORE TRUNCATE ON cash_count FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_cash_movement_update BEFORE UPDATE ON cash_movement FOR EACH ROW WHEN (ROW(OLD."actor_id"::text, OLD."amount_minor"::text, OLD."at"::text, OLD."id"::text, OLD."kind"::text, OLD."shift_id"::text, OLD."source_id"::text, OLD."store_id"::text, OLD."why"::text) IS DISTINCT FROM ROW(NEW."actor_id"::text, NEW."amount_minor"::text, NEW."at"::text, NEW."id"::text, NEW."kind"::text, NEW."shift_id"::text, NEW."source_id"::text, NEW."store_id"::text, NEW."why"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_cash_movement_delete BEFORE DELETE ON cash_movement FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_cash_movement_truncate BEFORE TRUNCATE ON cash_movement FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_consignment_movement_update BEFORE UPDATE ON consignment_movement FOR EACH ROW WHEN (ROW(OLD."at"::text, OLD."business_day"::text, OLD."consigned_id"::text, OLD."id"::text, OLD."kind"::text, OLD."qty"::text, OLD."source_id"::text, OLD."store_id"::text) IS DISTINCT FROM ROW(NEW."at"::text, NEW."business_day"::text, NEW."consigned_id"::text, NEW."id"::text, NEW."kind"::text, NEW."qty"::text, NEW."source_id"::text, NEW."store_id"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_consignment_movement_delete BEFORE DELETE ON consignment_movement FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_consignment_movement_truncate BEFORE TRUNCATE ON consignment_movement FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_count_result_update BEFORE UPDATE ON count_result FOR EACH ROW WHEN (ROW(OLD."at"::text, OLD."booked_qty"::text, OLD."counted_at"::text, OLD."counted_qty"::text, OLD."expected_qty"::text, OLD."sku"::text, OLD."store_id"::text, OLD."take_id"::text) IS DISTINCT FROM ROW(NEW."at"::text, NEW."booked_qty"::text, NEW."counted_at"::text, NEW."counted_qty"::text, NEW."expected_qty"::text, NEW."sku"::text, NEW."store_id"::text, NEW."take_id"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_count_result_delete BEFORE DELETE ON count_result FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_count_result_truncate BEFORE TRUNCATE ON count_result FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_counter_money_update BEFORE UPDATE ON counter_money FOR EACH ROW WHEN (ROW(OLD."actor_id"::text, OLD."amount_minor"::text, OLD."at"::text, OLD."id"::text, OLD."order_id"::text, OLD."rounding_minor"::text, OLD."shift_id"::text, OLD."store_id"::text, OLD."tender"::text) IS DISTINCT FROM ROW(NEW."actor_id"::text, NEW."amount_minor"::text, NEW."at"::text, NEW."id"::text, NEW."order_id"::text, NEW."rounding_minor"::text, NEW."shift_id"::text, NEW."store_id"::text, NEW."tender"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_counter_money_delete BEFORE DELETE ON counter_money FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_counter_money_truncate BEFORE TRUNCATE ON counter_money FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_coupon_use_update BEFORE UPDATE ON coupon_use FOR EACH ROW WHEN (ROW(OLD."at"::text, OLD."code"::text, OLD."owner_id"::text, OLD."sale_id"::text, OLD."store_id"::text) IS DISTINCT FROM ROW(NEW."at"::text, NEW."code"::text, NEW."owner_id"::text, NEW."sale_id"::text, NEW."store_id"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_coupon_use_delete BEFORE DELETE ON coupon_use FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_coupon_use_truncate BEFORE TRUNCATE ON coupon_use FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_customer_consent_update BEFORE UPDATE ON customer_consent FOR EACH ROW WHEN (ROW(OLD."actor_id"::text, OLD."at"::text, OLD."customer_id"::text, OLD."given"::text, OLD."id"::text, OLD."purpose"::text, OLD."store_id"::text, OLD."words"::text) IS DISTINCT FROM ROW(NEW."actor_id"::text, NEW."at"::text, NEW."customer_id"::text, NEW."given"::text, NEW."id"::text, NEW."purpose"::text, NEW."store_id"::text, NEW."words"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_customer_consent_delete BEFORE DELETE ON customer_consent FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_customer_consent_truncate BEFORE TRUNCATE ON customer_consent FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_inbox_message_update BEFORE UPDATE ON inbox_message FOR EACH ROW WHEN (ROW(OLD."body"::text, OLD."business_day"::text, OLD."epoch"::text, OLD."from_node"::text, OLD."hash"::text, OLD."id"::text, OLD."made_at"::text, OLD."n"::text, OLD."received_at"::text, OLD."topic"::text, OLD."version"::text) IS DISTINCT FROM ROW(NEW."body"::text, NEW."business_day"::text, NEW."epoch"::text, NEW."from_node"::text, NEW."hash"::text, NEW."id"::text, NEW."made_at"::text, NEW."n"::text, NEW."received_at"::text, NEW."topic"::text, NEW."version"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_inbox_message_delete BEFORE DELETE ON inbox_message FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_inbox_message_truncate BEFORE TRUNCATE ON inbox_message FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_journal_doubt_update BEFORE UPDATE ON journal_doubt FOR EACH ROW WHEN (ROW(OLD."heard_at"::text, OLD."id"::text, OLD."n"::text, OLD."node_id"::text, OLD."what"::text) IS DISTINCT FROM ROW(NEW."heard_at"::text, NEW."id"::text, NEW."n"::text, NEW."node_id"::text, NEW."what"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_journal_doubt_delete BEFORE DELETE ON journal_doubt FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_journal_doubt_truncate BEFORE TRUNCATE ON journal_doubt FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_journal_entry_update BEFORE UPDATE ON journal_entry FOR EACH ROW WHEN (ROW(OLD."actor_id"::text, OLD."actor_name"::text, OLD."at"::text, OLD."body"::text, OLD."hash"::text, OLD."n"::text, OLD."node_id"::text, OLD."subject"::text, OLD."verb"::text) IS DISTINCT FROM ROW(NEW."actor_id"::text, NEW."actor_name"::text, NEW."at"::text, NEW."body"::text, NEW."hash"::text, NEW."n"::text, NEW."node_id"::text, NEW."subject"::text, NEW."verb"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_journal_entry_delete BEFORE DELETE ON journal_entry FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_journal_entry_truncate BEFORE TRUNCATE ON journal_entry FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_label_inspection_update BEFORE UPDATE ON label_inspection FOR EACH ROW WHEN (ROW(OLD."actor_id"::text, OLD."actor_name"::text, OLD."drawn_at"::text, OLD."id"::text, OLD."seed"::text, OLD."skus"::text, OLD."store_id"::text) IS DISTINCT FROM ROW(NEW."actor_id"::text, NEW."actor_name"::text, NEW."drawn_at"::text, NEW."id"::text, NEW."seed"::text, NEW."skus"::text, NEW."store_id"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_label_inspection_delete BEFORE DELETE ON label_inspection FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_label_inspection_truncate BEFORE TRUNCATE ON label_inspection FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_late_sale_update BEFORE UPDATE ON late_sale FOR EACH ROW WHEN (ROW(OLD."noted_at"::text, OLD."receipt_no"::text, OLD."sale_id"::text, OLD."shift_id"::text, OLD."store_id"::text, OLD."till_id"::text, OLD."total_minor"::text) IS DISTINCT FROM ROW(NEW."noted_at"::text, NEW."receipt_no"::text, NEW."sale_id"::text, NEW."shift_id"::text, NEW."store_id"::text, NEW."till_id"::text, NEW."total_minor"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_late_sale_delete BEFORE DELETE ON late_sale FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_late_sale_truncate BEFORE TRUNCATE ON late_sale FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_network_terms_update BEFORE UPDATE ON network_terms FOR EACH ROW WHEN (ROW(OLD."n"::text, OLD."set_at"::text, OLD."set_by"::text, OLD."terms"::text) IS DISTINCT FROM ROW(NEW."n"::text, NEW."set_at"::text, NEW."set_by"::text, NEW."terms"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_network_terms_delete BEFORE DELETE ON network_terms FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_network_terms_truncate BEFORE TRUNCATE ON network_terms FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_note_lesson_update BEFORE UPDATE ON note_lesson FOR EACH ROW WHEN (ROW(OLD."actor_id"::text, OLD."id"::text, OLD."sku"::text, OLD."store_id"::text, OLD."supplier_id"::text, OLD."taught_at"::text, OLD."unit"::text, OLD."wording"::text) IS DISTINCT FROM ROW(NEW."actor_id"::text, NEW."id"::text, NEW."sku"::text, NEW."store_id"::text, NEW."supplier_id"::text, NEW."taught_at"::text, NEW."unit"::text, NEW."wording"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_note_lesson_delete BEFORE DELETE ON note_lesson FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_note_lesson_truncate BEFORE TRUNCATE ON note_lesson FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_outbox_message_update BEFORE UPDATE ON outbox_message FOR EACH ROW WHEN (ROW(OLD."body"::text, OLD."business_day"::text, OLD."hash"::text, OLD."id"::text, OLD."made_at"::text, OLD."subject"::text, OLD."to_node"::text, OLD."topic"::text, OLD."version"::text) IS DISTINCT FROM ROW(NEW."body"::text, NEW."business_day"::text, NEW."hash"::text, NEW."id"::text, NEW."made_at"::text, NEW."subject"::text, NEW."to_node"::text, NEW."topic"::text, NEW."version"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_outbox_message_delete BEFORE DELETE ON outbox_message FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_outbox_message_truncate BEFORE TRUNCATE ON outbox_message FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_paper_note_update BEFORE UPDATE ON paper_note FOR EACH ROW WHEN (ROW(OLD."height"::text, OLD."id"::text, OLD."photo"::text, OLD."said"::text, OLD."sha256"::text, OLD."store_id"::text, OLD."taken_at"::text, OLD."taken_by"::text, OLD."width"::text) IS DISTINCT FROM ROW(NEW."height"::text, NEW."id"::text, NEW."photo"::text, NEW."said"::text, NEW."sha256"::text, NEW."store_id"::text, NEW."taken_at"::text, NEW."taken_by"::text, NEW."width"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_paper_note_delete BEFORE DELETE ON paper_note FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_paper_note_truncate BEFORE TRUNCATE ON paper_note FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_payment_update BEFORE UPDATE ON payment FOR EACH ROW WHEN (ROW(OLD."amount_minor"::text, OLD."at"::text, OLD."gives_back"::text, OLD."id"::text, OLD."is_change"::text, OLD."provider"::text, OLD."request_hash"::text, OLD."requested_at"::text, OLD."store_id"::text, OLD."tender"::text, OLD."till_id"::text, OLD."way"::text) IS DISTINCT FROM ROW(NEW."amount_minor"::text, NEW."at"::text, NEW."gives_back"::text, NEW."id"::text, NEW."is_change"::text, NEW."provider"::text, NEW."request_hash"::text, NEW."requested_at"::text, NEW."store_id"::text, NEW."tender"::text, NEW."till_id"::text, NEW."way"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_payment_delete BEFORE DELETE ON payment FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_payment_truncate BEFORE TRUNCATE ON payment FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_points_entry_update BEFORE UPDATE ON points_entry FOR EACH ROW WHEN (ROW(OLD."actor_id"::text, OLD."amount_minor"::text, OLD."at"::text, OLD."business_day"::text, OLD."customer_id"::text, OLD."id"::text, OLD."kind"::text, OLD."member_id"::text, OLD."of_sale_id"::text, OLD."points"::text, OLD."scope"::text, OLD."store_id"::text) IS DISTINCT FROM ROW(NEW."actor_id"::text, NEW."amount_minor"::text, NEW."at"::text, NEW."business_day"::text, NEW."customer_id"::text, NEW."id"::text, NEW."kind"::text, NEW."member_id"::text, NEW."of_sale_id"::text, NEW."points"::text, NEW."scope"::text, NEW."store_id"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_points_entry_delete BEFORE DELETE ON points_entry FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_points_entry_truncate BEFORE TRUNCATE ON points_entry FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_producer_movement_update BEFORE UPDATE ON producer_movement FOR EACH ROW WHEN (ROW(OLD."agent_minor"::text, OLD."agent_name"::text, OLD."answers_id"::text, OLD."at"::text, OLD."business_day"::text, OLD."commission_minor"::text, OLD."due_minor"::text, OLD."id"::text, OLD."line_n"::text, OLD."lot_id"::text, OLD."net_minor"::text, OLD."producer_id"::text, OLD."qty"::text, OLD."sale_id"::text, OLD."sku"::text, OLD."store_id"::text) IS DISTINCT FROM ROW(NEW."agent_minor"::text, NEW."agent_name"::text, NEW."answers_id"::text, NEW."at"::text, NEW."business_day"::text, NEW."commission_minor"::text, NEW."due_minor"::text, NEW."id"::text, NEW."line_n"::text, NEW."lot_id"::text, NEW."net_minor"::text, NEW."producer_id"::text, NEW."qty"::text, NEW."sale_id"::text, NEW."sku"::text, NEW."store_id"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_producer_movement_delete BEFORE DELETE ON producer_movement FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_producer_movement_truncate BEFORE TRUNCATE ON producer_movement FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_reservation_update BEFORE UPDATE ON reservation FOR EACH ROW WHEN (ROW(OLD."answers_id"::text, OLD."at"::text, OLD."id"::text, OLD."kind"::text, OLD."order_id"::text, OLD."qty"::text, OLD."sku"::text, OLD."store_id"::text) IS DISTINCT FROM ROW(NEW."answers_id"::text, NEW."at"::text, NEW."id"::text, NEW."kind"::text, NEW."order_id"::text, NEW."qty"::text, NEW."sku"::text, NEW."store_id"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_reservation_delete BEFORE DELETE ON reservation FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_reservation_truncate BEFORE TRUNCATE ON reservation FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_sale_update BEFORE UPDATE ON sale FOR EACH ROW WHEN (ROW(OLD."age_checked"::text, OLD."age_how"::text, OLD."business_day"::text, OLD."cashier_id"::text, OLD."cashier_name"::text, OLD."channel"::text, OLD."completed_at"::text, OLD."currency"::text, OLD."customer_id"::text, OLD."epoch"::text, OLD."id"::text, OLD."kind"::text, OLD."lines_minor"::text, OLD."note"::text, OLD."order_id"::text, OLD."receipt_no"::text, OLD."request_hash"::text, OLD."rounding_minor"::text, OLD."shift_id"::text, OLD."state"::text, OLD."store_id"::text, OLD."tax_minor"::text, OLD."till_id"::text, OLD."total_minor"::text) IS DISTINCT FROM ROW(NEW."age_checked"::text, NEW."age_how"::text, NEW."business_day"::text, NEW."cashier_id"::text, NEW."cashier_name"::text, NEW."channel"::text, NEW."completed_at"::text, NEW."currency"::text, NEW."customer_id"::text, NEW."epoch"::text, NEW."id"::text, NEW."kind"::text, NEW."lines_minor"::text, NEW."note"::text, NEW."order_id"::text, NEW."receipt_no"::text, NEW."request_hash"::text, NEW."rounding_minor"::text, NEW."shift_id"::text, NEW."state"::text, NEW."store_id"::text, NEW."tax_minor"::text, NEW."till_id"::text, NEW."total_minor"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_sale_delete BEFORE DELETE ON sale FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_sale_truncate BEFORE TRUNCATE ON sale FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_sale_line_update BEFORE UPDATE ON sale_line FOR EACH ROW WHEN (ROW(OLD."amount_minor"::text, OLD."batch"::text, OLD."business_day"::text, OLD."cost_minor"::text, OLD."deposit_of"::text, OLD."discount_minor"::text, OLD."expires_on"::text, OLD."kind"::text, OLD."list_price_minor"::text, OLD."manual_discount_minor"::text, OLD."n"::text, OLD."name"::text, OLD."net_minor"::text, OLD."note"::text, OLD."offer"::text, OLD."price_quantity"::text, OLD."price_type"::text, OLD."qty"::text, OLD."rate_bp"::text, OLD."reason"::text, OLD."returns_n"::text, OLD."returns_sale_id"::text, OLD."sale_id"::text, OLD."sku"::text, OLD."stock_unit"::text, OLD."store_id"::text, OLD."tax_class_id"::text, OLD."tax_minor"::text, OLD."top_category"::text, OLD."total_minor"::text, OLD."unit_price_minor"::text) IS DISTINCT FROM ROW(NEW."amount_minor"::text, NEW."batch"::text, NEW."business_day"::text, NEW."cost_minor"::text, NEW."deposit_of"::text, NEW."discount_minor"::text, NEW."expires_on"::text, NEW."kind"::text, NEW."list_price_minor"::text, NEW."manual_discount_minor"::text, NEW."n"::text, NEW."name"::text, NEW."net_minor"::text, NEW."note"::text, NEW."offer"::text, NEW."price_quantity"::text, NEW."price_type"::text, NEW."qty"::text, NEW."rate_bp"::text, NEW."reason"::text, NEW."returns_n"::text, NEW."returns_sale_id"::text, NEW."sale_id"::text, NEW."sku"::text, NEW."stock_unit"::text, NEW."store_id"::text, NEW."tax_class_id"::text, NEW."tax_minor"::text, NEW."top_category"::text, NEW."total_minor"::text, NEW."unit_price_minor"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_sale_line_delete BEFORE DELETE ON sale_line FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_sale_line_truncate BEFORE TRUNCATE ON sale_line FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_settlement_entry_update BEFORE UPDATE ON settlement_entry FOR EACH ROW WHEN (ROW(OLD."amount_minor"::text, OLD."at"::text, OLD."business_day"::text, OLD."from_account"::text, OLD."id"::text, OLD."invoice_id"::text, OLD."kind"::text, OLD."n"::text, OLD."source_id"::text, OLD."store_id"::text, OLD."to_account"::text, OLD."words"::text) IS DISTINCT FROM ROW(NEW."amount_minor"::text, NEW."at"::text, NEW."business_day"::text, NEW."from_account"::text, NEW."id"::text, NEW."invoice_id"::text, NEW."kind"::text, NEW."n"::text, NEW."source_id"::text, NEW."store_id"::text, NEW."to_account"::text, NEW."words"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_settlement_entry_delete BEFORE DELETE ON settlement_entry FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_settlement_entry_truncate BEFORE TRUNCATE ON settlement_entry FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_signed_batch_update BEFORE UPDATE ON signed_batch FOR EACH ROW WHEN (ROW(OLD."at"::text, OLD."from_node"::text, OLD."id"::text, OLD."key"::text, OLD."signature"::text, OLD."text"::text) IS DISTINCT FROM ROW(NEW."at"::text, NEW."from_node"::text, NEW."id"::text, NEW."key"::text, NEW."signature"::text, NEW."text"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_signed_batch_delete BEFORE DELETE ON signed_batch FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_signed_batch_truncate BEFORE TRUNCATE ON signed_batch FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_slip_number_update BEFORE UPDATE ON slip_number FOR EACH ROW WHEN (ROW(OLD."amount_minor"::text, OLD."business_day"::text, OLD."number"::text, OLD."source"::text, OLD."store_id"::text, OLD."tender"::text) IS DISTINCT FROM ROW(NEW."amount_minor"::text, NEW."business_day"::text, NEW."number"::text, NEW."source"::text, NEW."store_id"::text, NEW."tender"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_slip_number_delete BEFORE DELETE ON slip_number FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_slip_number_truncate BEFORE TRUNCATE ON slip_number FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_stock_count_update BEFORE UPDATE ON stock_count FOR EACH ROW WHEN (ROW(OLD."actor_id"::text, OLD."at"::text, OLD."before_qty"::text, OLD."counted_qty"::text, OLD."id"::text, OLD."sku"::text, OLD."store_id"::text) IS DISTINCT FROM ROW(NEW."actor_id"::text, NEW."at"::text, NEW."before_qty"::text, NEW."counted_qty"::text, NEW."id"::text, NEW."sku"::text, NEW."store_id"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_stock_count_delete BEFORE DELETE ON stock_count FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_stock_count_truncate BEFORE TRUNCATE ON stock_count FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_stock_movement_update BEFORE UPDATE ON stock_movement FOR EACH ROW WHEN (ROW(OLD."actor_id"::text, OLD."at"::text, OLD."business_day"::text, OLD."from_place"::text, OLD."id"::text, OLD."qty"::text, OLD."reason"::text, OLD."sku"::text, OLD."source_id"::text, OLD."source_kind"::text, OLD."store_id"::text, OLD."to_place"::text) IS DISTINCT FROM ROW(NEW."actor_id"::text, NEW."at"::text, NEW."business_day"::text, NEW."from_place"::text, NEW."id"::text, NEW."qty"::text, NEW."reason"::text, NEW."sku"::text, NEW."source_id"::text, NEW."source_kind"::text, NEW."store_id"::text, NEW."to_place"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_stock_movement_delete BEFORE DELETE ON stock_movement FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_stock_movement_truncate BEFORE TRUNCATE ON stock_movement FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_tab_entry_update BEFORE UPDATE ON tab_entry FOR EACH ROW WHEN (ROW(OLD."actor_id"::text, OLD."actor_name"::text, OLD."amount_minor"::text, OLD."at"::text, OLD."balance_minor"::text, OLD."business_day"::text, OLD."customer_id"::text, OLD."id"::text, OLD."kind"::text, OLD."n"::text, OLD."reference"::text, OLD."sale_id"::text, OLD."shift_id"::text, OLD."store_id"::text, OLD."tender"::text, OLD."why"::text) IS DISTINCT FROM ROW(NEW."actor_id"::text, NEW."actor_name"::text, NEW."amount_minor"::text, NEW."at"::text, NEW."balance_minor"::text, NEW."business_day"::text, NEW."customer_id"::text, NEW."id"::text, NEW."kind"::text, NEW."n"::text, NEW."reference"::text, NEW."sale_id"::text, NEW."shift_id"::text, NEW."store_id"::text, NEW."tender"::text, NEW."why"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_tab_entry_delete BEFORE DELETE ON tab_entry FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_tab_entry_truncate BEFORE TRUNCATE ON tab_entry FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_tab_settlement_update BEFORE UPDATE ON tab_settlement FOR EACH ROW WHEN (ROW(OLD."amount_minor"::text, OLD."charge_id"::text, OLD."credit_id"::text, OLD."store_id"::text) IS DISTINCT FROM ROW(NEW."amount_minor"::text, NEW."charge_id"::text, NEW."credit_id"::text, NEW."store_id"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_tab_settlement_delete BEFORE DELETE ON tab_settlement FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_tab_settlement_truncate BEFORE TRUNCATE ON tab_settlement FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_voucher_movement_update BEFORE UPDATE ON voucher_movement FOR EACH ROW WHEN (ROW(OLD."actor_id"::text, OLD."amount_minor"::text, OLD."at"::text, OLD."balance_minor"::text, OLD."id"::text, OLD."kind"::text, OLD."mark"::text, OLD."sale_id"::text, OLD."store_id"::text) IS DISTINCT FROM ROW(NEW."actor_id"::text, NEW."amount_minor"::text, NEW."at"::text, NEW."balance_minor"::text, NEW."id"::text, NEW."kind"::text, NEW."mark"::text, NEW."sale_id"::text, NEW."store_id"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_voucher_movement_delete BEFORE DELETE ON voucher_movement FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_voucher_movement_truncate BEFORE TRUNCATE ON voucher_movement FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_claim_credit_update BEFORE UPDATE ON claim_credit FOR EACH ROW WHEN (ROW(OLD."amount_minor"::text, OLD."claim_id"::text, OLD."credited_at"::text, OLD."paper_id"::text, OLD."store_id"::text) IS DISTINCT FROM ROW(NEW."amount_minor"::text, NEW."claim_id"::text, NEW."credited_at"::text, NEW."paper_id"::text, NEW."store_id"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_claim_credit_delete BEFORE DELETE ON claim_credit FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_claim_credit_truncate BEFORE TRUNCATE ON claim_credit FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_escrow_entry_update BEFORE UPDATE ON escrow_entry FOR EACH ROW WHEN (ROW(OLD."amount_minor"::text, OLD."answers_id"::text, OLD."at"::text, OLD."escrow_id"::text, OLD."from_account"::text, OLD."id"::text, OLD."to_account"::text, OLD."why"::text) IS DISTINCT FROM ROW(NEW."amount_minor"::text, NEW."answers_id"::text, NEW."at"::text, NEW."escrow_id"::text, NEW."from_account"::text, NEW."id"::text, NEW."to_account"::text, NEW."why"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_escrow_entry_delete BEFORE DELETE ON escrow_entry FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_escrow_entry_truncate BEFORE TRUNCATE ON escrow_entry FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_count_entry_update BEFORE UPDATE ON count_entry FOR EACH ROW WHEN (ROW(OLD."actor_id"::text, OLD."actor_name"::text, OLD."again"::text, OLD."at"::text, OLD."id"::text, OLD."is_total"::text, OLD."n"::text, OLD."qty"::text, OLD."section_n"::text, OLD."sku"::text, OLD."store_id"::text, OLD."take_id"::text) IS DISTINCT FROM ROW(NEW."actor_id"::text, NEW."actor_name"::text, NEW."again"::text, NEW."at"::text, NEW."id"::text, NEW."is_total"::text, NEW."n"::text, NEW."qty"::text, NEW."section_n"::text, NEW."sku"::text, NEW."store_id"::text, NEW."take_id"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_count_entry_delete BEFORE DELETE ON count_entry FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_count_entry_truncate BEFORE TRUNCATE ON count_entry FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_label_look_update BEFORE UPDATE ON label_look FOR EACH ROW WHEN (ROW(OLD."actor_id"::text, OLD."actor_name"::text, OLD."asked_minor"::text, OLD."at"::text, OLD."id"::text, OLD."inspection_id"::text, OLD."price_minor"::text, OLD."price_quantity"::text, OLD."shown_minor"::text, OLD."shown_quantity"::text, OLD."sku"::text, OLD."store_id"::text) IS DISTINCT FROM ROW(NEW."actor_id"::text, NEW."actor_name"::text, NEW."asked_minor"::text, NEW."at"::text, NEW."id"::text, NEW."inspection_id"::text, NEW."price_minor"::text, NEW."price_quantity"::text, NEW."shown_minor"::text, NEW."shown_quantity"::text, NEW."sku"::text, NEW."store_id"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_label_look_delete BEFORE DELETE ON label_look FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_label_look_truncate BEFORE TRUNCATE ON label_look FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_waste_update BEFORE UPDATE ON waste FOR EACH ROW WHEN (ROW(OLD."actor_id"::text, OLD."at"::text, OLD."batch"::text, OLD."business_day"::text, OLD."cost_minor"::text, OLD."id"::text, OLD."lot_id"::text, OLD."note"::text, OLD."qty"::text, OLD."reason"::text, OLD."recall_id"::text, OLD."sku"::text, OLD."store_id"::text, OLD."value_minor"::text) IS DISTINCT FROM ROW(NEW."actor_id"::text, NEW."at"::text, NEW."batch"::text, NEW."business_day"::text, NEW."cost_minor"::text, NEW."id"::text, NEW."lot_id"::text, NEW."note"::text, NEW."qty"::text, NEW."reason"::text, NEW."recall_id"::text, NEW."sku"::text, NEW."store_id"::text, NEW."value_minor"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_waste_delete BEFORE DELETE ON waste FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_waste_truncate BEFORE TRUNCATE ON waste FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_upstream_entry_update BEFORE UPDATE ON upstream_entry FOR EACH ROW WHEN (ROW(OLD."amount_minor"::text, OLD."at"::text, OLD."claim_id"::text, OLD."from_account"::text, OLD."id"::text, OLD."supplier_id"::text, OLD."to_account"::text) IS DISTINCT FROM ROW(NEW."amount_minor"::text, NEW."at"::text, NEW."claim_id"::text, NEW."from_account"::text, NEW."id"::text, NEW."supplier_id"::text, NEW."to_account"::text)) EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_upstream_entry_delete BEFORE DELETE ON upstream_entry FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only_upstream_entry_truncate BEFORE TRUNCATE ON upstream_entry FOR EACH STATEMENT EXECUTE FUNCTION append_only();

