"""The rows of a mock table from an OpenAPI 3.0 or 3.1 document (https://spec.openapis.org/oas/latest.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from bzz.codec import dumps, loads
from bzz.errors import BadRequest, ConfigurationError
from bzz.extras import needs
from bzz.mock.answer import Answer, read_answer
from bzz.mock.document import read_document
from bzz.mock.example import Examples
from bzz.mock.prefer import Choice
from bzz.mock.table import METHODS

with needs("mock"):
    import jsonref

__all__ = ["rows_of"]

MockRow = tuple[str, str, Choice]


def rows_of(source: str | PathLike[str] | Mapping[str, Any]) -> list[MockRow]:
    """Return one row for each operation. Paths without parameters come first, as the specification requires.

    :param source: the path of a YAML or JSON file, or the document itself.
    :raises bzz.errors.ConfigurationError: if the file cannot be read, is not OpenAPI 3, has no operations, or has a
        reference that cannot be resolved.
    """
    paths = _resolved(source).get("paths") or {}
    if not isinstance(paths, Mapping):
        raise ConfigurationError("'paths' of the OpenAPI document is no mapping")
    known = sorted((path for path in paths if str(path).startswith("/")), key=_concrete_first)
    operations = _Operations()
    rows = [row for path in known for row in operations.rows_of(path, paths[path])]
    if not rows:
        raise ConfigurationError("the OpenAPI document has no operations: nothing like 'paths: {/pets: {get: ...}}'")
    return rows


def _resolved(source: str | PathLike[str] | Mapping[str, Any]) -> Mapping[str, Any]:
    base = "" if isinstance(source, Mapping) else Path(source).resolve().as_uri()
    document = source if isinstance(source, Mapping) else read_document(Path(source))
    version = document.get("openapi") if isinstance(document, Mapping) else None
    if not str(version).startswith("3."):
        raise ConfigurationError("this is no OpenAPI 3 document: it has no 'openapi: 3...' at its top")
    try:
        resolved: Mapping[str, Any] = jsonref.replace_refs(
            document, base_uri=base, loader=_load, proxies=False, lazy_load=False
        )
    except jsonref.JsonRefError as error:
        raise ConfigurationError(f"a reference leads nowhere: {error.message}") from None
    return resolved


def _load(uri: str) -> Any:
    address = urlsplit(uri)
    if address.scheme != "file":
        raise ConfigurationError(f"{uri} is not fetched; bundle the document into files")
    return read_document(Path(url2pathname(unquote(address.path))))


def _concrete_first(path: str) -> list[bool]:
    return ["{" in part for part in path.split("/")]


@dataclass(frozen=True)
class _Operations:
    """The operations of one document, which share the examples of its schemas."""

    examples: Examples = field(default_factory=Examples)

    def rows_of(self, path: str, item: Any) -> Iterator[MockRow]:
        """Yield the rows of the path item at ``path``."""
        if not isinstance(item, Mapping):
            raise ConfigurationError(f"{path} of the OpenAPI document is malformed: it is no mapping of methods")
        for method in METHODS:
            operation = item.get(method.lower())
            if operation is not None:
                yield method, _regex(path), self._checked_choice(f"{method} {path}", operation)

    def _checked_choice(self, name: str, operation: Mapping[str, Any]) -> Choice:
        try:
            return self._choice(name, operation)
        except (AttributeError, TypeError, ValueError) as error:
            raise ConfigurationError(f"{name} of the OpenAPI document is malformed: {error}") from None

    def _choice(self, name: str, operation: Mapping[str, Any]) -> Choice:
        responses = {str(status).upper(): each for status, each in (operation.get("responses") or {}).items()}
        usual_first = sorted(responses, key=_preference)
        answers = {status: self._answers(f"{name} {status}", status, responses[status]) for status in usual_first}
        return Choice(answers or {"200": {"": Answer()}})

    def _answers(self, where: str, status: str, response: Mapping[str, Any]) -> dict[str, Answer]:
        """Return the answers of ``response`` by the name of their example, the default one by the empty name."""
        headers = {
            name: self._header(f"{where}, header {name}", each)
            for name, each in (response.get("headers") or {}).items()
        }
        options: dict[str, Any] = {
            "status": _number(status),
            "headers": {name: value for name, value in headers.items() if value},
        }
        content = response.get("content") or {}
        if not content:
            return {"": _read(options)}
        media_type = next((each for each in content if _is_json(each)), next(iter(content)))
        options["headers"]["Content-Type"] = media_type if "*" not in media_type else "application/octet-stream"
        media = content[media_type] or {}
        examples = {"": self._example(where, media), **_named(media)}
        return {name: _read({**options, "body": _body(media_type, each)}) for name, each in examples.items()}

    def _example(self, where: str, media: Mapping[str, Any]) -> Any:
        if "example" in media:
            return media["example"]
        for example in _named(media).values():
            return example
        return self.examples.of(media.get("schema"), where)

    def _header(self, where: str, header: Mapping[str, Any]) -> str:
        value = self._example(where, header)
        return "" if value is None or isinstance(value, (dict, list)) else str(value).strip()


def _regex(path: str) -> str:
    parts = re.split(r"(\{[^}]*\})", path)
    return "".join("([^/]+)" if part.startswith("{") else re.escape(part) for part in parts)


def _read(options: dict[str, Any]) -> Answer:
    return read_answer(options, re.compile(""))


def _preference(status: str) -> tuple[bool, bool, str]:
    """Sort successes before the default before errors, lower numbers first, a range after the numbers in it."""
    return not status.startswith("2"), status != "DEFAULT", status


def _number(status: str) -> int:
    return 200 if status == "DEFAULT" else int(status.replace("X", "0"))


def _is_json(media_type: str) -> bool:
    name = media_type.partition(";")[0].strip().lower()
    return name == "application/json" or name.endswith("+json")


def _body(media_type: str, example: Any) -> bytes:
    if isinstance(example, str) and not (_is_json(media_type) and not _holds_json(example)):
        return example.encode()
    return dumps(example)


def _holds_json(text: str) -> bool:
    """Return whether ``text`` is a JSON object or array as a string, as some documents write their examples."""
    try:
        return isinstance(loads(text.encode()), (dict, list))
    except BadRequest:
        return False


def _named(media: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): each["value"] for name, each in (media.get("examples") or {}).items() if "value" in each}
