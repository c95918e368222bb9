"""Pages for people: ``GET`` of a model's URLs with ``Accept: text/html`` shows what they hold, and forms to change it.

The way of a page: the handler reads what its JSON twin would answer; :mod:`~bzz.explorer.list_page` or
:mod:`~bzz.explorer.document_page` lays it out by the shape of the model; :mod:`~bzz.explorer.rendering` fills a
template. No page reads anything that a client of the API could not read.
"""

from bzz.explorer.insight import configure
from bzz.explorer.representation import Explorer

__all__ = ["Explorer", "configure"]
