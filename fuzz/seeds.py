"""Writes ``fuzz/seeds``: what each target begins with, so that it need not invent a token. ``python -m fuzz.seeds``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuzz.targets import secrets, stored
from keyturn import base64url
from service.kernel.ids import SessionId, UserId
from service.sessions.refresh_token import RefreshToken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HERE = Path(__file__).parent
SEEDS = HERE / "seeds"
VECTORS = HERE.parent / "tests" / "vectors"
_P256 = "jlM7b6C_e0YluzBmfAH7YH75-LioD-9bMAYocDGHsqM", "c-sdveAzGDZtBp-DpvWQAFPHNjPLBBshxV4ahsH0ALQ"
_PUBLIC_KEYS = (
    {"kty": "EC", "crv": "P-256", "alg": "ES256", "x": _P256[0], "y": _P256[1]},
    {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
    {"kty": "RSA", "alg": "RS256", "e": "AQAB", "n": "w" * 512},
)


class _Counting:
    def token_bytes(self, size_bytes: int) -> bytes:
        return bytes(index % 256 for index in range(size_bytes))


def main() -> None:
    """Write every seed, under a name that its content gives."""
    for target, seeds in all_seeds().items():
        folder = SEEDS / target
        folder.mkdir(parents=True, exist_ok=True)
        for seed in seeds:
            (folder / hashlib.sha256(seed).hexdigest()[:12]).write_bytes(seed)


def all_seeds() -> Mapping[str, Iterable[bytes]]:
    """The seeds of each target."""
    base = _vectors("tokens/base.json")
    header, claims = (json.dumps(base[part], separators=(",", ":")).encode() for part in ("header", "claims"))
    refresh = RefreshToken(
        kid=2, user_id=UserId(bytes(range(16))), session_id=SessionId(bytes(16)), generation=7, secret=bytes(range(20))
    )
    chance = _Counting()
    reset = secrets.PROOFS.new(UserId(bytes(range(16))), chance)
    sign_up = secrets.ONE_TIME.new("e1#ada", chance)
    names = {
        kind: [
            name["typed"].encode("utf-8", "surrogatepass") for part in ("accepted", "refused") for name in found[part]
        ]
        for kind, found in ((kind, _vectors(f"names/{kind}.json")) for kind in ("emails", "usernames"))
    }
    signed = b"\n".join([header, claims, bytes(64)])
    return {
        "access-token": [
            secrets.STRUCTURED + signed,
            secrets.STRUCTURED + b"\n".join([header.replace(b"ES256", b"EdDSA"), claims, bytes(64)]),
            ".".join(base64url.encode(part) for part in (header, claims, bytes(64))).encode(),
            *(vector["token"].encode() for vector in _vectors("tokens/form.json") if vector.get("token")),
        ],
        "jwk": [
            json.dumps({**key, "kid": f"k{number}", "use": "sig"}).encode() for number, key in enumerate(_PUBLIC_KEYS)
        ],
        "refresh-token": [secrets.REFRESH.encode(refresh).encode(), bytes(range(64)), b"ktr_" + b"z" * 101],
        "one-time-token": [part.reveal().encode() for part in (reset.token, reset.code, sign_up.token, sign_up.code)],
        "device-token": [
            secrets.DEVICES.issue(["e1#ada", "u1#ada"], now_ms=secrets.NOW_MS, entropy=chance).reveal().encode()
        ],
        "cursor": [stored.CURSORS.seal(stored.SEED, query=stored.QUERY).encode(), b"A" * 40],
        "stored-hash": [
            b"$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g",
            b"argon2$argon2i$v=19$m=102400,t=2,p=8$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2g",
            b"pbkdf2_sha256$1000000$saltsalt$" + b"A" * 43 + b"=",
            b"$2b$12$" + b"." * 21 + b"." + b"." * 31,
            b"bcrypt_sha256$$2b$12$" + b"." * 21 + b"." + b"." * 31,
        ],
        "email": names["emails"],
        "username": names["usernames"],
        "token-json": [header, claims, b'{"a":[{"b":"\\ud83d\\ude00"},1,null,true]}'],
        "body-json": [
            b'{"identifier":"ada@example.com","password":"\\u00e9","transport":"cookie"}',
            b'[[[[[[[[1.5e3,"\\"]]"]]]]]]]]',
            b"application/json; charset=utf-8\ngzip",
        ],
        "query": [b"cursor=abc_-", b"cursor=%41&limit=", b"cursor=1&cursor=2", b"a;b=%FF&c+d=%00"],
        "bearer": [b"Bearer " + b"a.b_-~+/c==", b"bearer x", b"Basic eDp5", b"Bearer a\nBearer b"],
        "cookies": [
            b"a=b; __Host-keyturn_refresh=ktr_0; c",
            b"__Host-keyturn_refresh=x\n__Host-keyturn_refresh=x",
            b"__Host-keyturn_refresh = a b",
        ],
        "client-ip": [
            b"\x01203.0.113.9, 198.51.100.7:80",
            b"\x02[2001:db8::1]:443, ::ffff:203.0.113.9\n2001:db8::2",
            b"\x00203.0.113.9",
            b"1.2.3.4",
        ],
        "site": [
            b"same-origin\nhttps://auth.example.com\n1",
            b"cross-site\nhttps://app.example.com\n1",
            b"\nhttps://app.example.com\n1",
        ],
    }


def _vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
