"""What to try: curl lines that work as they are printed."""

from __future__ import annotations

from tornado.web import RequestHandler

__all__ = ["TourHandler", "lines"]

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
# what the model refuses
curl -d icao=XX01 -d name=Nowhere {0}/airport/"""


def lines(address: str) -> str:
    """The tour, for the API at ``address``."""
    return _TOUR.format(address)


class TourHandler(RequestHandler):
    """Shows the tour at ``/``."""

    def get(self) -> None:
        """Answer the lines, for the address by which the client came."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(lines(f"{self.request.protocol}://{self.request.host}") + "\n")
