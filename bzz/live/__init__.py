"""Live feeds: ``GET`` of a list with ``Accept: text/event-stream`` is that list, and then every change of it.

The way of a change: the database tells it to the provider's :class:`~bzz.providers.changes.Changes`; the
:mod:`~bzz.live.hub`, one for each database, has it judged by all scopes at once and tells each
:mod:`~bzz.live.audience`; its :mod:`~bzz.live.channel` makes the frames, once for all who see the same; a
:mod:`~bzz.live.subscription` keeps them until a :mod:`~bzz.live.client` has read them.
"""
