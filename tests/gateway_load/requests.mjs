// Requests to the gateway: reads at a fixed rate, and messages as fast as they are taken.
import autocannon from "autocannon";

const CONNECTIONS = 20;
const WORDS = ["load", "test", "нагрузка", "тест", "сервер", "jmeter", "report", "ошибка", "база", "мороз"];

export async function call(target, path, options = {}) {
  const headers = { authorization: `Bearer ${target.key}`, ...options.headers };
  const answer = await fetch(`${target.url}/api/v1/${path}`, { ...options, headers });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** The reads that are measured: each a list of paths that are asked for in turn. */
export async function reads(target) {
  const found = [];
  for (let cursor = ""; found.length < 1000; ) {
    const page = await call(target, `digests?limit=200${cursor}`);
    found.push(...page.items);
    if (!page.next) break;
    cursor = `&cursor=${page.next}`;
  }
  const some = found.filter((_, at) => at % Math.ceil(found.length / 100) === 0);
  return {
    "digests list": ["digests", "digests?limit=20", `digests?group_id=${target.group}`],
    "one digest": some.map((digest) => `digests/${digest.digest_id}`),
    "messages page": some.map((digest) => `groups/${target.group}/messages?since=${digest.start}`),
    search: WORDS.map((word) => `search?q=${encodeURIComponent(word)}&group_id=${target.group}`),
  };
}

/** Asks for paths at a rate; one row of the table. Times are from when a request was due, not from when it was sent. */
export async function measured(target, [name, paths], rate, seconds) {
  const result = await autocannon({
    url: target.url,
    connections: CONNECTIONS,
    overallRate: rate,
    duration: seconds,
    headers: { authorization: `Bearer ${target.key}` },
    requests: paths.map((path) => ({ path: `/api/v1/${path}` })),
  });
  const { latency, requests } = result;
  const failed = result.non2xx + result.errors + result.timeouts;
  return { read: name, asked: rate, "answered/s": requests.average, failed, "p50 ms": latency.p50, "p99 ms": latency.p99, "max ms": latency.max };
}

/** Posts full posts into groups side by side; one row of the table. */
export async function ingest(target, groups, posts) {
  const body = (post) => {
    const line = (at) => ({
      id: post * 1000 + at,
      sent_at: new Date(Date.UTC(2026, 2, 2) + (post * 1000 + at) * 1000).toISOString(),
      author: { id: `u${at % 9}`, name: `Author ${at % 9}` },
      text: `Message ${at} of post ${post}, which is about as long as people write.`,
    });
    return Array.from({ length: 1000 }, (_, at) => JSON.stringify(line(at))).join("\n");
  };
  const times = [];
  const poster = async (group) => {
    for (let post = 0; post < posts; post += 1) {
      const headers = { "content-type": "application/x-ndjson", "idempotency-key": `post-${post}` };
      const began = performance.now();
      await call(target, `groups/ingest-${group}/messages`, { method: "POST", headers, body: body(post) });
      times.push(performance.now() - began);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: groups }, (_, group) => poster(group)));
  const seconds = (performance.now() - began) / 1000;
  times.sort((one, other) => one - other);
  const lines = groups * posts * 1000;
  return { posters: groups, lines, "lines/s": lines / seconds, "p50 of a post ms": times[times.length >> 1], "max ms": times.at(-1) };
}
