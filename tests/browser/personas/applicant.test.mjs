// A learner sees what the outcomes are worth, applies, follows the application and appeals.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { close, visitor } from "../harness/browser.mjs";
import { desk } from "../harness/desk.mjs";

after(close);

for (const view of ["phone", "elder", "desktop"]) {
  test(`what the outcomes are worth, with the reasons (${view})`, async () => {
    const it = await visitor({ view });
    await it.signIn("elder");
    await it.open("/recognition", "recognition-elder");
    const path = await it.page.locator("a.row-head").first().getAttribute("href");
    await it.open(path, "programme");
    await it.end();
  });
}

test("what needs no panel is decided at once, appealed, and closed by the operator", async () => {
  const it = await visitor();
  await it.signIn("elder");
  await it.open("/recognition");
  await it.open(await it.page.locator("a.row-head").first().getAttribute("href"));
  await it.page.click("form[action$='/confirm'] button");
  await it.page.waitForSelector("form[action$='/apply']");
  await it.look("application-confirm");
  await it.page.click("form[action$='/apply'] button.primary");
  await it.page.waitForURL(/\/recognition\/applications\/\d+/);
  await it.look("application");
  const application = new URL(it.page.url()).pathname;
  await it.open("/recognition");
  assert.ok(await it.page.locator(`a[href='${application}']`).count());
  // The bank decides beside the answer; the page is read again until it has.
  await it.page.goto(application);
  for (let tries = 0; tries < 100 && !(await it.page.locator("#appeal-reason").count()); tries += 1) await it.page.reload();
  await it.look("application-decided");
  await it.page.fill("#appeal-reason", "出勤记录有误，请复核");
  await it.page.click("form[action$='/appeal'] button");
  await it.page.waitForSelector("form[action$='/appeal']", { state: "detached" });
  await it.look("application-appealed");

  const { staff } = await desk("bank/operator.key");
  await staff.open(`/applications/${application.split("/").pop()}`, "desk-application-appealed");
  assert.ok((await staff.page.textContent("main")).includes("出勤记录有误，请复核"));
  await staff.page.fill("#why-close", "维持原决定");
  await staff.page.click("button[value=close]");
  await staff.page.waitForSelector("button[value=close]", { state: "detached" });
  await staff.look("desk-application-closed");
  await staff.end();
  await it.open(application);
  assert.ok((await it.page.textContent("main")).includes("维持原决定"));
  await it.end();
});
