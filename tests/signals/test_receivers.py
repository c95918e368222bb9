"""How receivers are called, and which mistakes in them are found when they are connected."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from bzz import signals
from bzz.errors import ConfigurationError
from bzz.signals import Signal, post_create_instance

Told = list[Any]


class User: ...


def handing_on(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def with_own_signature(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(sender: Any, instance: Any) -> Any:
        return function(instance)

    return wrapper


def adding(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(sender: Any, *, handler: Any, **kwargs: Any) -> Any:
        return function(sender, seen_by=handler, **kwargs)

    return wrapper


class Methods:
    def __init__(self, heard: Told) -> None:
        self.heard = heard

    @handing_on
    def method(self, sender: Any, instance: Any) -> None:
        self.heard.append((sender, instance))

    @handing_on
    def __call__(self, sender: Any, instance: Any) -> None:
        self.heard.append((sender, instance))


async def hears(receiver: Callable[..., Any]) -> None:
    signal = Signal("own")
    signal.connect(receiver, weak=False)
    await signal.notify("app", instance=1, handler=2)


async def test_a_decorator_with_its_own_signature_is_called_by_it() -> None:
    heard: Told = []
    await hears(with_own_signature(lambda only: heard.append(only)))
    assert heard == [1]


async def test_a_decorator_that_takes_anything_is_given_what_the_function_takes() -> None:
    heard: Told = []
    await hears(handing_on(lambda sender, instance: heard.append((sender, instance))))
    assert heard == [("app", 1)]


async def test_of_two_decorators_the_outer_one_hands_on_what_the_inner_one_takes() -> None:
    heard: Told = []
    await hears(handing_on(with_own_signature(lambda only: heard.append(only))))
    assert heard == [1]


async def test_a_decorator_may_take_an_argument_for_itself() -> None:
    heard: Told = []
    await hears(adding(lambda sender, instance, seen_by: heard.append((sender, instance, seen_by))))
    assert heard == [("app", 1, 2)]


@pytest.mark.parametrize(
    "make", [lambda each: each.method, lambda each: each, lambda each: functools.partial(each.method)]
)
async def test_methods_objects_and_partials_may_be_decorated_too(make: Callable[[Methods], Callable[..., Any]]) -> None:
    heard: Told = []
    await hears(make(Methods(heard)))
    assert heard == [("app", 1)]


def misspelt(sender: Any, instnce: Any) -> None: ...


def misspelt_beside_others(sender: Any, *, instnce: Any, **others: Any) -> None: ...


@pytest.mark.parametrize("receiver", [misspelt, misspelt_beside_others, handing_on(misspelt)])
def test_a_receiver_with_a_misspelt_argument_is_refused_when_it_is_connected(receiver: Callable[..., Any]) -> None:
    with pytest.raises(ConfigurationError, match="no argument instnce; it has instance, change, handler"):
        post_create_instance.connect(receiver)
    assert not post_create_instance.has_receivers_for(User)


def test_a_receiver_may_have_arguments_of_its_own_that_have_a_default() -> None:
    def receiver(sender: Any, instance: Any, calls: Any = None) -> None: ...

    with post_create_instance.connected_to(receiver):
        assert post_create_instance.has_receivers_for(User)


def test_a_model_signal_cannot_be_awaited_from_the_name_of_a_model() -> None:
    with pytest.raises(ConfigurationError, match="is never sent by 'User': give the model class itself"):
        post_create_instance.connect_via("User")(misspelt)


def test_an_authentication_signal_cannot_be_awaited_from_a_class() -> None:
    with pytest.raises(ConfigurationError, match="give the name of a provider"):
        signals.authorized_user.connect_via(User)(lambda sender: None)


def test_every_one_of_the_thirteen_says_what_it_is_sent_with() -> None:
    thirteen = [getattr(signals, name) for name in signals.__all__ if name != "Signal"]
    assert all(", ".join(each.arguments) in (each.__doc__ or "").replace(" (may be changed)", "") for each in thirteen)
