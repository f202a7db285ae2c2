"""Sign-in by another house: OpenID Connect Core 1.0, the code flow with PKCE (RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from kuaibao.bulletin.desk import Desk, Vouched
from kuaibao.errors import KuaibaoError

__all__ = ["SECRET_VARIABLE", "Journey", "OidcError", "Provider", "provider_of"]

SECRET_VARIABLE = "KUAIBAO_OIDC_SECRET"
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"]
"""Signatures by a key pair only: never `none`, never a shared secret."""
MAX_ANSWER = 500_000
TIMEOUT_S = 15.0
LEEWAY_S = 60


class OidcError(KuaibaoError):
    """The house does not answer, or its answer does not hold."""


@dataclass(frozen=True)
class Journey:
    """What must come back as it went out; the browser keeps it meanwhile."""

    state: str
    nonce: str
    verifier: str
    next_path: str

    @classmethod
    def begin(cls, next_path: str) -> Journey:
        """New secrets."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, next_path)

    def to_text(self) -> str:
        """For the cookie."""
        values = [self.state, self.nonce, self.verifier, self.next_path]
        return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()

    @classmethod
    def from_text(cls, text: str) -> Journey | None:
        """Out of the cookie; None if it is none."""
        try:
            values = json.loads(base64.urlsafe_b64decode(text))
        except ValueError:
            return None
        if not isinstance(values, list) or [type(v) for v in values] != [str] * 4:
            return None
        return cls(*values)


@dataclass(frozen=True)
class Provider:
    """The house that vouches, as the settings name it."""

    issuer: str
    client_id: str
    secret: str = ""

    def begin(self, journey: Journey, redirect_uri: str) -> str:
        """Where the browser goes to be vouched for.

        Raises:
            OidcError: The house does not answer, or is not the one that it says.
        """
        digest = hashlib.sha256(journey.verifier.encode()).digest()
        query = {
            "response_type": "code", "scope": "openid email profile", "client_id": self.client_id,
            "redirect_uri": redirect_uri, "state": journey.state, "nonce": journey.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }  # fmt: skip
        address = self._endpoint(self._discover(), "authorization_endpoint")
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"

    def finish(self, journey: Journey, code: str, redirect_uri: str) -> Vouched:
        """Change the code for a token, and read it.

        Raises:
            OidcError: The house does not answer, or the token does not hold.
        """
        known = self._discover()
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri,
            "client_id": self.client_id, "code_verifier": journey.verifier,
        }  # fmt: skip
        if self.secret:
            form["client_secret"] = self.secret
        tokens = _ask("POST", self._endpoint(known, "token_endpoint"), form)
        keys = _ask("GET", self._endpoint(known, "jwks_uri"))
        claims = self._read(str(tokens.get("id_token", "")), keys, journey.nonce)
        return Vouched(
            issuer=self.issuer, subject=str(claims["sub"])[:255],
            email=str(claims.get("email", ""))[:320],
            is_email_verified=claims.get("email_verified") is True,
            name=str(claims.get("name") or claims.get("preferred_username") or "")[:100],
        )  # fmt: skip

    def _discover(self) -> dict[str, Any]:
        check_issuer(self.issuer)
        known = _ask("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if known.get("issuer") != self.issuer:
            raise OidcError(f"the house calls itself {str(known.get('issuer'))[:200]!r}, "
                            f"not {self.issuer!r}")  # fmt: skip
        return known

    def _endpoint(self, known: Mapping[str, Any], name: str) -> str:
        address = str(known.get(name, ""))
        check_issuer(address)
        return address

    def _read(self, token: str, keys: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client_id},
            exp={"essential": True}, sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )  # fmt: skip
        try:
            key_set = KeySet.import_key_set({"keys": keys["keys"]})
            read = jwt.decode(token, key_set, algorithms=ALGORITHMS)
            rules.validate(read.claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise OidcError(f"the token does not hold: {error}") from error
        audience = read.claims["aud"]
        is_shared = isinstance(audience, list) and len(audience) > 1
        if is_shared and read.claims.get("azp") != self.client_id:
            raise OidcError("the token was made for another application")
        return read.claims


def provider_of(desk: Desk, environ: Mapping[str, str] = os.environ) -> Provider | None:
    """The house that the settings name; None if they name none."""
    issuer, client_id = desk.setting("oidc_issuer"), desk.setting("oidc_client_id")
    if not issuer or not client_id:
        return None
    return Provider(issuer, client_id, environ.get(SECRET_VARIABLE, ""))


def check_issuer(address: str) -> None:
    """Https, or this machine.

    Raises:
        OidcError: Anything else.
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError as error:
        raise OidcError("the address of the house is ill-formed") from error
    is_here = host in ("127.0.0.1", "::1", "localhost")
    if not host or (parts.scheme != "https" and not (parts.scheme == "http" and is_here)):
        raise OidcError("the address of the house begins with https://")


def _ask(method: str, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
    """One JSON object; the address is the administrator's own choice and may be this machine."""
    import httpx2

    try:
        with httpx2.stream(
            method, url, data=form, timeout=TIMEOUT_S, follow_redirects=False,
            headers={"accept": "application/json"},
        ) as response:  # fmt: skip
            data = b""
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > MAX_ANSWER:
                    raise OidcError("the house's answer is too large")
        if response.status_code != 200:
            raise OidcError(f"the house answered {response.status_code}")
        value = json.loads(data)
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        raise OidcError(f"the house does not answer: {error}") from error
    except ValueError as error:
        raise OidcError("the house's answer is no JSON") from error
    if not isinstance(value, dict):
        raise OidcError("the house's answer is no JSON object")
    return value
