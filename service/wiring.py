"""Builds everything once: the only place that knows which part gets which."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from service.accounts.close import CloseAccount
from service.accounts.register import Register
from service.accounts.repo import AccountRepo
from service.accounts.resend_email import ResendEmail
from service.accounts.rules import SignUpRules
from service.accounts.verify_email import VerifyEmail
from service.audit.log import AuditLog
from service.base import build_hasher, build_keyring, session_life
from service.mail.links import Links
from service.mail.post import Post
from service.mail.render import Renderer
from service.mail.url import sender_from_url
from service.passwords.repo import PasswordRepo
from service.sessions.flows import EndSession, ListSessions, Logout, LogoutAll, OpenSession
from service.sessions.issue import Issuer
from service.sessions.refresh import Refresh
from service.sessions.refresh_token import RefreshKeys
from service.sessions.repo import SessionRepo
from service.sessions.transport import Transport
from service.settings_rules import parse_keys
from service.signin.device import DeviceReader
from service.signin.flows import SignIn
from service.store.cursor import Cursors
from service.tokens.access_token import AccessTokens
from service.tokens.gatekeeper import Gatekeeper
from service.tokens.metadata import Metadata
from service.tokens.onetime import OneTimeKeys
from service.users.flows import Profiles
from service.users.identity import IdentityKeys
from service.users.repo import UserRepo
from service.web.csrf import SiteRule
from service.web.origins import check_origins, origin_of
from service.web.provide import Services

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from service.base import Base
    from service.passwords.hasher import PasswordHasher
    from service.tokens.keyring import KeyRing


_DRAIN_SECONDS = 10.0
_DEV_SENDER = "keyturn@localhost.localdomain"


@asynccontextmanager
async def build(base: Base) -> AsyncIterator[Services]:
    """Every flow and port that a route may ask for; what is under way is finished at the end."""
    keyring, hasher = build_keyring(base), build_hasher(base)
    post = _post(base)
    try:
        yield _services(base, keyring, hasher, post)
    finally:
        await post.drain(_DRAIN_SECONDS)
        await hasher.pool.close()
        await keyring.aclose()


def _post(base: Base) -> Post:
    settings = base.settings
    templates = Path(settings.mail_templates) if settings.mail_templates else None
    return Post(
        renderer=Renderer(
            sender=settings.mail_from or _DEV_SENDER, service_name=settings.service_name, template_folder=templates
        ),
        sender=sender_from_url(settings.mail_url.get_secret_value()),
        clock=base.clock,
        entropy=base.entropy,
    )


def _services(base: Base, keyring: KeyRing, hasher: PasswordHasher, post: Post) -> Services:
    settings, clock, entropy = base.settings, base.clock, base.entropy
    masters = parse_keys(settings.refresh_keys.get_secret_value())
    refresh_keys = RefreshKeys(masters, active_kid=next(iter(masters)))
    life = session_life(settings)
    identities = IdentityKeys(base.identity_master)
    users, sessions = UserRepo(dynamo=base.dynamo), SessionRepo(dynamo=base.dynamo)
    accounts, audit = AccountRepo(dynamo=base.dynamo), AuditLog(metrics=base.metrics)
    links, sign_up_tokens = Links(base_url=settings.issuer), OneTimeKeys(base.identity_master, purpose="signup")
    access_tokens = AccessTokens(
        keyring=keyring,
        clock=clock,
        entropy=entropy,
        issuer=settings.issuer,
        audience=settings.expected_audience,
        ttl_seconds=settings.access_ttl_seconds,
    )
    issuer = Issuer(access_tokens=access_tokens, refresh_keys=refresh_keys)
    return Services(
        keyring,
        users,
        Metadata.of(issuer=settings.issuer),
        Cursors(base.identity_master, entropy),
        SignUpRules(password_min_length=settings.password_min_length, locale=settings.locale),
        DeviceReader(trusted_proxies=settings.trusted_proxies),
        Transport(
            site_rule=SiteRule(
                own_origin=origin_of(settings.issuer), allowed_origins=check_origins(settings.allowed_origins)
            )
        ),
        Gatekeeper(
            keyring=keyring,
            clock=clock,
            issuer=settings.issuer,
            audience=settings.expected_audience,
            leeway_seconds=settings.clock_skew_seconds,
            recent_seconds=settings.recent_sign_in_seconds,
        ),
        Refresh(
            sessions=sessions,
            users=users,
            keys=refresh_keys,
            life=life,
            issuer=issuer,
            audit=audit,
            clock=clock,
            entropy=entropy,
            post=post,
            locale=settings.locale,
        ),
        SignIn(
            users=users,
            identities=identities,
            hasher=hasher,
            passwords=PasswordRepo(dynamo=base.dynamo),
            open_session=OpenSession(
                sessions=sessions, keys=refresh_keys, life=life, issuer=issuer, clock=clock, entropy=entropy
            ),
            audit=audit,
            clock=clock,
            entropy=entropy,
        ),
        Logout(sessions=sessions, keys=refresh_keys, audit=audit, clock=clock),
        LogoutAll(users=users, audit=audit),
        ListSessions(sessions=sessions, users=users, clock=clock),
        EndSession(sessions=sessions, audit=audit, clock=clock),
        Profiles(users=users, audit=audit),
        Register(
            accounts=accounts,
            users=users,
            identities=identities,
            hasher=hasher,
            onetime=sign_up_tokens,
            links=links,
            post=post,
            audit=audit,
            clock=clock,
            entropy=entropy,
            discloses=settings.registration == "disclose",
        ),
        VerifyEmail(accounts=accounts, identities=identities, onetime=sign_up_tokens, audit=audit, clock=clock),
        ResendEmail(
            accounts=accounts,
            identities=identities,
            onetime=sign_up_tokens,
            links=links,
            post=post,
            clock=clock,
            entropy=entropy,
        ),
        CloseAccount(accounts=accounts, users=users, sessions=sessions, audit=audit),
    )
