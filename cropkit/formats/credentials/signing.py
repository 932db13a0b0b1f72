"""A crop with a manifest of its own, in which that of its image is an ingredient, and the proof."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cropkit._version import __version__
from cropkit.errors import CorruptImage, UnfitCredentials, VerificationFailed
from cropkit.formats import credentials
from cropkit.formats.account import Candidate, Signature
from cropkit.formats.credentials import jumbf, library, pictures
from cropkit.formats.credentials.signer import Signer
from cropkit.formats.metadata.crop_change import SHOWS_MORE


def signed(
    data: bytes, name: str, candidate: Candidate, signer: Signer, *, cropped: bool = True
) -> Candidate:
    """Return a crop with a manifest that says where it comes from, signed by this person.

    Parameters
    ----------
    data : the image, with its credentials
    candidate : the crop, without them
    cropped : whether there was anything outside of the box

    Raises
    ------
    CannotSign
        Something about the signer is in the way.
    UnfitCredentials
        Those of the image do not say the truth about it, or show the old frame and cannot be
        looked through.
    PartMissing
        A library is not installed. Nothing was written in any case.
    """
    form = candidate.format
    parent = library.manifests(data, form, name)["active_manifest"]
    redacted = pictures.redactable(jumbf.store(data, form, name), name)
    done = ["c2pa.cropped"] * cropped + ["c2pa.orientation"] * (candidate.resampling is not None)
    written = library.signed(
        *(candidate.data, form, name),
        parent=data,
        redacted=redacted,
        done=done,
        signer=(signer.algorithm, signer.chain, signer.key),
        version=__version__,
    )
    pictures.check(jumbf.store(written, form, name), name)
    actions = ["c2pa.opened", *done, *["c2pa.redacted"] * len(redacted)]
    digest = hashlib.sha256(candidate.data).hexdigest()
    labels = dict.fromkeys(each.rpartition("/")[2] for each in redacted)
    gone = tuple((f"content credentials: {label}", SHOWS_MORE) for label in labels)
    return replace(
        candidate,
        data=written,
        patched=(*candidate.patched, f"content credentials: signed anew by {signer.called}"),
        dropped=(*credentials.without_manifest(candidate.dropped), *gone),
        signature=Signature(digest, signer.serial, parent, redacted, tuple(actions)),
    )


def proven(written: bytes, candidate: Candidate, signature: Signature, name: str) -> bytes:
    """Return what was read back without its manifest, which is proven to be the one that is meant.

    Raises
    ------
    VerificationFailed
        Anything else than the manifest was changed, or it does not say what it has to.
    PartMissing
    """
    form = candidate.format
    try:
        unsigned = jumbf.without(written, form, name)
        pictures.check(jumbf.store(written, form, name), name)
        told = library.manifests(written, form, name)
    except (CorruptImage, UnfitCredentials) as error:
        raise VerificationFailed(name, str(error)) from error
    if hashlib.sha256(unsigned).hexdigest() != signature.sha256:
        raise VerificationFailed(name, "signing has changed more than the content credentials")
    reason = _untrue(told, signature)
    if reason:
        raise VerificationFailed(name, f"the content credentials are not those meant: {reason}")
    return unsigned


def _untrue(told: Mapping[str, Any], signature: Signature) -> str:
    """Say what a manifest does not say as it should; '' where nothing is wrong."""
    manifest = told["manifests"][told["active_manifest"]]
    parts = manifest.get("ingredients", [])
    facts = {
        "its signer": (manifest.get("signature_info") or {}).get("cert_serial_number")
        == signature.serial,
        "its actions": _actions(manifest) == [*signature.actions],
        "its ingredient": [_ingredient(each) for each in parts] == [("parentOf", signature.parent)],
        "its redactions": set(manifest.get("redactions") or ()) == set(signature.redacted),
        "its validation": not library.failures(told),
    }
    return ", ".join(fact for fact, holds in facts.items() if not holds)


def _actions(manifest: Mapping[str, Any]) -> list[str]:
    every = [a for a in manifest["assertions"] if a["label"].startswith("c2pa.actions")]
    return [action["action"] for each in every for action in each["data"]["actions"]]


def _ingredient(told: Mapping[str, Any]) -> tuple[str | None, str | None]:
    return told.get("relationship"), told.get("active_manifest")
