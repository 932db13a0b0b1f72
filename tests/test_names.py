"""A name is written reversibly where it is kept, and harmlessly where it is shown."""

import json
import os
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from cropkit.names import (
    all_escaped,
    all_unescaped,
    escaped,
    printable,
    printable_lines,
    read_json,
    unescaped,
    write_json,
)

BIDI = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
OWN = "\U0010f7e9".encode()
names = st.one_of(
    st.binary(max_size=20),
    st.lists(st.sampled_from([b"\xe9", b"\xf4", b"\x8f\x9f", OWN, OWN[:3], b"a"])).map(b"".join),
)


@given(names)
@example(b"\xf4" + OWN)
@example(OWN[:3])
def test_whatever_the_kernel_allows_comes_back_from_its_escape(name: bytes) -> None:
    written = escaped(os.fsdecode(name))
    written.encode("utf-8")
    assert os.fsencode(unescaped(written)) == name
    in_json = json.dumps(all_escaped([os.fsdecode(name)]))
    assert os.fsencode(all_unescaped(json.loads(in_json))[0]) == name


@given(names, names)
def test_no_two_names_are_written_alike(one: bytes, other: bytes) -> None:
    assert (escaped(os.fsdecode(one)) == escaped(os.fsdecode(other))) is (one == other)


@given(st.text())
@example("ü ☃ \x1b\n")
def test_an_ordinary_name_is_written_as_it_is(name: str) -> None:
    private = any(0x10F780 <= ord(character) <= 0x10F7FF for character in name)
    assert (escaped(name) == name) is not private


@given(st.text(st.characters(categories=["Cs"])))
def test_half_characters_that_are_in_no_name_can_be_written_too(text: str) -> None:
    escaped(text).encode("utf-8")


@given(st.one_of(st.text(), names.map(os.fsdecode)))
@example("\u202e\u2066\u2028\x9b\x7f\udce9\ud800")
def test_what_is_printed_moves_no_cursor_turns_no_text_and_ends_no_line(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert not {unicodedata.bidirectional(c) for c in shown} & BIDI


def test_what_is_escaped_reads_as_in_a_program() -> None:
    assert printable("a\nb\x1b[0m\x85\u202e\udce9\ud800ü") == (
        "a\\nb\\x1b[0m\\x85\\u202e\\xe9\\ud800ü"
    )
    assert printable(escaped("caf\udce9")) == "caf\\xe9"
    assert printable_lines("a\nb\x1b") == "a\nb\\x1b"


values = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(), names.map(os.fsdecode)),
    lambda deep: st.one_of(st.lists(deep), st.dictionaries(names.map(os.fsdecode), deep)),
)


@given(values)
@example(["\x7f\u00e9\\u", OWN.decode(), {"\udcff": 1}])
def test_a_json_text_is_that_of_the_escaped_value(value: object) -> None:
    encode = json.JSONEncoder(sort_keys=True).encode
    written = write_json(value, encode)
    assert written.isascii()
    assert written == encode(all_escaped(value))
    assert read_json(written) == value


def test_texts_deep_in_a_value_are_written_too() -> None:
    value = {"caf\udce9": ["\udcff", 1, None, {"a": ("\udcff",)}]}
    written = json.dumps(all_escaped(value), ensure_ascii=False).encode()
    assert all_unescaped(json.loads(written)) == {
        "caf\udce9": ["\udcff", 1, None, {"a": ["\udcff"]}]
    }
