"""Makes tokens as the recipes in tests/vectors/tokens describe them."""

from __future__ import annotations

import hmac
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

from keyturn import base64url, verifier
from keyturn.keys import KeySet, VerifyingKey

VECTORS = Path(__file__).parents[2] / "vectors" / "tokens"
BASE = json.loads((VECTORS / "base.json").read_text("utf-8"))
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SPKI = PublicFormat.SubjectPublicKeyInfo


def raw_signature(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def sign_as_issued(key: Any, message: bytes) -> bytes:
    match key:
        case ec.EllipticCurvePrivateKey():
            return raw_signature(*decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256()))))
        case rsa.RSAPrivateKey():
            return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        case _:
            return key.sign(message)


def twin(signature: bytes) -> bytes:
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    return raw_signature(r, P256_ORDER - s)


class Mint:
    """Private keys, the key set that belongs to them, and tokens by recipe."""

    def __init__(self) -> None:
        rsa_keys = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
        self.ours: dict[str, Any] = {
            "es": ec.generate_private_key(ec.SECP256R1()),
            "ed": ed25519.Ed25519PrivateKey.generate(),
            "rs": rsa_keys[0],
        }
        self.others: dict[str, Any] = {
            "ES256": ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate(),
            "RS256": rsa_keys[1],
        }
        algorithms = {"es": "ES256", "ed": "EdDSA", "rs": "RS256"}
        self.keys = KeySet.of(
            *(VerifyingKey(kid=kid, alg=algorithms[kid], public_key=key.public_key()) for kid, key in self.ours.items())
        )

    def token(self, recipe: dict[str, Any] | None = None) -> str:
        recipe = recipe or {}
        if "token" in recipe:
            return str(recipe["token"])
        header = self._segment(recipe, "header")
        claims = self._segment(recipe, "claims")
        signature = self._sign(recipe, f"{header}.{claims}".encode())
        signature_text = edited(base64url.encode(signature), recipe.get("signature_segment"))
        form: str = recipe.get("form", "{header}.{claims}.{signature}")
        return form.format(header=header, claims=claims, signature=signature_text)

    def verify(self, recipe: dict[str, Any] | None = None, **changes: Any) -> Any:
        recipe = recipe or {}
        return verifier.verify(
            self.token(recipe),
            keys=self.keys,
            **{
                "expected_issuer": BASE["expected_issuer"],
                "expected_audience": BASE["expected_audience"],
                "now_ms": recipe.get("now_ms", BASE["now_ms"]),
                "leeway_seconds": recipe.get("leeway_seconds", BASE["leeway_seconds"]),
                "max_lifetime_seconds": recipe.get("max_lifetime_seconds"),
                **changes,
            },
        )

    def _segment(self, recipe: dict[str, Any], part: str) -> str:
        kept = {k: v for k, v in BASE[part].items() if k not in recipe.get(f"without_{part}", ())}
        members = {k: self._filled(v) for k, v in (kept | recipe.get(part, {})).items()}
        text = json.dumps(members, separators=(",", ":"), ensure_ascii=False)[:-1]
        text = recipe.get(f"{part}_text", text + expanded(recipe.get(f"raw_{part}", "")) + "}")
        encoding = recipe.get(f"{part}_encoding", "utf-8")
        raw = text.encode("utf-8", "surrogatepass") if encoding == "surrogates" else text.encode(encoding)
        edit = recipe.get(f"{part}_segment")
        while edit and len(raw) % 3 != 1:
            raw += b" "
        return edited(base64url.encode(raw), edit)

    def _filled(self, value: Any) -> Any:
        if value == "@other":
            return ECAlgorithm.to_jwk(self.others["ES256"].public_key(), as_dict=True)
        if isinstance(value, str) and (match := re.fullmatch(r"@(\d+)", value)):
            return "a" * int(match[1])
        return value

    def _sign(self, recipe: dict[str, Any], message: bytes) -> bytes:
        header = BASE["header"] | recipe.get("header", {})
        kid = header["kid"] if header["kid"] in ("es", "ed", "rs") else "es"
        how = recipe.get("sign", "by the key of kid")
        if match := re.fullmatch(r"by another (\w+) key", how):
            return sign_as_issued(self.others[match[1]], message)
        public = self.ours[kid].public_key()
        issued = sign_as_issued(self.ours[kid], message)
        ways = {
            "by the key of kid": lambda: issued,
            "the twin": lambda: twin(issued),
            "in DER": lambda: self.ours["es"].sign(message, ec.ECDSA(hashes.SHA256())),
            "r and s are zero": lambda: bytes(64),
            "r and s are n": lambda: raw_signature(P256_ORDER, P256_ORDER),
            "r is one, s is zero": lambda: raw_signature(1, 0),
            "truncated": lambda: issued[:-1],
            "with an octet more": lambda: issued + b"\0",
            "with a bit flipped": lambda: issued[:-1] + bytes([issued[-1] ^ 1]),
            "of other claims": lambda: sign_as_issued(self.ours[kid], message + b"A"),
            "one octet": lambda: b"\1",
            "256 zeros": lambda: bytes(256),
            "512 zeros": lambda: bytes(512),
            "HMAC with the public PEM": lambda: hmac.digest(public.public_bytes(Encoding.PEM, SPKI), message, "sha256"),
            "HMAC with the public DER": lambda: hmac.digest(public.public_bytes(Encoding.DER, SPKI), message, "sha256"),
            "HMAC with nothing": lambda: hmac.digest(b"", message, "sha256"),
        }
        return ways[how]()


def edited(segment: str, edit: str | None) -> str:
    match edit:
        case None:
            return segment
        case "padded":
            return segment + "=" * (-len(segment) % 4)
        case "twisted":
            assert len(segment) % 4, "there are no unused bits"
            return segment[:-1] + ALPHABET[ALPHABET.index(segment[-1]) + 1]
        case "spaced":
            return segment[:9] + "\n" + segment[9:]
        case "other alphabet":
            swapped = segment.replace("-", "+").replace("_", "/")
            assert swapped != segment, "the alphabets agree"
            return swapped
    raise AssertionError(edit)


def expanded(text: str) -> str:
    text = re.sub(r"@digits(\d+)", lambda match: "9" * int(match[1]), text)
    return re.sub(r"@bomb(\d+)", lambda match: "[" * int(match[1]) + "]" * int(match[1]), text)


@pytest.fixture(scope="session")
def mint() -> Mint:
    return Mint()


@pytest.fixture(scope="session")
def base() -> dict[str, Any]:
    return dict(BASE)
