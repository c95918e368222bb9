"""``python -m bzz``, and the command ``bzz``."""

from __future__ import annotations

import sys

from bzz.errors import MissingExtra


def main() -> None:
    """Run the command line, or say what it needs."""
    try:
        from bzz.cli import app
    except MissingExtra as error:
        sys.exit(str(error))
    app(prog_name="bzz")


if __name__ == "__main__":
    main()
