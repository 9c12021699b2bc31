"""Making a connection: what its URL tells before anyone is asked, and what a refusal means."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import psycopg
from psycopg.conninfo import conninfo_to_dict

from worker.doctor.finding import Finding, error, warning
from worker.queue.database import CONNECT_PARAMETERS
from worker.settings import Settings

POOLER = ".pooler.supabase.com"
TRANSACTION_PORT = "6543"

# What Postgres and Supabase's pooler say when they refuse, and what it means.
REFUSALS: tuple[tuple[str, str, str], ...] = (
    (
        r"password authentication failed|28P01|SASL authentication failed",
        "The password of this role is another one, or was never set.",
        "As role postgres: alter role video_worker password '…'; a password with @ : / ? # must be"
        " percent-encoded in the URL",
    ),
    (
        r"role .* does not exist",
        "The migrations make the role video_worker.",
        "video-worker migrate, with DATABASE_URL of role postgres",
    ),
    (
        r"Tenant or user not found",
        "The pooler knows projects by the user's name and by its own region.",
        "Copy host and user from Dashboard → Connect → Session pooler; the user is"
        " video_worker.<project ref>",
    ),
    (
        r"[Mm]ax client|too many (clients|connections)|remaining connection slots",
        "Each worker holds two or three connections, and others use the rest.",
        "Send queries through the transaction pooler (port 6543 in DATABASE_URL), or raise the pool"
        " size in Dashboard → Database → Settings",
    ),
    (
        r"SSL|TLS|certificate|no encryption",
        "The server and the URL disagree about encryption, or the certificate is another's.",
        "?sslmode=verify-full&sslrootcert=<the certificate from Dashboard → Database → Settings>",
    ),
    (
        r"resolve|Name or service not known|No address|nodename nor servname",
        "No such host: the URL is wrong, or the project was paused or removed.",
        "Copy the URL anew from Dashboard → Connect",
    ),
    (
        r"[Cc]onnection refused|timeout|timed out|unreachable|closed the connection",
        "Nobody answers there, or a firewall is in between (Dashboard → Database → Network"
        " restrictions).",
        "Check host and port; locally: supabase start, or make dev",
    ),
)


async def connect(url: str) -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(
        url, **CONNECT_PARAMETERS, prepare_threshold=None, application_name="video-worker doctor"
    )


def refusal(check: str, variable: str, reason: psycopg.Error) -> Finding:
    """Why a connection could not be made, and what to do about it."""
    said = " ".join(str(reason).split())
    for pattern, why, mend in REFUSALS:
        if re.search(pattern, said):
            return error(check, f"{variable}: {said}", why, mend)
    return error(check, f"{variable}: {said}", "Nothing can be claimed.", "docs/troubleshooting.md")


def check_addresses(settings: Settings) -> Iterator[Finding]:
    """What the URLs tell before anyone is asked."""
    reference = (settings.supabase_url.host or "").partition(".")[0]
    urls = {"DATABASE_URL": str(settings.database_url)}
    if settings.listen_database_url:
        urls["LISTEN_DATABASE_URL"] = str(settings.listen_database_url)
    for variable, url in urls.items():
        parts = conninfo_to_dict(url)
        host, user = str(parts.get("host") or ""), str(parts.get("user") or "")
        if host.endswith(POOLER) and "." not in user:
            yield error(
                "database.pooler_user",
                f"{variable}: the user is {user}, without the project",
                "The pooler serves many projects and finds yours by the user's name.",
                f"In {variable}: {user}.{reference}@{host}",
            )
        if _is_out_of_reach(host):
            yield error(
                "database.ipv6",
                f"{variable}: {host} has an IPv6 address only, and this machine has no IPv6",
                "Supabase's direct host is IPv6-only unless the IPv4 add-on is bought.",
                "Use the session pooler's host (Dashboard → Connect → Session pooler), user"
                f" video_worker.{reference}",
            )
    variable, url = list(urls.items())[-1]
    if str(conninfo_to_dict(url).get("port")) == TRANSACTION_PORT:
        yield warning(
            "database.transaction_pooler",
            f"{variable} leads to a transaction pooler (port {TRANSACTION_PORT})",
            "LISTEN does not work through it: jobs start at the next poll, about 2 s later, and"
            " dead workers are noticed after a lease instead of within seconds.",
            "Leave DATABASE_URL and set LISTEN_DATABASE_URL to the session pooler or the direct"
            " host (port 5432)",
        )


def _is_out_of_reach(host: str) -> bool:
    """Whether ``host`` has IPv6 addresses only, and there is no way to them."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), 5432, type=socket.SOCK_DGRAM)
    except OSError:
        return False
    if any(family != socket.AF_INET6 for family, *_ in found):
        return False
    for family, kind, _, _, address in found:
        with socket.socket(family, kind) as probe:
            try:
                probe.connect(address)  # of a datagram socket: only looks for a route
            except OSError:
                continue
            return False
    return True
