"""Who signs: the person's own certificate and key, looked at before anything is signed by them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cropkit import clock
from cropkit.errors import CannotSign, PersonalStateUnusable
from cropkit.formats.credentials.library import check_installed, part
from cropkit.system import signing

_CURVES: Mapping[str, str] = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_LEAST_RSA = 2048
_NONE = (
    f"no certificate is configured: name one in signing.toml, or by {signing.CERTIFICATE} and"
    f" {signing.KEY}"
)


@dataclass(frozen=True, slots=True)
class Signer:
    """A key with its certificate.

    Parameters
    ----------
    chain : PEM, the signer's own first
    key : PKCS #8, PEM, not encrypted
    called : the signer, as the certificate has it
    serial : of the certificate
    """

    algorithm: str
    chain: bytes
    key: bytes = field(repr=False)
    called: str
    serial: str


def load(name: str) -> Signer:
    """Return this person's signer.

    Parameters
    ----------
    name : of what is to be signed, for errors

    Raises
    ------
    CannotSign
        None is configured, or others may use it; the password is wrong; key and certificate do not
        belong together, or it is not valid now.
    PartMissing
    """
    try:
        files = signing.configured()
        if files is None:
            raise CannotSign(name, _NONE)
        chain = signing.read(files.certificate, secret=False)
        packed = signing.read(files.key, secret=True)
    except PersonalStateUnusable as error:
        raise CannotSign(name, str(error)) from error
    check_installed(name)
    certificate = _certificate(chain, str(files.certificate), name)
    key = _key(packed, str(files.key), name)
    _check(certificate, key, name)
    return Signer(
        _algorithm(key, name),
        chain,
        _unpacked(key, name),
        certificate.subject.rfc4514_string(),
        str(certificate.serial_number),
    )


def _certificate(chain: bytes, path: str, name: str) -> Any:  # noqa: ANN401  (of a module without types)
    x509 = part("cryptography.x509", name)
    try:
        return x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise CannotSign(name, f"{path} holds no certificate in PEM") from error


def _key(packed: bytes, path: str, name: str) -> Any:  # noqa: ANN401  (as above)
    serialization = part("cryptography.hazmat.primitives.serialization", name)
    password = os.environ.get(signing.PASSWORD, "").encode() or None
    if b"ENCRYPTED" in packed and password is None:
        raise CannotSign(name, f"{path} is encrypted: {signing.PASSWORD} holds no password")
    try:
        return serialization.load_pem_private_key(
            packed, password if b"ENCRYPTED" in packed else None
        )
    except (ValueError, TypeError) as error:
        reason = "its password is another one" if password else "it is no private key in PEM"
        raise CannotSign(name, f"{path} cannot be used: {reason}") from error
    except part("cryptography.exceptions", name).UnsupportedAlgorithm as error:
        raise CannotSign(name, f"{path}: {error}") from error


def _check(certificate: Any, key: Any, name: str) -> None:  # noqa: ANN401  (as above)
    now = clock.now()
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if certificate.public_key() != key.public_key():
        raise CannotSign(name, "the certificate is not that of the key")
    if not begins <= now <= ends:
        days = f"{begins:%Y-%m-%d} to {ends:%Y-%m-%d}"
        raise CannotSign(name, f"the certificate is valid from {days}")


def _algorithm(key: Any, name: str) -> str:  # noqa: ANN401  (as above)
    """Return C2PA's name of the algorithm (C2PA 2.2, 13.2)."""
    curve = getattr(getattr(key, "curve", None), "name", "")
    if curve in _CURVES:
        return _CURVES[curve]
    if type(key).__name__.startswith("RSA") and key.key_size >= _LEAST_RSA:
        return "ps256"
    if type(key).__name__.startswith("Ed25519"):
        return "ed25519"
    raise CannotSign(name, "a key that C2PA knows no algorithm for")


def _unpacked(key: Any, name: str) -> bytes:  # noqa: ANN401  (as above)
    s = part("cryptography.hazmat.primitives.serialization", name)
    packed: bytes = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
    return packed
