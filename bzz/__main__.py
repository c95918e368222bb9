"""``python -m bzz``, and the command ``bzz``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or say what it needs."""
    try:
        from bzz.cli import app
    except ModuleNotFoundError as error:
        sys.exit(f"The command line needs the package {error.name}: pip install 'bzz[cli]'")
    app(prog_name="bzz")


if __name__ == "__main__":
    main()
