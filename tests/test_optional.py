"""``import bzz`` needs none of the packages that only some applications have."""

from __future__ import annotations

import subprocess
import sys

import pytest

import bzz

OPTIONAL = (
    "argon2",
    "jwt",
    "cryptography",
    "rich",
    "typer",
    "yaml",
    "jsonref",
    "jsonschema",
    "limits",
    "redis",
    "uvloop",
    "granian",
    "opentelemetry",
    "prometheus_client",
    "pytest",
)


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


def test_dir_shows_the_public_names_and_nothing_else() -> None:
    assert dir(bzz) == bzz.__all__
    assert {"errors", "events", "signals", "auth"} <= set(dir(bzz))


def run_without(package: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with ``package`` missing; the first argument is the program, the others are its own."""
    program, *rest = arguments
    script = f"import sys; sys.modules[{package!r}] = None\n{program}"
    return subprocess.run([sys.executable, "-c", script, *rest], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("package", "extra", "program"),
    [
        ("jwt", "auth", "import bzz; bzz.AuthHive"),
        ("jwt", "auth", "import bzz; bzz.authenticated"),
        ("jwt", "auth", "import bzz; bzz.auth"),
        ("jwt", "auth", "from bzz.auth import GoogleProvider"),
        ("jwt", "auth", "from bzz import *"),
        ("cryptography", "auth", "from bzz.auth import GoogleProvider"),
        ("jsonref", "mock", "import bzz; bzz.MockHive.from_openapi({})"),
        ("jsonschema", "mock", "import bzz; bzz.MockHive.from_openapi({})"),
        ("yaml", "mock", "import bzz; bzz.MockHive.from_openapi('x.yaml')"),
        ("yaml", "mock", "import bzz.mock.file"),
        ("typer", "cli", "import bzz.cli"),
        ("redis", "relay", "import bzz; bzz.RedisRelay"),
        ("limits", "limits", "import bzz; bzz.RateLimits"),
        ("redis", "limits", "import bzz; bzz.RateLimits('1/hour', storage='redis://localhost')"),
        ("opentelemetry", "otel", "import bzz; bzz.trace"),
        ("pytest", "testing", "import bzz.testing.provider"),
    ],
)
def test_a_missing_package_says_which_install_brings_it(package: str, extra: str, program: str) -> None:
    done = run_without(package, program)
    message = f"bzz.errors.MissingExtra: the package {package!r} is missing: pip install 'bzz[{extra}]'"
    assert done.stderr.strip().splitlines()[-1] == message


@pytest.mark.parametrize(
    ("package", "extra", "arguments"), [("typer", "cli", ["--help"]), ("yaml", "mock", ["mock", "x.yaml"])]
)
def test_a_command_says_in_one_line_which_install_it_needs(package: str, extra: str, arguments: list[str]) -> None:
    done = run_without(package, "from bzz.__main__ import main; main()", *arguments)
    assert (done.returncode, done.stderr) == (1, f"the package {package!r} is missing: pip install 'bzz[{extra}]'\n")


def test_a_missing_package_can_be_caught_as_the_error_that_python_raises() -> None:
    assert issubclass(bzz.errors.MissingExtra, ModuleNotFoundError)


def test_the_command_says_its_version() -> None:
    done = subprocess.run([sys.executable, "-m", "bzz", "--version"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"bzz {bzz.__version__}\n")
