"""Certificates that sign manifests: the user's, or one that is made here and kept.

C2PA takes no certificate that is an authority's, so a self-made one is issued by an authority of
its own, whose key is not kept.
"""

import datetime
import logging
import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jen1cli.errors import ConfigError, OutputError, needs_extra
from jen1cli.files import destination, explaining

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

_log = logging.getLogger(__name__)

SELF_MADE = "jen1cli, self-made certificate"
"""Organisation that a self-made certificate names."""

_FILE = "provenance.pem"
_DAYS = 3650
_EARLIER = datetime.timedelta(minutes=5)  # for clocks that are slow
_MOST_BYTES = 1 << 20
_FEWEST_RSA_BITS = 2048
_PRIVATE_KEY = re.compile(
    rb"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.+?-----END \1PRIVATE KEY-----", re.DOTALL
)


@dataclass(frozen=True)
class Credentials:
    """A certificate chain with its private key."""

    chain: str  # PEM, the signer's certificate first
    key: str  # PEM, PKCS #8
    algorithm: str  # c2pa's name of the signature algorithm, such as "es256"


class _ExpiredError(ConfigError):
    """Credentials that are whole, but whose certificate has expired."""

    def __init__(self, message: str, *, is_self_made: bool) -> None:
        super().__init__(message)
        self.is_self_made = is_self_made


def read_credentials(path: Path) -> Credentials:
    """Read a PEM file with a certificate chain and its unencrypted private key.

    Raises:
        ConfigError: it cannot be read, lacks a part, has expired, or is of an unsupported kind.
        MissingExtraError: the extra is not installed.
    """
    try:
        return _read(path)
    except OSError as error:
        raise ConfigError(f"the certificate {path} cannot be read: {error.strerror}") from error


def own_credentials() -> Credentials:
    """Return the self-made credentials in the user's folder; the first call makes them.

    A self-made certificate that has expired is replaced. Any other file in its place stays as it
    is, even if it cannot be used: it may hold a key of the user's. A warning then says so, as where
    nothing can be kept, and new credentials serve this process alone.
    """
    path = _own_path()
    if not path.is_absolute():
        return _for_this_run(f"there is no home folder to keep it in ({path})")
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        return _for_this_run(f"{path} cannot be read: {error.strerror}; mend or remove it")
    except ConfigError as error:
        if not (isinstance(error, _ExpiredError) and error.is_self_made):
            return _for_this_run(f"{error}, or remove the file")
    try:
        _keep(path, _make())
        _log.warning(
            "files are signed with a certificate made for you in %s: it shows that a file is"
            " unchanged, not who made it",
            path,
        )
        return read_credentials(path)  # perhaps what another process has made meanwhile
    except (OutputError, ConfigError) as error:
        return _for_this_run(str(error))


def own_issuer() -> str | None:
    """Return the certificate that issued the self-made one in the user's folder, as PEM.

    Its key was never kept, so nothing else is issued by it: what it vouches for was signed with
    the key in that folder, whatever names another certificate carries.

    Returns:
        None if there is no self-made certificate that can be used.
    """
    path = _own_path()
    if not path.is_absolute():
        return None
    try:
        chain = _certificates(_read(path).chain)
    except (OSError, ConfigError):
        return None
    is_self_made = len(chain) == 2 and _organisation(chain[0]) == SELF_MADE  # as `_make` makes it
    return _pem(chain[1]) if is_self_made else None


def why_refused(credentials: Credentials) -> str | None:
    """Say which rule of C2PA a certificate breaks that c2pa has refused; None if not known.

    Rules: C2PA specification 2.x, "Certificate profile".
    """
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    certificate = _certificates(credentials.chain)[0]
    extensions = certificate.extensions

    def value(kind: Any) -> Any:  # noqa: ANN401 - cryptography's kinds of extensions
        try:
            return extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None

    limits, usage = value(x509.BasicConstraints), value(x509.KeyUsage)
    purposes = value(x509.ExtendedKeyUsage)
    if limits is not None and limits.ca:
        return "it is that of an authority (CA), not of a signer"
    start = certificate.not_valid_before_utc
    if start > datetime.datetime.now(datetime.UTC):
        return f"it is valid from {start:%Y-%m-%d} on"
    if usage is None or not usage.digital_signature:
        return "its key usage lacks digital signatures"
    if purposes is None or ExtendedKeyUsageOID.EMAIL_PROTECTION not in purposes:
        return "its extended key usage lacks one that C2PA takes, such as email protection"
    is_self_signed = certificate.issuer == certificate.subject
    if value(x509.AuthorityKeyIdentifier) is None and not is_self_signed:
        return "it lacks the key identifier of its authority"
    return None


def _own_path() -> Path:
    with needs_extra("provenance", "signing"):
        import platformdirs
    return platformdirs.user_config_path("jen1") / _FILE


def _certificates(chain: str) -> "list[x509.Certificate]":
    from cryptography import x509

    return x509.load_pem_x509_certificates(chain.encode())


def _pem(certificate: "x509.Certificate") -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()


def _for_this_run(reason: str) -> Credentials:
    """Make credentials that are not kept, and warn why."""
    _log.warning("the self-made certificate serves this run alone: %s", reason)
    return _parse(_make().encode(), "the self-made certificate")


def _read(path: Path) -> Credentials:
    if not (stat.S_ISREG(mode := path.stat().st_mode) or stat.S_ISDIR(mode)):  # a FIFO blocks
        raise ConfigError(f"{path} is no regular file; give a PEM file")
    with path.open("rb") as file:
        return _parse(file.read(_MOST_BYTES), str(path))


def _keep(path: Path, made: str) -> None:
    """Write a file that no other user can read at any moment; a link is followed."""
    with explaining(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = destination(path)
        handle, temporary = tempfile.mkstemp(prefix=".provenance-", dir=path.parent)  # mode 600
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(made)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _parse(data: bytes, name: str) -> Credentials:
    with needs_extra("provenance", "signing"):
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization

    advice = "give a PEM file with the certificate chain and its private key"
    found = _PRIVATE_KEY.search(data)
    if found is None:
        raise ConfigError(f"{name} has no private key; {advice}")
    try:
        key = serialization.load_pem_private_key(found[0], None)
        chain = x509.load_pem_x509_certificates(data)
    except TypeError as error:
        raise ConfigError(f"the private key in {name} is encrypted; decrypt it first") from error
    except Exception as error:  # cryptography raises many kinds
        raise ConfigError(f"{name} cannot be parsed ({type(error).__name__}); {advice}") from error
    encoding, format_ = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    if key.public_key().public_bytes(encoding, format_) != chain[0].public_key().public_bytes(
        encoding, format_
    ):
        raise ConfigError(f"the private key in {name} is not that of its first certificate")
    until = chain[0].not_valid_after_utc
    if until < datetime.datetime.now(datetime.UTC):
        raise _ExpiredError(
            f"the certificate in {name} expired on {until:%Y-%m-%d}; renew it",
            is_self_made=_organisation(chain[0]) == SELF_MADE,
        )
    return Credentials(
        "".join(map(_pem, chain)),
        key.private_bytes(
            encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        _algorithm(key, name),
    )


def _algorithm(key: Any, name: str) -> str:  # noqa: ANN401 - one of cryptography's key types
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < _FEWEST_RSA_BITS:
            raise ConfigError(
                f"the RSA key in {name} has {key.key_size} bits; C2PA takes {_FEWEST_RSA_BITS} or"
                " more"
            )
        return "ps256"
    curve = key.curve.name if isinstance(key, ec.EllipticCurvePrivateKey) else ""
    algorithm = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}.get(curve)
    if algorithm is None:
        seen = f" ({curve})" if curve else ""
        raise ConfigError(
            f"{name} has a key that C2PA does not take{seen}; use P-256, P-384, P-521, Ed25519"
            " or RSA"
        )
    return algorithm


def _organisation(certificate: "x509.Certificate") -> str:
    from cryptography.x509.oid import NameOID

    names = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(names[0].value) if names else ""


def _make() -> str:
    """Make a private key and a certificate with its issuer's; return them as PEM."""
    with needs_extra("provenance", "signing"):
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

    key, root_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate(root_key, root_key, is_root=True)
    leaf = _certificate(key, root_key, is_root=False)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    parts = (private, *(c.public_bytes(serialization.Encoding.PEM) for c in (leaf, root)))
    return b"".join(parts).decode()


def _certificate(
    key: "ec.EllipticCurvePrivateKey", issuer: "ec.EllipticCurvePrivateKey", *, is_root: bool
) -> "x509.Certificate":
    """Issue one certificate, with the extensions that C2PA asks for."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def name(role: str) -> x509.Name:
        organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, SELF_MADE)
        return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, f"jen1 {role}")])

    usages = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(
        digital_signature=not is_root, key_cert_sign=is_root, crl_sign=is_root, **usages
    )
    built = (
        x509.CertificateBuilder()
        .subject_name(name("issuer" if is_root else "signer"))
        .issuer_name(name("issuer"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(is_root, 0 if is_root else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if not is_root:
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        built = built.add_extension(authority, critical=False)
        built = built.add_extension(purpose, critical=False)
    return built.sign(issuer, hashes.SHA256())
