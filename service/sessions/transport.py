"""How a refresh token travels: in the body for apps, in a ``__Host-`` cookie for browsers; never both at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.errors import BadRequest, FieldError, Invalid
from service.kernel.secret import Secret
from service.sessions.schemas import TokensOut
from service.web.cookies import NoCookie, PresentedCookie, RefusedCookie, read_refresh_cookie, set_refresh_cookie
from service.web.csrf import HEADER, SiteRule

if TYPE_CHECKING:
    from fastapi import Request, Response

    from service.sessions.issue import IssuedTokens
    from service.sessions.schemas import RefreshBody


@dataclass(frozen=True, kw_only=True)
class Carried:
    """A presented refresh token and how it came; ``token`` is None for a browser whose cookie is gone."""

    token: Secret[str] | None
    by_cookie: bool


@dataclass(frozen=True, kw_only=True)
class Transport:
    """Reads and writes refresh tokens of requests and answers."""

    site_rule: SiteRule

    def read(self, request: Request, body: RefreshBody | None) -> Carried:
        """The presented token. Raises CrossSite, BadRequest for two at once, Invalid where there is none in a body."""
        in_body = None if body is None else body.refresh_token
        cookie = read_refresh_cookie(request.headers.getlist("cookie"))
        if in_body is not None:
            # A browser attaches its cookie to every request; what was put into the body was meant.
            return Carried(token=Secret(in_body), by_cookie=False)
        match cookie:
            case RefusedCookie(reason=reason):
                raise BadRequest(reason, code="invalid_cookie")
            case PresentedCookie(token=token):
                self.check_site(request)
                return Carried(token=token, by_cookie=True)
            case NoCookie():
                if HEADER not in request.headers:
                    raise Invalid(FieldError(field="refresh_token", code="missing", message="This field is needed."))
                return Carried(token=None, by_cookie=True)

    def check_site(self, request: Request) -> None:
        """Raises CrossSite unless the request proves that it comes from a site of ours."""
        self.site_rule.check(
            sec_fetch_site=request.headers.getlist("sec-fetch-site"),
            origin=request.headers.getlist("origin"),
            keyturn_request=request.headers.getlist(HEADER),
        )

    def answer(self, response: Response, issued: IssuedTokens, *, by_cookie: bool) -> TokensOut:
        """The body of the answer; the cookie goes into ``response`` where that is the way."""
        response.headers["Cache-Control"] = "no-store"
        if by_cookie:
            life = max(1, issued.refresh_expires_in_seconds)
            cookie = set_refresh_cookie(issued.refresh_token, max_age_seconds=life)
            response.headers.append("Set-Cookie", cookie)
        return TokensOut.of(issued, with_refresh_token=not by_cookie)
