"""Pages in words: four templates, and for each language a file of sentences.

The style stands in the page and is allowed by its hash (CSP Level 3), so that a page is one answer and loads nothing.
"""

from __future__ import annotations

import base64
import hashlib
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2 import Environment
    from markupsafe import Markup

_OUR_TEMPLATES = Path(__file__).parent / "templates"
_WORDS = "words."


class Journey(StrEnum):
    """What a mailed link is for; the values are the tables of the words.

    ``action`` is where the page's form goes, relative to the page: a prefix before the path stays, the query does not.
    """

    VERIFY_EMAIL = "verify_email", "verify"
    RESET_PASSWORD = "reset_password", "reset"
    CHANGE_EMAIL = "change_email", "change"

    action: str

    def __new__(cls, value: str, action: str) -> Self:
        """A text with one more attribute."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.action = action
        return member


class Told(StrEnum):
    """What a page without a button says; the values are the tables of the words."""

    VERIFY_EMAIL_DONE = "verify_email_done"
    RESET_PASSWORD_DONE = "reset_password_done"  # noqa: S105 - a name
    CHANGE_EMAIL_DONE = "change_email_done"
    DEAD_LINK = "dead_link"
    USERNAME_TAKEN = "username_taken"
    NOT_UNDERSTOOD = "not_understood"


DONE: Mapping[Journey, Told] = {
    Journey.VERIFY_EMAIL: Told.VERIFY_EMAIL_DONE,
    Journey.RESET_PASSWORD: Told.RESET_PASSWORD_DONE,
    Journey.CHANGE_EMAIL: Told.CHANGE_EMAIL_DONE,
}


@dataclass(frozen=True, kw_only=True)
class PageBook:
    """The pages of one set of templates. ``words`` are by language, table and name; ``style_hash`` is for the CSP."""

    environment: Environment
    words: Mapping[str, Mapping[str, Mapping[str, str]]]
    style: Markup
    style_hash: str

    @property
    def languages(self) -> frozenset[str]:
        """Those that there are sentences in."""
        return frozenset(self.words)

    def ask(self, journey: Journey, *, language: str, token: str, busy: bool, service_name: str) -> str:
        """A page with one button."""
        return self._render(journey, "ask", language, service_name, action=journey.action, token=token, busy=busy)

    def ask_for_password(
        self,
        *,
        language: str,
        token: str,
        busy: bool,
        service_name: str,
        min_length: int,
        reasons: Sequence[tuple[str, str]],
    ) -> str:
        """A page with a form for a new password; ``reasons`` are codes and English sentences against the last one."""
        known = self.words[language]["reasons"]
        return self._render(
            Journey.RESET_PASSWORD,
            "password",
            language,
            service_name,
            action=Journey.RESET_PASSWORD.action,
            token=token,
            busy=busy,
            min_length=min_length,
            reasons=[
                known[code].format(min_length=min_length) if code in known else message for code, message in reasons
            ],
        )

    def tell(self, told: Told, *, language: str, service_name: str) -> str:
        """A page that only says something."""
        is_good = told in DONE.values()
        return self._render(told, "told", language, service_name, is_good=is_good)

    def _render(self, page: Journey | Told, template: str, language: str, service_name: str, **values: Any) -> str:
        words = self.words[language]
        return self.environment.get_template(f"{template}.html").render(
            language=language,
            service_name=service_name,
            style=self.style,
            page=words[page],
            common=words["common"],
            **values,
        )


@cache
def open_book(folder: Path = _OUR_TEMPLATES) -> PageBook:
    """The pages in ``folder``, read and compiled once. Raises what a broken file makes its parser raise."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in environment.list_templates(extensions=["html"]):
        environment.get_template(name)
    style = (folder / "style.css").read_text("utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    words = {
        path.name.removeprefix(_WORDS).removesuffix(".toml"): tomllib.loads(path.read_text("utf-8"))
        for path in sorted(folder.glob(f"{_WORDS}*.toml"))
    }
    # Ours, and not of a request: the only text that is not escaped.
    return PageBook(environment=environment, words=words, style=Markup(style), style_hash=f"sha256-{digest}")  # noqa: S704
