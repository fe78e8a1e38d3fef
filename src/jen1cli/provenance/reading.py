"""Verifies C2PA manifests and summarises them."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jen1cli.errors import needs_extra
from jen1cli.jsonfiles import JsonError, parse_json
from jen1cli.provenance.certificates import own_issuer
from jen1cli.provenance.signing import MEDIA_TYPES, MOST_BYTES, client_settings

_STATES = {"Trusted": "valid", "Valid": "valid", "Invalid": "invalid"}
_OWN = "Trusted"  # the own self-made certificate is all that is trusted
_CHANGED = ".mismatch"  # ends C2PA's codes of hashes and signatures that do not fit
_EXPIRED = "signingCredential.expired"
_UNKNOWN_SIGNER = "signingCredential.untrusted"


TOO_EXPANDED = "packed frames of its ID3 tag are too large or nested too deeply"


def describe_manifest(
    source: Path | io.BytesIO, format_: str, *, expands: bool = False
) -> dict[str, Any]:
    """Verify the manifest of a file that has one, offline.

    Args:
        source: file or buffer.
        format_: libsndfile's name of its format.
        expands: whether it has an ID3 tag that c2pa should not unpack.

    Returns:
        JSON values: `state` is "valid" (unchanged since signing), "invalid" or "unverified", which
        `problems` explains by C2PA's status codes; then the name that the certificate gives its
        signer, whether it is the self-made one in the user's folder, the program, actions, digital
        source types, and the ingredients. Each of these says whether it has a manifest of its own,
        and the state and problems of that manifest when the edit was signed; `state` is None
        without one, and the problem then why it could not be read.

    Raises:
        MissingExtraError: the extra is not installed.
    """
    with needs_extra("provenance", "verifying a C2PA manifest"):
        import c2pa
    size = source.getbuffer().nbytes if isinstance(source, io.BytesIO) else source.stat().st_size
    if format_ not in MEDIA_TYPES:
        return _unverified(f"no manifest of a {format_} file can be read")
    if expands:
        return _unverified(TOO_EXPANDED)
    if size > MOST_BYTES:
        return _unverified(f"manifests are verified in files up to {MOST_BYTES >> 20} MiB")
    try:
        stream = source if isinstance(source, io.BytesIO) else source.open("rb")
        stream.seek(0)
        with (
            stream if stream is not source else io.BytesIO(),
            c2pa.Reader(
                MEDIA_TYPES[format_], stream, context=client_settings(c2pa, own_issuer())
            ) as reader,
        ):
            report = parse_json(reader.json(), "the manifest")
    except (c2pa.C2paError, JsonError) as error:
        return _unverified(" ".join(str(error).split()))
    try:
        return _summary(report)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return _unverified(f"the manifest has an unknown form ({type(error).__name__})")


def why_invalid(problems: Sequence[str]) -> str:
    """Return what C2PA's codes of failures mean."""
    if any(code.endswith(_CHANGED) for code in problems):
        return "the file or the manifest was changed after it was signed"
    if _EXPIRED in problems:
        return "the certificate has expired, and no time stamp shows that it had not at the signing"
    return "the manifest breaks the rules of C2PA"


def _unverified(problem: str) -> dict[str, Any]:
    return {"state": "unverified", "problems": [problem]}


def _summary(report: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON of a file that nobody vouches for
    manifest = report["manifests"][report["active_manifest"]]
    actions = [
        action
        for assertion in manifest.get("assertions", [])
        if assertion["label"].startswith("c2pa.actions")
        for action in assertion["data"]["actions"]
    ]
    signature = manifest.get("signature_info", {})
    signer = signature.get("issuer") or signature.get("common_name") or "unknown"
    programs = [
        " ".join(filter(None, (info.get("name"), info.get("version"))))
        for info in manifest.get("claim_generator_info", [])
    ]
    return {
        "state": _STATES.get(report.get("validation_state"), "unverified"),
        "signer": str(signer),
        "self_made": report.get("validation_state") == _OWN,
        "time": signature.get("time"),
        "program": ", ".join(programs),
        "actions": [str(action["action"]) for action in actions],
        "digital_source_types": list(
            dict.fromkeys(
                str(action["digitalSourceType"]).rpartition("/")[2]
                for action in actions
                if "digitalSourceType" in action
            )
        ),
        "ingredients": [_ingredient(item) for item in manifest.get("ingredients", [])],
        "problems": _problems(report.get("validation_status", [])),
    }


def _ingredient(item: dict[str, Any]) -> dict[str, Any]:
    name, has_manifest = str(item.get("title", "")), "active_manifest" in item
    found: dict[str, Any] = {"name": name, "has_manifest": has_manifest}
    note = item.get("description")
    if not has_manifest:
        return {**found, "state": None, "problems": [str(note)] if note else []}
    results = item.get("validation_results", {}).get("activeManifest")
    if results is None:
        return {**found, "state": "unverified", "problems": ["its manifest was not verified"]}
    problems = _problems(results.get("failure", []))
    return {**found, "state": "invalid" if problems else "valid", "problems": problems}


def _problems(failures: list[dict[str, str]]) -> list[str]:
    codes = dict.fromkeys(str(status["code"]) for status in failures)
    return [code for code in codes if code != _UNKNOWN_SIGNER]
