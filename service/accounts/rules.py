"""What the settings say about sign-ups."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SignUpRules:
    """``locale`` is that of mails to people who have not chosen one."""

    locale: str
