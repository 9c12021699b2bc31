"""The project's API keys and the JWTs behind them: the one place that signs and verifies.

A project has two opaque keys (`sb_publishable_...`, `sb_secret_...`), which only the gateway
understands, and two legacy keys, which are long-lived JWTs of the roles `anon` and `service_role`.
Services see JWTs only. Users' tokens are signed with a private key, whose public half everybody may
have (`jwks`); the legacy keys and the tokens of signed URLs with a shared secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

_LEGACY_ALGORITHM = "HS256"
_ALGORITHM = "ES256"
# The legacy keys carry fixed dates, so that they are the same on every start.
_ISSUED_AT = 1767225600  # 2026-01-01
_EXPIRES_AT = 2082758400  # 2036-01-01


@dataclass(frozen=True)
class Keys:
    publishable: str
    secret: str
    jwt_secret: str
    signing_key: Mapping[str, str]  # a private JWK of the curve P-256, with its `kid`

    @property
    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The public keys, as /auth/v1/.well-known/jwks.json has them."""
        public = {name: value for name, value in self.signing_key.items() if name != "d"}
        usage = {"alg": _ALGORITHM, "use": "sig", "key_ops": ["verify"], "ext": True}
        return {"keys": [{**public, **usage}]}

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
        """A token that everybody can verify."""
        key = jwt.PyJWK(dict(self.signing_key), _ALGORITHM)
        return jwt.encode(dict(claims), key, headers={"kid": self.signing_key["kid"]})

    def sign_with_secret(self, claims: Mapping[str, Any]) -> str:
        """A token that only the services can verify."""
        return jwt.encode(dict(claims), self.jwt_secret, _LEGACY_ALGORITHM)

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a JWT. Raises jwt.InvalidTokenError; each service words it its own way."""
        header = jwt.get_unverified_header(token)
        key: Any = self.jwt_secret
        algorithm = _LEGACY_ALGORITHM
        if header.get("kid") == self.signing_key["kid"]:
            key, algorithm = jwt.PyJWK(self.jwks["keys"][0]), _ALGORITHM
        claims: dict[str, Any] = jwt.decode(token, key, [algorithm], options={"verify_aud": False})
        return claims

    def _legacy_key(self, role: str) -> str:
        return self.sign_with_secret(
            {"iss": "supabase-devstack", "role": role, "iat": _ISSUED_AT, "exp": _EXPIRES_AT}
        )


# Known to everybody, like the keys of `supabase start`: good for a stack on loopback, nothing else.
DEVELOPMENT_KEYS = Keys(
    publishable="sb_publishable_devstack",
    secret="sb_secret_devstack",  # noqa: S106
    jwt_secret="devstack-jwt-secret-known-to-everybody",  # noqa: S106
    signing_key={
        "kid": "devstack",
        "kty": "EC",
        "crv": "P-256",
        "x": "QsIRrFrhjtFNnUMY1kiGzBzhSjxwjT1PQjIYmMgvxoA",
        "y": "rRvG5xZVKMaSbVuz3VFwA7c2v3RdY1Y3TuNzrBILSMM",
        "d": "KmvuRTe5CVn_MmWjh5Gi0CPx7YOutGjsOW-6kfqBABY",
    },
)
