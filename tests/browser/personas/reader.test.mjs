// Somebody who reads the public statistics, on a phone, at a desk, in large print and in English.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { close, visitor, world } from "../harness/browser.mjs";

after(close);

const PAGES = [
  ["/statistics", "statistics"],
  [`/statistics/${world.year}`, "statistics-yearbook"],
  [`/statistics/${world.year}/city`, "statistics-city"],
  ["/statistics/institutions/college", "statistics-institution"],
];

for (const options of [{}, { view: "desktop" }, { view: "elder" }, { lang: "en", view: "desktop" }, { javaScript: false }]) {
  test(`statistics are read as ${JSON.stringify(options)}`, async () => {
    const it = await visitor(options);
    for (const [path, name] of PAGES) await it.open(path, options.lang ? `${name}-en` : name);
    await it.end();
  });
}

test("the figures stand in tables, and bars beside them", async () => {
  const it = await visitor();
  await it.open(`/statistics/${world.year}`);
  // The twelve students, and whoever else ended a course in that year by then.
  assert.match(await it.page.locator("#t1-total ~ .scroll td").first().innerText(), /^1[23]$/);
  assert.ok(await it.page.locator("svg.bars rect").first().isVisible());
  await it.open(`/statistics/${world.year}/city`);
  assert.match(await it.page.locator("main").innerText(), /示例人口普查/);
  await it.end();
});
