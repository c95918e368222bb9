"""How a value is checked: by MongoEngine's own validation, and against what a client may not write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import mongoengine as me
from mongoengine.errors import DeprecatedError

from bzz.codec import dumps
from bzz.errors import Invalid, RequestError
from bzz.providers.base import Unchanged
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.conversions import Conversions
from bzz.providers.mongoengine.codecs.fast_checks import Check, fast_check
from bzz.providers.mongoengine.codecs.messages import REFUSED, REQUIRED, messages_of, without_echo
from bzz.shape.choices import expected_choice

__all__ = ["BAD_VALUE", "Checks", "Errors", "Refusal", "below"]

BAD_VALUE = (ValueError, TypeError, ArithmeticError, AttributeError, AssertionError, LookupError, DeprecatedError)
"""What MongoEngine's fields raise for a value that they cannot hold."""

READ_ONLY = "This field is read-only."

Errors = dict[str, list[str]]
Refusal = tuple[str, str]


class Checks(Conversions):
    """Checks the values of one declared field."""

    @property
    def asks_while_saved(self) -> bool:
        """Whether MongoEngine asks the database, or the field itself, for a value while it saves the document."""
        return internals.generates_values(self.source)

    is_patched: bool = False  # whether an object sent for it may be a merge patch

    # -- checks

    def check(self, value: Any, errors: Errors, stored: Any = None) -> Any:
        """Return the bson of a value that MongoEngine's own validation accepts; errors are collected.

        :param stored: the bson whose place it takes, or None. What is shown as it was sent stays as it is stored,
            and is not judged again.
        :raises bzz.errors.Conflict: if a list of ``stored`` cannot be written whole.
        """
        if isinstance(value, Unchanged):
            return self._require_unchanged(value.value, stored, errors)
        if value is None and self.falls_back:
            bson = self.default()
            if bson is None:  # of a function that gives none
                errors.setdefault(self.name, []).append(REQUIRED)
            else:
                self.check_bson(bson, errors)  # of a list, MongoEngine takes the empty one for its default
            return bson
        if self.is_stored_as_is and self.is_accepted(value):
            return value
        if not self.declared.write_only:
            return self._check(value, errors, stored)
        found: Errors = {}
        bson = self._check(value, found, stored)
        for where, messages in found.items():
            errors.setdefault(where, []).extend(self.openly(messages, value))
        return bson

    def _check(self, value: Any, errors: Errors, stored: Any) -> Any:
        bson = None
        try:
            bson = self.keep(self.to_bson(value, stored), stored)
        except Invalid as error:
            for where, messages in (error.errors or {}).items():
                errors.setdefault(f"{self.name}.{where}", []).extend(messages)
        except BAD_VALUE as error:
            self._add_error(errors, error)
        else:
            if stored is None or bson is not stored:
                self._check_new(value, bson, errors)
        return bson

    def _check_new(self, value: Any, bson: Any, errors: Errors) -> None:
        self.check_bson(bson, errors)

    def _require_unchanged(self, value: Any, stored: Any, errors: Errors) -> Any:
        """Return what is stored of a read-only field that a client sent back; collect an error if it was changed."""
        try:
            is_same = self.shows_same(self.to_bson(value, stored), stored)
        except (*BAD_VALUE, RequestError):
            is_same = False
        if not is_same:
            errors.setdefault(self.name, []).append(READ_ONLY)
        return stored

    def check_bson(self, bson: Any, errors: Errors) -> None:
        """Collect what MongoEngine's own validation says of what is to be stored."""
        try:
            self.validate(bson)
        except BAD_VALUE as error:
            self._add_error(errors, error)

    def _add_error(self, errors: Errors, error: Exception) -> None:
        for where, message in messages_of(error):
            name = f"{self.name}.{self.open_name(where)}" if where and not self.declared.hidden else self.name
            errors.setdefault(name, []).append(self.expected_at(where) if message is None else message)

    @cached_property
    def expected(self) -> str:
        """What is said of a value that MongoEngine refuses: what the model asks for."""
        return expected_choice(self.declared) if self.declared.choices else self._expected()

    def _expected(self) -> str:
        return self.declared.kind.expected

    def expected_at(self, where: str) -> str:
        """Return :attr:`expected` of a place inside the field's value, by its dotted name."""
        return REFUSED if where else self.expected

    def openly(self, messages: Sequence[str], value: Any) -> Sequence[str]:
        """Return messages as clients may be told them: those of a write-only field do not repeat its value."""
        if not self.declared.write_only:
            return messages
        return [each if each == self.expected else without_echo(each, value) for each in messages]

    def require(self, bson: Any, before: Any = None) -> None:
        """Refuse bson that the model does not accept.

        :param before: what it takes the place of: items of a list that were in it before are not judged again.
        :raises bzz.errors.Invalid: naming what is wrong.
        """
        errors: Errors = {}
        self.check_bson(bson, errors)
        if isinstance(bson, list) and isinstance(before, list):
            known = {id(each) for each in before}
            old = {str(position) for position, each in enumerate(bson) if id(each) in known}
            errors = {where: told for where, told in errors.items() if old.isdisjoint(where.split(".")[1:2])}
        if errors:
            raise Invalid(errors)

    def validate(self, bson: Any) -> None:
        """Run the checks that the model declares for this field.

        :raises mongoengine.ValidationError: where one fails.
        """
        if bson is None:
            if self.declared.required and not self.declared.has_default:
                raise me.ValidationError(REQUIRED)
        elif not (self.is_accepted(bson) or self.is_validated_by_itself):
            self._validate_stored(bson)

    def _validate_stored(self, bson: Any) -> None:
        internals.validate(self.source, self.to_attribute(bson))

    @cached_property
    def is_accepted(self) -> Check:
        """Whether MongoEngine need not be asked about bson."""
        return fast_check(self.source) or _never

    @cached_property
    def is_validated_by_itself(self) -> bool:
        """Whether the checks bring code of the model's own, or ask the database: they are for a worker thread."""
        return False

    def refusals(self, value: Any) -> Iterator[Refusal]:
        """What the field says against a value before anybody knows whether all that the document needs is there.

        Names begin inside the value, and are empty where it is meant itself. Emptiness is judged as something missing.
        """
        if value is None or isinstance(value, Unchanged) or value in ([], {}):
            return iter(())
        if not self.declared.write_only:
            return self._refusals(value)
        return ((where, told) for where, message in self._refusals(value) for told in self.openly([message], value))

    def _refusals(self, value: Any) -> Iterator[Refusal]:
        if isinstance(value, dict) and self.is_patched:
            return  # a merge patch is checked when it is merged
        errors: Errors = {}
        self.check(value, errors)
        for where, messages in errors.items():
            for message in messages:
                yield where.removeprefix(self.name).removeprefix("."), message

    def open_name(self, where: str) -> str:
        """The dotted name of a place inside the field's value, as clients may know it: hidden fields are ``*``."""
        return where

    # -- what a client may not write

    def keep(self, bson: Any, stored: Any) -> Any:
        """Return ``stored`` where clients are shown the same of it as of ``bson``; else ``bson``."""
        return bson if stored is None or not self.shows_same(bson, stored) else stored

    def shows_same(self, bson: Any, stored: Any) -> bool:
        """Whether clients are shown the same of two stored values."""
        return bson is stored or dumps(self.to_json(bson)) == dumps(self.to_json(stored))


def below(name: str, refused: Iterator[Refusal]) -> Iterator[Refusal]:
    """Return refusals of something inside a value, named from that value on."""
    for where, message in refused:
        yield f"{name}.{where}" if where else name, message


def _never(bson: Any) -> bool:
    return False
