"""The parts that more than one flow needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from service.accounts.decoys import Decoys
from service.accounts.new_password import NewPasswords
from service.accounts.proof_of_password import ProofOfPassword
from service.accounts.recovery_repo import RecoveryRepo
from service.accounts.repo import AccountRepo
from service.audit.fanout import Fanout
from service.audit.log import AuditLog
from service.base import build_audit_table, build_hasher, build_keyring, build_revocation_log, session_life
from service.mail.letter import LetterSeal
from service.mail.links import Links
from service.mail.outbox import Outbox
from service.mail.outbox_repo import OutboxRepo
from service.mail.render import Renderer
from service.mail.retry import Retry
from service.revocations.window import Window
from service.sessions.issue import Issuer
from service.sessions.refresh_token import RefreshKeys
from service.sessions.repo import SessionRepo
from service.settings_rules import parse_keys
from service.throttle.device import DeviceKeys
from service.throttle.lanes import LaneKeys
from service.throttle.mail_quotas import MailQuotas
from service.tokens.access_token import AccessTokens
from service.tokens.onetime import OneTimeKeys
from service.tokens.user_proof import UserProofs
from service.users.identity import IdentityKeys
from service.users.repo import UserRepo
from service.wiring.throttle import build_quotas, build_throttle

if TYPE_CHECKING:
    from service.audit.event import AuditKeeper
    from service.audit.table import TableAudit
    from service.base import Base
    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.mail.ports import MailSender
    from service.passwords.checker import PasswordChecker
    from service.passwords.hasher import PasswordHasher
    from service.revocations.log import RevocationLog
    from service.sessions.model import SessionLife
    from service.settings import Settings
    from service.store.dynamo import Dynamo
    from service.throttle.limiter import Throttle
    from service.throttle.quotas import Quotas
    from service.tokens.keyring import KeyRing

_DEV_SENDER = "keyturn@localhost.localdomain"


@dataclass(frozen=True, kw_only=True)
class Core:
    """One of each."""

    settings: Settings
    dynamo: Dynamo
    clock: Clock
    entropy: Entropy
    keyring: KeyRing
    hasher: PasswordHasher
    outbox: Outbox
    audit: AuditKeeper
    audit_table: TableAudit
    users: UserRepo
    sessions: SessionRepo
    accounts: AccountRepo
    recovery: RecoveryRepo
    revocations: RevocationLog
    revocation_window: Window
    identities: IdentityKeys
    refresh_keys: RefreshKeys
    life: SessionLife
    issuer: Issuer
    links: Links
    decoys: Decoys
    sign_ups: OneTimeKeys
    resets: UserProofs
    changes: UserProofs
    new_passwords: NewPasswords
    proof: ProofOfPassword
    throttle: Throttle
    quotas: Quotas
    mail_quotas: MailQuotas
    lanes: LaneKeys
    devices: DeviceKeys


def build_core(base: Base, checker: PasswordChecker, sender: MailSender) -> Core:
    """The parts on an opened store. Raises what a wrong setting makes its part raise."""
    settings, clock, entropy, dynamo = base.settings, base.clock, base.entropy, base.dynamo
    keyring, hasher, throttle = build_keyring(base), build_hasher(base), build_throttle(base)
    audit_table = build_audit_table(base)
    audit = Fanout(log=AuditLog(metrics=base.metrics), table=audit_table)
    masters = parse_keys(settings.refresh_keys.get_secret_value())
    refresh_keys = RefreshKeys(masters, active_kid=next(iter(masters)))
    users, master = UserRepo(dynamo=dynamo), base.identity_master
    access_tokens = AccessTokens(
        keyring=keyring,
        entropy=entropy,
        issuer=settings.issuer,
        audience=settings.expected_audience,
        ttl_seconds=settings.access_ttl_seconds,
        tells_epoch=settings.publishes_revocations,
    )
    lanes, revocations = LaneKeys(master), build_revocation_log(base)
    quotas = build_quotas(base, lanes)
    return Core(
        settings=settings,
        dynamo=dynamo,
        clock=clock,
        entropy=entropy,
        keyring=keyring,
        hasher=hasher,
        outbox=build_outbox(base, sender),
        audit=audit,
        audit_table=audit_table,
        users=users,
        sessions=SessionRepo(dynamo=dynamo),
        accounts=AccountRepo(dynamo=dynamo),
        recovery=RecoveryRepo(dynamo=dynamo),
        revocations=revocations,
        revocation_window=Window(
            repo=revocations.repo,
            life=revocations.life,
            clock=clock,
            cache_seconds=settings.revocation_feed_cache_seconds,
        ),
        identities=IdentityKeys(master),
        refresh_keys=refresh_keys,
        life=session_life(settings),
        issuer=Issuer(access_tokens=access_tokens, refresh_keys=refresh_keys),
        links=Links(base_url=settings.issuer),
        decoys=Decoys(dynamo=dynamo, clock=clock, entropy=entropy),
        sign_ups=OneTimeKeys(master, purpose="signup"),
        resets=UserProofs(master, purpose="reset"),
        changes=UserProofs(master, purpose="change"),
        new_passwords=NewPasswords(checker=checker),
        proof=ProofOfPassword(users=users, hasher=hasher, throttle=throttle, lanes=lanes, audit=audit),
        throttle=throttle,
        quotas=quotas,
        mail_quotas=MailQuotas(quotas=quotas),
        lanes=lanes,
        devices=DeviceKeys(master),
    )


def build_outbox(base: Base, sender: MailSender) -> Outbox:
    """Where mails wait until ``sender`` has taken them. Raises what a wrong setting makes the renderer raise."""
    settings = base.settings
    templates = Path(settings.mail_templates) if settings.mail_templates else None
    return Outbox(
        repo=OutboxRepo(dynamo=base.dynamo),
        seal=LetterSeal(master=base.identity_master, entropy=base.entropy),
        renderer=Renderer(
            sender=settings.mail_from or _DEV_SENDER, service_name=settings.service_name, template_folder=templates
        ),
        sender=sender,
        meter=base.metrics,
        sends_itself=settings.mail_sending == "process",
        retry=Retry(),
        clock=base.clock,
        entropy=base.entropy,
    )
