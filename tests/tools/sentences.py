"""What a person reads, judged by its words: labels by the list of terms, sentences by their voice and length.

`python3 run check` ends with the numbers; `python -m tests.tools.sentences --list` shows each sentence with its place.
"""

import re
import sys
import tempfile
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("config", "pos", "supply", "store_app")
LABEL, LONG = 4, 25
"""Words of a label at most; words above which a sentence is long."""
TERMS = {
    r"shops?": "store, online store",
    r"purse|order money": "budget",
    r"wares|goods(?! receipt)": "products",
    r"goods (in|back)": "receiving, supplier returns",
    r"to come|under way": "open orders, on order, in transit",
    r"rhythm": "delivery calendar",
    r"tells?|told": "report, send, publish",
    r"share[ds]? out": "allocate, allocation",
    r"rounds?|vans?": "delivery route, vehicle",
    r"aisles?": "category",
    r"special offers?|push": "promotions, network offers",
    r"takings": "sales (net, gross)",
    r"(bring|brought|give|gave|given) back": "refund, refunded",
    r"(take|taken|took) (off|back)": "discount, remove, withdraw",
    r"check these": "items to count",
    r"compare notes": "benchmarks",
    r"your standing": "membership level",
    r"letters to": "customer messages",
    r"by lot": "hold-out group",
    r"in the books": "on record, book stock",
    r"anew|nobody|once more": "again, no one",
}
"""A wording, as a pattern of whole words -> how the thing is called instead."""
OLD_VOICE = re.compile(
    r"\b(anew|nobody|once more|stands|of whom|told|so that it|what is no|at most|so many)\b", re.IGNORECASE
)


def extracted() -> Catalog:
    """Return every message of the sources with its places, found as `pyproject.toml` says."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "messages.pot"
        CommandLineInterface().run([
            "pybabel", "-q", "extract", "-F", str(ROOT / "pyproject.toml"), "-o", str(found),
            *(str(ROOT / name) for name in PACKAGES),
        ])  # fmt: skip
        with found.open("rb") as template:
            return read_po(template)


def place(message: Message) -> str:
    """Return the file that says it first."""
    return Path(message.locations[0][0]).relative_to(ROOT).as_posix()


def english(message: Message) -> list[str]:
    """Return a message's English forms."""
    return [message.id] if isinstance(message.id, str) else list(message.id)


def misnamed(said: Catalog) -> list[str]:
    """Return the labels that name a thing otherwise than the list of terms, each with the right name."""
    return [
        f"“{text}”: {name} ({place(message)})"
        for message in said
        for text in english(message)
        if len(text.split()) <= LABEL
        for wording, name in TERMS.items()
        if re.search(rf"\b({wording})\b", text, re.IGNORECASE)
    ]


def main() -> None:
    """Print how many sentences have the old voice or are long; with --list, each of them."""
    said = [(text, message) for message in extracted() for text in english(message)[:1] if text]
    sentences = [(one, message) for text, message in said for one in re.split(r"(?<=[.?!])\s+", text)]
    odd = {
        "old voice": [one for one in sentences if OLD_VOICE.search(one[0])],
        f"over {LONG} words": [one for one in sentences if len(one[0].split()) > LONG],
    }
    print(f"{len(said):,} messages, " + ", ".join(f"{len(found)} {why}" for why, found in odd.items()))
    if "--list" in sys.argv:
        for why, found in odd.items():
            print(f"\n{why}:", *(f"  {place(message)}: {one}" for one, message in found), sep="\n")


if __name__ == "__main__":
    main()
