// Uses the API by the types of its document: groups, messages by pages, a post, a digest with its statements, a problem.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Schemas = components["schemas"];

const { GISTMILL_URL: baseUrl, GISTMILL_KEY: key } = process.env;
assert(baseUrl && key, "GISTMILL_URL and GISTMILL_KEY are missing");
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
const PATIENCE_MS = 120_000;

async function main(): Promise<void> {
  console.log("groups:", (await groups()).map((group) => group.group_id).join(", "));
  console.log("messages of team:", await messagesByPages("team", 100));
  console.log("posted, and posted again:", await postTwice());
  console.log("digest:", await digest());
  console.log("problem:", await problem());
}

/** What `look` finds once it finds something: units may still be at work. */
async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
}

async function groups(): Promise<Schemas["Group"][]> {
  return eventually("a group is there", async () => {
    const { data, error } = await client.GET("/api/v1/groups");
    if (error) throw new Error(`${error.code}: ${error.detail}`);
    return data.items.length > 0 ? data.items : undefined;
  });
}

async function messagesByPages(group_id: string, limit: number): Promise<string> {
  const ids = new Set<number>();
  let cursor: string | null | undefined;
  let [pages, rows] = [0, 0];
  do {
    const query: { limit: number; cursor?: string } = cursor ? { limit, cursor } : { limit };
    const { data, error } = await client.GET("/api/v1/groups/{group_id}/messages", { params: { path: { group_id }, query } });
    if (error) throw new Error(`${error.code}: ${error.detail}`);
    const page: Schemas["Page_Message"] = data;
    for (const message of page.items) ids.add(message.id);
    [cursor, pages, rows] = [page.next, pages + 1, rows + page.items.length];
  } while (cursor);
  assert(pages > 1 && ids.size === rows, "a page had what another had");
  return `${rows} on ${pages} pages`;
}

async function postTwice(): Promise<string> {
  const lines = [1, 2, 3].map((id) => JSON.stringify({ id, sent_at: `2026-03-02T10:00:0${id}Z`, author: { id: "u1", name: "Ann" }, text: "Hi" }));
  const post = () =>
    client.POST("/api/v1/groups/{group_id}/messages", {
      params: { path: { group_id: "posted" }, header: { "Idempotency-Key": "post-1" } },
      headers: { "Content-Type": "application/x-ndjson" },
      body: lines.join("\n"),
      // Lines go as they are.
      bodySerializer: (body) => body,
    });
  const [first, again] = [await post(), await post()];
  assert(first.data && again.data, JSON.stringify(first.error ?? again.error));
  assert.deepEqual([first.data.messages, first.data.already, again.data.messages, again.data.already], [3, false, 3, true]);
  return `${first.data.messages} messages, then already`;
}

async function digest(): Promise<string> {
  const id = await eventually("a digest is there", async () => {
    const { data } = await client.GET("/api/v1/digests", { params: { query: { group_id: "team", limit: 1 } } });
    return data?.items[0]?.digest_id;
  });
  const { data: shown } = await client.GET("/api/v1/digests/{id}", { params: { path: { id } } });
  // It is text where Markdown or HTML is asked for.
  assert(typeof shown === "object" && shown.digest_id === id && shown.versions.length > 0);
  const { data: claim } = await client.GET("/api/v1/digests/{id}/claims/{number}", { params: { path: { id, number: 1 } } });
  assert(claim && claim.message_ids.length > 0 && claim.messages.length > 0);
  const markdown = await client.GET("/api/v1/digests/{id}", {
    params: { path: { id } },
    headers: { Accept: "text/markdown" },
    parseAs: "text",
  });
  assert(String(markdown.data).includes(shown.headline.slice(0, 20)));
  return `${shown.start} of ${shown.message_count} messages; the first of ${claim.of} statements rests on ${claim.messages.length}`;
}

async function problem(): Promise<string> {
  const { data, error, response } = await client.GET("/api/v1/digests/{id}", { params: { path: { id: "no-such-digest" } } });
  assert(!data && error, "a digest that is not there was shown");
  const told: Schemas["Problem"] = error;
  assert.deepEqual([response.status, told.status, told.code], [404, 404, "not_found"]);
  assert.equal(told.trace_id, response.headers.get("x-request-id"));
  return `${told.status} ${told.code}`;
}

await main();
