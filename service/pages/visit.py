"""One visit to a page: in which language it is answered, and with which headers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from service.accounts.rules import SignUpRules
from service.pages.book import DONE, Journey, PageBook, Told, open_book
from service.pages.language import choose_language
from service.passwords.checker import PasswordChecker
from service.web.provide import provided

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.errors import FieldError

_OK = 200


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Makes the answers to one visitor. ``min_length`` is that of passwords, in code points."""

    book: PageBook
    language: str
    service_name: str
    min_length: int

    def ask(
        self,
        journey: Journey,
        token: str,
        *,
        status: int = _OK,
        busy: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """The page with the button. ``busy``: the last press did not get through, and may be repeated."""
        if journey is Journey.RESET_PASSWORD:
            return self.ask_for_password(token, status=status, busy=busy, headers=headers)
        html = self.book.ask(journey, language=self.language, token=token, busy=busy, service_name=self.service_name)
        return self._answer(html, status, headers)

    def ask_for_password(
        self,
        token: str,
        *,
        status: int = _OK,
        busy: bool = False,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """The form for a new password, with what stood against the last one. What was typed is not shown again."""
        html = self.book.ask_for_password(
            language=self.language,
            token=token,
            busy=busy,
            service_name=self.service_name,
            min_length=self.min_length,
            reasons=[(error.code, error.message) for error in errors],
        )
        return self._answer(html, status, headers)

    def tell(self, told: Told, *, status: int) -> HTMLResponse:
        """A page without a button."""
        return self._answer(self.book.tell(told, language=self.language, service_name=self.service_name), status, None)

    def done(self, journey: Journey) -> HTMLResponse:
        """The page that says that the button has worked."""
        return self.tell(DONE[journey], status=_OK)

    def _answer(self, html: str, status: int, headers: Mapping[str, str] | None) -> HTMLResponse:
        return HTMLResponse(
            html,
            status_code=status,
            headers={
                **(headers or {}),
                "Content-Language": self.language,
                "Cache-Control": "no-store",
                # The token stands in the address: it must not travel on in a Referer.
                "Referrer-Policy": "no-referrer",
                "Cross-Origin-Opener-Policy": "same-origin",
                "Content-Security-Policy": content_security_policy(self.book.style_hash),
            },
        )


def content_security_policy(style_hash: str) -> str:
    """Nothing runs, nothing is loaded, nobody frames the page, and its form goes to this service alone."""
    return f"default-src 'none'; style-src '{style_hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


async def _visit(
    request: Request,
    checker: Annotated[PasswordChecker, provided(PasswordChecker)],
    rules: Annotated[SignUpRules, provided(SignUpRules)],
) -> Visit:
    book = open_book()
    accepted = ",".join(request.headers.getlist("accept-language"))
    return Visit(
        book=book,
        language=choose_language(accepted, available=book.languages, default=rules.locale),
        service_name=checker.product,
        min_length=checker.min_length,
    )


TheVisit = Annotated[Visit, Depends(_visit)]
