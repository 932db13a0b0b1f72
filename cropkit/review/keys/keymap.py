"""Which key does what: presets, a person's own keymap, and the forms in which they are printed.

Letters count whatever their case, so that Caps Lock does no harm, and whatever the keyboard's
script: a letter that is not Latin stands for the one at its place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cropkit.errors import BadKeymap
from cropkit.review.keys.actions import ACTIONS, ARROWS, IMAGES, MENU, NAMED, Command, Repeats
from cropkit.review.model import Move
from cropkit.system import personal_state, toml_text

_SYMBOLS = {
    "ArrowLeft": "←",
    "ArrowRight": "→",
    "ArrowUp": "↑",
    "ArrowDown": "↓",
    " ": "Space",
    "Escape": "Esc",
}
_WRITTEN = {symbol.casefold(): key for key, symbol in _SYMBOLS.items()}
_WRITTEN |= {"escape": "Escape"}
_NAMES = (
    *("Enter", "Tab", "Backspace", "Delete", "Insert", "Home", "End", "PageUp", "PageDown"),
    *(key for key in _SYMBOLS if len(key) > 1),
    *(f"F{n}" for n in range(1, 13)),
)
_WRITTEN |= {name.casefold(): name for name in _NAMES}

_TAKEN = "Taken by your own keys"

Keys = Mapping[str, tuple[str, ...]]


def _arrows(verb: str, step: int, prefix: str) -> dict[str, tuple[str, ...]]:
    return {f"{verb}-{to}-{step}": (f"{prefix}Arrow{to.capitalize()}",) for to in ARROWS}


_DEFAULT: Keys = {
    "accept-page": ("Enter",),
    "accept-one": ("Space",),
    "reject": ("x",),
    "skip": ("s",),
    "without-credentials": ("w",),
    "undo": ("z", "Ctrl+z"),
    "redo": ("y", "Ctrl+y", "Ctrl+Shift+z"),
    "reopen": ("u",),
    **{f"choose-{n}": (str(n),) for n in IMAGES},
    "next-image": ("Tab",),
    "previous-image": ("Shift+Tab",),
    "next-slot": (",",),
    "pick": ("t",),
    "pick-all": ("&",),
    "previous-page": ("Backspace", "PageUp"),
    "next-page": ("PageDown",),
    "previous-folder": ("Shift+PageUp",),
    "next-folder": ("Shift+PageDown",),
    "next-unreviewed": ("n",),
    "go-to": ("g",),
    "filter": ("i",),
    "least-certain": (":",),
    **_arrows("nudge", 1, ""),
    **_arrows("nudge", 10, "Shift+"),
    **_arrows("resize", 1, "Ctrl+"),
    **_arrows("resize", 10, "Ctrl+Shift+"),
    "look": (".",),
    "single": ("m",),
    "grid": ("q",),
    "page-more": ("Ctrl+End",),
    "page-fewer": ("Ctrl+Home",),
    "closer": ("+", "="),
    "farther": ("-",),
    "whole": ("0",),
    "actual": ("%",),
    "peek": ("h",),
    "guides": ("#",),
    "brighter": (">",),
    "darker": ("<",),
    "more-contrast": (")",),
    "less-contrast": ("(",),
    "ground": ("_",),
    "loupe": ("p",),
    "window": ("F9",),
    "reset": ("r",),
    "full": ("f",),
    "candidate": ("c",),
    "fit": ("b",),
    "carry": ("v",),
    "share": ("d",),
    "carry-on": ("End",),
    "lock": ("l",),
    "targets": ("'",),
    "turn-lock": ("o",),
    "turn-left": ("[",),
    "turn-right": ("]",),
    "flip-horizontal": ("{",),
    "flip-vertical": ("}",),
    "straighten-left": ("Shift+F7",),
    "straighten-right": ("Shift+F8",),
    "straighten-left-more": ("Ctrl+F7",),
    "straighten-right-more": ("Ctrl+F8",),
    "level": ("Shift+F6",),
    "level-line": ("Ctrl+F6",),
    "exact": ("e",),
    "add-crop": (";",),
    "remove-crop": ("Shift+Delete",),
    "star": ("*",),
    "note": ('"',),
    "acknowledge": ("a",),
    "report": ("!",),
    "buttons": ("Shift+F9",),
    "sheet": ("?",),
    "release": ("Esc",),
}
_HOME_ROW = dict(zip(("left", "down", "up", "right"), "hjkl", strict=True))
# What a preset binds otherwise than the default does.
PRESETS: Mapping[str, Keys] = {
    "default": {},
    "classic": {  # 1 2 3 delete, X C V reset, left and B go back, N and P change the folder
        **{f"choose-{n}": () for n in (1, 2, 3)},
        **{f"reject-{n}": (str(n),) for n in (1, 2, 3)},
        **{f"full-{n}": (key,) for n, key in zip((1, 2, 3), "xcv", strict=True)},
        "reject": ("Delete",),
        "previous-page": ("ArrowLeft", "b", "Backspace", "PageUp"),
        "next-page": ("ArrowRight", "PageDown"),
        **{f"nudge-{to}-1": (key,) for to, key in _HOME_ROW.items()},
        "next-folder": ("n",),
        "previous-folder": ("p",),
        "next-unreviewed": ("u",),
        "without-credentials": ("F7",),
        "reopen": ("F8",),
        "candidate": ("d",),
        "fit": ("F6",),
        "carry": ("w",),
        "pick": ("m",),
        "share": ("Insert",),
        "lock": ("t",),
        "single": ("F2",),
        "grid": ("F3",),
        "loupe": ("F4",),
        "peek": ("\\",),
        "release": ("Esc", "q"),
    },
    "vim": {
        **{f"nudge-{to}-1": (key, f"Arrow{to.capitalize()}") for to, key in _HOME_ROW.items()},
        "undo": ("u", "z", "Ctrl+z"),
        "reopen": ("F8",),
        "without-credentials": ("F7",),
        "next-image": ("w", "Tab"),
        "previous-image": ("b", "Shift+Tab"),
        "go-to": ("/", "g"),
        "pick": ("Insert",),
        "share": ("F10",),
        "peek": ("\\",),
        "fit": ("F6",),
        "lock": ("t",),
    },
}

_EDITING = "yz"  # letters that are no browser's with Ctrl, on a canvas
# Letters of other scripts, and what a Latin keyboard has at their place.
_PLACES = (
    ("йцукенгшщзхъфывапролджэячсмитьбю", "qwertyuiop[]asdfghjkl;'zxcvbnm,."),
    ("іїє", "s]'"),
    ("ςερτυθιοπασδφγηξκλζχψωβνμ", "wertyuiopasdfghjklzxcvbnm"),
    ("קראטוןםפשדגכעיחלךףזסבהנמצתץ", "ertyuiopasdfghjkl;zxcvbnm,."),
)
_FOREIGN = {theirs: ours for row in _PLACES for theirs, ours in zip(*row, strict=True)}


@dataclass(frozen=True, slots=True)
class Binding:
    """One key with its modifiers, and the action that it stands for."""

    key: str
    name: str
    shift: bool = False
    ctrl: bool = False

    @property
    def does(self) -> Move | Command:
        """The move or command."""
        return NAMED[self.name].does

    @property
    def pace(self) -> Repeats:
        """How often it is taken."""
        return NAMED[self.name].pace

    @property
    def label(self) -> str:
        """The key as it is printed on a keyboard."""
        key = _SYMBOLS.get(self.key, self.key.upper() if len(self.key) == 1 else self.key)
        return "+".join(("Ctrl",) * self.ctrl + ("Shift",) * self.shift + (key,))


class Keymap:
    """All bindings of one review.

    Parameters
    ----------
    keys : action -> its keys, as ``Ctrl+Shift+ArrowLeft``, ``Space`` or ``x``
    source : the file or preset that an error names
    displaced : rows of a preset whose key a person's own file gives to another action

    Raises
    ------
    BadKeymap
        Where two actions claim a key, a name is not known, or nothing releases the keyboard.
    """

    def __init__(self, keys: Keys, source: str, displaced: Sequence[Binding] = ()) -> None:
        self.displaced = tuple(displaced)
        unknown = sorted(keys.keys() - NAMED.keys())
        if unknown:
            raise BadKeymap(source, f"there is no action {unknown[0]!r}")
        self.bindings = tuple(
            _read(written, action.name, source)
            for action in ACTIONS
            for written in keys.get(action.name, ())
        )
        for earlier, later in conflicts(self.bindings):
            reason = f"{later.label} is the key of {earlier.name} and of {later.name}"
            raise BadKeymap(source, reason)
        if not keys.get("release"):
            raise BadKeymap(source, "no key releases the keyboard")

    @cached_property
    def _by_key(self) -> Mapping[tuple[str, bool, bool], Binding]:
        return {_slot(row): row for row in self.bindings}

    def menu(self) -> tuple[tuple[str, str, str], ...]:
        """Return name, words and key of each action of the menu."""
        return tuple((name, NAMED[name].help, self.label(name)) for name in MENU)

    def look_up(self, key: str, *, shift: bool, ctrl: bool, meta: bool) -> Binding | None:
        """Return the row for a key as the browser names it.

        With Ctrl or the command key, letters belong to the browser, but for those that take back
        and do again in any program.
        """
        character = len(key) == 1
        if meta and not character:
            return None
        plain, held = (key.lower() if character else key), ctrl or meta
        shifted = shift and (held or not character)
        binding = self._by_key.get((plain, shifted, held))
        if binding is None and character:
            binding = self._by_key.get((_FOREIGN.get(plain, plain), shifted, held))
        return binding

    def changes(self) -> str:
        """Return what a preset's actions have lost to a person's own keys, '' where nothing."""
        lost = (
            f"{row.label} is your key for {self._by_key[_slot(row)].name}; {row.name} "
            + (f"has {label}" if (label := self.label(row.name)) else "has none")
            for row in self.displaced
        )
        return ". ".join(lost)

    def label(self, name: str) -> str:
        """Return the first key of an action, '' where it has none."""
        return next((row.label for row in self.bindings if row.name == name), "")

    def grouped(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """Group -> help text -> labels of the keys: what the help sheet shows.

        The last group is what a preset's keys would have done, where a person's own took them.
        """
        groups: dict[str, dict[str, tuple[str, ...]]] = {}
        for row in self.bindings:
            action = NAMED[row.name]
            rows = groups.setdefault(action.group, {})
            rows[action.help] = (*rows.get(action.help, ()), row.label)
        for row in self.displaced:
            rows, help_text = groups.setdefault(_TAKEN, {}), NAMED[row.name].help
            rows[help_text] = (*rows.get(help_text, ()), row.label)
        return groups


def conflicts(table: Iterable[Binding]) -> list[tuple[Binding, Binding]]:
    """Return the pairs of rows that claim the same key."""
    seen: dict[tuple[str, bool, bool], Binding] = {}
    return [
        (earlier, row) for row in table if (earlier := seen.setdefault(_slot(row), row)) is not row
    ]


def preset(name: str, own: Keys | None = None, source: str = "") -> Keymap:
    """Return a preset with some of its keys bound otherwise; raise `BadKeymap` where it cannot.

    A person's own key wins over a preset's, so that a key which a later version binds to something
    new does not keep a review from starting; `Keymap.changes` says what lost it.
    """
    if name not in PRESETS:
        raise BadKeymap(source or name, f"there is no preset {name!r}; there is {_listed(PRESETS)}")
    source, own = source or name, own or {}
    claimed = {_slot(_read(key, action, source)) for action in own for key in own[action]}
    common = {
        action: [(key, _read(key, action, source)) for key in written]
        for action, written in {**_DEFAULT, **PRESETS[name]}.items()
        if action not in own
    }
    kept = {
        action: tuple(key for key, row in rows if _slot(row) not in claimed)
        for action, rows in common.items()
    }
    displaced = [row for rows in common.values() for _, row in rows if _slot(row) in claimed]
    return Keymap({**kept, **own}, source, displaced)


def keymap_file() -> Path | None:
    """Return where a person's own keymap is read from; None for a user without a home.

    Raises
    ------
    PersonalStateUnusable
        Where that is stated, and is no absolute path.
    """
    folder = personal_state.configuration_folder()
    return folder and folder / "keys.toml"


def keymap(name: str = "", file: Path | None = None) -> Keymap:
    """Return the preset of that name, or what a person's own file says, or the default.

    Raises
    ------
    BadKeymap
        When the file is no keymap: nothing is guessed.
    PersonalStateUnusable
        As `keymap_file`.
    """
    path = file or (None if name else keymap_file())
    if name or path is None or not path.is_file():
        return preset(name or "default")
    try:
        with path.open("rb") as opened:
            own = toml_text.parsed(opened.read(toml_text.LARGEST + 1))
    except (OSError, ValueError) as error:
        raise BadKeymap(str(path), str(error)) from None
    if own.keys() - {"preset", "keys"}:
        raise BadKeymap(str(path), "it has `preset` and a table `keys`, and nothing else")
    return preset(str(own.get("preset", "default")), _own(own.get("keys", {}), path), str(path))


def _own(keys: object, path: Path) -> Keys:
    if not isinstance(keys, dict):
        raise BadKeymap(str(path), "`keys` is not a table")
    bound = {}
    for name, written in keys.items():
        several = written if isinstance(written, list) else [written]
        if not all(isinstance(key, str) for key in several):
            raise BadKeymap(str(path), f"the keys of {name} are not written as text")
        bound[name] = tuple(several)
    return bound


def shortened(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Write a run of digits as its ends, and a modifier of all four arrows once."""
    if len(labels) > 2 and all(label.isdigit() for label in labels):  # noqa: PLR2004  (a run)
        return (f"{labels[0]} … {labels[-1]}",)
    heads = {label.rpartition("+")[0] for label in labels}
    if len(labels) == len(ARROWS) and len(heads) == 1 and labels[0][-1] in "←→↑↓":
        head = heads.pop()
        return ((f"{head}+" if head else "") + "←→↑↓",)
    return labels


def keys_markdown(name: str = "default") -> str:
    """Return a preset's table for the README and the docs."""
    lines = ["| Key | Does |", "|---|---|"]
    for group in preset(name).grouped().values():
        for text, labels in group.items():
            printed = ", ".join(f"`{label}`" for label in shortened(labels))
            lines.append(f"| {printed} | {text} |")
    return "\n".join(lines) + "\n"


def actions_markdown() -> str:
    """Return every action with its keys in each preset."""
    lines = [f"| Action | Does | {' | '.join(PRESETS)} |", "|---|---|" + "---|" * len(PRESETS)]
    maps = {name: preset(name) for name in PRESETS}
    for action in ACTIONS:
        bound = (
            " ".join(f"`{row.label}`" for row in bindings.bindings if row.name == action.name)
            for bindings in maps.values()
        )
        lines.append(f"| `{action.name}` | {action.help} | {' | '.join(bound)} |")
    return "\n".join(lines) + "\n"


def _read(written: str, name: str, source: str) -> Binding:
    *modifiers, key = written.split("+") if len(written) > 1 else [written]
    held = {modifier.casefold() for modifier in modifiers}
    known = _WRITTEN.get(key.casefold(), key.lower() if len(key) == 1 else "")
    if not known or held - {"shift", "ctrl"}:
        raise BadKeymap(source, f"{name}: there is no key {written!r}")
    if len(known) == 1 and known != " " and held and not ("ctrl" in held and known in _EDITING):
        raise BadKeymap(source, f"{name}: {written!r} is the browser's, or the same without Shift")
    return Binding(known, name, "shift" in held, "ctrl" in held)


def _slot(row: Binding) -> tuple[str, bool, bool]:
    return row.key, row.shift, row.ctrl


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
