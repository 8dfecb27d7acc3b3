"""Identity: whether the identity provider knows this application, and whether its words give anybody a role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.doctor.finding import Finding
from app.doors import PROVIDER_PATH
from app.loading import DEMO, Project, load_declarations, load_roles
from app.settings import Settings
from services.accounts.provider import Client, Provider, ProviderError
from services.accounts.roles import RolesError
from services.declare import DeclarationError

SUBJECT = "identity provider"


@dataclass(frozen=True, slots=True)
class Vouching:
    """The provider that the settings name, asked as a sign-in would ask it."""

    settings: Settings
    project: Project = DEMO

    def look(self) -> Iterator[Finding]:
        if not self.settings.oidc_issuer:
            if self.settings.asks_for_sign_in:
                yield Finding("ok", SUBJECT, "none: people sign in by local accounts (headwater users)")
            return
        yield from self._asked()
        yield from self._roles()

    def _asked(self) -> Iterator[Finding]:
        given = self.settings
        provider = Provider(Client(
            given.oidc_issuer, given.oidc_client_id, given.oidc_client_secret, given.oidc_roles_claim, given.oidc_scopes
        ))
        redirect = f"{given.probed_url}{PROVIDER_PATH}/back"
        try:
            doubts = provider.examine(redirect)
        except ProviderError as error:
            text, _, remedy = str(error).rstrip(".").partition(": ")
            yield Finding("fail", SUBJECT, text, remedy or "correct HEADWATER_OIDC_ISSUER, or see why it is down")
            return
        yield from (Finding("warn", SUBJECT, text, remedy) for text, remedy in doubts)
        yield Finding("ok", SUBJECT, f"{provider.host} knows this application; its redirect must be {redirect}")

    def _roles(self) -> Iterator[Finding]:
        try:
            roles = load_roles(load_declarations(self.project), self.project).known.values()
        except (DeclarationError, RolesError):
            return  # told by their own findings
        given = [role.name for role in roles if role.claims]
        if given:
            yield Finding("ok", "claims", f"{self.settings.oidc_roles_claim} gives {', '.join(sorted(given))}")
        else:
            text = "no role has claims: whom the provider lets in may see nothing"
            yield Finding("warn", "claims", text, "give roles their claims in roles.toml")
