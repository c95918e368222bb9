"""How many requests a client may send: see :class:`bzz.RateLimits`."""
