"""Verifies C2PA manifests and summarises them."""

import io
from pathlib import Path
from typing import Any

from jen1cli.errors import needs_extra
from jen1cli.jsonfiles import JsonError, parse_json
from jen1cli.provenance.certificates import SELF_MADE
from jen1cli.provenance.signing import MEDIA_TYPES, MOST_BYTES, client_settings

_STATES = {"Valid": "valid", "Trusted": "trusted", "Invalid": "invalid"}
_UNKNOWN_SIGNER = "signingCredential.untrusted"


def describe_manifest(source: Path | io.BytesIO, format_: str) -> dict[str, Any]:
    """Verify the manifest of a file that has one, offline.

    Args:
        source: file or buffer.
        format_: libsndfile's name of its format.

    Returns:
        JSON values: `state` is "valid" (unchanged since signing), "trusted" (and by a signer on a
        trust list), "invalid" or "unverified", which `problems` explains; then the signer, whether
        the certificate is self-made, the program, actions, digital source types, and the
        ingredients with whether they have manifests of their own.

    Raises:
        MissingExtraError: the extra is not installed.
    """
    with needs_extra("provenance", "verifying a C2PA manifest"):
        import c2pa
    size = source.getbuffer().nbytes if isinstance(source, io.BytesIO) else source.stat().st_size
    if format_ not in MEDIA_TYPES:
        return _unverified(f"no manifest of a {format_} file can be read")
    if size > MOST_BYTES:
        return _unverified(f"manifests are verified in files up to {MOST_BYTES >> 20} MiB")
    try:
        stream = source if isinstance(source, io.BytesIO) else source.open("rb")
        stream.seek(0)
        with (
            stream if stream is not source else io.BytesIO(),
            c2pa.Reader(MEDIA_TYPES[format_], stream, context=client_settings(c2pa)) as reader,
        ):
            report = parse_json(reader.json(), "the manifest")
    except (c2pa.C2paError, JsonError) as error:
        return _unverified(" ".join(str(error).split()))
    try:
        return _summary(report)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return _unverified(f"the manifest has an unknown form ({type(error).__name__})")


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
    failures = [status["code"] for status in report.get("validation_status", [])]
    signer = signature.get("issuer") or signature.get("common_name") or "unknown"
    programs = [
        " ".join(filter(None, (info.get("name"), info.get("version"))))
        for info in manifest.get("claim_generator_info", [])
    ]
    return {
        "state": _STATES.get(report.get("validation_state"), "unverified"),
        "signer": str(signer),
        "self_made": signer == SELF_MADE,
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
        "ingredients": [
            {"name": str(item.get("title", "")), "has_manifest": "active_manifest" in item}
            for item in manifest.get("ingredients", [])
        ],
        "problems": [code for code in dict.fromkeys(failures) if code != _UNKNOWN_SIGNER],
    }
