// A learner: the first page, signing in, the archive and its records, sharing and taking back, corrections.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { close, visitor, world } from "../harness/browser.mjs";

after(close);

// The first record of the archive, by the newest first.
async function openRecord(it, name) {
  await it.open("/archive");
  await it.page.locator(".entry-name a").first().click();
  await it.page.waitForSelector("#record");
  if (name) await it.look(name);
  return new URL(it.page.url()).pathname;
}

for (const [view, lang] of [["phone", "zh"], ["desktop", "zh"], ["elder", "zh"], ["desktop", "en"]]) {
  const named = (name) => (lang === "en" ? `${name}-en` : name);

  test(`pages for everybody (${view}, ${lang})`, async () => {
    const it = await visitor({ view, lang });
    await it.open("/", named("home"));
    await it.open("/sign-in", named("sign-in"));
    await it.open("/help", named("help"));
    await it.end();
  });

  test(`pages of a learner (${view}, ${lang})`, async () => {
    const it = await visitor({ view, lang });
    await it.signIn("all");
    await it.open("/archive", named("archive"));
    const record = await openRecord(it, named("record"));
    const pages = [
      ["correction", `${record}/correction`],
      ["take-away", "/archive/take-away"],
      ["requests", "/archive/requests"],
      ["choose", "/archive/choose"],
      ["sharing", "/sharing"],
      ["sharing-new", "/sharing/new"],
      ["looks", "/sharing/looks"],
      ["relatives", "/sharing/relatives"],
      ["relatives-new", "/sharing/relatives/new"],
      ["erasure", "/sharing/erasure"],
      ["recognition", "/recognition"],
      ["points", "/recognition/points"],
      ["transfers", "/recognition/transfers"],
    ];
    for (const [name, path] of pages) await it.open(path, named(name));
    await it.end();
  });
}

test("the archive is narrowed to a category, with the address saying which", async () => {
  const it = await visitor();
  await it.signIn("all");
  await it.open("/archive");
  const all = await it.page.locator(".entry").count();
  await it.page.click("#filters summary");
  await it.page.selectOption("#filter-category", { label: "老年教育" });
  await it.page.click("#filter-form button.primary");
  await it.page.waitForSelector("#filters[open]");
  assert.equal(await it.page.locator(".entry").count(), 1);
  assert.ok(all >= 9);
  await it.look("archive-filtered");
  await it.end();
});

test("a correction is asked for and taken back", async () => {
  const it = await visitor();
  await it.signIn("all");
  const record = await openRecord(it);
  await it.open(`${record}/correction`);
  await it.page.fill("#correction-text", "<b>学时应为 40</b>");
  await it.page.click("#correction-form button.primary");
  await it.page.waitForLoadState();
  await it.open("/archive/requests", "requests-one");
  assert.ok((await it.page.textContent("#requests")).includes("<b>学时应为 40</b>"));
  await it.page.locator("#requests form button").first().click();
  await it.page.waitForLoadState();
  it.well("correction");
  await it.end();
});

test("records are shared, seen by whoever has the link, and taken back at once", async () => {
  const it = await visitor();
  await it.signIn("all");
  await it.open("/sharing/new");
  await it.page.locator("input[name=leaf]").first().check();
  await it.page.click("#chosen");
  await it.page.waitForSelector("#share-form");
  await it.look("share-terms");
  await it.page.fill("#recipient", "示例人力资源部");
  await it.page.fill("#purpose", "入职审核");
  await it.page.check("#with-name");
  await it.page.click("#share-form button.primary");
  await it.page.waitForSelector("#share-made");
  await it.look("share-made");
  const link = await it.page.inputValue("#share-url");
  assert.ok(link.startsWith(`${world.address}/s/`));

  const other = await visitor({ view: "desktop" });
  await other.open(link, "share-ask");
  await other.page.fill("#viewer", "王经理");
  await other.page.click("#viewer-form button");
  await other.page.waitForSelector("#shared-records");
  assert.ok((await other.page.textContent("main")).includes(world.learners.all.name));
  await other.look("share-open");
  // One press from what was shared to its verification.
  await other.page.click("#shared-records a[href^='/verify']");
  await other.page.waitForSelector("#verify-result [data-report]");
  assert.equal(await other.page.getAttribute("#verify-result > article", "data-report"), "good");
  await other.look("share-verified");

  await it.open("/sharing/looks", "looks-one");
  assert.ok((await it.page.textContent("#looks")).includes("王经理"));
  await it.open("/sharing");
  await it.page.locator("#shares .grant-end a").first().click();
  await it.page.click("#withdraw-form button");
  await it.page.waitForURL("**/sharing");
  await it.look("share-withdrawn");
  await it.end();

  other.expect(/status of 404/);
  const closed = await other.page.goto(link);
  assert.ok(!(await other.page.textContent("body")).includes("示例人力资源部"));
  assert.ok(closed.status() >= 200);
  await other.look("share-closed");
  await other.end();
});

test("what a learner takes away is complete", async () => {
  const it = await visitor();
  await it.signIn("all");
  const get = async (path) => it.context.request.get(path);
  const transcript = await get("/archive/transcript.pdf");
  assert.ok((await transcript.body()).subarray(0, 5).equals(Buffer.from("%PDF-")));
  const everything = await get("/v1/me/export");
  assert.ok(everything.ok());
  const clr = await (await get("/archive/clr.json?part=1")).json();
  assert.equal(clr.credentialSubject.verifiableCredential.length, 9);
  await it.end();
});

test("signing in, finding a record and signing out with the keyboard alone", async () => {
  const it = await visitor({ view: "desktop" });
  await it.open("/sign-in");
  await it.tabTo("#learner");
  await it.page.keyboard.type(world.learners.all.code);
  await it.page.keyboard.press("Enter");
  await it.page.waitForURL("**/archive");
  await it.tabTo(".entry-name a");
  await it.page.keyboard.press("Enter");
  await it.page.waitForSelector("#record");
  await it.tabTo("form[action='/sign-out'] button");
  await it.page.keyboard.press("Enter");
  await it.page.waitForURL((url) => ["/", "/signed-out"].includes(url.pathname));
  it.well("keyboard");
  await it.end();
});

test("every page works without a script", async () => {
  const it = await visitor({ javaScript: false });
  await it.signIn("all");
  const record = await openRecord(it);
  for (const path of ["/archive", record, "/sharing", "/sharing/new", "/recognition"]) await it.open(path);
  it.well("no script");
  await it.end();
});
