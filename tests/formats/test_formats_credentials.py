"""Crops whose content credentials (C2PA) are signed anew, read by the library that others use."""

import hashlib
import importlib
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import certificates
import pictures
import pytest
import samples_gif
import samples_webp
from deciding import decided
from PIL import Image

import cropkit
from cropkit import errors, formats
from cropkit.__main__ import main
from cropkit.batch import Batch
from cropkit.engine import apply
from cropkit.errors import (
    CannotSign,
    PartMissing,
    Provenance,
    UnfitCredentials,
    VerificationFailed,
)
from cropkit.formats.account import Candidate
from cropkit.formats.capabilities import DROPS, PATCHED, REFUSED, WITH_EXTRAS
from cropkit.formats.credentials import jumbf, library, signer, signing
from cropkit.formats.options import Options
from cropkit.geometry import PixelBox, Size, Turn
from cropkit.system import signing as choice

c2pa = pytest.importorskip("c2pa", reason="c2pa-python takes 21 MB to fetch and 70 MB installed")

FORMS = {"jpeg": "photo.jpg", "png": "art.png"}
BOX, SIZE = PixelBox(16, 16, 208, 160), (400, 300)
SIGNS = Options(signs=True)
CREATED = {
    "action": "c2pa.created",
    "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
}


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The person's own certificate and key."""
    return certificates.make(tmp_path_factory.mktemp("mine") / "c")


@pytest.fixture(autouse=True)
def _own(mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv(choice.PASSWORD, raising=False)
    use(mine, monkeypatch)


def use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(choice.CERTIFICATE, str(folder / certificates.CERTIFICATE))
    monkeypatch.setenv(choice.KEY, str(folder / certificates.KEY))


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A picture in each format with the credentials of another program, and a thumbnail in them."""
    folder = certificates.make(tmp_path_factory.mktemp("theirs") / "c")
    return {form: credited(form, folder) for form in FORMS}


def credited(form: str, folder: Path, *assertions: dict[str, Any]) -> bytes:
    """Return a picture that a program has signed, which puts a thumbnail in."""
    settings = {**library.SETTINGS, "builder": {"thumbnail": {"enabled": True}}}
    chain, key = ((folder / n).read_bytes() for n in (certificates.CERTIFICATE, certificates.KEY))
    info = c2pa.C2paSignerInfo("es256", chain, key, None)
    actions = {"label": "c2pa.actions.v2", "data": {"actions": [CREATED]}}
    definition = {
        "claim_generator_info": [{"name": "generator", "version": "1"}],
        "assertions": [actions, *assertions],
    }
    context = c2pa.Context(c2pa.Settings.from_dict(settings), c2pa.Signer.from_info(info))
    out, plain = io.BytesIO(), pictures.encoded(pictures.photo(*SIZE, 5), form.upper())
    with context, c2pa.Builder(definition, context) as builder:
        builder.sign(jumbf.FORMATS[form], io.BytesIO(plain), out)
    return out.getvalue()


def told(data: bytes, form: str) -> dict[str, Any]:
    """What the library reads of a file, without any setting of ours."""
    with c2pa.Reader(jumbf.FORMATS[form], io.BytesIO(data)) as reader:
        facts: dict[str, Any] = json.loads(reader.json())
        return facts


def signed(data: bytes, name: str = "x") -> Candidate:
    candidate = formats.crop(data, name, BOX, SIGNS)
    return signing.signed(data, name, candidate, signer.load(name))


@pytest.fixture
def album(tmp_path: Path, generated: dict[str, bytes]) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    for form, name in FORMS.items():
        (folder / name).write_bytes(generated[form])
    return folder


# --- what is written


@pytest.mark.parametrize("form", FORMS)
def test_a_crop_says_what_it_was_made_of_and_by_whom(
    album: Path, generated: dict[str, bytes], form: str
) -> None:
    choice.want(album, wanted=True)
    with cropkit.open(album) as kit:
        result = kit.crop(FORMS[form], BOX)
    written = (album / FORMS[form]).read_bytes()
    facts = told(written, form)
    assert facts["validation_state"] == "Valid"
    manifest = facts["manifests"][facts["active_manifest"]]
    (actions,) = (a for a in manifest["assertions"] if a["label"] == "c2pa.actions.v2")
    done = [each["action"] for each in actions["data"]["actions"]]
    assert done == ["c2pa.opened", "c2pa.cropped", "c2pa.redacted"]
    assert actions["data"]["actions"][2]["reason"] == "cropkit.shows-more-than-the-crop"
    (parent,) = manifest["ingredients"]
    before = told(generated[form], form)["active_manifest"]
    assert (parent["relationship"], parent["active_manifest"]) == ("parentOf", before)
    assert manifest["signature_info"]["common_name"] == "A person"
    assert before in facts["manifests"]
    assert "content credentials: signed anew by O=Tests,CN=A person" in result.patched
    assert not result.lost_credentials


@pytest.mark.parametrize("form", FORMS)
def test_without_the_manifest_it_is_the_crop_without_credentials_byte_for_byte(
    generated: dict[str, bytes], form: str
) -> None:
    data = generated[form]
    plain = formats.crop(data, "x", BOX, Options(drop=frozenset({"provenance"})))
    written = signed(data)
    assert written.data != plain.data
    assert jumbf.without(written.data, form, "x") == plain.data


@pytest.mark.parametrize("form", FORMS)
def test_no_picture_of_the_old_frame_is_in_its_credentials(
    generated: dict[str, bytes], form: str
) -> None:
    assert b"\xff\xd8\xff" in jumbf.store(generated[form], form, "x"), "a thumbnail is there"
    written = signed(generated[form])
    store = jumbf.store(written.data, form, "x")
    assert b"\xff\xd8\xff" not in store
    assert ("content credentials: c2pa.thumbnail.claim", "it shows what was cropped out") in (
        written.dropped
    )


def test_what_is_spelled_out_or_unknown_in_them_is_taken_out_too(tmp_path: Path) -> None:
    folder = certificates.make(tmp_path / "theirs")
    hidden = pictures.encoded(pictures.photo(120, 90, 7), "JPEG").hex()
    added = (
        {"label": "org.example.preview", "data": {"picture": hidden}},
        {"label": "org.example.text", "data": {"words": "kept as it is"}},
        {"label": "stds.exif", "data": {"@context": {}, "exif:Note": hidden}},
    )
    data = credited("jpeg", folder, *added)
    written = signed(data)
    gone = [item for item, _ in written.dropped]
    assert {f"content credentials: {each}" for each in ("org.example.preview", "stds.exif")} < {
        *gone
    }
    store = jumbf.store(written.data, "jpeg", "x")
    assert hidden.encode() not in store
    assert b"kept as it is" in store


def test_a_crop_of_a_signed_crop_has_both_in_its_history(generated: dict[str, bytes]) -> None:
    first = signed(generated["jpeg"]).data
    again = formats.crop(first, "x", PixelBox(0, 0, 64, 64), SIGNS)
    second = signing.signed(first, "x", again, signer.load("x"))
    assert len(told(second.data, "jpeg")["manifests"]) == 3
    assert formats.verify(second.data, second, "x")


# --- the proof


def check(written: bytes, candidate: Candidate) -> None:
    formats.verify(written, candidate, "x")


@pytest.mark.parametrize("form", FORMS)
def test_what_was_read_back_is_proven(generated: dict[str, bytes], form: str) -> None:
    candidate = signed(generated[form])
    check(candidate.data, candidate)


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("form", FORMS)
def test_a_bit_outside_of_the_manifest_or_in_what_is_signed_is_noticed(
    generated: dict[str, bytes], form: str
) -> None:
    candidate = signed(generated[form])
    data, store = candidate.data, jumbf.store(candidate.data, form, "x")
    rest = data.index(store[-64:]) + 68 if form == "png" else data.rindex(store[-16:]) + 20
    claims = data.index(b"c2pa.claim.v2") + 60, data.index(b"c2pa.signature") + 300
    for at in (4, *range(rest, len(data), (len(data) - rest) // 20), len(data) - 3, *claims):
        with pytest.raises(VerificationFailed):
            check(_flipped(data, at), candidate)


def test_other_pixels_with_a_manifest_that_is_true_of_them_are_noticed(
    generated: dict[str, bytes],
) -> None:
    candidate = signed(generated["png"])
    other = formats.crop(generated["png"], "x", PixelBox(0, 0, 192, 144), SIGNS)
    forged = signing.signed(generated["png"], "x", other, signer.load("x"))
    assert told(forged.data, "png")["validation_state"] == "Valid"
    with pytest.raises(VerificationFailed, match="more than the content credentials"):
        check(forged.data, candidate)


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"serial": "12"}, "its signer"),
        ({"parent": "urn:c2pa:another"}, "its ingredient"),
        ({"redacted": (), "actions": ("c2pa.opened",)}, "its actions, its redactions"),
    ],
)
def test_a_manifest_that_says_something_else_is_noticed(
    generated: dict[str, bytes], change: dict[str, Any], fact: str
) -> None:
    candidate = signed(generated["jpeg"])
    assert candidate.signature is not None
    other = replace(candidate, signature=replace(candidate.signature, **change))
    with pytest.raises(VerificationFailed, match=fact):
        check(candidate.data, other)


def test_a_manifest_that_is_not_there_is_noticed(generated: dict[str, bytes]) -> None:
    candidate = signed(generated["jpeg"])
    with pytest.raises(VerificationFailed):
        check(jumbf.without(candidate.data, "jpeg", "x"), candidate)


def test_nothing_is_published_that_was_spoilt_on_its_way(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice.want(album, wanted=True)
    before = {path.name: path.read_bytes() for path in album.iterdir()}
    write = apply.Applier._write  # noqa: SLF001  (what puts a crop on the disk)

    def spoilt(self: Any, job: Any, data: bytes, attributes: Any) -> None:
        write(self, job, _flipped(data, len(data) // 2), attributes)

    monkeypatch.setattr(apply.Applier, "_write", spoilt)
    with cropkit.open(album) as kit, pytest.raises(VerificationFailed):
        kit.crop("art.png", BOX)
    assert {path.name: path.read_bytes() for path in album.iterdir() if path.is_file()} == before


# --- what is refused


def test_credentials_that_are_not_true_are_not_signed_on(generated: dict[str, bytes]) -> None:
    data = generated["png"]
    edited = io.BytesIO()
    with Image.open(io.BytesIO(data)) as picture:
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(edited, "PNG")
    plain = edited.getvalue()
    chunk = data[data.index(b"caBX") - 4 :]
    chunk = chunk[: int.from_bytes(chunk[:4]) + 12]
    moved = plain[:33] + chunk + plain[33:]
    with pytest.raises(UnfitCredentials, match=r"dataHash\.mismatch"):
        signed(moved)


def test_each_row_of_the_tables_is_so(generated: dict[str, bytes]) -> None:
    rows = [row for row in WITH_EXTRAS if row.extra == "c2pa"]
    assert {row.format for row in rows} == jumbf.FORMATS.keys()
    for row in rows:
        data = generated[row.format]
        if row.outcome == REFUSED:
            at = data.index(b"c2pa.actions.v2") + 40
            with pytest.raises(getattr(errors, row.how)):
                signed(_flipped(data, at))
            continue
        candidate = signed(data)
        check(candidate.data, candidate)
        named = {PATCHED: candidate.patched, DROPS: [item for item, _ in candidate.dropped]}
        assert any(item.startswith("content credentials") for item in named[row.outcome])


def test_formats_that_are_not_signed_are_refused_as_before() -> None:
    for samples, name in ((samples_gif, "x.gif"), (samples_webp, "x.webp")):
        with pytest.raises(Provenance, match="content credentials"):
            formats.opened(samples.SAMPLES["content credentials (C2PA)"], name, SIGNS)


def test_an_image_without_credentials_is_cropped_without(folder: Path) -> None:
    choice.want(folder, wanted=True)
    with cropkit.open(folder) as kit:
        result = kit.crop("c.jpg", PixelBox(0, 0, 32, 32))
    assert not [item for item in result.patched if "credentials" in item]


def _wrong_password(folder: Path, patch: pytest.MonkeyPatch) -> None:
    _encrypted(folder)
    patch.setenv(choice.PASSWORD, "not this one")


def _encrypted(folder: Path, _: object = None) -> None:
    key = folder / certificates.KEY
    certificates.openssl(
        *(folder, "pkcs8", "-topk8", "-in", key.name, "-out", "packed", "-passout", "pass:secret")
    )
    shutil.move(folder / "packed", key)
    key.chmod(0o600)


def _of_another(folder: Path, _: object) -> None:
    other = certificates.make(folder / "other")
    shutil.copy(other / certificates.CERTIFICATE, folder / certificates.CERTIFICATE)


def _expired(folder: Path, _: object) -> None:
    certificates.make(folder, days=-1)


def _for_all(folder: Path, _: object) -> None:
    (folder / certificates.KEY).chmod(0o640)


def _gone(folder: Path, _: object) -> None:
    (folder / certificates.KEY).unlink()


def _no_key(folder: Path, _: object) -> None:
    (folder / certificates.KEY).write_text("just words")


def _only_one(folder: Path, patch: pytest.MonkeyPatch) -> None:
    assert folder.is_dir()
    patch.delenv(choice.KEY)


def _none(folder: Path, patch: pytest.MonkeyPatch) -> None:
    _only_one(folder, patch)
    patch.delenv(choice.CERTIFICATE)


def _no_profile(folder: Path, _: object) -> None:
    certificates.openssl(
        *(folder, "req", "-x509", "-new", "-key", certificates.KEY, "-days", "30"),
        *("-subj", "/CN=Self", "-out", certificates.CERTIFICATE),
    )


WRONG: dict[str, tuple[Callable[[Path, pytest.MonkeyPatch], None], str]] = {
    "a wrong password": (_wrong_password, "its password is another one"),
    "no password": (_encrypted, f"encrypted: {choice.PASSWORD} holds no password"),
    "a certificate of another key": (_of_another, "not that of the key"),
    "an expired certificate": (_expired, "valid from"),
    "a key that others may read": (_for_all, "chmod 600"),
    "no such key": (_gone, "No such file"),
    "words instead of a key": (_no_key, "no private key in PEM"),
    "only one of two files": (_only_one, "names no certificate and key"),
    "none at all": (_none, "no certificate is configured"),
    "a certificate that C2PA does not allow": (_no_profile, "."),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_signer_that_cannot_sign_is_a_clear_error_before_anything_is_written(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    folder = certificates.make(tmp_path / "broken")
    use(folder, monkeypatch)
    break_it, words = WRONG[wrong]
    break_it(folder, monkeypatch)
    choice.want(album, wanted=True)
    before = {path.name: path.read_bytes() for path in album.iterdir()}
    written: list[object] = []
    monkeypatch.setattr(apply.Applier, "_write", lambda *facts: written.append(facts))
    with cropkit.open(album) as kit, pytest.raises(CannotSign, match=words) as caught:
        kit.crop("photo.jpg", BOX)
    assert caught.value.passes
    assert "secret" not in str(caught.value)
    assert not written
    assert {path.name: path.read_bytes() for path in album.iterdir() if path.is_file()} == before


def test_an_encrypted_key_signs_with_its_password(
    tmp_path: Path, generated: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = certificates.make(tmp_path / "own")
    _encrypted(folder)
    use(folder, monkeypatch)
    monkeypatch.setenv(choice.PASSWORD, "secret")
    assert signed(generated["jpeg"]).signature is not None


@pytest.mark.parametrize("kind", [("EC", "P-384"), ("RSA",), ("ED25519",)])
def test_keys_of_other_algorithms_sign(
    tmp_path: Path,
    generated: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    kind: tuple[str, ...],
) -> None:
    use(certificates.make(tmp_path / "own", kind=kind), monkeypatch)
    candidate = signed(generated["jpeg"])
    check(candidate.data, candidate)


def test_the_key_is_in_no_form_in_which_a_signer_is_shown() -> None:
    who = signer.load("x")
    assert "PRIVATE KEY" not in repr(who)


# --- the choice


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def run(*arguments: object) -> tuple[int, str]:
        capsys.readouterr()
        code = main(list(map(str, arguments)))
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_it_is_chosen_by_a_command_and_by_one_taken_back(
    album: Path, shell: Callable[..., tuple[int, str]]
) -> None:
    code, words = shell("settings", album, "--provenance", "sign")
    assert code == 0
    assert "signed by O=Tests,CN=A person" in words
    assert "provenance: sign" in words
    code, words = shell("settings", album, "--provenance", "refuse")
    assert (code, "provenance" in words) == (0, False)
    with cropkit.open(album) as kit, pytest.raises(Provenance):
        kit.crop("photo.jpg", BOX)


def test_the_collection_holds_nothing_of_it(
    album: Path, shell: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with cropkit.open(album) as kit:
        kit.trail.choose({"provenance": "sign", "signs": "True"})
    with cropkit.open(album) as kit:
        assert not kit.options.signs
    assert shell("settings", album, "--provenance", "sign")[0] == 0
    with cropkit.open(album) as kit:
        assert kit.options.signs
    monkeypatch.setenv("XDG_STATE_HOME", str(album.parent / "somebody else"))
    monkeypatch.setenv("CROPKIT_KEY", "")
    with cropkit.open(album) as kit:
        assert not kit.options.signs


def test_a_signer_that_cannot_sign_is_not_chosen(
    album: Path, shell: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(choice.CERTIFICATE)
    code, words = shell("settings", album, "--provenance", "sign")
    assert code != 0
    assert "names no certificate and key" in words
    assert not choice.is_wanted(album)


def test_a_batch_signs(album: Path) -> None:
    choice.want(album, wanted=True)
    with cropkit.open(album) as kit:
        for name in FORMS.values():
            decided(kit, name, box=BOX)
    batch = Batch(album, workers=2)
    batch.apply()
    batch.result()
    assert batch.run.unsigned == ()
    assert told((album / "photo.jpg").read_bytes(), "jpeg")["validation_state"] == "Valid"


def test_a_copy_in_the_same_format_is_signed_and_one_that_is_coded_anew_is_not(
    album: Path, tmp_path: Path
) -> None:
    choice.want(album, wanted=True)
    for where, how in (("same", None), ("anew", "long-side=64")):
        with cropkit.open(album, copy_to=tmp_path / where, copies=how) as kit:
            for name in FORMS.values():
                kit.crop(name, BOX)
    for form, name in FORMS.items():
        same, anew = ((tmp_path / where / name).read_bytes() for where in ("same", "anew"))
        assert told(same, form)["validation_state"] == "Valid"
        assert jumbf.store(anew, form, "x") == b""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("box", [BOX, PixelBox.full(Size(*SIZE))])
def test_a_crop_that_is_turned_says_so(album: Path, form: str, box: PixelBox) -> None:
    choice.want(album, wanted=True)
    with cropkit.open(album) as kit:
        kit.crop(FORMS[form], box, turn=Turn.of(90, "horizontal"))
    facts = told((album / FORMS[form]).read_bytes(), form)
    assert facts["validation_state"] == "Valid"
    (actions, *_) = facts["manifests"][facts["active_manifest"]]["assertions"]
    done = [each["action"] for each in actions["data"]["actions"]]
    cropped = ["c2pa.cropped"] if box == BOX else []
    assert done == ["c2pa.opened", *cropped, "c2pa.orientation", "c2pa.redacted"]


def test_a_copy_of_the_whole_image_does_not_claim_to_be_cropped(
    album: Path, tmp_path: Path
) -> None:
    choice.want(album, wanted=True)
    with cropkit.open(album, copy_to=tmp_path / "out", copies="format=jpeg") as kit:
        kit.crop("photo.jpg", PixelBox.full(Size(*SIZE)))
    facts = told((tmp_path / "out/photo.jpg").read_bytes(), "jpeg")
    (actions, *_) = facts["manifests"][facts["active_manifest"]]["assertions"]
    done = [each["action"] for each in actions["data"]["actions"]]
    assert done == ["c2pa.opened", "c2pa.redacted"]


def test_the_box_of_the_whole_image_changes_no_byte(
    album: Path, generated: dict[str, bytes]
) -> None:
    choice.want(album, wanted=True)
    with cropkit.open(album) as kit:
        kit.crop("photo.jpg", PixelBox.full(Size(*SIZE)))
    assert (album / "photo.jpg").read_bytes() == generated["jpeg"]


def test_undo_brings_the_old_credentials_back(album: Path, generated: dict[str, bytes]) -> None:
    choice.want(album, wanted=True)
    with cropkit.open(album) as kit:
        kit.crop("art.png", BOX)
        kit.undo("art.png")
    digest = hashlib.sha256((album / "art.png").read_bytes()).hexdigest()
    assert digest == hashlib.sha256(generated["png"]).hexdigest()


def test_without_the_library_a_sentence_says_how_to_get_it(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        if name.startswith("cryptography"):
            raise ModuleNotFoundError(name)
        return importlib.import_module(name)

    monkeypatch.setattr(f"{library.__name__}.import_module", missing)
    choice.want(album, wanted=True)
    with (
        cropkit.open(album) as kit,
        pytest.raises(PartMissing, match=r"pip install 'cropkit\[c2pa\]'"),
    ):
        kit.crop("photo.jpg", BOX)


def test_nothing_asks_the_network() -> None:
    verify, core = library.SETTINGS["verify"], library.SETTINGS["core"]
    assert (verify["remote_manifest_fetch"], verify["ocsp_fetch"]) == (False, False)
    assert core["allowed_network_hosts"] == []
