"""Signs audio files: adds a C2PA manifest after all tags; the samples are not touched."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jen1cli.errors import ConfigError, Jen1Error, needs_extra
from jen1cli.files import writing
from jen1cli.provenance.certificates import Credentials, why_refused

if TYPE_CHECKING:
    import c2pa

_log = logging.getLogger(__name__)

MEDIA_TYPES = {"WAV": "audio/wav", "WAVEX": "audio/wav", "FLAC": "audio/flac", "MP3": "audio/mpeg"}
"""libsndfile's name of a format that c2pa can sign -> its media type."""

MOST_BYTES = 512 * 2**20
"""Largest file that is signed or verified: c2pa holds a WAV file twice in memory."""

_CLIENT = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},  # a file starts no connection
    "builder": {"thumbnail": {"enabled": False}},
}
_SILENCE = (
    b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x10\0"
    b"data\x08\0\0\0" + bytes(8)
)


Stream = io.BytesIO | io.BufferedReader | io.BufferedRandom


class SigningError(Jen1Error):
    """A file that cannot be signed."""


@dataclass(frozen=True)
class Ingredient:
    """The recording that was edited."""

    name: str
    source: Path | io.BytesIO
    media_type: str | None  # None: a format that c2pa cannot read
    note: str = ""  # what the manifest says of it besides


@dataclass(frozen=True)
class Signer:
    """Signs files with one certificate.

    Attributes:
        credentials: the certificate and its key.
        is_required: whether a file that cannot be signed is an error; if not, it is written without
            a manifest, with a warning.
        version: version of this program, which the manifest names.
    """

    credentials: Credentials
    is_required: bool = True
    version: str = field(default_factory=lambda: installed_version("jen1cli"))

    def check(self) -> None:
        """Sign a short silence in memory, so that a certificate C2PA refuses is found early.

        Raises:
            ConfigError: the certificate cannot sign.
        """
        try:
            self.sign(io.BytesIO(_SILENCE), "audio/wav", "")
        except SigningError as error:
            reason = why_refused(self.credentials) or error
            raise ConfigError(f"C2PA does not take the certificate: {reason}") from error

    def sign(
        self,
        target: Path | io.BytesIO,
        media_type: str,
        source_type: str,
        ingredient: Ingredient | None = None,
    ) -> None:
        """Add a manifest to a finished file, in its place.

        Args:
            target: file or buffer; on failure it is as it was.
            media_type: one of `MEDIA_TYPES`.
            source_type: the IPTC digital source type of the whole.
            ingredient: the recording that was edited; None for new music. One that c2pa cannot
                read, such as a file with a damaged manifest, is named alone, with a warning.

        Raises:
            SigningError: c2pa refuses it, or it or its input is larger than `MOST_BYTES`.
            OutputError: the file cannot be written.
        """
        self.check_sizes(target, ingredient)
        with (
            _c2pa_errors() as c2pa,
            self._builder(c2pa, source_type, ingredient) as builder,
        ):
            if isinstance(target, io.BytesIO):
                signed = io.BytesIO()
                target.seek(0)
                self._sign(c2pa, builder, media_type, target, signed)
                target.seek(0)
                target.truncate()
                target.write(signed.getbuffer())
                target.seek(0)
                return
            with writing(target) as new, target.open("rb") as old, new.open("w+b") as out:
                self._sign(c2pa, builder, media_type, old, out)

    def check_sizes(self, target: Path | io.BytesIO, ingredient: Ingredient | None = None) -> None:
        """Raise `SigningError` if a file or its input is larger than `MOST_BYTES`."""
        sizes = [_size(target)]
        if ingredient is not None and ingredient.media_type is not None:
            sizes.append(_size(ingredient.source))
        if max(sizes) > MOST_BYTES:
            raise SigningError(
                f"C2PA manifests are made for files and inputs up to {MOST_BYTES >> 20} MiB"
            )

    def _builder(
        self,
        c2pa: Any,  # noqa: ANN401 - the module
        source_type: str,
        ingredient: Ingredient | None,
    ) -> "c2pa.Builder":
        builder = c2pa.Builder(self._manifest(source_type, ingredient), client_settings(c2pa))
        if ingredient is None or ingredient.media_type is None:
            return builder
        try:
            with _opened(ingredient.source) as stream:
                details = json.dumps(_ingredient(ingredient))
                builder.add_ingredient(details, ingredient.media_type, stream)
        except c2pa.C2paError as error:
            builder.close()
            reason = _in_words(error)
            _log.warning(
                "C2PA cannot read %s, so the manifest names it without what it says of itself: %s",
                ingredient.name,
                reason,
            )
            named = replace(ingredient, media_type=None, note=f"C2PA could not read it: {reason}")
            return self._builder(c2pa, source_type, named)
        return builder

    def _sign(
        self,
        c2pa: Any,  # noqa: ANN401 - the module
        builder: "c2pa.Builder",
        media_type: str,
        old: Stream,
        new: Stream,
    ) -> None:
        mine = self.credentials
        texts = (mine.algorithm, mine.chain, mine.key)
        info = c2pa.C2paSignerInfo(*(text.encode() for text in texts), None)
        streams = _Watched(old), _Watched(new)
        try:
            with c2pa.Signer.from_info(info) as signer:
                builder.sign(signer, media_type, *streams)
        except c2pa.C2paError:
            for stream in streams:
                if stream.error is not None:
                    raise stream.error from None
            raise

    def _manifest(self, source_type: str, ingredient: Ingredient | None) -> dict[str, Any]:
        agent = {"name": "jen1cli", "version": self.version}
        made: dict[str, Any] = {"digitalSourceType": source_type, "softwareAgent": agent}
        manifest: dict[str, Any] = {"claim_generator_info": [agent]}
        if ingredient is None:
            actions = [{"action": "c2pa.created", **made}]
        else:
            opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["input"]}}
            actions = [opened, {"action": "c2pa.edited", **made}]
            if ingredient.media_type is None:
                manifest["ingredients"] = [_ingredient(ingredient)]
        manifest["assertions"] = [{"label": "c2pa.actions.v2", "data": {"actions": actions}}]
        return manifest


class _Watched:
    """A stream that keeps the system's error: c2pa says only that something failed."""

    def __init__(self, stream: Stream) -> None:
        self.error: OSError | None = None
        for name in ("read", "write", "seek", "tell", "flush"):
            setattr(self, name, self._watched(getattr(stream, name)))

    def _watched(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any) -> Any:  # noqa: ANN401 - those of a stream
            try:
                return call(*arguments)
            except OSError as error:
                self.error = self.error or error
                raise

        return watched


def is_installed() -> bool:
    """Whether the packages of the extra are there; cheap, nothing is imported."""
    return all(map(find_spec, ("c2pa", "cryptography", "platformdirs")))


def media_type(format_: str) -> str | None:
    """Return the media type of a format that c2pa can sign, by libsndfile's name; else None."""
    return MEDIA_TYPES.get(format_)


def client_settings(c2pa: Any, issuer: str | None = None) -> Any:  # noqa: ANN401 - the module, and its untyped class
    """Return c2pa's settings: no network, no thumbnails.

    Args:
        c2pa: the module.
        issuer: the one certificate that is trusted, as PEM; None trusts none.
    """
    trust = {} if issuer is None else {"trust": {"trust_anchors": issuer}}
    return c2pa.Context(settings=c2pa.Settings.from_dict({**_CLIENT, **trust}))


def _ingredient(given: Ingredient) -> dict[str, str]:
    shown = {"title": given.name, "relationship": "parentOf", "instance_id": "input"}
    if given.note:
        shown["description"] = given.note
    return {**shown, "label": "input", "format": given.media_type or "application/octet-stream"}


@contextmanager
def _c2pa_errors() -> Iterator[Any]:
    """Give the module c2pa, and convert its errors."""
    with needs_extra("provenance", "signing"):
        import c2pa
    try:
        yield c2pa
    except c2pa.C2paError as error:
        raise SigningError(f"C2PA refuses: {_in_words(error)}") from error


def _in_words(error: Exception) -> str:
    """Return an error of c2pa without the name of its kind and without addresses in manifests."""
    text = re.sub(r"^[A-Z]\w*: |\(self#[^)]*\)", "", str(error))
    return " ".join(text.split()) or type(error).__name__


@contextmanager
def _opened(source: Path | io.BytesIO) -> Iterator[Stream]:
    if isinstance(source, io.BytesIO):
        source.seek(0)
        yield source
        return
    with source.open("rb") as file:
        yield file


def _size(target: Path | io.BytesIO) -> int:
    return target.getbuffer().nbytes if isinstance(target, io.BytesIO) else target.stat().st_size
