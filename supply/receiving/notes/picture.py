"""A photo of a note becomes words with their places: turned upright and straight, then read.

Rules
-----
1. It runs in a child process of its own (`store_app.runtime.child_process.read_page_apart`), on one core.
2. Text is found on a copy of at most FOUND_ON dots a side and read from the page itself, of at most SIDE.
3. Which side is up, the reader's own classifier says of the widest words; how far the page is turned, the words' edges.
4. A picture with fewer than LEAST_WORDS words is no note.
5. What is kept is the page as it was turned, a new JPEG drawn from its dots alone.
"""

import io
import math
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from config.errors import Invalid, Refused
from pos.store import pictures

SIDE, FOUND_ON = 2000, 1280
LEAST_WORDS, MOST_WORDS, LEAST_SCORE = 4, 700, 0.5
_ASKED = 15
"""So many words say which side is up."""
_QUALITY, _KEPT_SIDE = 60, 1600


def is_installed() -> bool:
    """Tell whether this installation can read photos."""
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def require_installed() -> None:
    """Refuse where the reader is not installed, with a sentence that says how to get it."""
    if not is_installed():
        raise Refused("no-reader", "This store’s computer cannot read photos yet. Ask whoever installed it to add "
                      "“cornerstore[ocr]”.", field="photo")  # fmt: skip


def read(raw: bytes) -> Iterator[Any]:
    """Yield the page as a JPEG, its width and height, then each word: text, left, top, width, height."""
    require_installed()
    import cv2
    import numpy as np

    cv2.setNumThreads(1)
    page = np.asarray(pictures.upright(raw, SIDE))[:, :, ::-1]
    engine = _engine()
    boxes = _found(engine, page)
    tall = [box for box in boxes if _size(box)[1] > 1.5 * _size(box)[0]]
    if len(tall) > len(boxes) / 2:
        page, boxes = _turned(page, boxes, 90.0)
    wide = sorted(boxes, key=lambda box: -_size(box)[0])[:_ASKED]
    angles = [math.degrees(math.atan2(box[1][1] - box[0][1], box[1][0] - box[0][0])) for box in wide]
    page, boxes = _turned(page, boxes, float(np.median(angles)) if angles else 0.0)
    if _is_upside_down(engine, page, boxes):
        page, boxes = _turned(page, boxes, 180.0)
    texts = engine.recognize_txt([_cut(page, box) for box in boxes]) if len(boxes) else None
    words = []
    for box, text, score in zip(boxes, texts.txts or (), texts.scores or (), strict=False) if texts else ():
        if text.strip() and score >= LEAST_SCORE:
            (left, top), (width, height) = box.min(axis=0), np.ptp(box, axis=0)
            words.append([text.strip()[:200], *(round(float(one)) for one in (left, top, width, height))])
    if len(words) < LEAST_WORDS:
        raise Invalid("no-note", "No text can be read in this picture. Lay the note flat in good light and take the "
                      "photo again.", field="photo")  # fmt: skip
    yield _kept(page)
    yield [int(page.shape[1]), int(page.shape[0])]
    yield from words


# --- inside ---


def _engine() -> Any:
    from rapidocr import RapidOCR  # large, and no part of the plain installation

    alone = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    return RapidOCR(params=alone | {"Global.log_level": "critical", "Global.max_side_len": FOUND_ON})


def _found(engine: Any, page: Any) -> Any:
    """Return the corners of each word in the page's dots, the first its own left upper one."""
    import cv2
    import numpy as np

    scale = min(1.0, FOUND_ON / max(page.shape[:2]))
    small = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else page
    found = engine(small, use_cls=False, use_rec=False).boxes
    if found is None:
        return np.zeros((0, 4, 2), dtype=np.float32)
    if len(found) > MOST_WORDS:
        raise Invalid("note-too-long", "There is too much text in this picture. Take a photo of the note alone.",
                      field="photo")  # fmt: skip
    return np.asarray(found, dtype=np.float32) / scale


def _is_upside_down(engine: Any, page: Any, boxes: Any) -> bool:
    wide = sorted(boxes, key=lambda box: -_size(box)[0])[:_ASKED]
    if not wide:
        return False
    found = engine.cls_and_rotate([_cut(page, box) for box in wide])[1].cls_res
    return bool(sum(score if label == "180" else -score for label, score in found) > 0)


def _turned(page: Any, boxes: Any, degrees: float) -> tuple[Any, Any]:
    """Return a page and its words turned back by so many degrees, on a sheet that holds all of it."""
    import cv2
    import numpy as np

    if abs(degrees) < 0.1:
        return page, boxes
    height, width = page.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    wide, high = round(height * sin + width * cos), round(height * cos + width * sin)
    turn[0, 2] += wide / 2 - width / 2
    turn[1, 2] += high / 2 - height / 2
    new = cv2.warpAffine(page, turn, (wide, high), borderValue=(255, 255, 255))
    moved = boxes @ turn[:, :2].T + turn[:, 2]
    if abs(degrees) > 45:  # another corner is the left upper one
        moved = np.roll(moved, 2 if abs(degrees) > 135 else -1, axis=1)
    return new, moved.astype(np.float32)


def _size(box: Any) -> tuple[float, float]:
    """Return how wide and how high a word is."""
    return math.dist(box[0], box[1]), math.dist(box[0], box[3])


def _cut(page: Any, box: Any) -> Any:
    """Return a word's own picture, straight."""
    import cv2
    import numpy as np

    width, height = (max(1, round(one)) for one in _size(box))
    to = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    return cv2.warpPerspective(page, cv2.getPerspectiveTransform(np.ascontiguousarray(box), to), (width, height),
                               borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC)  # fmt: skip


def _kept(page: Any) -> bytes:
    """Return the page as a JPEG of at most KEPT_BYTES, coarser until it is."""
    from PIL import Image

    picture = Image.fromarray(page[:, :, ::-1])
    picture.thumbnail((_KEPT_SIDE, _KEPT_SIDE))
    made = b""
    for quality in (_QUALITY, 40, 25):
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality, optimize=True)
        made = file.getvalue()
        if len(made) <= pictures.KEPT_BYTES:
            break
    return made
