"""The way in: `cornerstore`, and `python -m store_app`."""

import gc

_SELDOM = (20_000, 20, 50)
"""New objects, and rounds, after which Python looks for rings of them: at its own 700 it does at every sale, and a
fifth of every start, where all that is loaded stays."""


def main() -> None:
    """Load the commands, and do the one that was asked for."""
    gc.set_threshold(*_SELDOM)
    from store_app.commands import cli

    cli.main()


if __name__ == "__main__":
    main()
