"""Decimals that are stored as text are never compared in the order of texts."""

from __future__ import annotations

import mongoengine as me
import pytest

from tests.rest.conftest import Api


class Coin(me.EmbeddedDocument):
    worth = me.DecimalField(force_string=True)


class CoinPurse(me.Document):
    total = me.DecimalField(force_string=True, db_field="t")
    coins = me.EmbeddedDocumentListField(Coin)


@pytest.fixture
def purses(database_name: str) -> None:
    for total in ("9", "10", "-1"):
        CoinPurse(total=total, coins=[Coin(worth=total)]).save()


@pytest.mark.parametrize("query", ["total=10", "total=10.00", "total__in=10,11", "coins.worth=10"])
async def test_what_is_found_is_found_by_number(alone: Api, purses: None, query: str) -> None:
    answer = await alone(CoinPurse).get(f"/coin_purse/?{query}")
    assert [each["total"] for each in answer.json()] == ["10.00"]


@pytest.mark.parametrize("query", ["total__gt=9", "total__lte=9", "coins.worth__lt=9", "sort=total", "sort=-total"])
async def test_an_order_of_texts_is_refused_by_name(alone: Api, purses: None, query: str) -> None:
    answer = await alone(CoinPurse).get(f"/coin_purse/?{query}")
    name = "coins.worth" if "coins" in query else "total"
    assert (answer.status_code, answer.json().get("detail", "").startswith(f"'{name}' is stored as text")) == (
        400,
        True,
    )
