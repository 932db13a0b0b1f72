"""docs/api.md, made from the docstrings of everything in `cropkit.__all__`."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from types import ModuleType
from typing import Any

from traitlets import TraitType

import cropkit

HEAD = """\
# Python API

Everything that can be imported from `cropkit`; it is loaded when it is first used. What is not on
this page is private, whatever its name looks like. Boxes are half-open and *upright*: pixels as a
person sees the image, after its EXIF orientation. Paths are relative to the collection, with
forward slashes. Times are aware and in UTC. Errors are those of [`errors`](#errors).

Made from the docstrings by `python tests/refresh_docs.py`; a test holds it to them.
"""
WIDTH = 100
_QUOTE = "'"
_STARS: dict[Any, str] = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}
_SECTION = re.compile(r"^([A-Z]\w+)\n-{3,}\n", re.MULTILINE)
_PLAINLY = (
    (re.compile(r": module = <module '(\w+)'[^>]*>"), r": ModuleType = \1"),
    (re.compile(r"<factory>"), "…"),
    (
        re.compile(r"(?<![\w.<])(?:[A-Za-z_]+\.)+(?=[A-Z]|datetime|timedelta)"),
        "",
    ),  # a type's module
    (re.compile(r"<(\w+\.\w+): [^>]*>"), r"\1"),  # a member of an enum
    (re.compile(r"'(?:pd\.)?(DataFrame)'"), r"\1"),
)


@dataclass(frozen=True)
class Doc:
    """A docstring taken apart: its prose, and what its sections say of each name."""

    prose: str
    sections: dict[str, list[tuple[str, str]]] = field(default_factory=dict)


def doc_of(found: object) -> Doc:
    """Take a docstring of numpy's convention apart."""
    parts = _SECTION.split((inspect.getdoc(found) or "").replace("``", "`"))
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    return Doc(parts[0].strip(), {name: list(_entries(text)) for name, text in sections.items()})


def _entries(section: str) -> Iterator[tuple[str, str]]:
    for entry in re.split(r"\n(?=\S)", section.strip("\n")):
        head, _, rest = entry.partition("\n")
        name, _, said = head.partition(" : ")
        yield name, " ".join([said, *rest.split()]).strip()


def signature_of(name: str, found: Callable[..., Any]) -> str:
    """Write how it is called, on one line or with a line for each parameter."""
    signature = inspect.signature(found)
    returns = "" if inspect.isclass(found) else _returns(signature)
    words = [_plain(str(each)) for each in signature.parameters.values()]
    kinds = [each.kind for each in signature.parameters.values()]
    if inspect.Parameter.KEYWORD_ONLY in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
        words.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
    line = f"{name}({', '.join(words)}){returns}"
    if len(line) <= WIDTH:
        return line
    lines = "".join(f"    {word},\n" for word in words)
    return f"{name}(\n{lines}){returns}"


def _returns(signature: inspect.Signature) -> str:
    annotation = signature.return_annotation
    if annotation is inspect.Signature.empty:
        return ""
    return f" -> {_plain(inspect.formatannotation(annotation)).strip(_QUOTE)}"


def _plain(text: str) -> str:
    for pattern, instead in _PLAINLY:
        text = pattern.sub(instead, text)
    return text


def members(found: type) -> Iterator[tuple[str, str]]:
    """Name the public members that a class itself defines, and what each does."""
    for name, member in vars(found).items():
        if name.startswith("_"):
            continue
        inner = getattr(member, "__func__", member)  # of a class method
        if inspect.isfunction(inner):
            yield _call(name, inner), _first(inner) + _raised(inner)
        elif isinstance(member, property):
            yield name, _first(member)
        elif isinstance(member, TraitType):
            yield name, str(member.help)


def _call(name: str, function: Callable[..., Any]) -> str:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    names = ", ".join(_STARS.get(each.kind, "") + each.name for each in parameters)
    returns = _returns(inspect.signature(function))
    return f"{name}({names}){'' if returns == ' -> None' else returns}"


def _raised(function: Callable[..., Any]) -> str:
    raised = doc_of(function).sections.get("Raises", [])
    names = ", ".join(f"`{name}`" for names, _ in raised for name in names.split(", "))
    return f" Raises {names}." if names else ""


def _first(found: object) -> str:
    return " ".join(doc_of(found).prose.partition("\n\n")[0].split())


def choices(found: type[Enum]) -> Iterator[tuple[str, str]]:
    """Name the members of an enum, with the comment beside each."""
    source = inspect.getsource(found)
    for one in found:
        comment = re.search(rf"^ +{one.name} = .*?  # (.+)$", source, re.MULTILINE)
        yield f"{one.name} = {one.value!r}", comment[1] if comment else ""


def _listed(entries: Iterable[tuple[str, str]]) -> str:
    lines = (f"- `{name}`: {said}" if said else f"- `{name}`" for name, said in entries)
    return "\n".join(lines)


def described(name: str, found: Any) -> str:
    """Describe one public name."""
    if isinstance(found, str):
        return f"## {name}\n\nThe version, as text.\n"
    if isinstance(found, ModuleType):
        return _module(name, found)
    if name == "open":
        return f"## open\n\n`cropkit.open` is [`{found.__name__}`](#{found.__name__.lower()}).\n"
    parts = [f"## {name}", f"```python\n{_called(name, found)}\n```", *_told(found)]
    if inspect.isclass(found):
        parts += _inside(found)
    return "\n\n".join(part for part in parts if part) + "\n"


def _inside(found: type) -> Iterator[str]:
    """Describe what a class holds; what others are to write themselves, in full."""
    if getattr(found, "_is_protocol", False):
        for name, method in vars(found).items():
            if inspect.isfunction(method) and not name.startswith("_"):
                yield from (f"```python\n{signature_of(name, method)}\n```", *_told(method))
        return
    named = [*(choices(found) if issubclass(found, Enum) else ()), *members(found)]
    if named:
        yield f"*Members*\n\n{_listed(named)}"


def _told(found: object) -> Iterator[str]:
    doc = doc_of(found)
    yield doc.prose
    for section, entries in doc.sections.items():
        yield f"*{section}*\n\n{_listed(entries)}"


def _called(name: str, found: Any) -> str:
    if inspect.isclass(found) and (
        issubclass(found, Enum) or getattr(found, "_is_protocol", False)
    ):
        return f"class {name}"
    return signature_of(name, found)


def _module(name: str, found: ModuleType) -> str:
    text = (found.__doc__ or "").replace("``", "`").strip()
    drawing = re.search(r"^CropkitError\n(?: .+\n)+", text, re.MULTILINE)
    if drawing:
        text = text.replace(drawing[0], f"```text\n{drawing[0]}```\n")
    here = (f for f in vars(found).values() if inspect.isfunction(f))
    public = [f for f in here if f.__module__ == found.__name__ and not f.__name__.startswith("_")]
    functions = _listed([(_plain(signature_of(f.__name__, f)), _first(f)) for f in public])
    return "\n\n".join(filter(None, (f"## {name}", text, functions))) + "\n"


def page() -> str:
    """Return the whole page."""
    names = sorted(cropkit.__all__, key=lambda name: (name.strip("_").lower(), name))
    return "\n".join([HEAD, *(described(name, getattr(cropkit, name)) for name in names)])
