"""``import bzz`` needs none of the packages that only some applications have."""

from __future__ import annotations

import subprocess
import sys

import pytest

import bzz

OPTIONAL = ("jwt", "cryptography", "typer", "yaml", "jsonref", "redis", "uvloop", "granian")


def test_importing_bzz_loads_no_optional_package() -> None:
    script = f"import sys, bzz; sys.exit(', '.join({set(OPTIONAL)!r} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_the_public_names_are_sorted_and_there() -> None:
    assert bzz.__all__ == sorted(bzz.__all__)
    assert all(getattr(bzz, name) is not None for name in bzz.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'bzz' has no attribute 'AuthHyve'"):
        _ = bzz.AuthHyve  # type: ignore[attr-defined]  # what is tested
