"""Provider: the identity provider that vouches for people, by OpenID Connect (code flow, PKCE, nonce).

Nothing is asked of it until somebody signs in; what it says of itself is kept for an hour. By OpenID Connect Core 1.0,
Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (who answers), RFC 9700 (what a client must check).
"""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidClaimError,
    InvalidKeyIdError,
    InvalidTokenError,
    JoseError,
    MissingClaimError,
)
from joserfc.jwk import KeySet

SCOPES = "openid profile email"
TIMEOUT_S = 5
KEPT_S = 3_600
LEEWAY_S = 60
"""How far the provider's clock and ours may be apart."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures by a private key alone: `none`, and keys that both sides hold, prove nothing about who signed."""
_NO_CODE = "a-code-that-nobody-was-given-" * 2
"""Of the length that a verifier has to have (RFC 7636, 4.1)."""
_UNKNOWN_CLIENT = ("invalid_client", "unauthorized_client")
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderError(ValueError):
    """Nobody can be signed in by the provider's answer; says what was wrong and the remedy, in words for people."""

    def __init__(self, text: str, status: int = 403) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Client:
    """What the provider knows us by. `roles_claim` names the claim that holds its words for roles."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    roles_claim: str = "groups"
    scopes: str = SCOPES


@dataclass(frozen=True, slots=True)
class Vouched:
    """Somebody whom the provider vouches for."""

    issuer: str
    subject: str
    name: str
    words: tuple[str, ...]


class Provider:
    """One identity provider. Safe to use from several threads; whatever asks it may raise ProviderError."""

    def __init__(self, client: Client, now: Callable[[], float] = time.time) -> None:
        self._client, self._now, self._lock = client, now, threading.Lock()
        self._said: Mapping[str, Any] = {}
        self._keys: KeySet | None = None
        self._read_at = float("-inf")
        self.host = urlsplit(client.issuer).hostname or client.issuer

    def ask(self, state: str, nonce: str, verifier: str, redirect: str) -> str:
        """Where the browser goes to sign in there."""
        endpoint = self._metadata()["authorization_endpoint"]
        with self._session(redirect) as session:
            url, _ = session.create_authorization_url(endpoint, state=state, nonce=nonce, code_verifier=verifier)
        return str(url)

    def vouched(self, code: str, nonce: str, verifier: str, redirect: str, issuer: str | None) -> Vouched:
        """Who signed in there, by the code that it sent back; `issuer` is who says that it sent it (RFC 9207)."""
        said = self._metadata()
        told = issuer is not None or bool(said.get("authorization_response_iss_parameter_supported"))
        if told and issuer != self._client.issuer:
            raise ProviderError(f"The answer did not come from {self.host}. Sign in again.")
        with self._talking(), self._session(redirect) as session:
            token = session.fetch_token(said["token_endpoint"], code=code, code_verifier=verifier)
            claims = self._checked(token, nonce)
            claims = {**self._more(session, said, claims), **claims}
        return self._of(claims)

    def examine(self, redirect: str) -> list[tuple[str, str]]:
        """Ask it what a sign-in would, with a code that nobody got: what is doubtful, each with its remedy.

        Raises ProviderError where it does not answer, is another one, or does not know this application.
        """
        said = self._metadata()
        with self._talking():
            self._key_set(anew=True)
            answer = self._refusal_of_no_code(said, redirect)
        if answer in _UNKNOWN_CLIENT:
            raise ProviderError(_refused(self.host, answer), 502)
        strange = [] if answer == "invalid_grant" else [
            (f"{self.host} says {plain(answer)} to a code that nobody was given", "let somebody sign in, and see")
        ]
        return [*strange, *self._doubts(said)]

    def _refusal_of_no_code(self, said: Mapping[str, Any], redirect: str) -> str:
        try:
            with self._session(redirect) as session:
                session.fetch_token(said["token_endpoint"], code=_NO_CODE, code_verifier=_NO_CODE)
        except OAuthError as error:
            return str(error.error)
        return "nothing"

    def _doubts(self, said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        known = said.get("scopes_supported")
        if isinstance(known, list) and (strange := sorted(set(self._client.scopes.split()) - set(known))):
            yield f"{self.host} does not name the scopes {', '.join(strange)}", "correct HEADWATER_OIDC_SCOPES"
        known = said.get("code_challenge_methods_supported")
        if isinstance(known, list) and "S256" not in known:
            yield f"{self.host} does not name PKCE by S256", "switch it on there"
        known = said.get("id_token_signing_alg_values_supported")
        if isinstance(known, list) and not set(known) & set(ALGORITHMS):
            yield f"{self.host} signs by {', '.join(map(str, known))}", f"let it sign by one of {', '.join(ALGORITHMS)}"

    def sign_out_url(self, back: str) -> str:
        """Where its own session is ended; '' where it has no such address, or did not say."""
        with self._lock:
            endpoint = str(self._said.get("end_session_endpoint") or "")
        if not endpoint.startswith(("https://", "http://")):
            return ""
        return f"{endpoint}?{urlencode({'client_id': self._client.client_id, 'post_logout_redirect_uri': back})}"

    def _of(self, claims: Mapping[str, Any]) -> Vouched:
        name = claims.get("preferred_username") or claims.get("email") or claims["sub"]
        return Vouched(self._client.issuer, str(claims["sub"]), str(name), words_of(claims, self._client.roles_claim))

    # What it says of itself --------------------------------------------------------------------

    def _metadata(self) -> Mapping[str, Any]:
        with self._lock:
            if self._now() - self._read_at < KEPT_S:
                return self._said
        address = f"{self._client.issuer.rstrip('/')}/.well-known/openid-configuration"
        with self._talking():
            said = self._got(address)
        if said.get("issuer") != self._client.issuer:
            raise ProviderError(
                f"The identity provider calls itself {str(said.get('issuer'))[:200]!r}: HEADWATER_OIDC_ISSUER must be"
                " written like that.", 502,
            )  # fmt: skip
        if missing := [one for one in _NEEDED if not isinstance(said.get(one), str)]:
            raise ProviderError(f"{self.host} does not say its {missing[0]}: it is no OpenID Connect provider.", 502)
        with self._lock:
            self._said, self._keys, self._read_at = said, None, self._now()
        return said

    def _got(self, address: str) -> dict[str, Any]:
        answer = requests.get(address, timeout=TIMEOUT_S, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
        if not isinstance(found, dict):
            raise requests.RequestException("no JSON object")
        return found

    def _key_set(self, *, anew: bool = False) -> KeySet:
        with self._lock:
            if self._keys is not None and not anew:
                return self._keys
        keys = KeySet.import_key_set(self._got(self._metadata()["jwks_uri"]))  # type: ignore[arg-type] # checked there
        with self._lock:
            self._keys = keys
        return keys

    # What it says of somebody ------------------------------------------------------------------

    def _checked(self, token: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """The claims of the ID token, where it is signed, for us, for this sign-in and still valid."""
        text = token.get("id_token")
        if not isinstance(text, str):
            raise ProviderError(f"{self.host} sent no ID token: allow this application the scope openid there.", 502)
        try:
            signed = jwt.decode(text, self._key_set(), algorithms=list(ALGORITHMS))
        except (InvalidKeyIdError, BadSignatureError):  # its keys may have changed since they were read
            signed = jwt.decode(text, self._key_set(anew=True), algorithms=list(ALGORITHMS))
        wanted: Any = {
            "iss": {"essential": True, "value": self._client.issuer},
            "aud": {"essential": True, "value": self._client.client_id},
        }
        params = {"nonce": nonce, "client_id": self._client.client_id, "access_token": token.get("access_token")}
        claims = CodeIDToken(signed.claims, signed.header, wanted, params)
        claims.validate(int(self._now()), LEEWAY_S)
        if not hmac.compare_digest(str(claims.get("nonce")), nonce):
            raise InvalidClaimError("nonce")
        return dict(claims)

    def _more(self, session: Any, said: Mapping[str, Any], claims: Mapping[str, Any]) -> dict[str, Any]:
        """What only its userinfo has; it must be about the same subject (OpenID Connect Core, 5.3.2)."""
        address = said.get("userinfo_endpoint")
        if not isinstance(address, str) or (
            words_of(claims, self._client.roles_claim) and "preferred_username" in claims
        ):
            return {}
        answer = session.get(address, timeout=TIMEOUT_S)
        answer.raise_for_status()
        found = answer.json()
        if not isinstance(found, dict) or found.get("sub") != claims["sub"]:
            raise ProviderError(f"{self.host} told of somebody else than who signed in. Sign in again.", 502)
        return found

    @contextmanager
    def _session(self, redirect: str) -> Iterator[Any]:
        scopes = " ".join(dict.fromkeys(["openid", *self._client.scopes.split()]))
        session = OAuth2Session(
            self._client.client_id, self._client.client_secret, scope=scopes, redirect_uri=redirect,
            code_challenge_method="S256", default_timeout=TIMEOUT_S,
            token_endpoint_auth_method=_way_of(self._said),
        )  # fmt: skip
        try:
            yield session
        finally:
            session.close()

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """Whatever goes wrong while we talk to it, in words for people."""
        try:
            yield
        except ProviderError:
            raise
        except OAuthError as error:
            raise ProviderError(_refused(self.host, str(error.error)), 502) from error
        except ExpiredTokenError as error:
            remedy = "Sign in again; if it stays so, its clock and ours differ."
            raise ProviderError(f"The answer of {self.host} has expired. {remedy}") from error
        except (InvalidClaimError, MissingClaimError) as error:
            raise ProviderError(_wrong_claim(self.host, str(error.claim))) from error
        except InvalidTokenError as error:
            raise ProviderError(_not_yet(self.host)) from error
        except (JoseError, KeyError) as error:
            raise ProviderError(f"The answer of {self.host} is not signed by its keys. Sign in again.") from error
        except (requests.RequestException, ValueError) as error:
            remedy = "Try again in a minute, or sign in with a password."
            raise ProviderError(f"The identity provider {self.host} does not answer. {remedy}", 503) from error


def words_of(claims: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    """The texts of a claim; one of another is named with dots, `realm_access.roles`."""
    found: Any = claims.get(claim)
    if found is None:
        found = claims
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return tuple(found.split())
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()


def _way_of(said: Mapping[str, Any]) -> str:
    """How we say our secret: as OpenID Connect Core, 9, has it unless the provider takes no such way."""
    known = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return "client_secret_post" if "client_secret_basic" not in known else "client_secret_basic"


def _refused(host: str, code: str) -> str:
    if code in _UNKNOWN_CLIENT:
        remedy = "check HEADWATER_OIDC_CLIENT_ID and HEADWATER_OIDC_CLIENT_SECRET"
        return f"{host} does not know this application: {remedy}."
    if code == "invalid_grant":
        return f"{host} does not take its code any more. Sign in again."
    return f"{host} refused the sign-in ({plain(code)}). Sign in again, or tell who runs this installation."


def _not_yet(host: str) -> str:
    return f"The answer of {host} is not valid yet: its clock and ours differ. Tell who runs this installation."


def _wrong_claim(host: str, claim: str) -> str:
    if claim in ("aud", "azp"):
        return f"The answer of {host} is for another application: HEADWATER_OIDC_CLIENT_ID must be the one known there."
    if claim in ("iat", "nbf"):
        return _not_yet(host)
    if claim == "nonce":
        return f"The answer of {host} is not for this sign-in (nonce). Sign in again."
    if claim == "iss":
        return f"The answer is of another provider than {host}. Sign in again."
    return f"The answer of {host} cannot be used ({plain(claim)}). Sign in again."


def plain(code: str) -> str:
    """A code of the provider's as far as it is one: what else it sends is not repeated."""
    return code if code.isascii() and code.replace("_", "").isalnum() and len(code) <= 40 else "no code"
