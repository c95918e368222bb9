"""Durable delivery: every stored change reaches its listeners. :func:`bzz.webhook` sends it to another server.

The way of a webhook: :mod:`~bzz.delivery.listener` calls it with an event, again and again until it returns;
:mod:`~bzz.delivery.webhooks.payload` makes the body, :mod:`~bzz.delivery.webhooks.signature` signs it, :mod:`~bzz.delivery.webhooks.posting` posts
it to an address that :mod:`~bzz.delivery.webhooks.resolver` lets through, and :mod:`~bzz.delivery.webhooks.answer` says what the answer
means.
"""
