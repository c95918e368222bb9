"""Forms in parts (RFC 7578), as browsers send those that may hold files."""

from __future__ import annotations

from tornado.httputil import HTTPFile, HTTPInputError, ParseBodyConfig, ParseMultipartConfig, parse_body_arguments

from bzz.errors import BadRequest, UnsupportedMediaType

__all__ = ["parts"]


def parts(content_type: str, body: bytes, limit: int) -> list[tuple[str, str]]:
    """Return the names and texts of a form.

    :param content_type: the header, which tells what stands between the parts.
    :param limit: how many parts there may be.
    :raises bzz.errors.BadRequest: for a malformed body, too many parts, or text that is not UTF-8.
    :raises bzz.errors.UnsupportedMediaType: for a file, naming its input.
    """
    texts: dict[str, list[bytes]] = {}
    files: dict[str, list[HTTPFile]] = {}
    plain = f"multipart/form-data;{content_type.partition(';')[2]}"  # which Tornado knows in lower case only
    config = ParseBodyConfig(multipart=ParseMultipartConfig(max_parts=limit))
    try:
        parse_body_arguments(plain, body, texts, files, config=config)
        if files:
            raise UnsupportedMediaType(f"Files are not taken: {next(iter(files))!r} holds one.")
        return [(name, text.decode()) for name, values in texts.items() for text in values]
    except HTTPInputError:
        raise BadRequest(f"The form cannot be read: it is malformed, or has more than {limit} parts.") from None
    except UnicodeDecodeError:
        raise BadRequest("The form is not valid UTF-8.") from None
