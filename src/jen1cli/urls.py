"""Files to read that are named by a path, or by a URL that fsspec knows."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jen1cli.errors import DataError, needs_extra


def is_url(source: str) -> bool:
    """Whether a source is a URL, such as "s3://bucket/file", and no path."""
    return "://" in source


@contextlib.contextmanager
def opened_source(
    source: str, purpose: str, *, option: str = "", compression: str | None = None
) -> Iterator[io.IOBase]:
    """Open a path or a URL for reading.

    Args:
        source: path, or URL of fsspec.
        purpose: subject of the message that a package is missing.
        option: option that named the source, for messages.
        compression: of a URL's file; "infer": by its name.

    Raises:
        DataError: the protocol of the URL is unknown, or needs another package.
        MissingExtraError: the extra `scale` is needed.
        OSError: the file cannot be opened.
    """
    if not is_url(source):
        with Path(source).open("rb") as local:
            yield local
        return
    with needs_extra("scale", purpose):
        import fsspec
    try:
        found = fsspec.open(source, "rb", compression=compression)
        file: Any = found.open()  # type: ignore[union-attr]
    except (ImportError, ValueError) as error:  # a protocol without its package, or unknown
        named = f"{option} {source}".strip()
        raise DataError(f"{named} cannot be opened: {error}") from error
    with file:
        yield file
