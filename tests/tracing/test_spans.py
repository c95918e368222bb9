"""A request is a tree of spans: what the provider was asked, the events that were sent, and who listened."""

from __future__ import annotations

import httpx
import mongoengine as me
from opentelemetry.trace import SpanKind, StatusCode
from tornado.web import Application

import bzz
from bzz.delivery.history.declaring import forget_history
from bzz.problem import AROUND
from tests.conftest import Serve
from tests.tracing.conftest import Traced

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Spanned(me.Document):
    name = me.StringField()


def served(serve: Serve, traced: Traced) -> httpx.AsyncClient:
    return serve(bzz.ModelHive.routes_for("mongoengine", Spanned), traced)


async def test_a_request_is_a_span_named_by_the_template_of_its_route(
    serve: Serve, traced: Traced, database_name: str
) -> None:
    client = served(serve, traced)
    created = await client.post("/spanned/", json={"name": "a"})
    answer = await client.get(created.headers["Location"])
    span = traced.spans()["GET /spanned/{id}/"]
    assert span.kind is SpanKind.SERVER
    assert span.attributes["http.route"] == "/spanned/{id}/"
    assert span.attributes["http.response.status_code"] == 200
    assert span.attributes["bzz.request.id"] == answer.headers["X-Request-Id"]


async def test_the_span_of_a_query_has_its_name(serve: Serve, traced: Traced, database_name: str) -> None:
    body = {"filter": {"not": {"name": "a"}}}
    answer = await served(serve, traced).request("QUERY", "/spanned/", json=body)
    assert (answer.status_code, traced.spans()["QUERY /spanned/"].attributes["http.request.method"]) == (200, "QUERY")


async def test_a_request_goes_on_with_the_trace_of_its_client(serve: Serve, traced: Traced, database_name: str) -> None:
    await served(serve, traced).get("/spanned/", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
    span = traced.spans()["GET /spanned/"]
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, PARENT)


async def test_a_traceparent_that_is_none_begins_a_new_trace(serve: Serve, traced: Traced, database_name: str) -> None:
    answer = await served(serve, traced).get("/spanned/", headers={"traceparent": "00-zz-?"})
    assert answer.status_code == 200
    assert traced.spans()["GET /spanned/"].parent is None


async def test_what_the_provider_is_asked_is_a_span_below_the_request(
    serve: Serve, traced: Traced, database_name: str
) -> None:
    await served(serve, traced).post("/spanned/", json={"name": "a"})
    spans = traced.spans()
    assert spans["MongoEngineProvider.create"].parent == spans["POST /spanned/"].context


async def test_a_listener_is_a_span_below_its_event_and_that_below_the_request(
    serve: Serve, traced: Traced, database_name: str
) -> None:
    client = served(serve, traced)

    @bzz.on("Spanned.created")
    async def work(event: bzz.Event) -> None: ...

    await client.post("/spanned/", json={"name": "a"})
    bzz.off(work)
    spans = traced.spans()
    listener = spans[f"Spanned.created -> {__name__}.{work.__qualname__}"]
    assert listener.parent == spans["Spanned.created"].context
    assert spans["Spanned.created"].parent == spans["POST /spanned/"].context


async def test_what_a_client_is_refused_is_no_error_of_the_span(
    serve: Serve, traced: Traced, database_name: str
) -> None:
    await served(serve, traced).get("/spanned/000000000000000000000000/")
    spans = traced.spans()
    assert spans["GET /spanned/{id}/"].status.status_code is StatusCode.UNSET
    assert spans["MongoEngineProvider.get"].status.status_code is StatusCode.UNSET


async def test_a_failure_is_an_error_of_the_span(serve: Serve, traced: Traced, database_name: str) -> None:
    def broken(*_: object) -> bool:
        raise RuntimeError

    client = serve(bzz.ModelHive.routes_for("mongoengine", Spanned, authorize=broken), traced)
    assert (await client.get("/spanned/")).status_code == 500
    assert traced.spans()["GET /spanned/"].status.status_code is StatusCode.ERROR


async def test_an_application_that_is_traced_twice_has_one_span_for_an_event(traced: Traced) -> None:
    app = Application()
    traced(app)
    traced(app)
    await bzz.emit("spanned.twice")
    assert [each.name for each in traced.exporter.get_finished_spans()] == ["spanned.twice"]
    assert app.settings[AROUND] is not None


async def test_a_traced_request_can_do_all_that_others_can(serve: Serve, traced: Traced, database_name: str) -> None:
    client = served(serve, traced)
    answers = [await client.post("/spanned/", json={"name": "a"}, headers={"Idempotency-Key": "1"}) for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


async def test_the_history_of_a_traced_application_is_shown(serve: Serve, traced: Traced, database_name: str) -> None:
    bzz.history(Spanned)
    try:
        models = bzz.ModelHive.routes_for("mongoengine", Spanned)
        client = serve(bzz.flatten([bzz.HistoryHive.routes_for(models), models]), traced)
        document = Spanned(name="a").save()
        answer = await client.get(f"/spanned/{document.pk}/history/")
    finally:
        forget_history(Spanned)
    assert answer.status_code == 200, answer.text


class SpannedByRules(me.Document):
    name = me.StringField()


bzz.rules(SpannedByRules, allow="anyone", fields={"name": {"read": "anyone"}})


async def test_what_the_provider_is_asked_is_a_span_where_there_are_rules(
    serve: Serve, traced: Traced, database_name: str
) -> None:
    client = serve(bzz.ModelHive.routes_for("mongoengine", SpannedByRules), traced)
    assert (await client.post("/spanned_by_rules/", json={"name": "a"})).status_code == 201
    spans = traced.spans()
    assert spans["MongoEngineProvider.create"].parent == spans["POST /spanned_by_rules/"].context
