// A learner on a phone: the first page, signing in, the archive.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { close, visitor, world } from "../harness/browser.mjs";

after(close);

for (const view of ["phone", "desktop", "elder"]) {
  test(`the pages before signing in (${view})`, async () => {
    const it = await visitor({ view });
    await it.open("/", "home");
    await it.open("/sign-in", "sign-in");
    await it.end();
  });

  test(`the archive (${view})`, async () => {
    const it = await visitor({ view });
    await it.signIn("all");
    await it.open("/archive", "archive");
    await it.end();
  });
}

test("the pages in English", async () => {
  const it = await visitor({ view: "desktop", lang: "en" });
  await it.open("/", "home-en");
  await it.signIn("all");
  await it.open("/archive", "archive-en");
  assert.equal(await it.page.getAttribute("html", "lang"), "en");
  await it.end();
});

test("signing in and out with the keyboard alone", async () => {
  const it = await visitor();
  await it.open("/sign-in");
  await it.tabTo("#learner");
  await it.page.keyboard.type(world.learners.all.code);
  await it.page.keyboard.press("Enter");
  await it.page.waitForURL("**/archive");
  await it.open("/archive");
  await it.tabTo("form[action='/sign-out'] button", 120);
  await it.page.keyboard.press("Enter");
  await it.page.waitForURL("**/");
  await it.end();
});
