"""Pictures that others send: the one place where their files are opened.

Rules
-----
1. A file is taken only for a picture of the kinds that were asked for.
2. Its dots are counted before one is unpacked: a small file can hold a picture larger than the machine's memory.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from config.errors import Invalid


@contextmanager
def opened(
    raw: bytes, kinds: tuple[str, ...], fits: Callable[[Any], bool], *, too_large: Invalid, unreadable: Invalid
) -> Iterator[Any]:
    """Open an uploaded picture; what stumbles over its dots inside is refused as `unreadable` too.

    fits: told the picture (Pillow's, not unpacked), whether its dots are few enough.
    """
    from PIL import Image  # large: only who takes pictures needs it

    try:
        picture = Image.open(io.BytesIO(raw), formats=kinds)
        if not fits(picture):
            raise too_large
        yield picture
    except Image.DecompressionBombError as fault:
        raise too_large from fault
    except (OSError, SyntaxError, ValueError) as fault:
        raise unreadable from fault
