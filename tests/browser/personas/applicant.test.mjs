// A learner sees what the outcomes are worth, applies, follows the application and takes it back.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { close, visitor } from "../harness/browser.mjs";

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

test("an application is made, followed and withdrawn", async () => {
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
  if (await it.page.locator("form[action$='/withdraw']").count()) {
    await it.page.locator("details:has(form[action$='/withdraw']) summary").click();
    await it.page.fill("#withdraw-reason", "改主意了");
    await it.page.click("form[action$='/withdraw'] button");
    await it.page.waitForLoadState();
    await it.look("application-withdrawn");
  }
  await it.open("/recognition");
  assert.ok(await it.page.locator(`a[href='${application}']`).count());
  await it.end();
});
