"""The committed changes of a MongoDB database, for those who follow them: see :mod:`bzz.providers.changes`."""
