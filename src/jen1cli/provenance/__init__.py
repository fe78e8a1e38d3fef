"""C2PA manifests: signed statements inside an audio file of how it was made (extra `provenance`).

A manifest proves that the file has not changed since it was signed. It names the signer by a
certificate; who that is can only be told from a certificate that others trust. Specification:
C2PA 2.x (spec.c2pa.org); the packages are c2pa-python, cryptography and platformdirs.
"""

from jen1cli.provenance.certificates import Credentials, own_credentials, read_credentials
from jen1cli.provenance.reading import TOO_EXPANDED, describe_manifest, why_invalid
from jen1cli.provenance.signing import Ingredient, Signer, SigningError, is_installed, media_type

__all__ = [
    "TOO_EXPANDED",
    "Credentials",
    "Ingredient",
    "Signer",
    "SigningError",
    "describe_manifest",
    "is_installed",
    "media_type",
    "own_credentials",
    "read_credentials",
    "why_invalid",
]
