"""Durable delivery: every stored change reaches its listeners. :func:`bzz.webhook` sends it to another server.

The way of a webhook: :mod:`~bzz.delivery.listener` calls it with an event, again and again until it returns;
:mod:`~bzz.delivery.payload` makes the body, :mod:`~bzz.delivery.signature` signs it, :mod:`~bzz.delivery.attempt` posts
it to an address that :mod:`~bzz.delivery.resolver` lets through, and :mod:`~bzz.delivery.answer` says what the answer
means.
"""
