"""From what is announced to a mail in words. A folder of one's own may replace any template, or add a language.

Each kind has two templates in a folder named after the language: ``en/confirm_email.txt``, whose first line is the
subject, and ``en/confirm_email.html``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from service.mail.addresses import parse_mailbox
from service.mail.compose import display_name
from service.mail.locale import fallback_chain
from service.mail.message import MailMessage, RenderedMail

if TYPE_CHECKING:
    from jinja2 import Environment

    from service.mail.message import MailKind

_OUR_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, kw_only=True)
class Renderer:
    """Renders mails from ``sender``, a bare address, in the name of ``service_name``.

    Every template in a folder of one's own is compiled here, at the start, so that a broken one stops the start and not
    a sign-up. Ours are compiled as they are needed: they are tested, and all of them together take longer than the rest
    of the start.

    Raises:
        AddressRefused: when ``sender`` is not exactly one address.
        HeaderRefused: when ``service_name`` cannot stand before an address.
        jinja2.TemplateSyntaxError: when a template is broken.
        NotADirectoryError: when ``template_folder`` is not a folder.
    """

    sender: str
    service_name: str
    template_folder: Path | None = None
    _loaded: set[tuple[str, MailKind]] = field(default_factory=set, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parse_mailbox(self.sender)
        display_name(self.service_name)
        if self.template_folder is not None:
            if not self.template_folder.is_dir():
                raise NotADirectoryError("the folder of mail templates is not there")
            for name in self._names:
                if (self.template_folder / name).is_file():
                    self._environment.get_template(name)

    @cached_property
    def _environment(self) -> Environment:
        return _environment(tuple(folder for folder in (self.template_folder, _OUR_TEMPLATES) if folder is not None))

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self._environment.list_templates(extensions=["txt", "html"]))

    def is_loaded(self, message: MailMessage) -> bool:
        """Whether ``render`` has no template to compile for it. An event loop would stand for that, some 60 ms."""
        # Which languages there are is known to whoever has loaded the engine: asked first, that would be loaded here.
        return (
            bool(self._loaded) and (self._language(message.template, message.locale), message.template) in self._loaded
        )

    def render(self, message: MailMessage, *, message_id: str) -> RenderedMail:
        """``message`` in the nearest language that there is. Any thread may do so.

        Raises:
            jinja2.UndefinedError: when a replaced template asks for a value that its kind does not have.
        """
        language = self._language(message.template, message.locale)
        known = {**message.values, "language": language, "service_name": self.service_name}
        page = f"{language}/{message.template}"
        subject, _, text = self._environment.get_template(f"{page}.txt").render(known).lstrip().partition("\n")
        rendered = RenderedMail(
            message_id=message_id,
            to=message.to,
            sender=self.sender,
            sender_name=self.service_name,
            subject=subject.strip(),
            text=text.strip() + "\n",
            html=self._environment.get_template(f"{page}.html").render(known, subject=subject.strip()),
        )
        self._loaded.add((language, message.template))
        return rendered

    def _language(self, kind: MailKind, locale: str) -> str:
        wanted = fallback_chain(locale)
        # Both or neither: a mail whose two bodies differ in language is worse than one in English.
        whole = (tag for tag in wanted if {f"{tag}/{kind}.txt", f"{tag}/{kind}.html"} <= self._names)
        return next(whole, wanted[-1])


def _environment(folders: tuple[Path, ...]) -> Environment:
    # With the first mail, and not with the process.
    from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        auto_reload=False,
        cache_size=-1,
        trim_blocks=True,
        lstrip_blocks=True,
    )
