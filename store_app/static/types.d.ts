// What the till's scripts pass around and what the store's computer answers, for the checker alone.

type Unit = "each" | "gram" | "millilitre";

/** What the page was told when it was made. */
interface Settings {
  store_id: string;
  till_id: string;
  exponent: number;
  money: { before: string; after: string; group: string; point: string };
  smallest_coin_minor: number;
  notes_minor: number[];
  units: Record<Exclude<Unit, "each">, [string, string]>;
  reasons: [string, string][];
  tz: string;
  now: string;
  language: string;
  shift: Shift | null;
  /** What stayed in the drawer when it was closed last; null where nobody said. */
  float_left_minor: number | null;
  /** SKUs of whoever is signed in. */
  favorites: string[];
  lesson: boolean;
  mail: boolean;
  may: string[];
  terminal: boolean;
  tenders: Tender[];
  prints: boolean;
  urls: Record<
    | "approvals" | "approvers" | "badge" | "baskets" | "catalogue" | "customers" | "customers_all" | "customers_page"
    | "display" | "drawer" | "favorites" | "find" | "hand_over" | "levels" | "look" | "look_up" | "money" | "more" | "open_shift" | "payments" | "product_pages" | "products"
    | "quote" | "receipts" | "returns" | "sales" | "scale" | "scan" | "status" | "symbols" | "training" | "vouchers" | "x_report",
    string
  >;
}

/** A way of paying, as the table of tenders has it; `ways`: how somebody can be asked for it here; `codes`: whose the store shows. */
interface Tender {
  name: string;
  label: string;
  off: string;
  take: string;
  back: string;
  icon: string;
  pane: "cash" | "card" | "phone" | "code" | "tab" | "points" | "amount";
  at: string[];
  ways: string[];
  codes: { provider: string; label: string }[];
}

interface Shift { id: string; state: string; opened_at?: string }

/** How the till is doing. */
interface Status {
  now: string;
  shift: Shift | null;
  /** Said while the till is closed. */
  float_left_minor: number | null;
  recalls: string;
  printer: Light & { printer?: string; waiting: number };
  network: { joined: boolean; light: string; pending: number; stuck: number };
}
interface Light { colour: string; code: string }

// --- what is sold ---

interface Measured { stock_unit: Unit }
interface Priced { price_minor: number; price_quantity: number; inclusive?: boolean; kind?: string; rate_bp?: number }

interface Product extends Measured, Priced {
  sku: string;
  name: string;
  /** What paper calls it, where that is another name. */
  paper_name?: string;
  brand?: string;
  category?: string;
  department?: string;
  pack_text?: string;
  /** Which drawing stands for it. */
  symbol?: string;
  /** The mark of its photo. */
  photo?: string;
  /** The promotion that holds for it now, in few words. */
  badge?: string;
  search_text?: string;
  deposit_sku?: string | null;
  price_typed?: boolean;
  minimum_age?: number | null;
  maximum_qty?: number | null;
  quick_key?: number | null;
  codes?: Code[];
  isGone?: boolean;
}
/** A code and how many units it stands for. */
type Code = [code: string, qty: number];

/** What a code stands for. */
interface Hit {
  product: Product;
  qty: number;
  amount_minor?: number | null;
  batch?: string | null;
  expires_on?: string | null;
  source?: string;
}
/** A key of the till. */
interface Key { product: Product; label?: string; colour?: string }
/** A place of a page of keys; null: it stays free. */
type Spot = Key | null;

/** How the store's own labels are read. */
interface Scheme {
  fixed: string;
  kind: "weight" | "price" | "count";
  step: number;
  upc?: boolean;
  fields: { kind: string; start: number; width: number }[];
}

// --- the basket ---

/** What makes a line one of its own. */
interface Special {
  price_minor: number | null;
  amount_minor: number | null;
  discount_minor: number;
  discount_bp: number;
  reason: string;
  note: string;
  batch: string | null;
  expires_on: string | null;
  code: string;
  /** What a product without a fixed price is called on this line. */
  called: string;
  labelled?: boolean;
}

/** A line as it is kept. */
interface Entry extends Special {
  id: string;
  sku: string;
  name: string;
  stock_unit: Unit;
  qty: number;
  quoted?: Quoted | null;
}

/** A line as it is shown; `stopped`: why it may not be sold. */
interface Line extends Entry {
  product: Product;
  total: number;
  shown: number;
  stopped: "" | "gone" | "unsafe";
}

interface Deposit { of?: string; name: string; qty: number; total: number }

/** The server's prices of a line. */
interface Quoted {
  total_minor: number;
  shown_minor: number;
  offers: { name: string; amount_minor: number }[];
  unmarked: number;
  manual_minor: number;
  list_price_minor: number;
  unit_price_minor: number;
  deposits: Deposit[];
}

/** What someone else must allow. */
interface Need { permission: string; covers: Covers; about: About }
type Fact = string | number | boolean | null | Fact[];
type Covers = Record<string, Fact>;
interface About extends Measured, Priced { name: string; list_price_minor: number; amount_minor: number }

interface Approval { id: string; permission: string; by: string; covers?: Covers[] }

/** A line of an earlier receipt that comes back. */
interface Back extends Measured {
  sale_id: string;
  n: number;
  qty: number;
  restock: boolean;
  name: string;
  receipt_no: number;
  total: number;
  shown?: number;
  qty_text: string;
}

interface Customer {
  id: string;
  name: string;
  member?: boolean;
  phone_end?: string | null;
  points?: number;
  points_name?: string;
  points_to_confirm?: boolean;
  points_worth_minor?: number;
  tab_balance_minor?: number;
  tab_left_minor?: number;
}

/** Money taken for the basket; `state` where a provider has it. */
interface Part { tender: string; amount_minor: number; way?: string; payment_id?: string; state?: string; reference?: string }
interface Tendered { tender: string; amount_minor: number; reference?: string; payment_id?: string }

interface Correction { of: string; sku: string; qty: number; amount_minor: number; lowered?: boolean }

/** The server's prices of a basket, as they are kept. */
interface KeptQuote {
  lines_minor: number;
  saved_minor: number;
  hints: { name: string; missing_qty: number; would_save_minor: number }[];
  needs: Need[];
  minimum_age?: number | null;
  coupons_used: string[];
  goes_back: Record<string, number>;
}

interface QuotedRow {
  n?: number;
  asked?: number | null;
  name: string;
  qty: number;
  total_minor: number;
  amount_minor: number;
  discount_minor: number;
  unit_price_minor: number;
  list_price_minor?: number;
  manual_discount_minor?: number;
  offers?: Quoted["offers"];
  unmarked?: number;
  deposit_of?: number | null;
  back?: { sale_id: string; n: number } | null;
}
interface Quote extends Partial<KeptQuote> { lines_minor: number; lines: QuotedRow[]; customer?: Partial<Customer> | null }

interface Rung extends Partial<Special> { sku: string; qty: number }
/** A basket as the server is asked for it. */
interface Asked {
  lines: Rung[];
  customer_id?: string;
  coupons?: string[];
  brought_back?: Pick<Back, "sale_id" | "n" | "qty" | "restock">[];
}
/** A sale as it is sent. */
interface Sent extends Asked {
  id: string;
  till_id: string;
  tenders: Tendered[];
  shown_total_minor: number;
  age_confirmed: number | null;
  age_how?: string;
  approvals?: string[];
  note?: string;
  corrections?: [sku: string, qty: number, amount_minor: number][];
  practice?: boolean;
}

/** What of a basket goes along when another till goes on with it. */
interface Packed {
  id: string;
  lines: Entry[];
  lineNo: number;
  customer: Customer | null;
  coupons: string[];
  approvals: Approval[];
  broughtBack: Back[];
  note: string;
  ageConfirmed: number | null;
  ageHow: string | null;
  corrections: Correction[];
}
interface Last { id: string; receipt_no: number; total_minor: number }
/** A basket as the browser keeps it. */
interface Kept extends Packed {
  quote: KeptQuote | null;
  parts: Part[];
  pending: Sent | null;
  last: Last | null;
  waiting: string[];
}
/** What a basket has beyond the sale that was saved of it. */
interface Beyond { lines: Entry[]; broughtBack: Back[]; fewer: boolean }
interface Changed { why?: string; line?: (Entry & { product: Product }) | null }

// --- sales and receipts ---

interface SoldLine {
  sku: string;
  qty: number;
  kind?: string;
  deposit_of?: number | null;
  returns_sale_id?: string | null;
  returns_n?: number | null;
}
interface Paper {
  kind?: string;
  lines: SoldLine[];
  change_minor?: number;
  saved_minor?: number;
  customer?: { points_earned?: number; points_balance: number };
  vouchers?: { code: string; amount_minor: number }[];
  payments?: { tender: string; amount_minor: number }[];
}
interface Sale {
  id: string;
  receipt_no: number;
  total_minor: number;
  rounding_minor?: number;
  practice?: boolean;
  document: Paper;
}
interface ListedSale { id: string; receipt_no: number; total_minor: number; completed_at: string; till_id: string; cashier_name?: string }
/** A line of a receipt that may come back. */
interface Returnable extends Measured {
  n: number;
  sku: string;
  name: string;
  qty: number;
  left?: number;
  returned?: number;
  unit_price_minor: number;
  price_quantity: number;
  total_minor: number;
  deposit_of: number | null;
}
/** How a part of what is given back goes: to an account, asked of a terminal, by hand, or given already. */
interface Way { tender: string; how: "account" | "ask" | "hand" | "given"; amount_minor: number; given_up_minor: number; payment_id: string }
interface Plan { return_id: string; total_minor: number; ways: Way[] }

/** A card's or a wallet's payment at its provider. */
interface Payment { state: string; reason?: string; reference?: string; qr?: string; unwanted?: boolean }

/** A basket set aside, or in another till's hand. */
interface ParkedBasket { id: string; till_id: string; label?: string; total_minor: number; kept_at: string; kept_by_name: string }

// --- the page's parts ---

/** A question's form of refusal: a sentence, nothing, or null where it stays open. */
type Said = string | null | undefined | void;

/** What the customer's screen shows. */
type Step =
  | { kind: "basket" }
  | { kind: "code"; qr: string }
  | { kind: "pay"; due: number; given: number | null; tender: string }
  | { kind: "thanks"; total: number; change: number; saved: number; receipt: number };
interface Shown {
  step: Step;
  lines: (Measured & { qty: number; name: string; total: number; offers: { name: string; amount: number }[] })[];
  tax: number;
  total: number;
  saved: number;
  practice: boolean;
}


/** The element that `el("tag.class")` makes. */
type Made<N extends string> = N extends `${infer T}.${string}` ? Tagged<T> : Tagged<N>;
type Tagged<T extends string> = T extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[T] : HTMLElement;

/** What other scripts of a page bring along. */
interface Window {
  htmx?: { process(part: Element): void };
}
