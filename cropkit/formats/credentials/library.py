"""The libraries that sign and read manifests, which are there where somebody has installed them.

Here alone c2pa-python and cryptography are entered. Nothing asks the network: neither for manifests
that lie elsewhere, nor for the state of a certificate, nor for the time.
"""

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import Any

from cropkit.errors import CannotSign, PartMissing, UnfitCredentials
from cropkit.formats.credentials.jumbf import FORMATS

EXTRA = "cropkit[c2pa]"
# https://opensource.contentauthenticity.org/docs/manifest/json-ref/settings-schema
SETTINGS: Mapping[str, Any] = {
    "version": 1,
    "core": {"allowed_network_hosts": []},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": False},
    "builder": {"thumbnail": {"enabled": False}},
}
_GOOD = ("Valid", "Trusted")
_REASON = "cropkit.shows-more-than-the-crop"  # none of C2PA's own says that


def part(module: str, name: str) -> Any:  # noqa: ANN401  (a module without types)
    """Return a module of theirs.

    Raises
    ------
    PartMissing
        It is not there; the sentence names the extra that brings it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise PartMissing(name, f"'{EXTRA}'") from error


def check_installed(name: str) -> None:
    """Raise `PartMissing` where one of them is not there; none is loaded that is not needed yet."""
    if any(find_spec(module) is None for module in ("c2pa", "cryptography")):
        raise PartMissing(name, f"'{EXTRA}'")


def manifests(data: bytes, form: str, name: str) -> dict[str, Any]:
    """Read the manifests of a file, and hold it against them.

    Raises
    ------
    UnfitCredentials
        There are none in it, or they do not say the truth about it.
    PartMissing
    """
    c2pa = part("c2pa", name)
    try:
        with c2pa.Reader(FORMATS[form], BytesIO(data), context=_context(c2pa)) as reader:
            told: dict[str, Any] = json.loads(reader.json())
    except (c2pa.C2paError, ValueError) as error:
        raise UnfitCredentials(name, _sentence(error)) from error
    if told.get("validation_state") not in _GOOD:
        codes = ", ".join(failures(told)) or "they are not valid"
        raise UnfitCredentials(name, codes)
    return told


def failures(told: Mapping[str, Any]) -> list[str]:
    """Return the codes by which a file, or what it was made of, is not what its manifests say."""
    results = told.get("validation_results") or {}
    deltas = [each["validationDeltas"] for each in results.get("ingredientDeltas") or ()]
    every = (results.get("activeManifest") or {}, *deltas)
    return [fault["code"] for each in every for fault in each.get("failure", ())]


def signed(
    data: bytes,
    form: str,
    name: str,
    *,
    parent: bytes,
    redacted: Sequence[str],
    done: Sequence[str],
    signer: tuple[str, bytes, bytes],
    version: str,
) -> bytes:
    """Return a file with a manifest that says it was cropped from another one.

    Parameters
    ----------
    parent : the file that was cropped, which holds a manifest of its own
    redacted : addresses of what that manifest is to show no more
    done : actions, in C2PA's words, besides opening and redacting it
    signer : algorithm, chain of certificates and key

    Raises
    ------
    CannotSign, UnfitCredentials, PartMissing
    """
    c2pa, out = part("c2pa", name), BytesIO()
    try:
        context = _context(c2pa, signer)
    except c2pa.C2paError as error:
        raise CannotSign(name, _sentence(error)) from error
    with context, c2pa.Builder(_definition(redacted, version, done), context) as builder:
        builder.set_intent(c2pa.C2paBuilderIntent.EDIT)  # which says `c2pa.opened`
        try:
            builder.add_ingredient({"relationship": "parentOf"}, FORMATS[form], BytesIO(parent))
        except c2pa.C2paError as error:
            raise UnfitCredentials(name, _sentence(error)) from error
        try:
            builder.sign(FORMATS[form], BytesIO(data), out)
        except c2pa.C2paError as error:
            raise CannotSign(name, _sentence(error)) from error
    return out.getvalue()


def _definition(redacted: Sequence[str], version: str, done: Sequence[str]) -> dict[str, Any]:
    actions: list[dict[str, Any]] = [{"action": each} for each in done]
    actions += [
        {"action": "c2pa.redacted", "reason": _REASON, "parameters": {"redacted": each}}
        for each in redacted
    ]
    return {
        "claim_generator_info": [{"name": "cropkit", "version": version}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
        "redactions": list(redacted),
    }


def _context(c2pa: Any, signer: tuple[str, bytes, bytes] | None = None) -> Any:  # noqa: ANN401  (a module without types)
    settings = c2pa.Settings.from_dict(dict(SETTINGS))
    if signer is None:
        return c2pa.Context(settings)
    algorithm, chain, key = signer
    info = c2pa.C2paSignerInfo(algorithm, chain, key, None)
    return c2pa.Context(settings, c2pa.Signer.from_info(info))


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
