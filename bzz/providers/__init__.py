"""Where models come from: :mod:`bzz.providers.base` is the seam, each package beside it one ORM."""
