"""A finding: one invariant that does not hold, named so that a person can look into it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One failed invariant. code: K1 to K19; subject: the noun as the journal names it; expected and found in words."""

    code: str
    subject: str
    expected: str
    found: str
