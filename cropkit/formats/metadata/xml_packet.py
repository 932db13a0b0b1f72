"""The elements and attributes of a packet of XMP, by their places in its bytes, in one pass.

Nothing is resolved or expanded; what an edit leaves alone keeps its bytes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# The end of a tag; quotes that never end stop the whole walk, so that each byte is met once.
_TAG_END = re.compile(rb"[^<>\"']*+(?:\"[^\"]*+\"[^<>\"']*+|'[^']*+'[^<>\"']*+)*+>")
_NAME = re.compile(rb"[\w.:\-]++")
_ATTRIBUTE = re.compile(
    rb"(?<![\w.:\-])(?P<name>[\w.:\-]++)\s*+=\s*+(?:\"(?P<a>[^\"]*+)\"|'(?P<b>[^']*+)')"
)
_APART = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>", b"<!": b">"}
_MOST_ELEMENTS = 20_000  # more than any program writes into a packet
_BLANKS = b" \t\r\n"
Name = tuple[bytes, bytes]  # namespace, and the name in it


class XmlDamage(ValueError):
    """The packet does not hold together."""


@dataclass(frozen=True, slots=True)
class Property:
    """A value, written as an attribute or as an element that holds nothing else.

    Parameters
    ----------
    value : where its text stands
    whole : where it stands with its name: what has to go when it goes
    """

    name: Name
    value: range
    whole: range


@dataclass(slots=True)
class Element:
    """An element; `inner` is what stands between its tags."""

    name: Name
    start: int
    inner: range = range(0)
    stop: int = 0
    attributes: list[Property] = field(default_factory=list)
    children: list["Element"] = field(default_factory=list)

    def walk(self) -> Iterator["Element"]:
        """Yield this element and all in it, in the order of the packet."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting += reversed(element.children)

    def properties(self) -> Iterator[Property]:
        """Yield every value in it."""
        for element in self.walk():
            yield from element.attributes
            if not element.children and len(element.inner):
                yield Property(element.name, element.inner, range(element.start, element.stop))


def parse(packet: bytes) -> Element:
    """Return an element that stands for the whole packet.

    Raises
    ------
    XmlDamage
        Where tags do not fit each other.
    """
    spaces = _namespaces(packet)
    root = Element((b"", b""), 0, range(len(packet)), len(packet))
    open_elements, at = [root], 0
    if packet.count(b"</") + packet.count(b"/>") > _MOST_ELEMENTS:
        raise XmlDamage("more elements than any packet has")
    while (at := packet.find(b"<", at)) >= 0:
        apart = next((mark for mark in _APART if packet.startswith(mark, at)), None)
        if apart:
            at = _behind(packet, _APART[apart], at + len(apart))
        elif packet.startswith(b"</", at):
            stop = _behind(packet, b">", at)
            _close(open_elements, _resolved(packet[at + 2 : stop - 1].strip(), spaces), at, stop)
            at = stop
        else:
            at = _open(open_elements, packet, at, spaces)
    if len(open_elements) > 1:
        raise XmlDamage("an element has no end")
    return root


def edited(packet: bytes, changes: Mapping[range, bytes]) -> bytes:
    """Return the packet with some stretches replaced; one inside another that goes counts not."""
    kept, at = [], 0
    for span, new in sorted(changes.items(), key=lambda change: (change[0].start, -change[0].stop)):
        if span.start >= at:
            kept += [packet[at : span.start], new]
            at = span.stop
    return b"".join([*kept, packet[at:]])


def _namespaces(packet: bytes) -> dict[bytes, bytes]:
    pattern = re.compile(rb"xmlns:([\w.\-]++)\s*+=\s*+(?:\"([^\"<]*+)\"|'([^'<]*+)')")
    return {match[1]: match[2] or match[3] or b"" for match in pattern.finditer(packet)}


def _resolved(name: bytes, spaces: Mapping[bytes, bytes]) -> Name:
    prefix, colon, local = name.partition(b":")
    return (spaces.get(prefix, prefix), local) if colon else (b"", name)


def _behind(packet: bytes, end: bytes, at: int) -> int:
    stop = packet.find(end, at)
    if stop < 0:
        raise XmlDamage("something that is begun has no end")
    return stop + len(end)


def _open(
    open_elements: list[Element], packet: bytes, at: int, spaces: Mapping[bytes, bytes]
) -> int:
    name, end = _NAME.match(packet, at + 1), _TAG_END.match(packet, at + 1)
    if name is None or end is None:
        raise XmlDamage("a tag without a name, or without an end")
    element = Element(_resolved(name[0], spaces), at)
    element.attributes += _attributes(packet, range(name.end(), end.end()), spaces)
    open_elements[-1].children.append(element)
    if packet[end.end() - 2 : end.end() - 1] == b"/":
        element.stop = end.end()
        element.inner = range(element.stop, element.stop)
    else:
        element.inner = range(end.end(), end.end())
        open_elements.append(element)
    return end.end()


def _close(open_elements: list[Element], name: Name, at: int, stop: int) -> None:
    element = open_elements.pop()
    if element.name != name or not open_elements:
        raise XmlDamage("an end that fits no beginning")
    element.inner, element.stop = range(element.inner.start, at), stop


def _attributes(packet: bytes, tag: range, spaces: Mapping[bytes, bytes]) -> Iterator[Property]:
    at = tag.start
    for match in _ATTRIBUTE.finditer(packet, tag.start, tag.stop):
        blank = match.start()
        while blank > at and packet[blank - 1 : blank] in _BLANKS:
            blank -= 1
        at = match.end()
        value = match.span("a") if match["a"] is not None else match.span("b")
        name = _resolved(match["name"], spaces)
        yield Property(name, range(*value), range(blank, match.end()))
