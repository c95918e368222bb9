"""``bzz openapi`` writes the document of an application."""

from __future__ import annotations

import json

from tests.cli.running import run


def test_the_document_has_the_routes_of_the_application() -> None:
    done = run("openapi", "tests.cli.shop:make", "--title", "Shop", "--version", "2")
    assert (done.returncode, done.stderr) == (0, "")
    made = json.loads(done.stdout)
    assert (made["openapi"], made["info"]) == ("3.1.1", {"title": "Shop", "version": "2"})
    assert {"/ware/", "/ware/{id}/", "/api/supplier/"} <= set(made["paths"])


def test_the_older_version_can_be_had() -> None:
    done = run("openapi", "tests.cli.shop:make", "--3.0")
    assert json.loads(done.stdout)["openapi"].startswith("3.0.")
