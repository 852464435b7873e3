// Desks: what a learner shows is seen once, for the purpose chosen, and the learner sees who looked; what each role finds.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { close, visitor, world } from "../harness/browser.mjs";
import { desk } from "../harness/desk.mjs";

after(close);

test("a desk sees what the learner chose to show, once, and the learner sees who looked", async () => {
  const learner = await visitor({ view: "elder" });
  await learner.signIn("elder");
  await learner.open("/code", "code");
  await learner.page.click("button[name=purpose][value=totals]");
  await learner.page.waitForURL("**/code/show**");
  await learner.look("code-show");
  const code = await learner.page.locator("#text").textContent();
  assert.ok(!code.includes(world.learners.elder.code), "the code names no one");

  const { staff } = await desk("keys/museum.key");
  staff.expect(/status of 4/);
  await staff.open("/scan", "desk-scan");
  const scan = async (purpose) => {
    await staff.page.goto("/scan");
    await staff.page.check(`input[name=purpose][value="${purpose}"]`);
    await staff.page.fill("#code", code.trim());
    await Promise.all([staff.page.waitForEvent("load"), staff.page.keyboard.press("Enter")]);
  };
  await scan(3);
  assert.equal(await staff.page.locator("#presented").count(), 0, "another purpose shows nothing");
  await scan(2);
  await staff.look("desk-presented");
  const shown = await staff.page.textContent("#presented");
  assert.ok(shown.includes("老年教育"));
  assert.ok(!shown.includes(world.learners.elder.code) && !shown.includes(world.learners.elder.name));
  await scan(2);
  assert.equal(await staff.page.locator("#presented").count(), 0, "a code serves once");
  await staff.end();

  await learner.open("/sharing/looks", "looks");
  assert.ok((await learner.page.textContent("main")).includes("博物馆"));
  await learner.end();
});

test("the address of a desk opens it once", async () => {
  const { staff, address } = await desk("keys/museum.key");
  const other = await visitor({ view: "desktop", base: new URL(address).origin });
  other.expect(/status of 40[134]/);
  await other.page.goto(address);
  assert.equal(await other.page.locator("form[action='/scan']").count(), 0);
  await other.end();
  await staff.open("/scan");
  await staff.end();
});

const ROLES = {
  institution: ["keys/college.key", ["/scan", "/submissions", "/applications", "/requests"]],
  reviewer: ["keys/expert-1.key", ["/applications", "/projects"]],
  operator: ["bank/operator.key", ["/applications", "/projects", "/requests", "/institutions", "/institutions/college", "/window", "/health"]],
  window: ["keys/window.key", ["/scan", "/window"]],
};
for (const [role, [key, paths]] of Object.entries(ROLES)) {
  test(`the pages of ${role} are there, for everybody who can use a keyboard or a reader`, async () => {
    const { staff } = await desk(key);
    for (const path of paths) await staff.open(path, `desk-${role}${path.replaceAll("/", "-")}`);
    await staff.end();
  });
}

for (const view of ["phone", "desktop", "elder"]) {
  test(`a name of two hundred characters leaves the rest of a desk its room (${view})`, async () => {
    const { staff } = await desk("bank/operator.key", view);
    for (const path of ["/institutions", "/institutions/long", "/applications", "/projects"]) {
      await staff.open(path, `desk-long${path.replaceAll("/", "-")}`);
    }
    await staff.open("/institutions");
    const row = staff.page.locator("tr", { hasText: "WWWW" });
    const widths = await row.locator("td").evaluateAll((all) => all.map((it) => it.clientWidth));
    assert.ok(widths.every((it) => it >= 60), `cells as narrow as ${Math.min(...widths)} pixels`);
    const label = await row.locator("td").first().evaluate((it) => getComputedStyle(it, "::before").content);
    assert.equal(label.includes("角色"), view !== "desktop", "on a phone every value says what it is");
    await staff.end();
  });
}
