"""Each regular expression over a file's bytes goes through them in a time that is linear.

All patterns of the rooms are found, and tried on what is made of themselves: pieces of what they
match, again and again, with and without an end. Steps of the engine cannot be counted, so
the CPU is, best of five; a quadratic one takes sixteen times as long for four times as much. One
that does not come to an end is interrupted.
"""

import ast
import importlib
import pkgutil
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from re import _constants as kinds  # type: ignore[attr-defined]  # the parser is not public
from re import _parser as parser  # type: ignore[attr-defined]
from types import ModuleType
from typing import Any

import pytest

import cropkit.formats
from cropkit.formats.metadata import xmp

SHORT, FOUR_TIMES = 4_000, 16_000
MOST_GROWTH = 9.0  # linear: 4, quadratic: 16
UNFELT = 0.004  # seconds of CPU: nothing can be said of less
MOST_SECONDS = 2.0  # of CPU, for one text
TRIES = 5
MOST_PIECES = 24
# Patterns that are made where they are used, as each of them is for one packet.
MADE_THERE: dict[str, list[bytes]] = {
    "metadata/xmp.py": [
        rb"</(xmp:Thumbnails|GDepth:\w+)\s*>\s*",
        rb"<(xmp:Thumbnails|GDepth:\w+)\b[^>]*>?\s*",
        xmp._property(b"tiff:ImageWidth").pattern,  # noqa: SLF001  (what is tried)
    ],
    "metadata/xml_packet.py": [
        rb"xmlns:([\w.\-]++)\s*+=\s*+(?:\"([^\"<]*+)\"|'([^'<]*+)')",
    ],
    "companions.py": [],  # of the name of a file, and of a word that is a number
}


def modules() -> Iterator[ModuleType]:
    path, prefix = cropkit.formats.__path__, "cropkit.formats."
    for each in pkgutil.walk_packages(path, prefix):
        yield importlib.import_module(each.name)


def sources() -> Iterator[tuple[str, ast.Module]]:
    root = Path(cropkit.formats.__path__[0])
    for path in sorted(root.rglob("*.py")):
        yield str(path.relative_to(root)), ast.parse(path.read_text(encoding="utf-8"))


def patterns() -> dict[str, tuple[re.Pattern[Any], bool]]:
    """Return each pattern by its place, and whether it is only tried at one place of a text."""
    every: dict[str, tuple[re.Pattern[Any], bool]] = {}
    for module in modules():
        text = Path(module.__file__ or "").read_text(encoding="utf-8")
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                uses = set(re.findall(rf"\b{name}\.(\w+)\(", text))
                held = bool(uses) and uses <= {"match", "fullmatch"}
                every[f"{module.__name__}.{name}"] = (value, held)
    for place, texts in MADE_THERE.items():
        for number, each in enumerate(texts):
            every[f"{place} {number}"] = (re.compile(each), False)
    return every


PATTERNS = patterns()


def sample(tree: Any, most: int) -> list[int]:
    """Return characters that match, each repetition as short as it may be, and once at least."""
    made: list[int] = []
    for kind, value in tree:
        if kind is kinds.LITERAL:
            made.append(value)
        elif kind is kinds.NOT_LITERAL:
            made.append(ord("b") if value == ord("a") else ord("a"))
        elif kind is kinds.ANY:
            made.append(ord("a"))
        elif kind is kinds.IN:
            made.append(_of(value))
        elif kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT):
            made += sample(value[2], most) * min(max(value[0], 1), most)
        elif kind is kinds.SUBPATTERN:
            made += sample(value[3], most)
        elif kind is kinds.ATOMIC_GROUP:
            made += sample(value, most)
        elif kind is kinds.BRANCH:
            made += sample(value[1][0], most)
    return made


def _of(members: Any) -> int:
    """Return a member of a set of characters."""
    pattern = [(kinds.IN, members)]
    tried = [*b"a 1\n\r<>\"'=:&.", *range(256)]
    return int(next(each for each in tried if _is_in(each, pattern)))


def _is_in(character: int, pattern: Any) -> bool:
    negated = pattern[0][1][0][0] is kinds.NEGATE
    inside: bool = False
    for kind, value in pattern[0][1]:
        if kind is kinds.LITERAL:
            inside |= character == value
        elif kind is kinds.RANGE:
            inside |= value[0] <= character <= value[1]
        elif kind is kinds.CATEGORY:
            words = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}
            of = re.compile(words[str(value).rpartition("_")[2]])
            inside |= (of.match(chr(character)) is not None) != ("NOT" in str(value))
    return bool(inside != negated)


def attacks(pattern: re.Pattern[Any]) -> Iterator[Callable[[int], Any]]:
    """Yield texts of any length: pieces of what the pattern matches, and single characters."""
    whole = sample(parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG), 3)
    step = max(1, len(whole) // MOST_PIECES)
    pieces = {tuple(whole[:end]) for end in range(1, len(whole) + 1, step)}
    pieces |= {tuple(whole[at : at + 1]) for at in range(0, len(whole), step)} | {(32,), (97,)}
    starts = [(), *sorted(pieces)[:: max(1, len(pieces) // 6)], tuple(whole)]
    for piece in sorted(pieces):
        for start in starts:
            yield lambda size, s=start, p=piece: _text(pattern, [*s, *(p * (size // len(p)))])  # type: ignore[misc]  # (bound at once)


def _text(pattern: re.Pattern[Any], characters: list[int]) -> Any:
    return (
        bytes(characters) if isinstance(pattern.pattern, bytes) else "".join(map(chr, characters))
    )


@pytest.fixture(autouse=True)
def interrupted() -> Iterator[None]:
    """Let the engine be interrupted: it looks for signals on its way."""

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, late)
    yield
    signal.signal(signal.SIGVTALRM, before)


def cpu(pattern: re.Pattern[Any], text: Any, *, held: bool) -> float:
    def once() -> float:
        begun = time.process_time()
        if held:
            pattern.match(text)
        else:
            for _ in pattern.finditer(text):
                pass
        return time.process_time() - begun

    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
    try:
        first = once()
    except TimeoutError:
        return MOST_SECONDS
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return first if first < UNFELT else min(first, *(once() for _ in range(TRIES - 1)))


def grows(pattern: re.Pattern[Any], *, held: bool) -> list[str]:
    """Return the texts for which it takes longer than in proportion."""
    bad = []
    for text in attacks(pattern):
        many = cpu(pattern, text(FOUR_TIMES), held=held)
        if many < UNFELT:
            continue
        few = cpu(pattern, text(SHORT), held=held)
        if many > MOST_GROWTH * few or many >= MOST_SECONDS:
            bad.append(f"{few:.4f} s, then {many:.4f} s: {text(60)!r}")
            break
    return bad


@pytest.mark.parametrize("name", PATTERNS)
def test_a_regular_expression_takes_a_time_in_proportion(name: str) -> None:
    pattern, held = PATTERNS[name]
    assert grows(pattern, held=held) == []


@pytest.mark.parametrize("bad", [rb"<a[^>]*b>", rb"\s+=", rb"(?:x+y?)+z", rb"a*c"])
def test_one_that_does_not_is_noticed(bad: bytes) -> None:
    assert grows(re.compile(bad), held=False)


def test_no_pattern_is_made_where_nobody_tries_it() -> None:
    inline: dict[str, int] = {}
    for place, tree in sources():
        bodies = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
        calls = [n for body in bodies for n in ast.walk(body) if isinstance(n, ast.Call)]
        made = [c for c in calls if ast.unparse(c.func).startswith("re.")]
        if made:
            inline[place] = len(made)
    assert inline.keys() == MADE_THERE.keys()
    assert {place: inline[place] for place in inline if place != "companions.py"} == {
        place: len(texts) for place, texts in MADE_THERE.items() if place != "companions.py"
    }
