"""Sockets, channels and broadcasts, frame by frame."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import jwt
import psycopg
import pytest
from psycopg.rows import TupleRow
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from .conftest import DEADLINE_SECONDS, Project, User
from .phoenix import Phoenix, phoenix

Database = psycopg.Connection[TupleRow]


@pytest.fixture(params=["1.0.0", "2.0.0"])
def line(project: Project, request: pytest.FixtureRequest) -> Iterator[Phoenix]:
    with phoenix(project, request.param) as client:
        yield client


@pytest.fixture
def token_of(project: Project) -> Callable[..., str]:
    """Signs the claims of a user's token anew, changed."""
    if project.jwt_secret is None:
        pytest.skip("needs the project's JWT secret")
    secret = project.jwt_secret

    def sign(user: User, **changes: Any) -> str:
        claims = jwt.decode(user.access_token, options={"verify_signature": False})
        kept = {name: value for name, value in (claims | changes).items() if value is not None}
        return jwt.encode(kept, secret, "HS256")

    return sign


def broadcast(event: str, **payload: Any) -> dict[str, Any]:
    return {"type": "broadcast", "event": event, "payload": payload}


# The socket


@pytest.mark.parametrize(
    ("query", "statuses"),
    [
        ("vsn=2.0.0", {401, 403}),
        ("apikey=sb_publishable_of_another_project&vsn=2.0.0", {401, 403}),
        ("apikey={key}&vsn=3.0.0", {403}),
    ],
)
def test_a_socket_opens_with_a_key_and_a_version_that_are_known(
    project: Project, query: str, statuses: set[int]
) -> None:
    url = project.url.replace("http", "ws", 1) + "/realtime/v1/websocket?"
    with pytest.raises(InvalidStatus) as caught:
        connect(url + query.format(key=project.publishable_key))
    assert caught.value.response.status_code in statuses


def test_a_heartbeat_is_answered(line: Phoenix) -> None:
    ref = line.send("phoenix", "heartbeat", {})
    ok = {"status": "ok", "response": {}}
    assert line.next() == (None, ref, "phoenix", "phx_reply", ok)


def test_what_is_no_frame_ends_the_socket(line: Phoenix) -> None:
    line.connection.send("hello")
    with pytest.raises(ConnectionClosed):
        line.next()


def test_a_frame_for_a_topic_that_was_not_joined_is_answered_with_an_error(line: Phoenix) -> None:
    ref = line.send("realtime:elsewhere", "broadcast", broadcast("x"))
    _, answered, _, event, payload = line.next()
    assert (answered, event, payload["status"]) == (ref, "phx_reply", "error")
    assert payload["response"] == {"reason": "unmatched topic"}


# Joining and leaving


def test_a_channel_is_joined_and_left(line: Phoenix) -> None:
    reply = line.join("anything")
    assert reply[2:] == (
        "realtime:anything",
        "phx_reply",
        {"status": "ok", "response": {"postgres_changes": []}},
    )
    ref = line.send("realtime:anything", "phx_leave", {}, join_ref="1")
    assert line.next()[1:4] == (ref, "realtime:anything", "phx_reply")
    assert line.next()[1:] == ("1", "realtime:anything", "phx_close", {})
    line.send("realtime:anything", "broadcast", broadcast("x"))
    assert line.next()[4]["status"] == "error"


def test_joining_again_replaces_the_channel(line: Phoenix) -> None:
    line.join("anything")
    assert line.join("anything")[1:] == ("1", "realtime:anything", "phx_close", {})
    assert line.next()[4]["status"] == "ok"


def test_a_topic_needs_a_name(line: Phoenix) -> None:
    reply = line.join("")
    assert reply[4]["response"]["reason"].startswith("TopicNameRequired")


@pytest.mark.parametrize("token", ["nonsense", "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"])
def test_a_token_that_is_not_valid_opens_no_channel(line: Phoenix, token: str) -> None:
    reply = line.join("anything", token)
    assert reply[4]["status"] == "error"


def test_an_opaque_key_joins_as_a_visitor(line: Phoenix, project: Project, room: str) -> None:
    assert line.join("anything", project.publishable_key)[4]["status"] == "ok"
    assert line.join(room, project.publishable_key, private=True)[4]["status"] == "error"


def test_an_expired_token_opens_no_channel(
    line: Phoenix, ada: User, token_of: Callable[..., str]
) -> None:
    reply = line.join("anything", token_of(ada, exp=int(time.time()) - 60))
    reason = reply[4]["response"]["reason"]
    assert reason.startswith("InvalidJWTToken: Token has expired 6")


def test_a_token_needs_a_role(line: Phoenix, ada: User, token_of: Callable[..., str]) -> None:
    reply = line.join("anything", token_of(ada, role=None))
    reason = reply[4]["response"]["reason"]
    assert reason == "InvalidJWTToken: Fields `role` and `exp` are required in JWT"


def test_a_channel_ends_when_its_token_expires(
    line: Phoenix, ada: User, token_of: Callable[..., str]
) -> None:
    line.join("anything", token_of(ada, exp=int(time.time()) + 2))
    _, _, topic, event, payload = line.next()
    assert (topic, event) == ("realtime:anything", "system")
    assert (payload["extension"], payload["status"]) == ("system", "error")
    assert payload["message"].startswith("Token has expired")
    assert line.next()[3] == "phx_close"


def test_a_new_token_keeps_a_channel_open(
    line: Phoenix, ada: User, token_of: Callable[..., str]
) -> None:
    expiry = int(time.time()) + 2
    line.join("anything", token_of(ada, exp=expiry), broadcast={"ack": True})
    line.send("realtime:anything", "access_token", {"access_token": ada.access_token}, "1")
    time.sleep(max(0.0, expiry + 0.2 - time.time()))
    line.send("realtime:anything", "broadcast", broadcast("still here"), "1")
    assert line.next()[3:] == ("phx_reply", {"status": "ok", "response": {}})


def test_a_token_that_is_refused_ends_the_channel(line: Phoenix, ada: User) -> None:
    line.join("anything", ada.access_token)
    line.send("realtime:anything", "access_token", {"access_token": "nonsense"}, "1")
    assert line.next()[3:][0] == "system"
    assert line.next()[3] == "phx_close"


# Broadcasts between clients


def test_a_broadcast_reaches_the_others_and_is_acknowledged(
    line: Phoenix, project: Project
) -> None:
    topic = f"lobby-{uuid4().hex[:8]}"
    with phoenix(project, "1.0.0") as old, phoenix(project, "2.0.0") as new:
        for client in (old, new):
            client.join(topic, broadcast={"self": False})
        line.join(topic, broadcast={"ack": True, "self": False})
        ref = line.send(f"realtime:{topic}", "broadcast", broadcast("hi", n=1), join_ref="1")
        assert line.next()[1] == ref
        for client in (old, new):
            assert client.next() == (
                None,
                None,
                f"realtime:{topic}",
                "broadcast",
                broadcast("hi", n=1),
            )


def test_a_client_hears_itself_if_it_wants_to(line: Phoenix) -> None:
    topic = f"lobby-{uuid4().hex[:8]}"
    line.join(topic, broadcast={"self": True})
    line.send(f"realtime:{topic}", "broadcast", broadcast("hi"), join_ref="1")
    assert line.next()[3:] == ("broadcast", broadcast("hi"))


@pytest.mark.parametrize(("encoding", "content"), [(1, b'{"n":1}'), (0, b"\x00\xff")])
def test_a_binary_broadcast_arrives_as_it_was_sent(
    project: Project, encoding: int, content: bytes
) -> None:
    topic = f"lobby-{uuid4().hex[:8]}"
    fields = [b"1", b"7", f"realtime:{topic}".encode(), b"hi", b""]
    lengths = bytes(len(field) for field in fields)
    with phoenix(project) as sender, phoenix(project) as new, phoenix(project, "1.0.0") as old:
        for client in (sender, new, old):
            client.join(topic, broadcast={"ack": client is sender})
        push = bytes([3]) + lengths + bytes([encoding]) + b"".join(fields) + content
        sender.connection.send(push)
        assert sender.next()[1] == "7"
        received = new.connection.recv(DEADLINE_SECONDS)
        head = bytes([4, lengths[2], 2, 0, encoding])
        assert received == head + fields[2] + b"hi" + content
        if encoding == 1:
            assert old.next()[4] == broadcast("hi", n=1)
        old.send("phoenix", "heartbeat", {})
        assert old.next()[2] == "phoenix"


# Private channels


def test_policies_say_who_may_listen(line: Phoenix, ada: User, room: str) -> None:
    assert line.join(room, ada.access_token, private=True)[4]["status"] == "ok"
    other = f"{room}-other"
    reply = line.join(other, ada.access_token, private=True)
    reason = f"You do not have permissions to read from this Channel topic: {other}"
    assert reply[4] == {"status": "error", "response": {"reason": f"Unauthorized: {reason}"}}


def test_policies_say_who_may_speak(line: Phoenix, ada: User, bob: User, room: str) -> None:
    topic = f"realtime:{room}"
    line.join(room, bob.access_token, private=True, broadcast={"ack": True, "self": True})
    line.send(topic, "broadcast", broadcast("from bob"), join_ref="1")
    line.send(topic, "access_token", {"access_token": ada.access_token}, join_ref="1")
    ref = line.send(topic, "broadcast", broadcast("from ada"), join_ref="1")
    assert line.next()[3:] == ("broadcast", broadcast("from ada"))
    assert line.next()[1] == ref


def test_a_token_without_the_right_to_listen_ends_a_private_channel(
    line: Phoenix, ada: User, room: str, token_of: Callable[..., str]
) -> None:
    line.join(room, ada.access_token, private=True)
    visitor = token_of(ada, role="anon")
    line.send(f"realtime:{room}", "access_token", {"access_token": visitor}, join_ref="1")
    assert "do not have permissions" in line.next()[4]["message"]
    assert line.next()[3] == "phx_close"


def test_what_sql_sends_reaches_private_listeners_only(
    line: Phoenix, project: Project, ada: User, room: str, database: Database
) -> None:
    with phoenix(project) as outsider:
        outsider.join(room, ada.access_token, broadcast={"self": True})
        line.join(room, ada.access_token, private=True)
        database.execute("select realtime.send('{\"n\": 1}', 'progress', %s, true)", [room])
        _, ref, topic, event, payload = line.next()
        assert (ref, topic, event) == (None, f"realtime:{room}", "broadcast")
        assert (payload["type"], payload["event"]) == ("broadcast", "progress")
        assert payload["payload"] == {"n": 1, "id": payload["meta"]["id"]}
        outsider.send(f"realtime:{room}", "broadcast", broadcast("next"), join_ref="1")
        assert outsider.next()[4] == broadcast("next")


def test_what_sql_sends_and_takes_back_is_never_heard(
    line: Phoenix, ada: User, room: str, database: Database
) -> None:
    line.join(room, ada.access_token, private=True)
    with database.transaction(force_rollback=True):
        database.execute("select realtime.send('{}', 'undone', %s, true)", [room])
    database.execute("select realtime.send('{}', 'done', %s, true)", [room])
    assert line.next()[4]["event"] == "done"


# Broadcasts by HTTP


def test_a_broadcast_by_http_reaches_a_channel(
    line: Phoenix, project: Project, http: httpx.Client
) -> None:
    topic = f"lobby-{uuid4().hex[:8]}"
    line.join(topic)
    headers = {"apikey": project.publishable_key}
    message = {"topic": topic, "event": "hi", "payload": {"n": 1}}
    sent = http.post("/realtime/v1/api/broadcast", json={"messages": [message]}, headers=headers)
    assert sent.status_code == 202
    assert line.next()[4] == broadcast("hi", n=1)


def test_policies_say_who_may_speak_by_http(
    line: Phoenix, project: Project, http: httpx.Client, ada: User, bob: User, room: str
) -> None:
    line.join(room, ada.access_token, private=True)
    for user in (bob, ada):
        message = {"topic": room, "event": user.id, "payload": {}, "private": True}
        sent = http.post(
            "/realtime/v1/api/broadcast",
            json={"messages": [message]},
            headers=user.headers(project),
        )
        assert sent.status_code == 202
    assert line.next()[4]["event"] == ada.id


def test_a_broadcast_by_http_has_a_topic_and_an_event(project: Project, http: httpx.Client) -> None:
    headers = {"apikey": project.publishable_key}
    bodies: list[Any] = [{"messages": [{"topic": "x"}]}, {}, []]
    for body in bodies:
        answer = http.post("/realtime/v1/api/broadcast", json=body, headers=headers)
        assert answer.status_code == 422
