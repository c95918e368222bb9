"""Forms in parts (RFC 7578), as browsers send those that may hold files."""

from __future__ import annotations

from email.message import Message

from tornado.httputil import HTTPFile, HTTPInputError, ParseMultipartConfig, parse_multipart_form_data

from bzz.errors import BadRequest, UnsupportedMediaType

__all__ = ["parts"]

Parts = dict[str, list[bytes]]


def parts(content_type: str, body: bytes, limit: int) -> list[tuple[str, str]]:
    """Return the names and texts of a form.

    :param content_type: the header, which tells what stands between the parts.
    :param limit: how many parts there may be.
    :raises bzz.errors.BadRequest: for a malformed body, too many parts, or text that is not UTF-8.
    :raises bzz.errors.UnsupportedMediaType: for a file, naming its input.
    """
    texts: Parts = {}
    files: dict[str, list[HTTPFile]] = {}
    try:
        parse_multipart_form_data(
            _boundary(content_type), body, texts, files, config=ParseMultipartConfig(max_parts=limit)
        )
        for name in files:
            raise UnsupportedMediaType(f"Files are not taken: {name!r} holds one.")
        return [(name, text.decode()) for name, values in texts.items() for text in values]
    except HTTPInputError as error:
        raise BadRequest(f"The form cannot be read: {error}") from None
    except UnicodeDecodeError:
        raise BadRequest("The form is not valid UTF-8.") from None


def _boundary(content_type: str) -> bytes:
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str) or not boundary:
        raise BadRequest("The form does not say what stands between its parts: the boundary is missing.")
    return boundary.encode("latin-1", "replace")
