// A relative acts for an elder, by the elder's grant and no longer than it lasts.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { close, visitor, world } from "../harness/browser.mjs";

after(close);

test("an elder lets a relative act, who then sees the archive, until it is taken back", async () => {
  const elder = await visitor({ view: "elder" });
  await elder.signIn("elder");
  await elder.open("/sharing/relatives/new");
  await elder.page.fill("#label", "儿子");
  await elder.page.fill("#delegate", world.learners.child.code);
  await elder.page.check("input[name=scope][value=view]");
  await elder.page.click("#relative-form button.primary");
  await elder.page.waitForURL("**/sharing/relatives");
  await elder.look("relatives-one");

  const child = await visitor();
  await child.signIn("child");
  await child.open("/sharing/relatives", "relatives-received");
  assert.ok(!(await child.page.textContent("body")).includes(world.learners.elder.name), "the name is masked");
  await child.page.click("#received form button");
  await child.page.waitForSelector("#acting");
  await child.open("/archive", "acting-archive");
  assert.ok((await child.page.textContent("#timeline")).includes("书法（隶书）"));
  child.expect(/status of 40[34]/);
  const refused = await child.page.goto("/sharing/new");
  assert.ok(refused.status() === 403 || refused.status() === 404, "who may look does not share");

  await elder.page.locator("#granted .grant-end a").first().click();
  await elder.page.click("#withdraw-form button");
  await elder.page.waitForLoadState();
  await elder.end();

  await child.page.goto("/archive");
  assert.ok(!(await child.page.textContent("body")).includes("书法（隶书）"));
  await child.look("acting-ended");
  await child.end();
});

test("who acts for a learner applies and asks, and does not consent to a transfer in their place", async () => {
  const elder = await visitor();
  await elder.signIn("elder");
  await elder.open("/sharing/relatives/new");
  await elder.page.fill("#label", "女儿");
  await elder.page.fill("#delegate", world.learners.all.code);
  await elder.page.check("input[name=scope][value=act]");
  await elder.page.click("#relative-form button.primary");
  await elder.page.waitForURL("**/sharing/relatives");
  await elder.end();

  const daughter = await visitor();
  await daughter.signIn("all");
  await daughter.open("/sharing/relatives");
  await daughter.page.click("#received form button");
  await daughter.page.waitForSelector("#acting");
  await daughter.open("/recognition/transfers/new");
  const path = await daughter.page.locator("a.row-link").first().getAttribute("href");
  await daughter.open(path, "transfer-in-person");
  assert.ok((await daughter.page.textContent("main")).includes("本人单独同意"));
  const csrf = await daughter.page.locator("input[name=csrf]").first().inputValue();
  for (const action of [path, `${path}/notice`]) {
    const form = { csrf, recipient: "jiangsu.example/log", recipient_learner: world.learners.all.code, purpose: "degree", programme: "p", agree: "yes" };
    const answer = await daughter.context.request.post(action, { form, headers: { origin: world.address }, maxRedirects: 0 });
    assert.equal(answer.status(), 403, action);
  }
  await daughter.end();
});
