// look.js PAGES PICTURES [NAME...]: serves the folder PAGES as the gateway would, looks at every page in every language, wide and narrow,
// light and dark, and writes a picture of each to PICTURES. Fails where axe finds something serious, where a page is wider than its
// window, where the browser's console has an error, or where a page is larger than it may be.
import { createServer } from "node:http";
import { readFile, readdir, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, normalize } from "node:path";
import puppeteer from "puppeteer-core";

const [pages, pictures, ...wanted] = process.argv.slice(2);
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const types = { html: "text/html; charset=utf-8", css: "text/css", js: "text/javascript", svg: "image/svg+xml" };
const policy =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
  "base-uri 'none'; frame-ancestors 'none'";
const KIB = 1024;
const PAGE_KIB_MAX = 100;
const sizes = [
  { name: "360", width: 360, height: 740 },
  { name: "1280", width: 1280, height: 800 },
];

const server = createServer(async (request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url, "http://x").pathname));
  try {
    const body = await readFile(join(pages, path));
    response.writeHead(200, { "content-type": types[path.split(".").pop()] ?? "text/plain", "content-security-policy": policy });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const origin = `http://127.0.0.1:${server.address().port}`;

const faults = [];
const fault = (where, what) => {
  faults.push(`${where}: ${what}`);
  console.log(`${where}: ${what}`);
};

async function judged(page, where) {
  await page.evaluate(await readFile(axe, "utf8"));
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  for (const it of violations) {
    const nodes = it.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ");
    const told = `axe ${it.impact} ${it.id}: ${it.help} (${nodes})`;
    if (["serious", "critical"].includes(it.impact)) fault(where, told);
    else console.log(`note: ${where}: ${told}`);
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) fault(where, `${wide} px wider than its window`);
}

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"],
});
let looked = 0;
for (const language of await readdir(pages)) {
  if (language === "console") continue;
  for (const file of (await readdir(join(pages, language))).sort()) {
    const name = file.replace(".html", "");
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const bytes = (await readFile(join(pages, language, file))).length;
    const style = (await readdir(join(pages, "console/assets"))).find((it) => it.endsWith(".css"));
    const whole = bytes + (await readFile(join(pages, "console/assets", style))).length;
    if (whole > PAGE_KIB_MAX * KIB) fault(`${language}/${name}`, `${Math.ceil(whole / KIB)} KiB with its style`);
    for (const size of sizes) {
      for (const scheme of ["light", "dark"]) {
        const where = `${language}/${name} ${size.name} ${scheme}`;
        const page = await browser.newPage();
        page.on("pageerror", (error) => fault(where, `script: ${error.message}`));
        page.on("console", (message) => {
          if (message.type() === "error") fault(where, `console: ${message.text()}`);
        });
        await page.setViewport({ width: size.width, height: size.height, deviceScaleFactor: size.width < 500 ? 2 : 1 });
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
        await page.goto(`${origin}/${language}/${file}`, { waitUntil: "load" });
        await page.evaluate(() => {
          for (const it of [...document.querySelectorAll("details.claim")].slice(1, 2)) it.open = true;
        });
        await judged(page, where);
        await mkdir(pictures, { recursive: true });
        await page.screenshot({ path: join(pictures, `${language}_${name}_${size.name}_${scheme}.png`), fullPage: true });
        await page.close();
        looked += 1;
      }
    }
  }
}
await browser.close();
server.close();
console.log(`${looked} looks, ${faults.length} faults`);
process.exit(faults.length === 0 && looked > 0 ? 0 : 1);
