"""State machines as tables.

Rules
-----
1. A noun's legal moves are one table beside the noun; nothing else decides.
2. Every state is reachable from the first and can reach an end; `validate()` proves it.
3. The diagram in the documents is made from the table.
"""

from collections.abc import Iterable, Mapping

from config.errors import Conflict


class StateTable:
    """The legal moves of one noun.

    moves: state -> the states it may go to. A state without moves is an end; `resting` names further states in
    which the noun may stay for ever (a captured payment).
    """

    def __init__(self, noun: str, first: str, moves: Mapping[str, Iterable[str]], resting: Iterable[str] = ()) -> None:
        self.noun = noun
        self.first = first
        self.moves = {state: tuple(targets) for state, targets in moves.items()}
        for targets in list(self.moves.values()):
            for target in targets:
                self.moves.setdefault(target, ())
        self.resting = frozenset(resting)

    @property
    def states(self) -> tuple[str, ...]:
        """All states, the first one first."""
        return tuple(dict.fromkeys([self.first, *self.moves]))

    @property
    def ends(self) -> frozenset[str]:
        """States in which the noun may stay for ever."""
        return frozenset(state for state, targets in self.moves.items() if not targets) | self.resting

    def legal(self, state: str, target: str) -> bool:
        """Tell whether the noun may go from `state` to `target`."""
        return target in self.moves.get(state, ())

    def require(self, state: str, target: str) -> None:
        """Raise Conflict unless the move is legal."""
        if not self.legal(state, target):
            raise Conflict(
                "illegal-move", "It is %(state)s now, so this is no longer possible. Reload the page.",
                allowed=self.moves.get(state, ()), noun=self.noun, state=state, target=target,
            )  # fmt: skip

    def validate(self) -> list[str]:
        """Return what is wrong with the table: states that cannot be reached or cannot end."""
        reached = self._closure({self.first})
        faults = [f"{state} is never reached" for state in self.states if state not in reached]
        faults += [f"{state} never ends" for state in self.states if not (self._closure({state}) & self.ends)]
        return faults

    def diagram(self) -> str:
        """Return the table as text, one state a line, for the documents."""
        return "\n".join(
            f"{state} → {' | '.join(targets)}" if targets else f"{state} (end)" for state, targets in self.moves.items()
        )

    def _closure(self, seen: set[str]) -> set[str]:
        todo = list(seen)
        while todo:
            for target in self.moves.get(todo.pop(), ()):
                if target not in seen:
                    seen.add(target)
                    todo.append(target)
        return seen
