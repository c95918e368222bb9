"""A second provider, over SQLite: flat instances in tables, and all else from what stands above providers.

It is here to show that those modules know no MongoDB: whatever a provider of another kind would have to repeat of
them, it would have to repeat here.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Self

from bzz.change import Diff
from bzz.errors import ConfigurationError, Conflict, Invalid
from bzz.providers import merge_patch
from bzz.providers.base import (
    AllOf,
    Changed,
    Condition,
    Criterion,
    Filter,
    ListQuery,
    Not,
    Options,
    Page,
    Path,
    Precondition,
    Provider,
    Record,
    Unchanged,
    Written,
)
from bzz.providers.compare_and_set import Conditions, compare_and_set
from bzz.providers.diff import FieldPair, Masked, diff
from bzz.providers.missing import Missing
from bzz.providers.paging import Beyond, Key, Listing, beyond, read_page, total_order
from bzz.providers.records import Edited, StoredRecord, changed, created, deleted
from bzz.providers.value_checks import require_declared, require_ids, split_ids
from bzz.shape import Field, Kind, Shape
from bzz.shape.operators import Operator

__all__ = ["Row", "SQLiteProvider", "Table"]

Row = dict[str, Any]
"""What is stored of an instance: the values of its columns."""


class Table:
    """The base of models. An instance has what its row holds as attributes.

    :cvar kinds: what each column holds, by name. ``id`` is the primary key.
    """

    kinds: ClassVar[Mapping[str, Kind]]
    required: ClassVar[frozenset[str]] = frozenset()
    unique: ClassVar[frozenset[str]] = frozenset()
    write_only: ClassVar[frozenset[str]] = frozenset()
    least: ClassVar[Mapping[str, int]] = {}
    defaults: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, row: Row) -> None:
        self.__dict__.update(row)


_READERS: dict[str, Callable[[Any], Any]] = {
    "BooleanKind": bool,
    "DateTimeKind": datetime.fromisoformat,
    "MapKind": json.loads,
}
"""What makes a value of what SQLite holds, by kind; the others are held as they are."""


class Column:
    """One column: how its values are stored and compared."""

    item = None

    def __init__(self, declared: Field) -> None:
        self.declared = declared

    def to_row(self, value: Any) -> Any:
        """Return what SQLite holds of a value."""
        if isinstance(value, dict):
            return json.dumps(value)
        return value.isoformat(sep=" ", timespec="milliseconds") if isinstance(value, datetime) else value

    def from_row(self, stored: Any) -> Any:
        """Return the value of what SQLite holds."""
        convert = _READERS.get(type(self.declared.kind).__name__)
        return stored if stored is None or convert is None else convert(stored)

    def differs(self, old: Any, new: Any) -> bool:
        return bool(old != new)

    def report(self, old: Any, new: Any) -> tuple[Any, Any]:
        return old, new

    def embedded_pairs(self, old: Any, new: Any) -> None:
        return None

    def identity(self, stored: Any) -> None:
        return None


class RowCodec:
    """Converts rows: what is stored of an instance is already in values."""

    inherits = has_custom_json = False

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def variant(self, row: Row) -> Self:
        return self

    def key_of(self, row: Row) -> Any:
        return row["id"]

    def to_json(self, row: Row) -> Row:
        return {name: row[name] for name in self.shape.visible}

    def changed_json(self, instance: Any, row: Row) -> Row:
        return self.to_json(vars(instance))

    def load(self, row: Row) -> Any:
        return self.shape.model(row)


class RowRecord(StoredRecord[RowCodec]):
    """A row."""

    @property
    def key(self) -> Any:
        return self.raw["id"]

    def is_same(self, other: Record) -> bool:
        return isinstance(other, RowRecord) and bool(other.raw == self.raw)

    def compare(self, before: RowRecord | None, after: RowRecord | None, *, by_item: bool = False) -> Diff:
        old, new = (dict.fromkeys(self.raw) if each is None else each.raw for each in (before, after))
        columns = {name: Column(field) for name, field in self.codec.shape.fields.items()}
        compared = {name: Masked(each) if each.declared.write_only else each for name, each in columns.items()}
        pairs = (FieldPair(name, compared[name], old[name], new[name]) for name in old)
        return diff((each for each in pairs if each.old != each.new), by_item=by_item)


class SQLiteProvider(Provider):
    """Keeps the instances of a model in a table of ``options.database``, a :class:`sqlite3.Connection`."""

    combines = True

    def __init__(self, model: type, options: Options) -> None:
        if not issubclass(model, Table):
            raise ConfigurationError(f"{model!r} is no Table")
        unknown = {*options.hidden, *options.read_only} - model.kinds.keys()
        if unknown:
            raise ConfigurationError(f"no such fields: {sorted(unknown)}")
        fields = {
            name: Field(
                name,
                kind,
                required=name in model.required,
                has_default=name in model.defaults,
                hidden=name in options.hidden,
                write_only=name in model.write_only,
                read_only=name in options.read_only,
            )
            for name, kind in model.kinds.items()
        }
        self.shape = Shape(model.__name__, model, fields, fields["id"], fields["id"])
        self.codec = RowCodec(self.shape)
        self.model: Any = model
        self.columns = {name: Column(field) for name, field in fields.items()}
        self.database: sqlite3.Connection = options.database
        if options.database is not None:
            columns = ", ".join(f"{each} UNIQUE" if each in model.unique else each for each in fields if each != "id")
            self.database.execute(f"CREATE TABLE IF NOT EXISTS {self.name} (id INTEGER PRIMARY KEY, {columns})")

    @property
    def name(self) -> str:
        """The name of the table."""
        return self.shape.name

    def record(self, stored: Sequence[Any]) -> RowRecord:
        """Return the record of what SQLite gives."""
        pairs = zip(self.columns.items(), stored, strict=True)
        return RowRecord(self.codec, {name: column.from_row(each) for (name, column), each in pairs})

    def check(self, shape: Shape, values: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
        least = self.model.least
        given = {name: each for name, each in values.items() if name in least and isinstance(each, int)}
        return {self._open_name(name): ["Too small."] for name, each in given.items() if each < least[name]}

    def _open_name(self, name: str) -> str:
        return "*" if self.shape.fields[name].hidden else name

    def _whole(self, row: Row) -> Row:
        missing = [self._open_name(name) for name in self.model.required if row.get(name) is None]
        errors: dict[str, Sequence[str]] = {name: ["This field is required."] for name in missing}
        errors.update(self.check(self.shape, row))
        if errors:
            raise Invalid(errors)
        return row

    # -- reading

    async def get(self, path: Path, context: Any) -> RowRecord:
        await asyncio.sleep(0)  # as a driver gives way to others
        columns = ", ".join(self.columns)
        query = f"SELECT {columns} FROM {self.name} WHERE id = ?"
        found = self.database.execute(query, [path.last.key]).fetchone()
        if found is None:
            raise Missing(path.last)
        return self.record(found)

    async def page(self, path: Path, query: ListQuery, context: Any) -> Page:
        return await read_page(TableListing(self, query), query)

    async def render(self, items: Sequence[Any]) -> list[Any]:
        return [
            each.show() if isinstance(each, RowRecord) else RowRecord(self.codec, vars(each)).show() for each in items
        ]

    # -- writing

    def _write(self, query: str, row: Row, *more: Any) -> sqlite3.Cursor:
        values = [self.columns[name].to_row(each) for name, each in row.items()]
        try:
            return self.database.execute(query, [*values, *more])
        except sqlite3.IntegrityError as error:
            name = self._open_name(str(error).rpartition(".")[2])
            raise Conflict("A unique value is taken.", errors={name: ["The value is taken."]}) from error

    async def create(self, path: Path, values: Mapping[str, Any], context: Any) -> Written:
        row = self._whole({**dict.fromkeys(self.columns), **self.model.defaults, **values})
        marks = ", ".join("?" * len(row))
        cursor = self._write(f"INSERT INTO {self.name} ({', '.join(row)}) VALUES ({marks})", row)
        return created(RowRecord(self.codec, {**row, "id": cursor.lastrowid}))

    async def update(
        self,
        path: Path,
        values: Mapping[str, Any],
        context: Any,
        *,
        merge: bool = False,
        precondition: Precondition | None = None,
        expected: Record | None = None,
    ) -> Changed:
        require_declared(self.shape, values)
        ids, values = split_ids(self.shape, values)
        conditions = Conditions(precondition, expected)

        async def write(found: RowRecord, attempt: int) -> Edited[RowRecord] | None:
            conditions.require(found)
            require_ids(ids, found.raw)
            after = RowRecord(self.codec, self._after(found.raw, values, merge))
            return Edited(found, after) if self._replace(found.raw, after.raw) else None

        async def read() -> RowRecord:
            return await self.get(path, context)

        return changed(*await compare_and_set((self.name, path.last.key), await read(), read, write))

    def _after(self, row: Row, values: Mapping[str, Any], merge: bool) -> Row:
        after = dict(row)
        for name, value in values.items():
            if isinstance(value, Unchanged):
                if value.value != row[name]:
                    raise Invalid({name: ["This field is read-only."]})
            elif merge and isinstance(value, dict):
                after[name] = merge_patch.merged(row[name], value)
            else:
                after[name] = self.model.defaults.get(name) if value is None else value
        return self._whole(after)

    def _replace(self, before: Row, after: Row) -> bool:
        """Store a row in the place of another, if that is what is there."""
        sets = ", ".join(f"{name} = ?" for name in after)
        same, values = self._same(before)
        return self._write(f"UPDATE {self.name} SET {sets} WHERE {same}", after, *values).rowcount == 1

    def _same(self, row: Row) -> tuple[str, list[Any]]:
        return " AND ".join(f"{name} IS ?" for name in row), [self.columns[key].to_row(row[key]) for key in row]

    def preview(self, record: Record, values: Mapping[str, Any], *, merge: bool = False) -> Diff:
        assert isinstance(record, RowRecord)
        _, values = split_ids(self.shape, values)
        return record.compare(record, RowRecord(self.codec, self._after(record.raw, values, merge)))

    async def delete(
        self,
        path: Path,
        context: Any,
        *,
        precondition: Precondition | None = None,
        expected: Record | None = None,
    ) -> Written:
        conditions = Conditions(precondition, expected)

        async def write(found: RowRecord, attempt: int) -> RowRecord | None:
            conditions.require(found)
            same, values = self._same(found.raw)
            gone = self.database.execute(f"DELETE FROM {self.name} WHERE {same}", values)
            return found if gone.rowcount else None

        async def read() -> RowRecord:
            return await self.get(path, context)

        return deleted(await compare_and_set((self.name, path.last.key), await read(), read, write))

    async def link(self, path: Path, keys: Sequence[Any], context: Any) -> list[Written]:
        raise NotImplementedError  # its models have no references


class TableListing(Listing[Sequence[Any]]):
    """The rows of a table that filters let through."""

    def __init__(self, provider: SQLiteProvider, query: ListQuery) -> None:
        self.order = total_order([Key(each.path, -1 if each.descending else 1) for each in query.sort], "id")
        self._provider = provider
        self._where = [self._filter(each) for each in query.filters]

    def _filter(self, wanted: Criterion) -> tuple[str, list[Any]]:
        if isinstance(wanted, Not):
            sql, values = self._filter(wanted.of)
            return f"NOT coalesce({sql}, 0)", values  # what compares with NULL is neither true nor false
        if not isinstance(wanted, Filter):
            inner = [self._filter(each) for each in wanted.of]
            word = " AND " if isinstance(wanted, AllOf) else " OR "
            return f"({word.join(sql for sql, _ in inner)})", [value for _, values in inner for value in values]
        found = [self._condition(wanted.path, each) for each in wanted.any_of]
        return f"({' OR '.join(sql for sql, _ in found)})", [value for _, values in found for value in values]

    def _condition(self, name: str, condition: Condition) -> tuple[str, list[Any]]:
        to_row, value = self._provider.columns[name].to_row, condition.value
        if condition.operator == "exists":
            return f"{name} IS {'NOT ' if value else ''}NULL", []
        if condition.operator in _LISTED:
            marks = ", ".join("?" * len(value))
            return _LISTED[condition.operator].format(name, marks), [to_row(each) for each in value]
        return _SQL[condition.operator].format(name), [to_row(value)]

    def _select(self, what: str, where: list[tuple[str, list[Any]]], rest: str = "") -> list[Any]:
        conditions = " AND ".join(sql for sql, _ in where) or "1"
        query = f"SELECT {what} FROM {self._provider.name} WHERE {conditions}{rest}"
        return self._provider.database.execute(query, [value for _, values in where for value in values]).fetchall()

    async def fetch(
        self, order: Sequence[Key], after: Sequence[Any] | None, *, skip: int, limit: int
    ) -> tuple[list[Sequence[Any]], bool]:
        where = self._where if after is None else [*self._where, self._beyond(list(beyond(order, after)))]
        sort = ", ".join(f"{key.path} {'ASC' if key.direction > 0 else 'DESC'}" for key in order)
        rest = f" ORDER BY {sort} LIMIT {limit} OFFSET {skip}"
        return self._select(", ".join(self._provider.columns), where, rest), False

    def _beyond(self, ways: list[Beyond]) -> tuple[str, list[Any]]:
        """SQLite sorts null first."""
        found, values = [], []
        for way in ways:
            same = [f"{path} IS ?" for path, _ in way.same]
            path, ascends = way.key.path, way.key.direction > 0
            if way.value is None:
                later = f"{path} IS NOT NULL" if ascends else "0"
            else:
                later = f"{path} > ?" if ascends else f"({path} < ? OR {path} IS NULL)"
            found.append(" AND ".join([*same, later]))
            values += [value for _, value in way.same] + ([] if way.value is None else [way.value])
        return f"({' OR '.join(found)})", values

    async def count(self) -> int:
        return int(self._select("COUNT(*)", self._where)[0][0])

    def record(self, row: Sequence[Any]) -> RowRecord:
        return self._provider.record(row)

    def dump(self, row: Sequence[Any]) -> bytes:
        stored = dict(zip(self._provider.columns, row, strict=True))
        return json.dumps([stored[key.path] for key in self.order]).encode()

    def load(self, dumped: bytes) -> list[Any]:
        values = json.loads(dumped)
        if not isinstance(values, list) or len(values) != len(self.order):
            raise ValueError("not the sort values of this order")
        return values


_LISTED: dict[Operator, str] = {"in": "{0} IN ({1})", "nin": "({0} NOT IN ({1}) OR {0} IS NULL)"}
_SQL: dict[Operator, str] = {
    "eq": "{0} IS ?",
    "ne": "{0} IS NOT ?",
    "gt": "{0} > ?",
    "gte": "{0} >= ?",
    "lt": "{0} < ?",
    "lte": "{0} <= ?",
    "iexact": "lower({0}) = lower(?)",
    "contains": "instr({0}, ?)",
    "icontains": "instr(lower({0}), lower(?))",
    "startswith": "instr({0}, ?) = 1",
    "istartswith": "instr(lower({0}), lower(?)) = 1",
    "endswith": "substr({0}, -length(?1)) = ?1",
    "iendswith": "lower({0}) LIKE '%' || lower(?)",
}
