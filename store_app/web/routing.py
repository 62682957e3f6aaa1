"""Routes whose address builders are made when an address is first asked for."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule


class LateRule(Rule):
    """A route that compiles nothing before `url_for` first names it.

    werkzeug compiles two functions a route as the route is added: a fifth of a second for all of ours, of which a page
    names a few. Matching an address to its route needs none of them.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        made: list[Callable[..., tuple[str, str]]] = []
        compiled = super()._compile_builder

        def build(rule: Rule, *words: Any, **named: Any) -> tuple[str, str]:
            if not made:
                made.append(compiled(append_unknown))
            return made[0](rule, *words, **named)

        return build
