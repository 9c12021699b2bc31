"""Changes of the database: who hears of which, and what of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow

from .conftest import Project, User
from .phoenix import Phoenix, phoenix

Database = psycopg.Connection[TupleRow]


@pytest.fixture
def line(project: Project) -> Iterator[Phoenix]:
    with phoenix(project) as client:
        yield client


@pytest.fixture
def bobs_line(project: Project) -> Iterator[Phoenix]:
    with phoenix(project) as client:
        yield client


@pytest.fixture
def clean_notes(notes: str, database: Database) -> Iterator[str]:
    yield notes
    database.execute(sql.SQL("delete from {}").format(sql.Identifier(notes)))


def every(table: str, event: str = "*", **more: str) -> dict[str, str]:
    return {"event": event, "schema": "public", "table": table, **more}


def write(user: User, table: str, **values: Any) -> dict[str, Any]:
    rows: list[Any] = user.client.table(table).insert(values).execute().data
    return dict(rows[0])


def test_the_reply_names_the_bindings_as_they_were_asked_for(
    line: Phoenix, ada: User, clean_notes: str
) -> None:
    asked = [every(clean_notes), every(clean_notes, "UPDATE", filter="id=gt.0")]
    answered = line.watch("t", ada.access_token, *asked)
    ids = [binding.pop("id") for binding in answered]
    assert answered == asked
    assert all(isinstance(each, int) for each in ids)
    assert len(set(ids)) == 2


def test_a_change_is_told_with_its_row_its_columns_and_its_time(
    line: Phoenix, ada: User, clean_notes: str
) -> None:
    (binding,) = line.watch("t", ada.access_token, every(clean_notes))
    row = write(ada, clean_notes, title="one", tags=["a"], data={"n": 1.5})
    _, ref, topic, event, payload = line.next()
    assert (ref, topic, event) == (None, "realtime:t", "postgres_changes")
    assert payload["ids"] == [binding["id"]]
    data = payload["data"]
    assert data["record"] == row
    assert (data["schema"], data["table"], data["type"]) == ("public", clean_notes, "INSERT")
    assert data["errors"] is None
    assert {"name": "tags", "type": "_text"} in data["columns"]
    assert data["columns"][0] == {"name": "id", "type": "int8"}
    assert datetime.fromisoformat(data["commit_timestamp"]).tzinfo
    assert data["commit_timestamp"].endswith("Z")


def test_an_update_has_the_old_key_and_a_deletion_no_more_than_it(
    line: Phoenix, ada: User, clean_notes: str
) -> None:
    row = write(ada, clean_notes, title="one")
    line.watch("t", ada.access_token, every(clean_notes))
    ada.client.table(clean_notes).update({"title": "two"}).eq("id", row["id"]).execute()
    data = line.change()
    assert (data["type"], data["old_record"]) == ("UPDATE", {"id": row["id"]})
    assert data["record"] == row | {"title": "two"}
    ada.client.table(clean_notes).delete().eq("id", row["id"]).execute()
    data = line.change()
    assert (data["type"], data["old_record"]) == ("DELETE", {"id": row["id"]})
    assert "record" not in data


def test_changes_come_in_the_order_of_their_commits(
    line: Phoenix, ada: User, clean_notes: str, database: Database
) -> None:
    line.watch("t", ada.access_token, every(clean_notes))
    table = sql.Identifier(clean_notes)
    insert = sql.SQL("insert into {} (title, user_id) values (%s, %s)").format(table)
    with database.transaction():
        database.execute(insert, ["begun first", ada.id])
        write(ada, clean_notes, title="committed first")
    assert [line.change()["record"]["title"] for _ in range(2)] == [
        "committed first",
        "begun first",
    ]


def test_what_is_rolled_back_is_never_told(
    line: Phoenix, ada: User, clean_notes: str, database: Database
) -> None:
    line.watch("t", ada.access_token, every(clean_notes))
    with database.transaction(force_rollback=True):
        database.execute(
            sql.SQL("insert into {} (title, user_id) values ('undone', %s)").format(
                sql.Identifier(clean_notes)
            ),
            [ada.id],
        )
    write(ada, clean_notes, title="done")
    assert line.change()["record"]["title"] == "done"


def test_policies_say_who_is_told(
    line: Phoenix, bobs_line: Phoenix, ada: User, bob: User, clean_notes: str
) -> None:
    line.watch("t", ada.access_token, every(clean_notes))
    bobs_line.watch("t", bob.access_token, every(clean_notes))
    write(ada, clean_notes, title="hers")
    write(bob, clean_notes, title="his")
    assert line.change()["record"]["title"] == "hers"
    assert bobs_line.change()["record"]["title"] == "his"


def test_a_new_token_changes_who_is_told(
    line: Phoenix, ada: User, bob: User, clean_notes: str
) -> None:
    line.watch("t", ada.access_token, every(clean_notes))
    line.send("realtime:t", "access_token", {"access_token": bob.access_token}, join_ref="1")
    assert line.next()[4]["message"] == "Subscribed to PostgreSQL"
    write(ada, clean_notes, title="hers")
    write(bob, clean_notes, title="his")
    assert line.change()["record"]["title"] == "his"


def test_a_row_that_is_gone_again_is_not_told(
    line: Phoenix, ada: User, clean_notes: str, database: Database
) -> None:
    line.watch("t", ada.access_token, every(clean_notes, "INSERT"))
    table = sql.Identifier(clean_notes)
    with database.transaction():
        database.execute(
            sql.SQL("insert into {} (title, user_id) values ('brief', %s)").format(table), [ada.id]
        )
        database.execute(sql.SQL("delete from {} where title = 'brief'").format(table))
    write(ada, clean_notes, title="lasting")
    assert line.change()["record"]["title"] == "lasting"


def test_without_a_right_to_the_key_there_is_an_error_and_no_row(
    line: Phoenix, project: Project, clean_notes: str, ada: User
) -> None:
    line.watch("t", project.publishable_key, every(clean_notes))
    write(ada, clean_notes, title="hers")
    data = line.change()
    assert data["errors"] == ["Error 401: Unauthorized"]
    assert "record" not in data


def test_columns_that_a_role_may_not_select_are_left_out(
    line: Phoenix, database: Database, ada: User
) -> None:
    name = f"open_{uuid4().hex[:8]}"
    table = sql.Identifier(name)
    for statement in (
        "create table {} (id int primary key, shown text, hidden text)",
        "grant select (id, shown) on {} to authenticated",
        "alter publication supabase_realtime add table {}",
    ):
        database.execute(sql.SQL(statement).format(table))
    try:
        line.watch("t", ada.access_token, every(name))
        database.execute(sql.SQL("insert into {} values (1, 'a', 'b')").format(table))
        data = line.change()
        assert data["record"] == {"id": 1, "shown": "a"}
        assert [column["name"] for column in data["columns"]] == ["id", "shown"]
    finally:
        database.execute(sql.SQL("drop table {}").format(table))


def test_of_a_row_above_a_mebibyte_only_small_values_are_sent(
    line: Phoenix, ada: User, clean_notes: str
) -> None:
    line.watch("t", ada.access_token, every(clean_notes))
    row = write(ada, clean_notes, title="x" * (1024 * 1024 + 1))
    data = line.change()
    assert data["errors"] == ["Error 413: Payload Too Large"]
    assert data["record"]["id"] == row["id"]
    assert "title" not in data["record"]


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("stars=eq.2", [2]),
        ("stars=neq.2", [1, 3]),
        ("stars=lt.2", [1]),
        ("stars=lte.2", [1, 2]),
        ("stars=gt.2", [3]),
        ("stars=gte.2", [2, 3]),
        ("stars=in.(1,3)", [1, 3]),
        ("title=eq.b.=c", [2]),
    ],
)
def test_a_filter_compares_with_the_type_of_its_column(
    line: Phoenix, ada: User, clean_notes: str, condition: str, told: list[int]
) -> None:
    line.watch("t", ada.access_token, every(clean_notes, "INSERT", filter=condition))
    line.watch("end", ada.access_token, every(clean_notes, filter="stars=eq.99"))
    for stars, title in enumerate(["a", "b.=c", "c"], 1):
        write(ada, clean_notes, title=title, stars=stars)
    write(ada, clean_notes, title="the end", stars=99)
    heard = []
    while True:
        _, _, topic, _, payload = line.next()
        if topic == "realtime:end":
            break
        heard.append(payload["data"]["record"]["stars"])
    assert [stars for stars in heard if stars != 99] == told


def test_a_channel_is_told_once_of_what_fits_two_of_its_bindings(
    line: Phoenix, ada: User, clean_notes: str
) -> None:
    answered = line.watch(
        "t",
        ada.access_token,
        every(clean_notes),
        every("*", "INSERT"),
        every(clean_notes, "DELETE"),
    )
    write(ada, clean_notes, title="one")
    assert line.next()[4]["ids"] == [answered[0]["id"], answered[1]["id"]]


@pytest.mark.parametrize(
    "change",
    [
        {"table": "no_such_table"},
        {"filter": "nothing=eq.1"},
        {"filter": "id=eq.one"},
    ],
)
def test_a_binding_that_fits_nothing_is_said_by_a_system_message(
    line: Phoenix, ada: User, clean_notes: str, change: dict[str, str]
) -> None:
    reply = line.join("t", ada.access_token, postgres_changes=[every(clean_notes) | change])
    assert reply[4]["status"] == "ok"
    system = line.next()[4]
    assert (system["extension"], system["status"]) == ("postgres_changes", "error")
    assert system["message"].startswith("Unable to subscribe to changes with given parameters.")


def test_after_leaving_nothing_is_told(line: Phoenix, ada: User, clean_notes: str) -> None:
    line.watch("t", ada.access_token, every(clean_notes))
    line.send("realtime:t", "phx_leave", {}, join_ref="1")
    assert [line.next()[3], line.next()[3]] == ["phx_reply", "phx_close"]
    write(ada, clean_notes, title="unheard")
    line.watch("later", ada.access_token, every(clean_notes))
    write(ada, clean_notes, title="heard")
    assert line.change()["record"]["title"] == "heard"
