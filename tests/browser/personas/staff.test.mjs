// What learners ask, answered by whom it concerns: a panel's vote, an objection, a decision and its appeal; a correction by
// the institution; a wish to be erased; a window that prints a code.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { close, visitor, world } from "../harness/browser.mjs";
import { desk } from "../harness/desk.mjs";

after(close);

// Presses a button of a form and waits for the page that answers.
async function send(page, selector) {
  await Promise.all([page.waitForEvent("load"), page.locator(selector).first().click()]);
}

test("an application goes before a panel, is noticed and objected to, not decided too early, and taken back", async () => {
  const learner = await visitor();
  await learner.signIn("all");
  await learner.open("/recognition");
  await learner.open(await learner.page.locator("a.row-head").first().getAttribute("href"));
  await send(learner.page, "form[action$='/confirm'] button");
  await send(learner.page, "form[action$='/apply'] button.primary");
  const mine = new URL(learner.page.url()).pathname;
  const theirs = `/applications/${mine.split("/").pop()}`;

  const { staff: operator } = await desk("bank/operator.key");
  await operator.open("/applications");
  assert.ok(await operator.page.locator(`a[href='${theirs}']`).count(), "it is in the operator's queue");
  await operator.open(theirs, "desk-application-submitted");
  await send(operator.page, "button[value=accept]");

  const { staff: reviewer } = await desk("keys/expert-1.key");
  await reviewer.open("/applications");
  assert.ok(await reviewer.page.locator(`a[href='${theirs}']`).count(), "it waits for a vote");
  await reviewer.open(theirs, "desk-application-vote");
  assert.ok((await reviewer.page.textContent("section:has(#proofs)")).includes("太极拳（二十四式）"), "evidence is beside the claim");
  await reviewer.page.fill("#vote-reason", "<i>成果与标准相符</i>");
  await send(reviewer.page, "button[name=approve][value=yes]");
  assert.equal(await reviewer.page.locator("button[name=approve]").count(), 0, "a reviewer votes once");
  await reviewer.look("desk-application-voted");
  await reviewer.end();

  await operator.open(theirs);
  await send(operator.page, "button[value=notice]");
  const { staff: college } = await desk("keys/college.key");
  await college.open("/applications");
  await college.open(theirs, "desk-application-noticed");
  await college.page.fill("#object-reason", "出勤未达要求");
  await send(college.page, "form[action$='/object'] button");
  await college.end();

  await operator.open(theirs);
  assert.ok((await operator.page.textContent("main")).includes("出勤未达要求"), "the objection is seen before the decision");
  operator.expect(/status of 400/);
  await send(operator.page, "button[value=decide]");
  assert.ok((await operator.page.textContent("main")).includes("NOTICE_RUNNING"));
  await operator.look("desk-application-too-early");
  await operator.end();

  await learner.open(mine, "application-noticed");
  await learner.page.locator("details:has(form[action$='/withdraw']) summary").click();
  await learner.page.fill("#withdraw-reason", "改主意了");
  await send(learner.page, "form[action$='/withdraw'] button");
  await learner.look("application-withdrawn");
  assert.equal(await learner.page.locator("form[action$='/withdraw']").count(), 0);
  await learner.end();
});

test("a correction reaches the institution, and its answer the learner", async () => {
  const learner = await visitor();
  await learner.signIn("elder");
  await learner.open("/archive");
  await learner.page.locator(".entry-name a").first().click();
  await learner.page.waitForSelector("#record");
  await learner.open(`${new URL(learner.page.url()).pathname}/correction`);
  await learner.page.fill("#correction-text", "学时应为四十");
  await send(learner.page, "#correction-form button.primary");

  const { staff: college } = await desk("keys/college.key");
  await college.open("/requests", "desk-requests-correction");
  const asked = college.page.locator("section.card", { hasText: "学时应为四十" });
  await asked.locator("summary").click();
  await asked.locator("textarea").fill("已核对签到表，学时无误");
  await Promise.all([college.page.waitForEvent("load"), asked.locator("button[value=no]").click()]);
  await college.look("desk-requests-answered");
  await college.end();

  await learner.open("/archive/requests", "requests-answered");
  assert.ok((await learner.page.textContent("#requests")).includes("已核对签到表，学时无误"));
  await learner.end();
});

test("who asks to be erased is erased by the operator, and cannot sign in any more", async () => {
  const learner = await visitor();
  await learner.signIn("leaver");
  await learner.open("/sharing/erasure");
  await learner.page.check("#understood");
  await send(learner.page, "#erasure-form button.danger");
  await learner.look("erasure-asked");

  const { staff: operator } = await desk("bank/operator.key");
  await operator.open("/requests");
  const asked = operator.page.locator("section.card:has(form[action$='/erase'])").first();
  await asked.locator("details:has(form[action$='/erase']) summary").click();
  await asked.locator("form[action$='/erase'] textarea").fill("已按申请注销");
  await asked.locator("form[action$='/erase'] input[name=learner]").fill(world.learners.leaver.code);
  await Promise.all([operator.page.waitForEvent("load"), asked.locator("form[action$='/erase'] button").click()]);
  await operator.look("desk-erased");
  await operator.end();

  learner.expect(/status of 40[134]/);
  await learner.page.goto("/archive");
  assert.ok(!(await learner.page.textContent("body")).includes(world.learners.leaver.name));
  await learner.end();
});

test("a window finds the learner code by the document, and opens an archive for whoever has none", async () => {
  const { staff: window } = await desk("keys/window.key");
  const find = async (number, name) => {
    await window.open("/window");
    await window.page.fill("#find-number", number);
    await window.page.fill("#find-name", name);
    await send(window.page, "form[action='/window/find'] button");
    return (await window.page.textContent("#found")).replaceAll(/\s/g, "");
  };
  const { elder } = world.learners;
  assert.equal(await find(elder.number, elder.name), elder.code);
  assert.equal((await window.page.inputValue("#link-learner")).replaceAll(/\s/g, ""), elder.code);
  await window.look("desk-window-found");
  const opened = await find("319901195608170024", "孙惠芳");
  assert.match(opened, /^\d{16}$/);
  assert.equal(await find("319901195608170024", "孙惠芳"), opened, "once");
  await window.end();
});

test("a window prints a code that serves only together with the document", async () => {
  const { staff: window } = await desk("keys/window.key");
  await window.open("/window");
  await window.page.fill("#paper-learner", world.learners.elder.code);
  await window.page.selectOption("#paper-purpose", "2");
  await send(window.page, "form[action='/window/paper'] button");
  await window.look("desk-paper");
  const secret = (await window.page.textContent(".secret")).trim();
  await window.end();

  const { staff: museum } = await desk("keys/museum.key");
  museum.expect(/status of 4/);
  const scan = async (number) => {
    await museum.page.goto("/scan");
    await museum.page.check('input[name=purpose][value="2"]');
    await museum.page.fill("#code", secret);
    await museum.page.locator("details summary").click();
    await museum.page.fill("#number", number);
    await send(museum.page, "form[action='/scan'] button.primary");
  };
  await scan(world.learners.all.number);
  assert.equal(await museum.page.locator("#presented").count(), 0, "another's document shows nothing");
  await scan(world.learners.elder.number);
  assert.ok((await museum.page.textContent("#presented")).includes("老年教育"));

  const { staff: again } = await desk("keys/window.key");
  await again.open("/window");
  await again.page.fill("#allowed-learner", world.learners.elder.code);
  await send(again.page, "form[action='/window/allowed'] button");
  await send(again.page, "section:has-text('打印的离线码') form[action='/window/withdraw'] button");
  await again.end();
  await scan(world.learners.elder.number);
  assert.equal(await museum.page.locator("#presented").count(), 0, "a code that was withdrawn shows nothing");
  await museum.end();
});

test("a window records who may act for a learner, who then acts, and withdraws it", async () => {
  const { all } = world.learners;
  const { staff: window } = await desk("keys/window.key");
  const find = async (who, { number, name }) => {
    await window.page.check(`input[name=who][value=${who}]`);
    await window.page.fill("#find-number", number);
    await window.page.fill("#find-name", name);
    await send(window.page, "form[action='/window/find'] button");
  };
  await window.open("/window");
  await find("learner", all);
  await find("relative", { number: "319901200103050012", name: "何平" });
  const shown = async (id) => (await window.page.inputValue(id)).replaceAll(/\s/g, "");
  assert.equal(await shown("#relative-learner"), all.code);
  world.learners.grandson = { code: await shown("#relative-delegate") };
  assert.notEqual(world.learners.grandson.code, all.code);
  await window.page.fill("#relative-label", "外孙");
  await window.look("desk-window-relative");
  await send(window.page, "form[action='/window/relative'] button");
  await window.look("desk-relative-recorded");

  const relative = await visitor();
  await relative.signIn("grandson");
  await relative.open("/sharing/relatives", "relatives-from-window");
  await send(relative.page, "#received form[action='/acting/begin'] button");
  await relative.open("/archive");
  assert.ok((await relative.page.textContent("main")).includes("青铜器专题导览"), "the relative sees the archive");
  const learner = await visitor({ view: "elder" });
  await learner.signIn("all");
  await learner.open("/sharing/relatives", "relatives-at-window");
  assert.ok((await learner.page.textContent("#granted")).includes("窗口登记"), "the learner sees where it was recorded");
  await learner.end();

  const withdraw = async () => {
    await window.open("/window");
    await window.page.fill("#allowed-learner", all.code);
    await send(window.page, "form[action='/window/allowed'] button");
    await window.look("desk-allowed");
    await send(window.page, "section:has-text('外孙') form[action='/window/withdraw'] button");
    await window.look("desk-withdrawn");
  };
  await withdraw();
  assert.equal(await window.page.locator("section:has-text('外孙')").count(), 0);
  await relative.page.goto("/archive");
  assert.ok(!(await relative.page.textContent("main")).includes("青铜器专题导览"), "the relative sees nothing any more");
  await relative.end();
  await window.end();
});

test("a window links an account to a learner and takes the link back", async () => {
  const { staff: window } = await desk("keys/window.key");
  await window.open("/window");
  await window.page.fill("#link-learner", world.learners.elder.code);
  await window.page.fill("#link-issuer", "https://id.example");
  await window.page.fill("#link-subject", "u-1");
  await send(window.page, "form[action='/window/link'] button");
  assert.ok(await window.page.locator("[role=status]").count());
  await window.look("desk-linked");
  await window.page.locator("details summary").click();
  await window.page.fill("#unlink-issuer", "https://id.example");
  await window.page.fill("#unlink-subject", "u-1");
  await send(window.page, "form[action='/window/unlink'] button");
  assert.ok(await window.page.locator("[role=status]").count());
  await window.end();
});
