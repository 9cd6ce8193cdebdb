"""Sign-in, sessions, users and their tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.audit.repo import EventRepo
from service.kernel.even import EvenAnswers
from service.passwords.repo import PasswordRepo
from service.sessions.ending import EndOne
from service.sessions.flows import EndSession, ListSessions, Logout, LogoutAll, OpenSession
from service.sessions.refresh import Refresh
from service.sessions.transport import Transport
from service.signin.device import DeviceReader
from service.signin.flows import SignIn
from service.signin.new_device import NewDeviceMails
from service.throttle.network import Networks
from service.tokens.gatekeeper import Gatekeeper
from service.tokens.metadata import Metadata
from service.tokens.session_gate import SessionGate
from service.users.events.flows import ListEvents
from service.users.flows import Profiles
from service.web.csrf import SiteRule
from service.web.origins import check_origins, origin_of

if TYPE_CHECKING:
    from service.wiring.core import Core


def sign_in_services(core: Core) -> list[object]:
    """How a session begins."""
    open_session = OpenSession(
        sessions=core.sessions,
        keys=core.refresh_keys,
        life=core.life,
        issuer=core.issuer,
        entropy=core.entropy,
    )
    return [
        EvenAnswers(clock=core.clock, beat_seconds=core.settings.answer_beat_ms / 1000),
        DeviceReader(trusted_proxies=core.settings.trusted_proxies),
        SignIn(
            users=core.users,
            identities=core.identities,
            hasher=core.hasher,
            passwords=PasswordRepo(dynamo=core.dynamo),
            open_session=open_session,
            throttle=core.throttle,
            lanes=core.lanes,
            devices=core.devices,
            new_devices=NewDeviceMails(
                users=core.users,
                outbox=core.outbox,
                quotas=core.quotas,
                audit=core.audit,
                clock=core.clock,
                locale=core.settings.locale,
            ),
            audit=core.audit,
            clock=core.clock,
            entropy=core.entropy,
        ),
    ]


def session_services(core: Core) -> list[object]:
    """How it goes on, and ends."""
    end = EndOne(sessions=core.sessions, revocations=core.revocations)
    return [
        Refresh(
            sessions=core.sessions,
            end=end,
            users=core.users,
            keys=core.refresh_keys,
            life=core.life,
            issuer=core.issuer,
            audit=core.audit,
            clock=core.clock,
            entropy=core.entropy,
            post=core.outbox,
            locale=core.settings.locale,
        ),
        Logout(end=end, keys=core.refresh_keys, audit=core.audit, clock=core.clock),
        LogoutAll(users=core.users, revocations=core.revocations, audit=core.audit),
        ListSessions(sessions=core.sessions, users=core.users, clock=core.clock),
        EndSession(end=end, users=core.users, audit=core.audit, clock=core.clock),
    ]


def caller_services(core: Core) -> list[object]:
    """Who is calling, and what is shown of users."""
    settings = core.settings
    own_origin, allowed = origin_of(settings.issuer), check_origins(settings.allowed_origins)
    return [
        core.keyring,
        core.users,
        core.revocations,
        Metadata.of(issuer=settings.issuer, publishes_revocations=settings.publishes_revocations),
        Transport(site_rule=SiteRule(own_origin=own_origin, allowed_origins=allowed)),
        Gatekeeper(
            keyring=core.keyring,
            clock=core.clock,
            issuer=settings.issuer,
            audience=settings.expected_audience,
            leeway_seconds=settings.clock_skew_seconds,
            recent_seconds=settings.recent_sign_in_seconds,
        ),
        SessionGate(sessions=core.sessions, clock=core.clock),
        Networks(trusted_proxies=settings.trusted_proxies),
        Profiles(users=core.users, audit=core.audit),
        ListEvents(events=EventRepo(dynamo=core.dynamo), users=core.users, audit=core.audit, clock=core.clock),
    ]
