"""The project's API keys and the JWTs behind them: the one place that signs and verifies.

A project has two opaque keys (`sb_publishable_...`, `sb_secret_...`), which only the gateway
understands, and two legacy keys, which are long-lived JWTs of the roles `anon` and `service_role`.
Services see JWTs only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

ALGORITHM = "HS256"
# The legacy keys carry fixed dates, so that they are the same on every start.
_ISSUED_AT = 1767225600  # 2026-01-01
_EXPIRES_AT = 2082758400  # 2036-01-01


@dataclass(frozen=True)
class Keys:
    publishable: str
    secret: str
    jwt_secret: str

    @property
    def anon(self) -> str:
        return self._legacy_key("anon")

    @property
    def service_role(self) -> str:
        return self._legacy_key("service_role")

    def jwt_for(self, api_key: str) -> str | None:
        """The JWT that an API key stands for; None if it is not a key of this project."""
        return {
            self.publishable: self.anon,
            self.secret: self.service_role,
            self.anon: self.anon,
            self.service_role: self.service_role,
        }.get(api_key)

    def sign(self, claims: Mapping[str, Any]) -> str:
        return jwt.encode(dict(claims), self.jwt_secret, ALGORITHM)

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a JWT. Raises jwt.InvalidTokenError; each service words it its own way."""
        claims: dict[str, Any] = jwt.decode(
            token, self.jwt_secret, [ALGORITHM], options={"verify_aud": False}
        )
        return claims

    def _legacy_key(self, role: str) -> str:
        return self.sign(
            {"iss": "supabase-devstack", "role": role, "iat": _ISSUED_AT, "exp": _EXPIRES_AT}
        )


# Known to everybody, like the keys of `supabase start`: good for a stack on loopback, nothing else.
DEVELOPMENT_KEYS = Keys(
    publishable="sb_publishable_devstack",
    secret="sb_secret_devstack",  # noqa: S106
    jwt_secret="devstack-jwt-secret-known-to-everybody",  # noqa: S106
)
