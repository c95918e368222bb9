"""The contract for providers: tests that any class with the seam of :mod:`bzz.providers.base` can be held against.

::

    from bzz.testing.provider import Models, ProviderContract

    class TestMyProvider(ProviderContract):
        provider = MyProvider
        models = Models(person=Person, team=Team)
        lacks = {"hooks": "its models have no code of their own"}

It calls the provider at its seam, in the event loop of each test, and needs pytest and pytest-asyncio:
``pip install 'bzz[testing]'``.
"""

from __future__ import annotations

from bzz.extras import needs

with needs("testing"):
    import pytest

_PARTS = (
    "client", "conditions", "creating", "deleting", "describing", "filtering", "hooks", "inheriting", "linking",
    "nesting", "options", "paging", "public_ids", "racing", "reading", "updating", "write_only",
)  # fmt: skip
pytest.register_assert_rewrite(*(f"{__name__}.{part}" for part in _PARTS))  # before any of them is imported

from bzz.testing.provider.client import Client  # noqa: E402
from bzz.testing.provider.contract import ProviderContract  # noqa: E402
from bzz.testing.provider.models import CAPABILITIES, Capability, Models  # noqa: E402

__all__ = ["CAPABILITIES", "Capability", "Client", "Models", "ProviderContract"]
