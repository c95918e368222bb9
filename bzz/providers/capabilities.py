"""What feeds and durable listeners need of a provider is looked at when they are asked for."""

from __future__ import annotations

from bzz.errors import ConfigurationError
from bzz.providers.base import Provider
from bzz.providers.changes import ChangeCapability, LiveProvider

__all__ = ["require"]


def require(provider: Provider, what: str, *needed: ChangeCapability) -> LiveProvider:
    """Return the provider, which can do all of this.

    :param what: needs it, for people.
    :raises bzz.errors.ConfigurationError: if it states less, with the remedy.
    """
    stated = provider.capabilities if isinstance(provider, LiveProvider) else frozenset()
    lacking = sorted(set(needed) - stated)
    if lacking or not isinstance(provider, LiveProvider):
        raise ConfigurationError(
            f"{what} needs a provider with the capability {' and '.join(map(repr, lacking))}, which"
            f" {type(provider).__name__} does not state: leave {what} out, or take another provider"
        )
    return provider
