// Walks through an account with node-zendesk, as its users do: walk.js MODULES ADDRESS PORT SUBDOMAIN EMAIL TOKEN.
//
// Nothing of node-zendesk is changed. Names of the account resolve to ADDRESS, because not every resolver knows that *.localhost is this
// machine. The last line is JSON: what was done.
"use strict";

const assert = require("node:assert");
const dns = require("node:dns");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const [modules, address, port, subdomain, username, token] = process.argv.slice(2);
const zendesk = require(path.join(modules, "node-zendesk"));

const lookup = dns.lookup;
dns.lookup = (host, options, done) => lookup(host.endsWith(".localhost") ? address : host, options, done);

const endpointUri = `http://${subdomain}.localhost:${port}/api/v2`;
const client = zendesk.createClient({ username, token, endpointUri });
const done = [];

function step(name) {
  console.log("step:", name);
  done.push(name);
}

const ids = (things) => things.map((thing) => thing.id).sort((one, other) => one - other);

async function main() {
  step("who am I");
  const { result: me } = await client.users.me();
  assert.deepStrictEqual([me.email, me.role], [username, "admin"]);

  step("create users");
  const { result: ada } = await client.users.create({ user: { name: "Ada Lovelace", email: "ada@node.example" } });
  const { result: bob } = await client.users.createOrUpdate({ user: { name: "Bob", email: "bob@node.example" } });
  const { result: again } = await client.users.createOrUpdate({ user: { name: "Robert", email: "bob@node.example" } });
  assert.deepStrictEqual([again.id, again.name], [bob.id, "Robert"]);

  step("find users");
  assert.strictEqual((await client.users.show(ada.id)).result.name, "Ada Lovelace");
  assert.deepStrictEqual(ids(await client.users.search({ query: "lovelace" })), [ada.id]);
  assert.deepStrictEqual(ids((await client.users.showMany([ada.id, bob.id])).result), ids([ada, bob]));
  const everybody = ids(await client.users.list());
  assert.ok([ada, bob, me].every((user) => everybody.includes(user.id)));

  step("update a user");
  assert.strictEqual((await client.users.update(ada.id, { user: { name: "Ada King" } })).result.name, "Ada King");

  step("create groups");
  const { result: group } = await client.groups.create({ group: { name: "Printers" } });
  assert.ok(ids(await client.groups.list()).includes(group.id));
  assert.strictEqual((await client.groups.show(group.id)).result.name, "Printers");

  step("create tickets");
  const tickets = [];
  for (let number = 0; number < 105; number += 1) {
    const comment = { body: `It smokes, number ${number}` };
    const ticket = { subject: `Ticket ${number}`, comment, requester_id: ada.id, group_id: group.id, tags: ["smoke"], type: "problem" };
    tickets.push((await client.tickets.create({ ticket })).result);
  }
  assert.deepStrictEqual([tickets[0].status, tickets[0].type, tickets[0].tags], ["new", "problem", ["smoke"]]);

  step("list tickets, more than a page of them");
  assert.deepStrictEqual(ids(await client.tickets.list()), ids(tickets));
  assert.deepStrictEqual(ids((await client.tickets.showMany(ids(tickets.slice(0, 3)))).result), ids(tickets.slice(0, 3)));

  step("show a ticket beside who it is about");
  const beside = zendesk.createClient({ username, token, endpointUri });
  beside.tickets.sideLoad = ["users"];
  const { result: shown } = await beside.tickets.show(tickets[0].id);
  assert.strictEqual(shown.subject, "Ticket 0");

  step("upload and comment");
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "walk-")), "smoke.txt");
  fs.writeFileSync(file, "a picture of smoke");
  const uploaded = await client.attachments.upload(file, { filename: "smoke.txt" });
  const comment = { body: "See the file", public: false, uploads: [uploaded.upload.token] };
  const { result: updated } = await client.tickets.update(tickets[0].id, { ticket: { comment, status: "pending" } });
  assert.strictEqual(updated.status, "pending");
  const comments = await client.tickets.getComments(tickets[0].id);
  assert.deepStrictEqual(comments.map((said) => said.public), [true, false]);
  assert.strictEqual(comments[1].attachments[0].file_name, "smoke.txt");
  assert.strictEqual((await client.attachments.show(comments[1].attachments[0].id)).result.attachment.size, 18);

  step("audits");
  const audits = await client.ticketaudits.list(tickets[0].id);
  assert.strictEqual(audits.length, 2);
  assert.strictEqual((await client.ticketaudits.show(tickets[0].id, audits[1].id)).result.id, audits[1].id);

  step("search");
  const found = await client.search.queryAll("type:ticket status<closed");
  assert.deepStrictEqual(ids(found).sort((one, other) => one - other), ids(tickets));
  assert.deepStrictEqual(ids(await client.search.exportResults("status<closed", "ticket", 50)), ids(tickets));
  assert.strictEqual((await client.search.showResultsCount("type:ticket status<closed")).result.count, 105);

  step("views");
  const condition = { field: "status", operator: "less_than", value: "solved" };
  const output = { columns: ["subject", "priority"], sort_by: "nice_id", sort_order: "desc" };
  const { result: view } = await client.views.create({ view: { title: "Unsolved", all: [condition], output } });
  assert.deepStrictEqual([view.title, view.conditions.all], ["Unsolved", [condition]]);
  assert.deepStrictEqual(ids(await client.views.list()), [view.id]);
  assert.deepStrictEqual(ids(await client.views.listActive()), [view.id]);
  assert.strictEqual((await client.views.show(view.id)).result.execution.sort_by, "nice_id");
  // It gives pages as they come.
  const pages = await client.views.tickets(view.id);
  assert.deepStrictEqual(ids(pages.flatMap((page) => page.tickets)), ids(tickets));
  assert.strictEqual((await client.views.showCount(view.id)).result.view_count.value, 105);
  assert.strictEqual((await client.views.update(view.id, { view: { title: "To do" } })).result.title, "To do");
  // Its own delete calls itself for ever.
  await client.views.update(view.id, { view: { active: false } });
  assert.deepStrictEqual(await client.views.listActive(), []);

  step("macros");
  const actions = [{ field: "priority", value: "urgent" }, { field: "comment_value", value: "About {{ticket.id}}" }];
  const { macro } = (await client.macros.create({ macro: { title: "Hurry", actions } })).result;
  assert.deepStrictEqual(ids(await client.macros.list()), [macro.id]);
  assert.strictEqual((await client.macros.apply(macro.id)).result.result.ticket.priority, "urgent");
  const { result: wouldBe } = (await client.macros.applyTicket(tickets[1].id, macro.id)).result;
  assert.deepStrictEqual([wouldBe.ticket.priority, wouldBe.ticket.comment.body], ["urgent", `About ${tickets[1].id}`]);
  assert.strictEqual((await client.tickets.show(tickets[1].id)).result.priority, null, "nothing was done");
  assert.strictEqual((await client.macros.update(macro.id, { macro: { title: "Now" } })).result.macro.title, "Now");
  await client.macros.delete(macro.id);

  step("what a bad request is told");
  await assert.rejects(client.tickets.show(999999), /404.*Item not found/);
  await assert.rejects(client.tickets.create({ ticket: { subject: "No comment", status: "unheard of" } }), /422.*Unprocessable Entity/);
  await assert.rejects(client.users.create({ user: { name: "Ada", email: "ada@node.example" } }), /422.*Unprocessable Entity/);
  const stranger = zendesk.createClient({ username, token: "wrong", endpointUri });
  await assert.rejects(stranger.users.me(), /401.*Not Authorized/);

  step("delete a ticket and a user");
  await client.tickets.delete(tickets[104].id);
  await assert.rejects(client.tickets.show(tickets[104].id), /404/);
  await client.users.delete(bob.id);
  assert.strictEqual((await client.users.show(bob.id)).result.active, false);

  step("exports");
  const beginning = Math.floor(Date.now() / 1000) - 86_400;
  const { result: first } = await client.ticketexport.exportCursor(beginning);
  assert.deepStrictEqual([first.end_of_stream, ids(first.tickets)], [true, ids(tickets)]);
  const statuses = Object.fromEntries(first.tickets.map((ticket) => [ticket.id, ticket.status]));
  assert.deepStrictEqual([statuses[tickets[0].id], statuses[tickets[104].id]], ["pending", "deleted"]);
  const { result: second } = await client.ticketexport.exportCursor(beginning, first.after_cursor);
  assert.deepStrictEqual(second.tickets, []);
  // What is younger than a minute is told later.
  assert.ok(Array.isArray(await client.tickets.incremental(beginning)));
  assert.ok(Array.isArray(await client.users.incremental(beginning)));
  assert.ok(Array.isArray(await client.ticketevents.incremental(beginning)));

  console.log(JSON.stringify({ steps: done, tickets: tickets.length }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
