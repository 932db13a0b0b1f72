"""Whose a name in a file of labels is: an image's whose path it ends, or nobody's."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cropkit.labels.matching import ANYWHERE, matched, name_of, of_labels_file

PARTS = st.sampled_from(("a", "b", "c"))
PATHS = st.lists(PARTS, min_size=1, max_size=3).map(lambda parts: "/".join(parts) + ".jpg")


@pytest.mark.parametrize(
    ("written", "image"),
    [
        ("x/a.jpg", "x/a.jpg"),
        ("./x/a.jpg", "x/a.jpg"),
        ("../sets/x/a.jpg", "x/a.jpg"),
        ("/data/sets/x/a.jpg", "x/a.jpg"),
        ("C:\\sets\\x\\a.jpg", "x/a.jpg"),
        ("x\\a.jpg", "x/a.jpg"),
        ("a.jpg", "x/a.jpg"),
        ("deep/x/a.jpg", "x/a.jpg"),
        ("u\u0308.jpg", "\u00fc.jpg"),
        ("\u00fc.jpg", "u\u0308.jpg"),
        (f"{ANYWHERE}elsewhere/a.jpg", "x/a.jpg"),
    ],
)
def test_a_name_is_an_images_where_either_ends_the_other(written: str, image: str) -> None:
    name = name_of(written)
    assert matched([name], [image, "y/b.jpg"]).names == {image: [name]}


@pytest.mark.parametrize("written", ["y/a.jpg", "/data/y/a.jpg", "b.jpg", "a.png", "a", "", ".."])
def test_another_folder_or_another_name_is_another_image(written: str) -> None:
    result = matched([name_of(written)], ["x/a.jpg"])
    assert (dict(result.names), list(result.strange)) == ({}, [name_of(written)])


def test_a_name_that_two_images_could_have_is_neithers() -> None:
    result = matched([name_of("a.jpg")], ["x/a.jpg", "y/a.jpg"])
    assert not result.names
    assert "2 images could be 'a.jpg'" in result.strange[name_of("a.jpg")]


def test_an_image_that_two_names_could_mean_has_neither() -> None:
    names = [name_of("/one/a.jpg"), name_of("/other/a.jpg")]
    result = matched(names, ["a.jpg"])
    assert (dict(result.names), list(result.strange)) == ({}, names)


def test_the_nearest_name_wins_and_the_other_is_told() -> None:
    near, far = name_of("x/a.jpg"), name_of("/sets/x/a.jpg")
    result = matched([far, near], ["x/a.jpg"])
    assert (dict(result.names), list(result.strange)) == ({"x/a.jpg": [near]}, [far])
    assert matched([name_of("a.jpg")], ["a.jpg", "x/a.jpg"]).names == {"a.jpg": [name_of("a.jpg")]}


def test_a_name_without_a_suffix_is_that_of_the_stem_unless_an_image_is_called_so() -> None:
    stem, whole = name_of("x/a", by_stem=True), name_of("x/a.jpg", by_stem=True)
    assert matched([stem], ["x/a.jpg", "x/b.jpg"]).names == {"x/a.jpg": [stem]}
    assert matched([whole], ["x/a.jpg", "x/a.jpg.png"]).names == {"x/a.jpg": [whole]}
    assert not matched([stem], ["x/a.jpg", "x/a.png"]).names


@pytest.mark.parametrize(
    ("file", "image"),
    [
        ("labels/train/a.txt", "images/train/a"),
        ("train/labels/a.txt", "train/images/a"),
        ("labels/labels/a.txt", "labels/images/a"),
        ("a.jpg.json", "a.jpg"),
        ("labels.txt", "labels"),
    ],
)
def test_a_file_of_labels_is_of_the_image_beside_its_folder(file: str, image: str) -> None:
    assert of_labels_file(file) == image


@pytest.mark.parametrize(
    ("folder", "written", "image"),
    [
        ("train", "a.jpg", "train/a.jpg"),
        ("valid", "a.jpg", "valid/a.jpg"),
        ("train/labels", "..\\images\\b.jpg", "train/images/b.jpg"),
        ("valid/labels", "../images/b.jpg", "valid/images/b.jpg"),
        ("annotations", "train/a.jpg", "train/a.jpg"),
        ("annotations", "c.jpg", "d/c.jpg"),
    ],
)
def test_a_name_is_relative_to_the_folder_of_its_file_where_there_is_such_an_image(
    folder: str, written: str, image: str
) -> None:
    name = name_of(written, folder=folder)
    images = ["train/a.jpg", "valid/a.jpg", "train/images/b.jpg", "valid/images/b.jpg", "d/c.jpg"]
    assert matched([name], images).names == {image: [name]}


def test_files_of_two_folders_do_not_speak_of_one_image() -> None:
    names = [name_of("a.jpg", folder=folder) for folder in ("train", "valid")]
    result = matched(names, ["a.jpg"])
    assert (dict(result.names), list(result.strange)) == ({}, names)
    assert not matched([name_of("y/a.jpg", folder="annotations")], ["x/a.jpg"]).names


@given(st.sets(PATHS, min_size=1), st.lists(PATHS, min_size=1, unique=True))
def test_no_image_has_what_is_not_its_own(images: set[str], written: list[str]) -> None:
    result = matched(map(name_of, written), sorted(images))
    meant = [name for names in result.names.values() for name in names]
    assert len(meant) == len(set(meant))
    assert {*meant, *result.strange} == set(map(name_of, written))
    for image, names in result.names.items():
        for name in names:
            parts = PurePosixPath(image).parts
            shared = min(len(parts), len(name.parts))
            assert parts[-shared:] == name.parts[-shared:]
    for image in images & set(written):
        assert result.names[image] == [name_of(image)]
