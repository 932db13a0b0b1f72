"""Certificates and keys for signing, made by the openssl command when a test needs them."""

import subprocess
from pathlib import Path

CERTIFICATE, KEY = "chain.pem", "leaf.key"
_PROFILE = (
    "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
    "extendedKeyUsage=emailProtection\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
)
_AUTHORITY = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign")


def openssl(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        ["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def make(folder: Path, *, days: int = 20, kind: tuple[str, ...] = ("EC", "P-256")) -> Path:
    """Make an authority, a certificate by it and its key, which nobody else may read.

    Parameters
    ----------
    days : that the certificate is valid; fewer than 0: it was, for a day
    kind : algorithm of the key and its curve
    """
    folder.mkdir(parents=True, exist_ok=True)
    openssl(
        folder,
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        *_out("ca.key"),
    )
    openssl(
        *(folder, "req", "-x509", "-new", "-key", "ca.key", "-days", "30", *_out("ca.pem")),
        *("-subj", "/CN=An authority/O=Tests"),
        *(part for each in _AUTHORITY for part in ("-addext", each)),
    )
    _key(folder, KEY, kind)
    (folder / KEY).chmod(0o600)
    openssl(folder, "req", "-new", "-key", KEY, "-subj", "/CN=A person/O=Tests", *_out("leaf.csr"))
    (folder / "profile").write_text(_PROFILE)
    openssl(
        *(folder, "x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key"),
        *("-CAcreateserial", "-days", str(days), "-extfile", "profile", *_out("leaf.pem")),
    )
    both = (folder / "leaf.pem").read_bytes() + (folder / "ca.pem").read_bytes()
    (folder / CERTIFICATE).write_bytes(both)
    return folder


def _key(folder: Path, name: str, kind: tuple[str, ...]) -> None:
    curve = ("-pkeyopt", f"ec_paramgen_curve:{kind[1]}") if len(kind) > 1 else ()
    openssl(folder, "genpkey", "-algorithm", kind[0], *curve, *_out(name))


def _out(name: str) -> tuple[str, str]:
    return "-out", name
