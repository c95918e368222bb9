"""What is said of a value that is none of its field's choices: the same in bodies and in filters."""

from __future__ import annotations

from bzz.shape.base import Field

__all__ = ["expected_choice"]

MAX_CHOICES_TOLD = 20  # of a field's choices, in the answer to a value that is none


def expected_choice(field: Field) -> str:
    """Return what a value of a field with choices, or each of its items, must be.

    >>> from bzz.shape.scalars import BooleanKind, IntegerKind
    >>> expected_choice(Field("size", IntegerKind(), choices=(1, 2)))
    'Must be one of: 1, 2.'
    >>> expected_choice(Field("agreed", BooleanKind(), choices=(True,)))
    'Must be one of: true.'
    """
    item = field.item
    choices = item.choices or field.choices
    known = ", ".join(item.kind.to_text(each) for each in choices[:MAX_CHOICES_TOLD])
    return f"Must be one of: {known}{', ...' if len(choices) > MAX_CHOICES_TOLD else '.'}"
