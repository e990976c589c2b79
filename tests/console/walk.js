// walk.js URL FOLDER: walks through a console at URL with the keys OWNER_KEY and VIEWER_KEY, and puts a picture of each page into FOLDER.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

const [origin, folder] = process.argv.slice(2);
const { OWNER_KEY, VIEWER_KEY } = process.env;
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PATIENCE_MS = 180_000;
const sizes = [
  { name: "360", width: 360, height: 740, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  { name: "1280", width: 1280, height: 800 },
];
const operators = ["windows", "letters", "deliveries", "transactions", "positions", "schemas", "cost", "audit"];

const faults = [];
const fault = (where, what) => {
  faults.push(where);
  console.log(`FAULT ${where}: ${what}`);
};

// Until both samples have their digests, as a program reads it.
async function ready() {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await fetch(`${origin}/api/v1/digests`, { headers: { authorization: `Bearer ${OWNER_KEY}` } }).catch(() => null);
    const digests = answer?.ok ? (await answer.json()).items : [];
    if (digests.length >= 6) return digests;
    if (Date.now() > until) throw new Error(`${digests.length} digests within ${PATIENCE_MS / 1000} s`);
    await new Promise((done) => setTimeout(done, 500));
  }
}

let looked = 0;
async function look(page, name, size) {
  const where = `${name} ${size.name}`;
  // Pages load nothing from elsewhere and run no script but their own: axe comes by the debugger.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  for (const it of violations) {
    const nodes = it.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ");
    const told = `axe ${it.impact} ${it.id}: ${it.help} (${nodes})`;
    if (["serious", "critical"].includes(it.impact)) fault(where, told);
    else console.log(`note ${where}: ${told}`);
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) fault(where, `${wide} px wider than its window`);
  await page.screenshot({ path: join(folder, `${name}_${size.name}.png`), fullPage: true });
  looked += 1;
}

async function expect(page, where, what, is) {
  if (!(await page.evaluate(is))) fault(where, `${what}: ${await page.evaluate(() => document.body.innerText.slice(0, 300))}`);
}

async function go(page, path, status = 200) {
  const answer = await page.goto(`${origin}${path}`, { waitUntil: "load" });
  if (answer.status() !== status) fault(path, `answered ${answer.status()}, not ${status}`);
}

async function press(page, selector) {
  await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.click(selector)]);
}

async function logIn(page, key) {
  await page.type("#key", key);
  await press(page, "form[action='/console/login'] button");
}

const digests = await ready();
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"],
});

async function visit(size, walk) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport(size);
  await page.setExtraHTTPHeaders({ "accept-language": "en" });
  page.on("pageerror", (error) => fault(page.url(), `script: ${error.message}`));
  page.on("console", (message) => {
    // The status of a page that was refused on purpose is no error of it.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) fault(page.url(), message.text());
  });
  await walk(page);
  await context.close();
}

for (const size of sizes) {
  await visit(size, async (page) => {
    await go(page, "/console/operator/map");
    await expect(page, "login", "a visitor is asked for a key", () => document.querySelector("#key") !== null);
    await look(page, "login", size);
    await logIn(page, "gm_0000000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    await expect(page, "login", "a wrong key is refused", () => document.querySelector("[role=alert]") !== null);
    await look(page, "login_wrong", size);
    await logIn(page, OWNER_KEY);
    await expect(page, "map", "one goes on to where one was going", () => location.pathname === "/console/operator/map");
    await expect(page, "map", "the map is drawn", () => document.querySelectorAll("main svg").length > 0);
    await look(page, "map", size);
    await go(page, "/console");
    await expect(page, "groups", "both groups are there", () => document.querySelectorAll("main a[href^='/console/groups/']").length >= 2);
    await look(page, "groups", size);
    await go(page, "/console/groups/engineering");
    await look(page, "calendar", size);
    await press(page, "main a[href^='/console/digests/']");
    await look(page, "digest", size);
    await page.click("details.claim summary");
    await expect(page, "claim", "a claim shows its messages", () => document.querySelector("details.claim[open] blockquote .words") !== null);
    await look(page, "claim", size);
    await page.type("#q", "release");
    await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.keyboard.press("Enter")]);
    await expect(page, "search", "words are marked", () => document.querySelector("mark") !== null);
    await look(page, "search", size);
    const garden = digests.find((it) => it.group_id === "garden");
    await go(page, `/console/digests/${garden.digest_id}`);
    await look(page, "digest_ru", size);
    await go(page, `/console/digests/${garden.digest_id}/versions`);
    await look(page, "versions", size);
    for (const name of ["mood", "away"]) {
      await go(page, `/console/groups/garden/${name}`);
      await look(page, name, size);
    }
    await go(page, `/console/operator/trace/${garden.digest_id}`);
    await expect(page, "trace", "the way is drawn", () => document.querySelector("main svg") !== null);
    await look(page, "trace", size);
    for (const name of operators) {
      await go(page, `/console/operator/${name}`);
      await look(page, `operator_${name}`, size);
    }
    await go(page, "/console");
    await press(page, "button[name=language][value=ru]");
    await expect(page, "preferences", "the language is another", () => document.documentElement.lang === "ru");
    await press(page, "button[name=theme][value=dark]");
    await look(page, "groups_ru_dark", size);
    await press(page, "form[action='/console/logout'] button");
    await expect(page, "logout", "the session has ended", () => document.querySelector("#key") !== null);
    await go(page, "/console");
    await expect(page, "logout", "and stays so", () => document.querySelector("#key") !== null);
  });
  await visit(size, async (page) => {
    await go(page, "/console");
    await logIn(page, VIEWER_KEY);
    await go(page, "/console/operator/map", 403);
    await expect(page, "refused", "a viewer is told why", () => document.querySelector("h1") !== null);
    await look(page, "refused", size);
    await go(page, "/console/digests/00000000-0000-5000-8000-000000000000", 404);
    await look(page, "not_found", size);
  });
}
await browser.close();
console.log(`${looked} looks, ${faults.length} faults`);
process.exit(faults.length === 0 && looked > 0 ? 0 : 1);
