"""Webhooks: stored changes sent to other servers, by durable listeners.

:mod:`~bzz.delivery.webhooks.payload` makes the body, :mod:`~bzz.delivery.webhooks.signature` signs it,
:mod:`~bzz.delivery.webhooks.posting` posts it, to an address that :mod:`~bzz.delivery.webhooks.resolver` lets through,
and :mod:`~bzz.delivery.webhooks.answer` says what the answer means.
"""
