import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import sizes

from cropkit.errors import BadSetting, BadTarget, OtherRatio, TooSmall
from cropkit.formats.copy_options import Colour, CopyOptions, Filter, Format, Sampling
from cropkit.geometry import PixelBox, Size
from cropkit.targets import Target, snapped

FREE = {
    "format": st.sampled_from(Format),
    "quality": st.none() | st.integers(1, 100),
    "subsampling": st.sampled_from(Sampling),
    "filter": st.sampled_from(Filter),
    "linear_light": st.booleans(),
    "allow_upscale": st.booleans(),
    "colour": st.sampled_from(Colour),
}
OF_SIZE = st.fixed_dictionaries({"size": sizes(), "scale_to_fit": st.booleans()}) | (
    st.fixed_dictionaries({"long_side": st.none() | st.integers(1, 65535)})
)


@st.composite
def options(draw: st.DrawFn) -> CopyOptions:
    return CopyOptions(**draw(st.fixed_dictionaries(FREE)), **draw(OF_SIZE))


@given(how=options())
def test_settings_say_the_same_and_only_what_is_not_the_default(how: CopyOptions) -> None:
    settings = how.to_settings()
    assert CopyOptions.from_settings(settings) == how
    assert all(isinstance(value, str) for value in settings.values())
    assert CopyOptions().to_settings() == {}


BAD = {
    "format": ("tiff", "there is no 'tiff'; choose from same, png, jpeg, webp"),
    "quality": ("101", "there is no 101; choose from 1 to 100"),
    "subsampling": ("4:1:1", "choose from 4:4:4, 4:2:2, 4:2:0"),
    "long-side": ("0", "there is no 0; choose from 1 to 65535"),
    "filter": ("sinc", "choose from nearest, box, bilinear, hamming, bicubic, lanczos"),
    "linear-light": ("maybe", "choose from no, yes"),
    "colour": ("p3", "choose from carry, srgb"),
    "qualty": ("90", "setting qualty: there is no '90'; choose from a setting of format, quality"),
    "scale-to-fit": ("yes", "no, where there is no size to fit into"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_choice_that_there_is_not_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(BadSetting, match=re.escape(BAD[name][1])) as caught:
        CopyOptions.from_settings({name: BAD[name][0]})
    assert f"setting {name}" in str(caught.value)


@pytest.mark.parametrize("text", ["", "x", "-1", "9" * 5000, "1e9", "12.5"])
def test_a_number_that_is_none_is_refused_in_short(text: str) -> None:
    with pytest.raises(BadSetting, match="whole numbers above 0") as caught:
        CopyOptions.from_settings({"quality": text})
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize("text", ["0x512", "4:5", "big", "70000x1", "512"])
def test_a_size_that_makes_no_sense_is_refused_as_a_target_is(text: str) -> None:
    with pytest.raises(BadTarget):
        CopyOptions.from_settings({"size": text})


def test_a_size_is_read_with_a_comma_too() -> None:
    assert CopyOptions.from_settings({"size": "832,1216"}).size == Size(832, 1216)


def test_a_size_and_a_long_side_are_not_both_obeyed() -> None:
    with pytest.raises(BadSetting, match="size or long-side"):
        CopyOptions(size=Size(5, 5), long_side=5)


@given(crop=sizes(), long_side=st.integers(1, 6000))
def test_a_long_side_is_exact_and_the_other_is_rounded_once(crop: Size, long_side: int) -> None:
    after = CopyOptions(long_side=long_side, allow_upscale=True).output(crop, "a.png")
    assert max(after.width, after.height) == long_side
    shorter = min(crop.width, crop.height) * long_side / max(crop.width, crop.height)
    assert abs(min(after.width, after.height) - shorter) <= 0.5 or shorter < 0.5


@given(crop=sizes(), frame=sizes())
def test_what_is_scaled_to_fit_fills_one_side_and_keeps_within_the_other(
    crop: Size, frame: Size
) -> None:
    how = CopyOptions(size=frame, scale_to_fit=True, allow_upscale=True)
    after = how.output(crop, "a.png")
    assert after.width <= frame.width
    assert after.height <= frame.height
    assert after.width == frame.width or after.height == frame.height


@given(image=sizes(), wanted=sizes())
def test_a_snapped_box_is_never_stretched(image: Size, wanted: Size) -> None:
    box = snapped(PixelBox.full(image), image, Target(wanted.width, wanted.height))
    how = CopyOptions(size=wanted, allow_upscale=True)
    if min(box.size.width, box.size.height) > 1:
        assert how.output(box.size, "a.png") == wanted


def test_another_ratio_and_enlarging_are_refused_with_what_can_be_done() -> None:
    how = CopyOptions(size=Size(832, 1216))
    with pytest.raises(OtherRatio, match=r"b/a\.png: a crop of 832x1000 is not .* 832x1216"):
        how.output(Size(832, 1000), "b/a.png")
    with pytest.raises(TooSmall, match=r"b/a\.png: the crop, 416x608, would be enlarged 2\.00"):
        how.output(Size(416, 608), "b/a.png")
    with pytest.raises(TooSmall, match=r"1\.02"):
        CopyOptions(long_side=101).output(Size(100, 50), "a.png")
    assert CopyOptions(long_side=100).output(Size(100, 50), "a.png") == Size(100, 50)
    assert CopyOptions().output(Size(7, 9), "a.png") == Size(7, 9)


def test_the_suffix_is_that_of_the_format() -> None:
    jpeg, same = CopyOptions(format=Format.JPEG), CopyOptions()
    assert jpeg.renamed("a/b.c.heic") == "a/b.c.jpg"
    assert jpeg.renamed("a/b.JPEG") == "a/b.JPEG"
    assert CopyOptions(format=Format.WEBP).renamed("b.jpg") == "b.webp"
    assert same.renamed("a/b.heic") == "a/b.heic"


def test_only_what_changes_nothing_but_the_box_is_cropped_as_in_place() -> None:
    assert CopyOptions().is_faithful("tiff")
    assert CopyOptions(format=Format.PNG, quality=5).is_faithful("png")
    assert not CopyOptions(format=Format.PNG).is_faithful("jpeg")
    assert not CopyOptions(quality=90).is_faithful("jpeg")
    assert not CopyOptions(long_side=5).is_faithful("png")
    assert not CopyOptions(colour=Colour.SRGB).is_faithful("png")
