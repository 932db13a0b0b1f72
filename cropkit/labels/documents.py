"""The files of labelling tools, read with bounds: bytes, JSON, XML and lines."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from xml.etree import ElementTree as ET
from xml.parsers import expat

from cropkit.errors import BadSuggestion, MissingFile
from cropkit.labels.label import Labels
from cropkit.names import printable
from cropkit.suggest.numbers import excerpt

LIMIT = 1 << 29  # bytes of a file that a person names: a million boxes of COCO have some 300 MB
SMALL = 1 << 20  # bytes of one of many files in a folder
MOST_FILES = 1_000_000
_DEPTH = 100  # of elements in elements
_Read = TypeVar("_Read")
_LONGEST_NUMBER = 400  # characters: no double needs more than 309 before its point


class Document:
    """One file, and its name in messages.

    Parameters
    ----------
    path : of the file
    name : as messages have it
    limit : bytes that are read at most
    """

    def __init__(self, path: Path, name: str = "", limit: int = LIMIT) -> None:
        self.path, self.name = path, printable(name or path.name)
        self.data = _bounded(path, self.name, limit)

    @property
    def text(self) -> str:
        """Its text, in UTF-8 with or without a mark.

        Raises
        ------
        BadSuggestion
            It is none.
        """
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadSuggestion(self.name, f"is not UTF-8 (byte {error.start})") from None

    @property
    def start(self) -> bytes:
        """Its first bytes, without blanks and a mark: what it is shows there."""
        return self.data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()

    def json(self) -> Any:  # noqa: ANN401  (JSON's)
        """Return what its JSON says.

        Raises
        ------
        BadSuggestion
            It is none.
        """
        return parsed(self.text, self.name)

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield where each line is that is not blank, and what it says."""
        for number, line in enumerate(self.text.splitlines(), 1):
            if line.strip():
                yield f"{self.name}:{number}", line.strip()

    def xml(self) -> ET.Element:
        """Return the root of its XML; no document type, and so no entities, are taken.

        Raises
        ------
        BadSuggestion
            It is none, declares a type, or is nested too deeply.
        """
        return _Tree(self.name).read(self.data)


def parsed(text: str, where: str) -> Any:  # noqa: ANN401  (JSON's)
    """Return what a JSON text says.

    Raises
    ------
    BadSuggestion
        It is none, or nested too deeply, or holds a number that is too long.
    """
    try:
        return json.loads(text, parse_float=_number)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BadSuggestion(where, f"is not JSON ({place}: {error.msg})") from None
    except RecursionError:
        raise BadSuggestion(where, "is not JSON that we read (too deeply nested)") from None
    except ValueError:
        raise BadSuggestion(where, "is not JSON that we read (a number too long)") from None


def each_object(
    values: object, where: str, read: Callable[[dict[str, Any], str], Labels]
) -> Labels:
    """Yield what is read of each object in a list; a bad one is an error among the others.

    Parameters
    ----------
    read : given an object, and where it is
    """
    if not isinstance(values, list):
        yield BadSuggestion(where, f"needs a list, holds {excerpt(values)}")
        return
    for place, value in enumerate(values):
        here = f"{where}[{place}]"
        if isinstance(value, dict):
            yield from without_raising(read, value, here)
        else:
            yield BadSuggestion(here, f"needs an object, not {excerpt(value)}")


def without_raising(read: Callable[[_Read, str], Labels], value: _Read, where: str) -> Labels:
    """Yield what is read of a value; what makes it unreadable comes last."""
    try:
        yield from read(value, where)
    except BadSuggestion as error:
        yield error


def _number(written: str) -> float:
    if len(written) > _LONGEST_NUMBER:
        raise ValueError(written[:_LONGEST_NUMBER])
    return float(written)


def _bounded(path: Path, name: str, limit: int) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would wait
        with os.fdopen(fd, "rb") as file:
            is_file = stat.S_ISREG(os.fstat(fd).st_mode)
            data = file.read(limit + 1) if is_file else None
    except FileNotFoundError:
        raise MissingFile(str(path)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadSuggestion(name, f"cannot be read ({reason})") from error
    if data is None:
        raise BadSuggestion(name, "is a folder or a device, not a file")
    if len(data) > limit:
        raise BadSuggestion(name, f"has more than {limit:,} bytes, which are all that is read")
    return data


class _Tree:
    """Builds a tree of elements, by a parser that takes neither document types nor depths."""

    def __init__(self, where: str) -> None:
        self._where, self._depth = where, 0
        self._builder = ET.TreeBuilder()
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._builder.data

    def read(self, data: bytes) -> ET.Element:
        try:
            self._parser.Parse(data, True)  # noqa: FBT003  (no name for it)
        except expat.ExpatError as error:
            raise BadSuggestion(self._where, f"is not XML ({error})") from None
        except BadSuggestion:
            raise
        except (LookupError, ValueError):
            raise BadSuggestion(self._where, "is XML of an unknown encoding") from None
        return self._builder.close()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEPTH:
            raise BadSuggestion(self._where, f"has elements nested more than {_DEPTH} deep")
        named = {_braced(key): value for key, value in attributes.items()}
        self._builder.start(_braced(name), named)

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._builder.end(_braced(name))

    def _refuse(self, *_: object) -> None:
        raise BadSuggestion(self._where, "declares a document type, which is not read")


def _braced(name: str) -> str:
    return "{" + name if "}" in name else name
