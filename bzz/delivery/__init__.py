"""Durable delivery: every stored change reaches its listener, in order, whatever dies.

A change that MongoDB has stored by majority is handled by each listener that wants it, or is in the dead letters. It
comes from the change stream, so it does not matter who wrote it. Read in this order:

===============  ===================================================================================================
``listener``     what an application declares: :func:`~bzz.delivery.listener.durable`
``source``       the models that a listener wants, and where their changes come from
``running``      has the listeners of the process run, while an application is served
``owner``        shares the partitions of one listener with other processes
``session``      follows the changes of some partitions, and hands them over
``lanes``        keeps the order of each document, and the number of calls at a time
``attempt``      calls the listener with the events of one change
``own_writes``   knows which changes the requests of this process have made
``mailbox``      puts away what could not be handled, and tries it again
``tracker``      how far a partition has come
===============  ===================================================================================================
"""

from __future__ import annotations

from bzz.delivery.listener import RetryLater, SwitchOff

__all__ = ["RetryLater", "SwitchOff"]
