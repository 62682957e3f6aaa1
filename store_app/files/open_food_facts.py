"""Open Food Facts: what is known of an unknown barcode, from its dumps (CSV, JSON lines, Parquet) or online.

Rules
-----
1. A dump is read as it comes, never whole: some millions of products in the memory of a few thousand. CSV and JSON
   lines may be gzipped; a CSV has commas, semicolons or, as the project's own, tabs without quotes.
2. A row without a barcode that can be right, or without a name, is passed over. A file of another shape, a torn one and
   one that is no text are refused, and the copy there is stays (`public_products`).
3. A name is the one in the store's language, else the one the project shows, else any.
4. Online it is asked by its own SDK, an extra, where `product_lookup` names its address: no redirect is followed, and
   TLS is ours (`outgoing`). An answer has ONLINE_S to begin, as long again to end, and MOST_ANSWER bytes; none is a
   sentence.
"""

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from config.errors import DomainError, Invalid, Unreachable
from pos.catalogue import public_products
from pos.catalogue.assortment import LONGEST
from pos.catalogue.public_products import PublicProduct, number_of
from store_app.runtime.doors import Doors

CODES = ("code", "ean", "barcode", "gtin")
MOST_SIGNS, MOST_CATEGORIES = 16_000_000, 500
"""Of one line; of all categories of one product."""
ROWS_AT_ONCE = 2_000
ONLINE_S, MOST_ANSWER = 4, 1_000_000
USER_AGENT = "cornerstore"
_SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
_FIELDS = ("product_name", "generic_name", "quantity", "brands", "categories")


@dataclass(frozen=True)
class Known:
    """What is known of a barcode, as the fields of a new product. unreachable: why nobody could be asked online."""

    products: tuple[dict[str, str], ...] = ()
    unreachable: Unreachable | None = None


def look_up(doors: Doors, code: str, language: str) -> Known:
    """Return what the copy knows of a barcode, or, where the store allows it, Open Food Facts itself."""
    settings, unreachable = doors.settings, None
    found = public_products.of_code(settings.state_folder, code)
    if not found and settings.product_lookup and number_of(code):
        try:
            found = _online(settings.product_lookup, code, language)
        except Unreachable as fault:
            unreachable = fault
    with doors.read() as session:
        known = tuple(_as_fields(one, *public_products.proposed(session, settings.node_id, one)) for one in found)
    return Known(known, unreachable)


def products(file: Path, language: str) -> Iterator[PublicProduct]:
    """Yield the products of a dump as they are read (rules 1-3)."""
    name = file.name.lower().removesuffix(".gz")
    read = {".jsonl": _of_json, ".parquet": _of_parquet}.get(Path(name).suffix, _of_csv)
    if not name.endswith(_SUFFIXES):
        raise Invalid("no-dump", "This file is not a product list. Choose a CSV, JSONL or Parquet file.")
    try:
        yield from filter(None, (_product(row, language) for row in read(file)))
    except DomainError:
        raise
    except UnicodeDecodeError as fault:
        raise Invalid("dump-not-utf-8", "This file is not UTF-8 text. Download it again.") from fault
    except (OSError, EOFError, zlib.error, ValueError, TypeError, csv.Error) as fault:
        if isinstance(fault, FileNotFoundError | PermissionError | IsADirectoryError):
            raise
        raise Invalid("torn-dump", "This file is incomplete or damaged. Download it again.") from fault


# --- inside ---


def _as_fields(one: PublicProduct, category: str, tax_class_id: str) -> dict[str, str]:
    said = {"name": one.name, "brand": one.brand, "pack_text": one.pack_text}
    return said | {"category": category, "tax_class_id": tax_class_id}


def _online(address: str, code: str, language: str) -> list[PublicProduct]:
    """Ask the project for a barcode (rule 4); Unreachable where nobody answers or the extra is missing."""
    try:
        from openfoodfacts import API  # an extra; it brings `requests` along
        from openfoodfacts.utils import http_session
        from requests import PreparedRequest, RequestException, Response, Timeout
        from requests.adapters import HTTPAdapter
        from urllib3.exceptions import HTTPError
    except ImportError as fault:
        raise Unreachable(
            "no-lookup", "Looking up products online needs an extra: pip install 'cornerstore[openfoodfacts]'."
        ) from fault
    from store_app.runtime import outgoing  # a client of its own: only who asks needs it

    class Guarded(HTTPAdapter):
        def init_poolmanager(self, *given: Any, **more: Any) -> None:
            super().init_poolmanager(*given, **more, ssl_context=outgoing.context())

        def send(self, request: PreparedRequest, *given: Any, **more: Any) -> Response:
            answer, body = super().send(request, *given, **more | {"stream": True}), bytearray()
            until = monotonic() + ONLINE_S
            while part := answer.raw.read1(65_536, decode_content=True):
                body += part
                if monotonic() > until or len(body) > MOST_ANSWER:
                    answer.close()
                    raise Timeout
            answer.raw = io.BytesIO(body)
            return answer

    for scheme in ("https://", "http://"):
        http_session.mount(scheme, Guarded())
    http_session.max_redirects = 0
    asked = API(USER_AGENT, timeout=ONLINE_S).product
    asked.base_url = address.rstrip("/")
    fields = [*CODES[:1], *_FIELDS, f"product_name_{language}", "categories_tags"]
    try:
        found = _product(asked.get(code, fields=fields) or {}, language)
    except (
        RequestException,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
        HTTPError,
    ) as fault:  # or an answer of another shape
        raise Unreachable(
            "lookup-silent", "Open Food Facts is not responding. Enter the name and the price yourself."
        ) from fault
    return [found] if found and found.number == number_of(code) else []


def _product(row: Mapping[str, Any], language: str) -> PublicProduct | None:
    number = number_of(next((str(row[name]) for name in CODES if row.get(name)), ""))
    named = (row.get(name) for name in (f"product_name_{language}", "product_name", "generic_name"))
    name = next(filter(None, (_text(one, language) for one in named)), "")
    if number is None or not name:
        return None
    kinds = next(
        filter(None, (_kinds(row.get(name)) for name in ("categories_en", "categories_tags", "categories"))), ""
    )
    brand, pack = _text(row.get("brands"), language).split(",")[0], _text(row.get("quantity"), language)
    cut = {"name": name, "brand": brand.strip(), "pack_text": pack}
    return PublicProduct(
        number, categories=kinds, **{what: said[: LONGEST[what]].strip() for what, said in cut.items()}
    )


def _text(said: Any, language: str) -> str:
    """Return a text on one line, of several by language the reader's, else the main one, else the first (rule 3)."""
    if isinstance(said, Sequence) and not isinstance(said, str):
        by_language = {one.get("lang"): one.get("text") for one in said if isinstance(one, Mapping)}
        said = next(filter(None, (by_language.get(one) for one in (language, "main", *by_language))), "")
    return " ".join("".join(sign if sign.isprintable() else " " for sign in str(said or "")).split())


def _kinds(said: Any) -> str:
    """Return categories from the widest to the narrowest; 'en:dairy-drinks' is 'Dairy drinks'."""
    several = said.split(",") if isinstance(said, str) else said if isinstance(said, Sequence) else ()
    words = (re.sub(r"^[a-z]{2,3}:", "", _text(one, "")) for one in several)
    plain = (one.replace("-", " ").strip()[: LONGEST["category"]] for one in words)
    kept = [one[0].upper() + one[1:] for one in plain if one]
    return ", ".join(one.replace(",", " ") for one in kept)[-MOST_CATEGORIES:]


def _of_csv(file: Path) -> Iterator[Mapping[str, Any]]:
    with _lines(file) as text:
        heading = _line(text)
        mark = max("\t,;", key=heading.count)
        columns = [name.strip().strip('"').lower() for name in heading.rstrip("\r\n").split(mark)]
        _refuse_other(columns)
        if mark == "\t":
            cells: Iterable[list[str]] = (line.rstrip("\r\n").split(mark) for line in iter(lambda: _line(text), ""))
        else:
            cells = csv.reader(iter(lambda: _line(text), ""), delimiter=mark)
        yield from (dict(zip(columns, row, strict=False)) for row in cells)


def _of_json(file: Path) -> Iterator[Mapping[str, Any]]:
    with _lines(file) as text:
        for n, line in enumerate(iter(lambda: _line(text), "")):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                raise Invalid("bad-dump-line", "Line %(n)s is not a product. Nothing was imported.", n=n + 1)
            if not n:
                _refuse_other(row)
            yield row


def _of_parquet(file: Path) -> Iterator[Mapping[str, Any]]:
    import pyarrow.parquet as pq  # large: only who imports needs it
    from pyarrow import ArrowException

    try:
        with pq.ParquetFile(file) as table:
            there = table.schema_arrow.names
            _refuse_other(there)
            wanted = [name for name in (*CODES, *_FIELDS, "categories_en", "categories_tags") if name in there]
            for part in table.iter_batches(ROWS_AT_ONCE, columns=wanted):
                yield from part.to_pylist()
    except ArrowException as fault:
        raise ValueError(str(fault)) from fault


def _refuse_other(columns: Iterable[str]) -> None:
    """Refuse a file that has no barcodes or no names (rule 2)."""
    there = set(columns)
    missing = [wanted for wanted, names in (("code", CODES), ("product_name", _FIELDS[:1])) if not there & set(names)]
    if missing:
        raise Invalid(
            "no-dump-columns", "This is not an Open Food Facts product list: column %(missing)s is missing. "
                               "Nothing was imported.", missing=missing,
        )  # fmt: skip


def _lines(file: Path) -> io.TextIOWrapper:
    raw = gzip.open(file) if file.name.lower().endswith(".gz") else file.open("rb")  # noqa: SIM115 - the text closes it
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


def _line(text: io.TextIOWrapper) -> str:
    if len(line := text.readline(MOST_SIGNS)) == MOST_SIGNS:
        raise ValueError("the line has no end")
    return line
