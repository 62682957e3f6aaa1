"""XML files from outside as a tree: nothing is fetched, no entity is expanded."""

from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from config.errors import Invalid


def parsed(raw: bytes) -> tuple[str, Element]:
    """Return the full name of an XML document's root, `namespace}name`, and its tree without namespaces.

    A document with a document type is refused: entities are declared there.
    """
    tree, names = TreeBuilder(), list[str]()

    def begin(name: str, attributes: dict[str, str]) -> None:
        names.append(name) if not names else None
        tree.start(name.rpartition("}")[2], attributes)

    reader = expat.ParserCreate(namespace_separator="}")
    reader.buffer_text = True
    reader.StartDoctypeDeclHandler = _refuse_doctype
    reader.StartElementHandler = begin
    reader.EndElementHandler = lambda name: tree.end(name.rpartition("}")[2])
    reader.CharacterDataHandler = tree.data
    try:
        reader.Parse(raw, True)
    except (expat.ExpatError, LookupError, ValueError) as torn:  # the latter of encodings that expat lacks
        raise Invalid("no-xml", "This file is damaged. Get it from its sender again.") from torn
    return names[0], tree.close()


def _refuse_doctype(*_said: Any) -> None:
    raise Invalid("xml-with-doctype", "This file contains more than a document and is not opened. Ask its sender.")
