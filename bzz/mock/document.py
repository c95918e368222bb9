"""Files in YAML or JSON, read as JSON types by the JSON schema of YAML 1.2; anything else is a string.

YAML 1.1 would read ``NO`` as false, ``12:30`` as a number and ``2026-01-31`` as a date.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from bzz.errors import ConfigurationError
from bzz.extras import needs

with needs("mock"):
    import yaml
    from yaml.constructor import ConstructorError
    from yaml.nodes import MappingNode, ScalarNode

__all__ = ["read_document"]

_TAG = "tag:yaml.org,2002:"


def read_document(path: Path) -> Any:
    """Return the value in the YAML or JSON file at ``path``.

    :raises bzz.errors.ConfigurationError: if it cannot be read, or holds what JSON does not have, with line and column.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is neither YAML nor JSON: it is not UTF-8") from None
    try:
        return _json(text) if text.lstrip().startswith(("{", "[")) else _yaml(text)
    except ConstructorError as error:
        raise ConfigurationError(f"{path}, {_place(error)}: {error.problem}") from None
    except yaml.MarkedYAMLError as error:
        raise ConfigurationError(f"{path} is neither YAML nor JSON: {_place(error)}: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigurationError(f"{path} is neither YAML nor JSON: {error}") from None


def _json(text: str) -> Any:
    """Parse JSON, which YAML's parser would read slowly, and refuse if it is indented by tabs."""
    try:
        return json.loads(text, object_pairs_hook=_without_repeated_keys, parse_constant=_refuse_constant)
    except json.JSONDecodeError:  # YAML may start with a brace too
        return _yaml(text)


def _without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} is there twice")
    return made


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number in JSON")


def _yaml(text: str) -> Any:
    return yaml.load(text, _Loader)


def _place(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark
    return "somewhere" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}"


class _Loader(yaml.SafeLoader):
    """PyYAML's parser with the tags and scalars of JSON only."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  # PyYAML's own way

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of ``node``, whose keys must be different strings.

        :raises yaml.constructor.ConstructorError: if they are not; it has their place.
        """
        seen = set()
        for key, _ in node.value:
            if key.tag == f"{_TAG}merge":
                continue
            if not isinstance(key, ScalarNode) or key.tag != f"{_TAG}str":
                shown = f" {key.value}" if isinstance(key, ScalarNode) else ""
                raise ConstructorError(
                    None, None, f"the key{shown} is no text; write it in quotes, '{shown.strip()}'", key.start_mark
                )
            if key.value in seen:
                raise ConstructorError(None, None, f"the key {key.value!r} is there twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_whole(self, node: Any) -> int:
        """Return an integer. ``0o17`` and ``0x1f`` are read too, and ``017`` is seventeen."""
        return int(node.value, 0) if node.value[:2] in ("0o", "0x") else int(node.value)


for _name, _pattern, _first in (
    ("null", "~|null|Null|NULL|", "~nN\0"),
    ("bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", "[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", "<<", "<"),
):
    _firsts = ["" if each == "\0" else each for each in _first]
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(f"^(?:{_pattern})$"), _firsts)

_constructors: dict[str | None, Any] = {
    f"{_TAG}null": yaml.SafeLoader.construct_yaml_null,
    f"{_TAG}bool": yaml.SafeLoader.construct_yaml_bool,
    f"{_TAG}int": _Loader.construct_whole,
    f"{_TAG}float": lambda loader, node: float(node.value),
    f"{_TAG}str": yaml.SafeLoader.construct_yaml_str,
    f"{_TAG}seq": yaml.SafeLoader.construct_yaml_seq,
    f"{_TAG}map": yaml.SafeLoader.construct_yaml_map,
    None: yaml.SafeLoader.construct_undefined,
}
_Loader.yaml_constructors = _constructors
