"""The contract finds what is wrong with a provider: each seeded fault makes the test fail that is there for it."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from bzz.dev import MongoServer
from bzz.errors import ConfigurationError
from bzz.testing.provider import ProviderContract
from tests.providers.faults import FAULTS, Fault
from tests.providers.running import ROOT, outcomes, run

pytestmark = pytest.mark.slow  # the whole contract runs once for each fault

NEEDS_TEAMS = "test_all_are_linked_or_none"
FILE = ROOT / "tests" / "providers" / "subjects.py"


@pytest.fixture(scope="module")
def found(mongo: MongoServer) -> dict[str, set[str]]:
    """How each fault's test ended, with the fault and without."""
    names = [(f"Test{fault.provider.__name__}", fault.found_by) for fault in FAULTS]
    tests = [*names, *(("TestFaultless", fault.found_by) for fault in FAULTS), ("TestWithoutTeams", NEEDS_TEAMS)]
    return outcomes(run(mongo.uri, "-rA", *(f"{FILE}::{name}::{test}" for name, test in tests)))


def contract_of(contract: type) -> dict[str, Any]:
    """Return the tests of a class by name."""
    return {name: test for name, test in inspect.getmembers(contract) if name.startswith("test_")}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.provider.__name__)
def test_a_fault_is_found(found: dict[str, set[str]], fault: Fault) -> None:
    assert "FAILED" in found[f"Test{fault.provider.__name__}::{fault.test}"]


@pytest.mark.parametrize("test", sorted({fault.test for fault in FAULTS}))
def test_a_provider_without_a_fault_passes_the_same_test(found: dict[str, set[str]], test: str) -> None:
    assert found[f"TestFaultless::{test}"] == {"PASSED"}


def test_a_model_that_is_forgotten_is_not_passed_over(found: dict[str, set[str]]) -> None:
    assert found[f"TestWithoutTeams::{NEEDS_TEAMS}"] == {"ERROR"}


def test_what_needs_nothing_that_a_provider_lacks_is_asked_of_it_all_the_same(mongo: MongoServer) -> None:
    asked = outcomes(run(mongo.uri, "-rA", f"{FILE}::TestBare"))
    needless = [name for name, test in contract_of(ProviderContract).items() if not getattr(test, "capabilities", ())]
    assert asked == {f"TestBare::{name}": {"PASSED"} for name in needless}


def test_a_capability_that_there_is_not_is_a_mistake() -> None:
    with pytest.raises(
        ConfigurationError, match=r"TestMine\.lacks names transactions; there are: appended, combined, dangling"
    ):
        type("TestMine", (ProviderContract,), {"lacks": {"transactions": "none"}})
