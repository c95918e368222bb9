"""The shape of a model, what its fields say of values, and mistakes that are reported when a provider is made."""

from __future__ import annotations

import pytest

from bzz.errors import ConfigurationError
from bzz.providers.base import Options, Unchanged
from bzz.testing.provider.client import Client
from bzz.testing.provider.suite import Suite, requires

__all__ = ["Describing"]


class Describing(Suite):
    """:attr:`Provider.shape`, :meth:`Provider.check`, and how a provider is made."""

    async def test_the_shape_describes_the_model_and_the_options(self) -> None:
        shape = self.provider(self.models.person, Options(hidden=["secret"], read_only=["age"])).shape
        fields = shape.fields
        assert shape.model is self.models.person
        assert {"name", "age", "height", "active", "born", "secret"} <= fields.keys()
        assert [name for name, field in fields.items() if field.required] == ["name"]
        assert [name for name, field in fields.items() if field.hidden] == ["secret"]
        assert [name for name, field in fields.items() if field.read_only] == ["age"]
        assert fields["active"].has_default
        assert shape.pk is not None
        assert shape.url_id is shape.pk

    @requires("embedded")
    async def test_embedded_documents_have_shapes_and_values_of_their_own(self, people: Client) -> None:
        home, notes = people.shape.fields["home"], people.shape.fields["notes"]
        assert home.link is not None
        assert notes.link is not None
        assert (home.is_list, home.link.shape.embedded, set(home.link.shape.fields)) == (False, True, {"city", "zip"})
        assert notes.is_list
        assert notes.link.shape.url_id is notes.link.shape.fields["key"]
        assert list(people.provider.check(people.shape, {"home": {"zip": "123456"}})) == ["home.zip"]
        assert list(people.provider.check(home.link.shape, {"zip": "123456"})) == ["zip"]

    async def test_a_value_that_a_field_refuses_is_named(self, people: Client) -> None:
        refused = people.provider.check(people.shape, {"name": "Ann", "age": -1})
        assert list(refused) == ["age"]
        assert all(isinstance(message, str) for message in refused["age"])

    @pytest.mark.parametrize(
        "values", [{}, {"age": None}, {"age": Unchanged(-1)}], ids=["missing", "null", "unchanged"]
    )
    async def test_what_is_not_given_is_not_refused(self, people: Client, values: dict[str, object]) -> None:
        assert people.provider.check(people.shape, values) == {}

    async def test_a_mistake_is_reported_when_the_provider_is_made(self) -> None:
        for model, options in (
            (int, Options()),
            (self.models.person, Options(hidden=["nothing"])),
            (self.models.person, Options(read_only=["nothing"])),
        ):
            with pytest.raises(ConfigurationError):
                self.provider(model, options)
