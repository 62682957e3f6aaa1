"""Count a store's standing again from its exported evidence: `standing.py EVIDENCE.json`. Imports nothing of ours."""

import json
import sys
from datetime import datetime
from pathlib import Path

evidence = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
least = {"counts": 10, "pickups": 5, "shelf": 4, "trouble": 5, "repayment": 1}
levels = [
    ({"counts": 40, "pickups": 80, "shelf": 60, "trouble": 90, "repayment": 80}, 2),
    ({"counts": 60, "pickups": 90, "shelf": 75, "trouble": 95, "repayment": 90}, 3),
    ({"counts": 80, "pickups": 97, "shelf": 90, "trouble": 98, "repayment": 98}, 4),
]

pickups = [
    (datetime.fromisoformat(by), ready and datetime.fromisoformat(ready)) for _, by, ready in evidence["pickups"]
]
shares = {
    "counts": (evidence["counts"]["counted_products"], evidence["counts"]["sold_products"]),
    "pickups": (len([1 for by, ready in pickups if ready and ready <= by]), len(pickups)),
    "shelf": (len([1 for _, sold in evidence["shelf"] if sold > 0]), len(evidence["shelf"])),
    "trouble": (len([1 for _, what in evidence["collected"] if what == ""]), len(evidence["collected"])),
    "repayment": (evidence["repayment"]["on_time_minor"], evidence["repayment"]["due_minor"]),
}
known = {name: share for name, share in shares.items() if share[1] >= least[name]}
level = 0
for n, (wanted, enough) in enumerate(levels, 1):
    if len(known) >= enough and all(100 * good >= wanted[name] * of for name, (good, of) in known.items()):
        level = n
print(level, *(f"{name}={good}/{of}" for name, (good, of) in shares.items()))
