"""Which user the data of a session names: for sites that write them there themselves, as most code to copy does.

Pure. A session gets a new id when this changes, whoever wrote it (CWE-384), and lies in the partition of that user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from keyturn.websession.ids import MAX_SUBJECT_CHARACTERS
from keyturn.websession.text import dumps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

USER_KEYS: Final = ("_user_id", "_auth_user_id", "user_id", "username", "user", "logged_in")
"""The names that are looked at: Flask-Login's, Django's, Flask's tutorial's, and those of common snippets."""


class NamedByData(str):
    """A subject that the data names. Their sessions can be listed and ended; ``signed_in`` never answers it.

    A site that calls ``sign_in`` may keep something else under one of the names, such as the user whose page was seen.
    """

    __slots__ = ()


def subject_of(data: Mapping[str, object], keys: Sequence[str]) -> NamedByData | None:
    """The user's id where the first of ``keys`` that is set is a short text or a number, and None otherwise."""
    value = _user_of(data, keys)
    # Not isinstance: True is an int, and "logged in" names nobody.
    if type(value) not in {str, int} or len(str(value)) > MAX_SUBJECT_CHARACTERS:
        return None
    return NamedByData(value)


def is_another(before: Mapping[str, object], after: Mapping[str, object], keys: Sequence[str]) -> bool:
    """Whether ``after`` holds another user than ``before``; nobody is one, too.

    Raises:
        SessionNotJson: what stands for the user in ``after`` is no JSON.
    """
    return dumps(_user_of(before, keys)) != dumps(_user_of(after, keys))


def somebody_arrived(before: Mapping[str, object], after: Mapping[str, object], keys: Sequence[str]) -> bool:
    """Whether nobody was and now somebody is: the site has just looked at their proof."""
    return _user_of(before, keys) is None and _user_of(after, keys) is not None


def _user_of(data: Mapping[str, object], keys: Sequence[str]) -> object:
    set_ones = (data[key] for key in keys if key in data)
    return next((value for value in set_ones if value is not None and value is not False and value != ""), None)
