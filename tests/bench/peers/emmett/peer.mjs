// Appends through emmett's own client, on command: a JSON line in, a JSON line out.
//
// First {"url": "..."}, answered {"ready": true}; then {"writers": 16, "batch": 1, "seconds": 2}, answered
// {"events": 12345, "seconds": 2.01}. Each writer has a stream of its own and says which version it expects, as ours do.

import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";
import pg from "pg";

const PAYLOAD_BYTES = 600;
const event = { type: "CommentAdded", data: { author: "1", body: "x".repeat(PAYLOAD_BYTES - 30) } };
const writers = [];
let url;

async function open(order) {
  url = order.url;
  const store = getPostgreSQLEventStore(url);
  await store.schema.migrate();
  await store.close();
  return { ready: true };
}

// As many connections as writers (its own default is ten), all of them open.
async function connect(count) {
  const pool = new pg.Pool({ connectionString: url, max: count, idleTimeoutMillis: 0 });
  const clients = await Promise.all(Array.from({ length: count }, () => pool.connect()));
  clients.forEach((client) => client.release());
  return pool;
}

async function append(store, writer, batch) {
  const events = Array.from({ length: batch }, () => event);
  const expectedStreamVersion = writer.version ?? "STREAM_DOES_NOT_EXIST";
  const appended = await store.appendToStream(writer.stream, events, { expectedStreamVersion });
  writer.version = appended.nextExpectedStreamVersion;
}

async function run({ writers: count, batch, seconds }) {
  const pool = await connect(count);
  const store = getPostgreSQLEventStore(url, { connectionOptions: { pool }, schema: { autoMigration: "None" } });
  while (writers.length < count) writers.push({ stream: `ticket-${randomUUID()}` });
  const begun = performance.now();
  const elapsed = () => (performance.now() - begun) / 1000;
  let events = 0;
  const write = async (writer) => {
    while (elapsed() < seconds) {
      await append(store, writer, batch);
      events += batch;
    }
  };
  await Promise.all(writers.slice(0, count).map(write));
  const taken = elapsed();
  // The server has not enough connections for everybody who is compared.
  await store.close();
  if (!pool.ended) await pool.end();
  return { events, seconds: taken };
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  const answer = await (order.url ? open(order) : run(order));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
