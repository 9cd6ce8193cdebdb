"""``/dev/mail``: what ``keyturn dev`` has mailed, in the browser. It shows tokens to anybody: for ``dev`` alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Header
from fastapi.responses import HTMLResponse, JSONResponse, Response
from markupsafe import Markup, escape

from service.errors import NotFound
from service.mail.mailbox import StoredMail, find, newest_first

MAX_LISTED = 200
_LINK = re.compile(r"https?://[^\s<>\"']+")
_HEADERS = {
    # A mail's HTML is shown in a sandbox; nothing in it may run, load or be framed by another site.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_PAGE = Markup("""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --line: #8884; --faint: #777; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.4rem; }} h2 {{ font-size: 1rem; color: var(--faint); margin: 2rem 0 .5rem; }}
table {{ border-collapse: collapse; width: 100%; }} td, th {{ text-align: left; padding: .5rem 1rem .5rem 0; }}
th, .faint {{ color: var(--faint); font-weight: 400; }} tr {{ border-bottom: 1px solid var(--line); }}
td {{ overflow-wrap: anywhere; }}
pre, iframe {{ border: 1px solid var(--line); border-radius: 8px; width: 100%; box-sizing: border-box; }}
pre {{ padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }} iframe {{ height: 44rem; }}
</style></head><body>{body}</body></html>
""")
_LIST = Markup("<h1>Mails</h1><table><tr><th>Subject</th><th>To</th><th>Date</th></tr>\n{rows}</table>")
_ROW = Markup('<tr><td><a href="/dev/mail/{path}">{subject}</a></td><td>{to}</td><td class="faint">{date}</td></tr>\n')
# Links in a mail may open a tab of their own; scripts, forms and the page around it stay out of the mail's reach.
_MAIL = Markup("""<p><a href="/dev/mail">All mails</a></p><h1>{subject}</h1>
<p class="faint">To {to}<br>From {sender}<br>{date}</p>
<h2>Text</h2><pre>{text}</pre>
<h2>HTML</h2><iframe title="The mail as HTML" sandbox="allow-popups allow-popups-to-escape-sandbox" srcdoc="{html}">
</iframe>""")

Accept = Annotated[str, Header()]


def dev_mail_router(maildir: Path) -> APIRouter:
    """Routes that list and show the mails in ``maildir``: pages for a browser, JSON for ``Accept: application/json``.

    Mount it in ``keyturn dev`` and nowhere else: whoever reaches it reads every token that was mailed.
    """
    router = APIRouter(prefix="/dev/mail", include_in_schema=False)

    @router.get("")
    def list_mails(accept: Accept = "") -> Response:
        mails = newest_first(maildir, limit=MAX_LISTED)
        if _wants_json(accept):
            return JSONResponse({"mails": [_summary(mail) for mail in mails]}, headers=_HEADERS)
        return _page("Mails", _list(mails))

    @router.get("/{name}")
    def show_mail(name: str, accept: Accept = "") -> Response:
        mail = find(maildir, name)
        if mail is None:
            raise NotFound
        if _wants_json(accept):
            return JSONResponse(_whole(mail), headers=_HEADERS)
        return _page(mail.subject, _mail(mail))

    return router


def linkify(text: str) -> Markup:
    """``text`` escaped, with its http and https links made clickable."""
    result, end = Markup(), 0
    for match in _LINK.finditer(text):
        link = Markup('<a href="{0}" rel="noopener noreferrer">{0}</a>').format(match.group())
        result += escape(text[end : match.start()]) + link
        end = match.end()
    return result + escape(text[end:])


def _wants_json(accept: str) -> bool:
    return "application/json" in accept and "text/html" not in accept


def _summary(mail: StoredMail) -> dict[str, Any]:
    return {"name": mail.name, "date": mail.date, "to": mail.to, "subject": mail.subject}


def _whole(mail: StoredMail) -> dict[str, Any]:
    return {**_summary(mail), "text": mail.text, "html": mail.html, "links": _LINK.findall(mail.text)}


def _list(mails: list[StoredMail]) -> Markup:
    if not mails:
        return Markup("<h1>Mails</h1><p>No mail has been sent yet.</p>")
    rows = (
        _ROW.format(path=quote(mail.name, safe=""), subject=mail.subject or "(no subject)", to=mail.to, date=mail.date)
        for mail in mails
    )
    return _LIST.format(rows=Markup().join(rows))


def _mail(mail: StoredMail) -> Markup:
    return _MAIL.format(
        subject=mail.subject or "(no subject)",
        to=mail.to,
        sender=mail.sender,
        date=mail.date,
        text=linkify(mail.text),
        html=mail.html,
    )


def _page(title: str, body: Markup) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=title, body=body), headers=_HEADERS)
