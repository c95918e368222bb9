"""The models that a provider under test brings, and what it may lack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

__all__ = ["CAPABILITIES", "Capability", "Models"]

Capability = Literal[
    "appended", "combined", "dangling", "diagnosis", "embedded", "hooks", "links", "lists", "maps", "positions",
    "public_ids",
    "subclasses", "together", "unique", "write_only",
]  # fmt: skip
"""What a provider may lack. A test that needs one is skipped if the provider says that it lacks it.

==============  =======================================================================================
``appended``    items come to the end of lists whatever these hold: :class:`bzz.providers.base.Appended`
``combined``    filters are combined by any-of and not: :attr:`bzz.providers.base.Provider.combines`
``dangling``    a link may outlive the document that it leads to
``diagnosis``   the storage is looked at: :class:`bzz.providers.diagnosis.Diagnosed`
``embedded``    documents inside documents: ``home`` and ``notes`` of a person
``hooks``       the model chooses which instances there are: the model ``scoped``
``links``       references to other documents: the model ``team``
``lists``       lists of scalars: ``tags`` of a person
``maps``        objects with free keys: ``extra`` of a person
``positions``   embedded documents without an id: ``phones`` of a person, ``replies`` of a note
``public_ids``  another field than the primary key names instances to clients: the model ``member``
``subclasses``  instances of classes below a model are among its own: the model ``vehicle``
``together``    several documents inserted all or none
``unique``      a field whose values differ from instance to instance: ``name`` of a person
``write_only``  a field that clients set and are never shown: ``password`` of the model ``account``
==============  =======================================================================================
"""

CAPABILITIES: tuple[Capability, ...] = get_args(Capability)


@dataclass(frozen=True)
class Models:
    """The models that the contract works with. Their classes may have any names; their fields have these:

    =========  ============  ===========================================================================
    model      field         what it is
    =========  ============  ===========================================================================
    person     *any name*    primary key, made by the provider; it stands in URLs
               ``name``      string, required, unique
               ``age``       integer, at least 0
               ``height``    float
               ``active``    boolean, ``True`` by default
               ``born``      date and time
               ``secret``    string
               ``tags``      list of strings
               ``extra``     map of anything
               ``home``      one embedded *address*
               ``phones``    list of embedded *phones*
               ``notes``     list of embedded *notes*
    address    ``city``      string, required
               ``zip``       string of at most 5 characters
    phone      ``label``     string; a phone has no id
               ``number``    integer
               ``secret``    string
    note       ``key``       string; the id of a note
               ``text``      string
               ``secret``    string
               ``replies``   list of embedded *replies*
    reply      ``text``      string; a reply has no id
    team       ``code``      string, primary key, chosen by the client; it stands in URLs
               ``lead``      reference to a person
               ``members``   list of references to persons
    scoped     *any name*    primary key, made by the provider; it stands in URLs
               ``name``      string
               ``friend``    reference to a scoped
               ``friends``   list of references to scoped ones
    vehicle    *any name*    primary key, made by the provider; it stands in URLs
               ``name``      string
               ``parts``     list of embedded *parts*
               ``spare``     one embedded *part*
    truck      the one class below a vehicle:
               ``axles``     integer, at most 9
               ``trailer``   one embedded *part*
    part       ``key``       string; the id of a part
               ``label``     string
    engine     the one class below a part:
               ``power``     integer
    member     ``number``    integer, primary key, chosen by the client
               ``slug``      string, unique; it stands in URLs, and names members in references
               ``sponsor``   reference to a member
               ``peers``     list of references to members
    account    *any name*    primary key, made by the provider; it stands in URLs
               ``name``      string
               ``password``  string, required, write-only
    =========  ============  ===========================================================================

    No other field is required, unique or limited, and none has a default.

    :param person: the model of most tests.
    :param team: links to persons; None for a provider that lacks ``links``.
    :param scoped: its hooks let through the instances whose ``name`` begins with the ``context`` of the call, all of
        them if that is None; None for a provider that lacks ``hooks``.
    :param vehicle: has a subclass; None for a provider that lacks ``subclasses``. It has no parts if ``embedded`` is
        lacking.
    :param member: refers to others by their slugs; None for a provider that lacks ``public_ids``.
    :param account: has a write-only field; None for a provider that lacks ``write_only``.
    """

    person: type
    team: type | None = None
    scoped: type | None = None
    vehicle: type | None = None
    member: type | None = None
    account: type | None = None
