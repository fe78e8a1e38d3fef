"""Files that another program has signed with C2PA: what commands say of them, and what edits keep.

The manifests are made by the C2PA library itself, without `jen1cli.provenance`.
"""

import datetime
import io
import json
from pathlib import Path

import pytest
import soundfile

c2pa = pytest.importorskip("c2pa")

MEDIA = {"wav": "audio/wav", "flac": "audio/flac", "mp3": "audio/mpeg"}
CAPTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
CREATED = {"action": "c2pa.created", "digitalSourceType": CAPTURE}
STUDIO = {"label": "com.example.studio", "data": {"take": 3, "gear": [{"name": "mixer"}]}}


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """The user's folder of settings, empty; signing is on, as for a user who gives no option."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("JEN1_PROVENANCE")
    monkeypatch.delenv("JEN1_CERTIFICATE", raising=False)


def name_of(*attributes):
    from cryptography import x509

    return x509.Name([x509.NameAttribute(*each) for each in attributes])


@pytest.fixture(scope="module")
def chains():
    """Signers of other people: kind of key -> C2PA's settings of a signer."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = datetime.datetime.now(datetime.UTC)
    root_key, middle_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = name_of((NameOID.ORGANIZATION_NAME, "Other Root"))
    middle = name_of((NameOID.ORGANIZATION_NAME, "Other Issuing"))

    def issue(subject, key, issuer, issuer_key, *, is_authority):
        usage = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
             "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False,
        )  # fmt: skip
        usage["key_cert_sign" if is_authority else "digital_signature"] = True
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = (
            x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=9))
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(authority, critical=False)
            .add_extension(own, critical=False)
        )
        if not is_authority:
            purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
            builder = builder.add_extension(purpose, critical=False)
        made = builder.sign(issuer_key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM)

    above = issue(middle, middle_key, root, root_key, is_authority=True)
    above += issue(root, root_key, root, root_key, is_authority=True)
    named = name_of((NameOID.COMMON_NAME, "signer"), (NameOID.ORGANIZATION_NAME, "Studio Ö\x1b[1m"))
    nameless = name_of((NameOID.COMMON_NAME, "nobody's firm"))
    found = {}
    for kind, key, subject in (
        ("es384", ec.generate_private_key(ec.SECP384R1()), named),
        ("ps256", rsa.generate_private_key(65_537, 2048), nameless),
        ("ed25519", ed25519.Ed25519PrivateKey.generate(), named),
    ):
        leaf = issue(subject, key, middle, middle_key, is_authority=False)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        found[kind] = c2pa.C2paSignerInfo(kind.encode(), leaf + above, private, None)
    return found


def sign(data, kind, info, manifest, *ingredients, url=None, embed=True):
    """Return the bytes of a signed file."""
    out = io.BytesIO()
    with c2pa.Builder(manifest) as builder, c2pa.Signer.from_info(info) as signer:
        for details, of, content in ingredients:
            builder.add_ingredient(json.dumps(details), MEDIA[of], io.BytesIO(content))
        if url:
            builder.set_remote_url(url)
        if not embed:
            builder.set_no_embed()
        builder.sign(signer, MEDIA[kind], io.BytesIO(data), out)
    return out.getvalue()


def actions(*found, label="c2pa.actions.v2"):
    return {"label": label, "data": {"actions": list(found)}}


def active_label(data, kind):
    with c2pa.Reader(MEDIA[kind], io.BytesIO(data)) as reader:
        return json.loads(reader.json())["active_manifest"]


def plain(data, kind, chains):
    """As a recorder writes it."""
    return sign(
        data, kind, chains["es384"],
        {"claim_generator_info": [{"name": "Recorder"}], "assertions": [actions(CREATED)]},
    )  # fmt: skip


def old_claim(data, kind, chains):
    """Version 1 of claim and actions, with other assertions, known and unknown."""
    work = {"@context": "https://schema.org", "@type": "CreativeWork",
            "author": [{"@type": "Person", "name": "A\x1b[31m"}]}  # fmt: skip
    return sign(
        data, kind, chains["ps256"],
        {
            "claim_version": 1,
            "claim_generator": "old_tool/0.1",
            "claim_generator_info": [{"name": "old\x1b[2J tool", "version": "0.1", "more": "x"}],
            "title": "a song",
            "assertions": [
                actions({"action": "c2pa.created"}, {"action": "com.example.own\x07",
                        "parameters": {"x": [1, 2]}}, label="c2pa.actions"),
                {"label": "stds.schema-org.CreativeWork", "data": work, "kind": "Json"},
                STUDIO,
                STUDIO,
            ],
        },
    )  # fmt: skip


def many_manifests(data, kind, chains):
    """A mix of two signed recordings and an unsigned one, opened from a third."""
    one, two = plain(data, kind, chains), old_claim(data, kind, chains)
    parent = {"title": "take 1", "relationship": "parentOf", "instance_id": "p"}
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["p"]}}
    placed = {"action": "c2pa.placed", "parameters": {"ingredientIds": ["two", "three"]}}
    return sign(
        data, kind, chains["ed25519"],
        {
            "claim_generator_info": [{"name": "Mixer", "version": "2"}],
            "assertions": [actions(opened, placed), STUDIO],
        },
        ({**parent, "label": "p"}, kind, one),
        ({"title": "take 2", "relationship": "componentOf", "label": "two"}, kind, two),
        ({"title": "noise", "relationship": "componentOf", "label": "three"}, kind, data),
    )  # fmt: skip


def redacted(data, kind, chains):
    """An assertion of the input is removed."""
    before = sign(
        data, kind, chains["es384"],
        {"claim_generator_info": [{"name": "R"}], "assertions": [actions(CREATED), STUDIO]},
    )  # fmt: skip
    uri = f"self#jumbf=/c2pa/{active_label(before, kind)}/c2pa.assertions/{STUDIO['label']}"
    gone = {
        "action": "c2pa.redacted",
        "reason": "c2pa.PII.present",
        "parameters": {"redacted": uri},
    }
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["p"]}}
    return sign(
        data, kind, chains["es384"],
        {
            "claim_generator_info": [{"name": "Redactor"}],
            "redactions": [uri],
            "assertions": [actions(opened, gone)],
        },
        ({"title": "a", "relationship": "parentOf", "label": "p"}, kind, before),
    )  # fmt: skip


def also_elsewhere(data, kind, chains):
    """The manifest lies in the file and at an address that nobody answers."""
    return sign(
        data, kind, chains["es384"],
        {"claim_generator_info": [{"name": "Cloud"}], "assertions": [actions(CREATED)]},
        url="http://192.0.2.1/manifest.c2pa",
    )  # fmt: skip


def written(kind, noise):
    soundfile.write(f"plain.{kind}", 0.1 * noise(0.5).T, 48_000)
    return Path(f"plain.{kind}").read_bytes()


def store(path, kind):
    """Return all manifests of a file: label -> labels of its assertions."""
    with c2pa.Reader(MEDIA[kind], io.BytesIO(Path(path).read_bytes())) as reader:
        found = json.loads(reader.json())
    assert found["validation_state"] == "Valid"
    return {
        label: [assertion["label"] for assertion in manifest.get("assertions", [])]
        for label, manifest in found["manifests"].items()
    }


@pytest.mark.heavy
@pytest.mark.parametrize("kind", MEDIA)
@pytest.mark.parametrize(
    ("variant", "program", "made", "words"),
    [
        (plain, "Recorder", ["c2pa.created"], "Studio Ö\\x1b[1m"),
        (
            old_claim,
            "old\x1b[2J tool 0.1",
            ["c2pa.created", "com.example.own\x07"],
            "nobody's firm",
        ),
        (many_manifests, "Mixer 2", ["c2pa.opened", "c2pa.placed"], "take 1"),
        (redacted, "Redactor", ["c2pa.opened", "c2pa.redacted"], "c2pa.redacted"),
        (also_elsewhere, "Cloud", ["c2pa.created"], "digitalCapture"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_file_that_another_program_signed_is_shown_edited_and_encoded(
    jen1, model, noise, chains, variant, kind, program, made, words
):
    name = f"a.{kind}"
    Path(name).write_bytes(variant(written(kind, noise), kind, chains))
    shown = jen1("info", name)
    assert (shown.code, shown.err) == (0, "")
    assert words in shown.out
    assert not {"\x1b", "\x07"} & set(shown.out)
    found = json.loads(jen1("info", name, "--json").out)["c2pa"]
    assert (found["state"], found["problems"], found["self_made"]) == ("valid", [], False)
    assert (found["program"], found["actions"]) == (program, made)
    assert jen1("info", name, "--verify").code == 0
    for command in (["inpaint", "--mask", "0.1-0.3"], ["continue", "-s", "0.5"]):
        result = jen1(*command, name, "-o", f"b.{kind}", "--seed", "1", "--force", "--quiet")
        assert (result.code, result.err.count("warning")) in ((0, 0), (0, 1)), result.err
        edited = json.loads(jen1("info", f"b.{kind}", "--json").out)["c2pa"]
        assert (edited["state"], edited["problems"]) == ("valid", [])
        (ingredient,) = edited["ingredients"]
        assert ingredient == {"name": name, "has_manifest": True, "state": "valid", "problems": []}
        before, after = store(name, kind), store(f"b.{kind}", kind)
        assert {label: after[label] for label in before} == before
        assert len(after) == len(before) + 1
    assert jen1("encode", name, "-o", "b.safetensors").code == 0


@pytest.mark.parametrize("kind", MEDIA)
def test_a_file_that_was_changed_after_another_program_signed_it(jen1, model, noise, chains, kind):
    data = bytearray(plain(written(kind, noise), kind, chains))
    at = data.index(b"Recorder")
    data[at : at + 8] = b"Forger__"
    Path(f"a.{kind}").write_bytes(data)
    assert "INVALID: the file or the manifest was changed" in jen1("info", f"a.{kind}").out
    assert jen1("info", f"a.{kind}", "--verify").code == 1
    result = jen1("continue", f"a.{kind}", "-s", "0.5", "-o", f"b.{kind}")
    assert result.code == 0
    assert f"the C2PA manifest of a.{kind} is invalid" in result.err
    (found,) = json.loads(jen1("info", f"b.{kind}", "--json").out)["c2pa"]["ingredients"]
    assert found["state"] == "invalid"


def test_a_manifest_that_is_only_elsewhere_is_not_fetched(jen1, model, noise, chains):
    data = sign(
        written("wav", noise), "wav", chains["es384"],
        {"claim_generator_info": [{"name": "Cloud"}], "assertions": [actions(CREATED)]},
        url="http://192.0.2.1/manifest.c2pa", embed=False,
    )  # fmt: skip
    Path("a.wav").write_bytes(data)
    assert jen1("info", "a.wav").code == 0
    result = jen1("continue", "a.wav", "-s", "0.5", "-o", "b.wav")
    assert result.code == 0
    found = json.loads(jen1("info", "b.wav", "--json").out)["c2pa"]
    assert found["state"] == "valid"
    assert [item["has_manifest"] for item in found["ingredients"]] == [False]
