"""Walks through an account with zenpy, as its users do: walk.py ADDRESS PORT SUBDOMAIN EMAIL TOKEN.

Nothing of zenpy is changed. It is told to speak plainly (its own ZENPY_FORCE_SCHEME), and names of the account resolve to ADDRESS,
because not every resolver knows that *.localhost is this machine. The last line is JSON: what was done.
"""

import io
import json
import os
import socket
import sys
import time

os.environ["ZENPY_FORCE_SCHEME"] = "http"

from zenpy import Zenpy  # noqa: E402
from zenpy.lib.api_objects import Comment, Group, Macro, Ticket, User, View  # noqa: E402
from zenpy.lib.exception import APIException, RecordNotFoundException  # noqa: E402

ADDRESS, PORT, SUBDOMAIN, EMAIL, TOKEN = sys.argv[1:]
resolve = socket.getaddrinfo


def here(host, *rest, **more):
    return resolve(ADDRESS if host.endswith(".localhost") else host, *rest, **more)


socket.getaddrinfo = here
client = Zenpy(domain="localhost:" + PORT, subdomain=SUBDOMAIN, email=EMAIL, token=TOKEN, disable_cache=True)
done = []


def step(name):
    """Says what comes, so that a failure has a name."""
    print("step:", name, flush=True)
    done.append(name)


def refused(error, call):
    try:
        call()
    except error as found:
        return found
    raise AssertionError("it was not refused")


def body_of(error):
    return error.response.json()


step("who am I")
me = client.users.me()
assert (me.email, me.role) == (EMAIL, "admin"), me.to_dict()

step("create users")
ada = client.users.create(User(name="Ada Lovelace", email="ada@clients.example", role="end-user"))
assert ada.id and ada.role == "end-user"
bob = client.users.create_or_update(User(name="Bob", email="bob@clients.example"))
again = client.users.create_or_update(User(name="Robert", email="bob@clients.example"))
assert (again.id, again.name) == (bob.id, "Robert")

step("find users")
assert client.users(id=ada.id).name == "Ada Lovelace"
assert [user.id for user in client.users.search(query="lovelace")] == [ada.id]
assert {user.id for user in client.users(ids=[ada.id, bob.id])} == {ada.id, bob.id}
assert {ada.id, bob.id, me.id} <= {user.id for user in client.users()}

step("update a user")
ada.name = "Ada King"
assert client.users.update(ada).name == "Ada King"

step("create groups")
group = client.groups.create(Group(name="Printers"))
assert group.id in [found.id for found in client.groups()]
assert client.groups(id=group.id).name == "Printers"

step("create tickets")
tickets = []
for number in range(7):
    audit = client.tickets.create(
        Ticket(
            subject="Ticket %d" % number,
            comment=Comment(body="It smokes, number %d" % number),
            requester_id=ada.id,
            group_id=group.id,
            priority="high",
            tags=["printer", "smoke"],
            external_id="external-%d" % number,
        )
    )
    assert audit.audit.events, "what was created"
    tickets.append(audit.ticket)
first = tickets[0]
assert (first.status, first.priority, sorted(first.tags)) == ("new", "high", ["printer", "smoke"])

step("show a ticket and who it is about")
shown = client.tickets(id=first.id)
assert (shown.subject, shown.requester.id, shown.group.name) == ("Ticket 0", ada.id, "Printers")
assert shown.requester.name == "Ada King"

step("list tickets by cursor and by offset")
assert [ticket.id for ticket in client.tickets()] == [ticket.id for ticket in tickets]
assert [ticket.id for ticket in client.tickets(per_page=3, cursor_pagination=False)] == [ticket.id for ticket in tickets]
assert [ticket.id for ticket in client.tickets(cursor_pagination=2)] == [ticket.id for ticket in tickets]
assert [ticket.id for ticket in client.tickets(ids=[ticket.id for ticket in tickets[:2]])] == [ticket.id for ticket in tickets[:2]]

step("upload and comment")
upload = client.attachments.upload(io.BytesIO(b"a picture of smoke"), target_name="smoke.txt")
first.comment = Comment(body="See the file", public=False, uploads=[upload.token])
first.status = "pending"
audit = client.tickets.update(first)
assert (audit.ticket.status, audit.audit.events[0]["type"] is not None) == ("pending", True)
comments = list(client.tickets.comments(ticket=first.id))
assert [comment.public for comment in comments] == [True, False]
assert comments[1].attachments[0].file_name == "smoke.txt"
found = client.attachments(id=comments[1].attachments[0].id)
assert found.size == len(b"a picture of smoke")

step("audits")
audits = list(client.tickets.audits(ticket=first.id))
assert len(audits) == 2 and audits[0].author.id == me.id

step("search")
assert sorted(found.id for found in client.search(type="ticket", status_less_than="closed")) == [ticket.id for ticket in tickets]
assert [found.id for found in client.search(type="user", email=EMAIL)] == [me.id]
assert client.search.count(type="ticket", status_less_than="closed") == 7
exported = client.search_export(type="ticket", status_less_than="closed", cursor_pagination=3)
assert [found.id for found in exported] == [ticket.id for ticket in tickets]

step("views")
unsolved = {"field": "status", "operator": "less_than", "value": "solved"}
smoke = {"field": "subject_includes_word", "operator": "includes", "value": "ticket"}
output = {"columns": ["subject", "requester", "created"], "sort_by": "created", "sort_order": "asc"}
view = client.views.create(View(title="Unsolved smoke", all=[unsolved, smoke], output=output))
assert (view.title, view.conditions.all[0]["field"]) == ("Unsolved smoke", "status"), view.to_dict()
assert [found.id for found in client.views()] == [view.id]
assert [found.id for found in client.views.active()] == [view.id]
assert [found.id for found in client.views.compact()] == [view.id]
assert client.views(id=view.id).position == view.position
assert [ticket.id for ticket in client.views.tickets(view)] == [ticket.id for ticket in tickets]
assert [ticket.id for ticket in client.views.tickets(view, cursor_pagination=False)] == [ticket.id for ticket in tickets]
assert client.views.execute(view).id == view.id
assert client.views.count(view).value == 7
assert [count.value for count in client.views.count_many([view.id])] == [7]
assert client.views.count().value == 1
view.title = "Smoke"
assert client.views.update(view).title == "Smoke"
client.views.delete(view)
assert [found.id for found in client.views()] == []

step("macros")
say = {"field": "comment_value", "value": "Dear {{ticket.requester.name}}, it is solved."}
macro = client.macros.create(Macro(title="Solve", actions=[{"field": "status", "value": "solved"}, say]))
assert [found.id for found in client.macros()] == [macro.id]
assert client.macros.apply(macro).ticket.status == "solved"
would_be = client.tickets.show_macro_effect(tickets[1], macro).ticket
assert (would_be.id, would_be.status, would_be.comment.body) == (tickets[1].id, "solved", "Dear Ada King, it is solved.")
assert client.tickets(id=tickets[1].id).status == "new", "nothing was done"
macro.active = False
assert client.macros.update(macro).active is False
client.macros.delete(macro)

step("what a bad request is told")
missing = refused(RecordNotFoundException, lambda: client.tickets(id=999999))
assert body_of(missing) == {"error": "RecordNotFound", "description": "Not found"}
invalid = refused(APIException, lambda: client.tickets.create(Ticket(subject="No comment", status="unheard of")))
assert body_of(invalid)["error"] == "RecordInvalid" and body_of(invalid)["details"]
taken = refused(APIException, lambda: client.users.create(User(name="Ada again", email="ada@clients.example")))
assert body_of(taken)["details"]["email"][0]["error"] == "DuplicateValue", body_of(taken)
stranger = Zenpy(domain="localhost:" + PORT, subdomain=SUBDOMAIN, email=EMAIL, token="wrong", disable_cache=True)
assert body_of(refused(APIException, stranger.users.me))["error"] == "Couldn't authenticate you"

step("delete, restore and delete for good")
client.tickets.delete(tickets[5])
client.tickets.delete(tickets[6])
assert tickets[5].id in [ticket.id for ticket in client.tickets.deleted()]
client.tickets.restore(tickets[5])
assert client.tickets(id=tickets[5].id).subject == "Ticket 5"
client.tickets.permanently_delete(tickets[6])
assert tickets[6].id not in [ticket.id for ticket in client.tickets.deleted()]

step("delete a user")
client.users.delete(bob)
assert client.users(id=bob.id).active is False
assert bob.id in [user.id for user in client.users.deleted()]

step("exports by cursor")
beginning = int(time.time()) - 86400
exported = {ticket.id: ticket for ticket in client.tickets.incremental(paginate_by_time=False, start_time=beginning)}
assert set(exported) == {ticket.id for ticket in tickets}
assert exported[tickets[6].id].status == "deleted" and exported[first.id].status == "pending"
people = {user.id for user in client.users.incremental(paginate_by_time=False, start_time=beginning)}
assert {ada.id, bob.id, me.id} <= people

step("exports by time")
# What is younger than a minute is told later.
assert isinstance(list(client.tickets.incremental(start_time=beginning)), list)
assert isinstance(list(client.users.incremental(start_time=beginning)), list)
assert isinstance(list(client.tickets.events(start_time=beginning)), list)

print(json.dumps({"steps": done, "tickets": len(tickets)}))
