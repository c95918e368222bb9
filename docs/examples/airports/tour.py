"""What to try: curl lines that work as they are printed, and a page for browsers."""

from __future__ import annotations

from pathlib import Path

from signin import Server
from tornado.web import RequestHandler, StaticFileHandler

from bzz.routing import RouteList

__all__ = ["lines", "routes"]

_HERE = Path(__file__).parent
_LINKS = [("Explorer", "/explorer/"), ("API", "/swagger/")]

_TOUR = """\
# one airport, its country, and a page of a list
curl {0}/airport/SBRF/
curl {0}/airport/SBRF/country/
curl '{0}/airport/?country=BR&city=Recife&fields=name,position'
curl '{0}/airport/?elevation__gte=1000&sort=-elevation&per_page=3&fields=name,elevation'
# what is nested: references, embedded documents, and what is embedded in those
curl '{0}/airline/TAM/hubs/?fields=name'
curl {0}/airline/TAM/routes/LA3345/times/0/
# changes, which this program prints with what they changed
curl -X PUT -d city=Olinda {0}/airport/SBRF/
curl -X PATCH -d departs=08:30 {0}/airline/TAM/routes/LA3345/times/0/
curl -d 'hubs[]=SBRF' {0}/airline/TAM/hubs/
curl -X DELETE {0}/airline/TAM/hubs/SBRF/
# what everybody may read, and only who signed in may write: a browser can, at {0}/
curl {0}/review/
curl {0}/auth/me/
curl -d airport=SBRF -d text=Quiet {0}/review/
# what a generator of clients reads
curl {0}/openapi.json
# what the model refuses
curl -d icao=XX01 -d name=Nowhere {0}/airport/"""


def lines(address: str) -> str:
    """The tour, for the API at ``address``."""
    return _TOUR.format(address)


def routes(server: Server) -> RouteList:
    """The routes of the page at ``/``, its style sheet and its module."""
    files = {"path": str(_HERE)}
    return RouteList([("/", PageHandler, {"server": server}), (r"/(page\.(?:css|js))", StaticFileHandler, files)])


class PageHandler(RequestHandler):
    """The page at ``/``: a map and a table that change live; sign in, write a review, sign out; and the tour."""

    def initialize(self, server: Server) -> None:
        """Called by Tornado for each request."""
        self.server = server

    def get(self) -> None:
        """Answer the page, for the address by which the browser came."""
        self.render(
            str(_HERE / "index.html"),
            server=self.server,
            links=_LINKS,
            tour=lines(f"{self.request.protocol}://{self.request.host}"),
        )
