"""All parts of the contract in one class."""

from __future__ import annotations

from bzz.testing.provider.appending import Appending
from bzz.testing.provider.conditions import Conditions
from bzz.testing.provider.creating import Creating
from bzz.testing.provider.creating_many import CreatingMany
from bzz.testing.provider.deleting import Deleting
from bzz.testing.provider.describing import Describing
from bzz.testing.provider.diagnosing import Diagnosing
from bzz.testing.provider.filtering import Filtering
from bzz.testing.provider.hooks import Hooks
from bzz.testing.provider.inheriting import Inheriting
from bzz.testing.provider.linking import Linking
from bzz.testing.provider.nesting import Nesting
from bzz.testing.provider.options import Hiding
from bzz.testing.provider.paging import Paging
from bzz.testing.provider.public_ids import PublicIds
from bzz.testing.provider.racing import Racing
from bzz.testing.provider.reading import Reading
from bzz.testing.provider.updating import Updating
from bzz.testing.provider.write_only import WriteOnly

__all__ = ["ProviderContract"]


class ProviderContract(
    Describing,
    Reading,
    Paging,
    Filtering,
    Creating,
    CreatingMany,
    Nesting,
    Updating,
    Appending,
    Deleting,
    Linking,
    PublicIds,
    Inheriting,
    Conditions,
    Racing,
    Hiding,
    WriteOnly,
    Hooks,
    Diagnosing,
):
    """The tests of a provider. Subclass it as ``Test...``, set ``provider`` and ``models``, and pytest runs them.

    :cvar provider: the subclass of :class:`bzz.providers.base.Provider` under test.
    :cvar models: a :class:`~bzz.testing.provider.Models`.
    :cvar lacks: the capabilities that the provider has not, each with the reason.

    The fixture ``database`` is there to be overridden: it empties what the models are stored in before each test, and
    returns what :class:`~bzz.providers.base.Options` is given as ``database``, by default None.
    """
