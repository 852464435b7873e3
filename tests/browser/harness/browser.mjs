// A browser for tests: every page is watched for errors, refused by no policy, of this site alone, light, and accessible.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(`${process.env.CREDITBANK_NODE_MODULES}/`);
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

// Most bytes of a page with all that it loads, compressed.
const PAGE_BYTES_MAX = 100 << 10;
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export const world = JSON.parse(readFileSync(process.env.CREDITBANK_WORLD, "utf8"));

const VIEWS = {
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
  desktop: { viewport: { width: 1280, height: 900 } },
};
const ELDER = { name: "view", value: "zh.elder.1" };

let started;

// One browser a test file.
function browser() {
  started ??= chromium.launch({ executablePath: process.env.CREDITBANK_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  return started;
}

export async function close() {
  if (started) await (await started).close();
}

// A visitor with cookies of their own. `view` is phone, desktop or elder (a phone in large print); `lang` zh or en; `base` the
// site, the gateway if none is said.
export async function visitor({ view = "phone", lang = "zh", javaScript = true, base = world.address } = {}) {
  const device = VIEWS[view === "elder" ? "phone" : view];
  const context = await (await browser()).newContext({
    ...device,
    locale: lang === "zh" ? "zh-CN" : "en-GB",
    timezoneId: "Asia/Shanghai",
    javaScriptEnabled: javaScript,
    baseURL: base,
  });
  context.setDefaultTimeout(10_000);
  if (view === "elder") await context.addCookies([{ ...ELDER, url: base }]);
  else if (lang === "en") await context.addCookies([{ ...ELDER, value: "en.plain.0", url: base }]);
  const page = await context.newPage();
  return new Visitor(context, page, view, javaScript, base);
}

export class Visitor {
  constructor(context, page, view, javaScript, base) {
    Object.assign(this, { context, page, view, javaScript, base, faults: [], expected: [], bytes: 0, requests: [] });
    page.on("console", (message) => message.type() === "error" && this.fault(`console: ${message.text()}`));
    page.on("pageerror", (error) => this.fault(`script: ${error.message}`));
    page.on("request", (request) => this.#ask(request));
    page.on("response", (response) => response.status() >= 500 && this.fault(`${response.status()} ${response.url()}`));
    page.on("requestfinished", (request) => this.#weigh(request));
  }

  // A fault that the test brings about itself, such as being offline.
  expect(pattern) {
    this.expected.push(pattern);
  }

  fault(text) {
    if (!this.expected.some((pattern) => pattern.test(text))) this.faults.push(text);
  }

  #ask(request) {
    const { protocol, origin } = new URL(request.url());
    this.requests.push(request.url());
    const isLocal = ["data:", "blob:", "file:"].includes(protocol);
    if (!isLocal && origin !== new URL(this.base).origin) this.fault(`third party: ${request.url()}`);
  }

  async #weigh(request) {
    const sizes = await request.sizes().catch(() => null);
    if (sizes) this.bytes += sizes.responseBodySize;
  }

  async signIn(who) {
    await this.page.goto("/sign-in");
    await this.page.fill("#learner", world.learners[who].code);
    await this.page.click("form[action='/sign-in/development'] button");
    await this.page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
  }

  // Opens a page as for the first time, and looks at all that a page must be.
  async open(path, name) {
    this.bytes = 0;
    const response = await this.page.goto(path, { waitUntil: "networkidle" });
    assert.ok(response.status() < 400, `${path}: ${response.status()}`);
    assert.ok(this.bytes <= PAGE_BYTES_MAX, `${path} weighs ${this.bytes} bytes`);
    if (name) await this.look(name);
  }

  // The page as it is now: a screenshot, axe, the width, and what went wrong since the last look.
  async look(name) {
    const folder = join(process.env.CREDITBANK_SCREENS, this.view);
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
    const wide = await this.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wide <= 0, `${name} is ${wide} pixels wider than the ${this.view}`);
    if (this.javaScript) await this.#axe(name);
    this.well(name);
  }

  // Run through the debugger, which no content security policy of the page concerns.
  async #axe(name) {
    await this.page.evaluate(AXE);
    const options = { runOnly: { type: "tag", values: TAGS }, resultTypes: ["violations"] };
    const { violations } = await this.page.evaluate((it) => window.axe.run(document, it), options);
    const told = violations.map((it) => `${it.id}: ${it.help}\n  ${it.nodes.map((node) => node.html).join("\n  ")}`);
    assert.deepEqual(told, [], `axe on ${name}`);
  }

  well(name) {
    assert.deepEqual(this.faults, [], `faults on ${name}`);
  }

  // Goes with the keyboard alone to what matches the selector; fails where it cannot be reached.
  async tabTo(selector, most = 60) {
    for (let presses = 0; presses < most; presses += 1) {
      const there = await this.page.evaluate((it) => document.activeElement?.matches(it) ?? false, selector);
      if (there) return;
      await this.page.keyboard.press("Tab");
    }
    assert.fail(`${selector} is not reached with ${most} presses of Tab`);
  }

  async end() {
    await this.context.close();
  }
}
