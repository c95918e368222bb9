"""Histories of documents: what changed, from what to what, when, and who did it.

=============  =====================================================================================================
``declaring``  what an application declares: :func:`~bzz.delivery.history.declaring.history`
``recorder``   makes entries of changes
``digest``     by what an entry and the note of who wrote it find each other
``who``        the name of a user
``writers``    notes who wrote, in the process that has written
``visible``    what these routes show of a change
``reading``    the entries of one document, as a request may see them
``undoing``    the body that undoes a change, and whether it does
``hive``       the routes
``handlers``   their answers
``operations`` and how an OpenAPI document describes these
=============  =====================================================================================================
"""
