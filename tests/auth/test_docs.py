"""The code in the manual pages about authentication and mock APIs runs as printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bzz import signals
from bzz.mock.file import routes_from

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("page", "count"), [("auth.md", 8), ("mock.md", 2)])
def test_the_python_of_a_page_runs_from_top_to_bottom(page: str, count: int) -> None:
    found = blocks(page, "python")
    assert len(found) == count
    namespace: dict[str, Any] = {}
    for block in found:
        exec(compile(block, page, "exec"), namespace)
    for signal, receiver in (("authorized_user", "check"), ("unauthorized_user", "refused")):
        if receiver in namespace:
            getattr(signals, signal).disconnect(namespace[receiver])
    if "details" in namespace:
        signals.pre_get_user_details.disconnect(namespace["details"], sender="google")
    assert "bzz" in namespace


def test_the_yaml_of_the_mock_page_is_a_table(tmp_path: Path) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(blocks("mock.md", "yaml")[0])
    assert routes_from(file)
