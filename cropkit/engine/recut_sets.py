"""Names of the sets of crops that were made anew: in whose slots no person decides first.

The crops of a set have slots of their own, so that the decisions that they were made of stand as
they did. The names are a setting of the collection. A row that was changed can let decisions be
taken for those of a set and do nothing else; `fsck` names it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from cropkit.audit.settings import texts
from cropkit.errors import BadSlot
from cropkit.records import check_slot

SETTING = "recuts"
_USUAL = "recut"
_BETWEEN = "-"
_ODD = re.compile(r"[^\w.+-]+")
_LONGEST = 24


def known(settings: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of all sets; what can be none is left out.

    Parameters
    ----------
    settings : of the collection, as its trail keeps them
    """
    return tuple(text for text in texts(settings, SETTING) if _is_name(text))


def with_another(settings: Mapping[str, str], name: str) -> dict[str, str]:
    """Return what of the settings changes by one more set; nothing where it is known."""
    names = known(settings)
    return {} if name in names else {SETTING: json.dumps(sorted((*names, name)))}


def name_of(folder: str) -> str:
    """Return the name of the set that a folder holds: its own, as far as a slot can be called so.

    Parameters
    ----------
    folder : that the crops go to
    """
    name = _ODD.sub("_", PurePath(folder).name)[:_LONGEST].strip(". +-")
    return name if _is_name(name) else _USUAL


def slot_in(name: str, slot: str) -> str:
    """Return the slot of a crop in a set.

    Parameters
    ----------
    name : of the set
    slot : of the decision that it is made of

    Raises
    ------
    BadSlot
        Both together are too long for one.
    """
    called = f"{slot}{_BETWEEN}{name}" if slot else name
    check_slot(called)
    return called


def is_in(slot: str, names: Sequence[str]) -> bool:
    """Whether a slot is one of these sets."""
    return any(slot == name or slot.endswith(f"{_BETWEEN}{name}") for name in names)


def _is_name(text: str) -> bool:
    try:
        check_slot(text)
    except BadSlot:
        return False
    return bool(text)
