// An employer is given a credential and checks it in the browser, with the bank and without it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { close, visitor, world } from "../harness/browser.mjs";

const GOOD = ["issuer", "signature", "period", "checkpoint", "inclusion", "commitment", "content", "learner", "current"];
const folder = mkdtempSync(join(tmpdir(), "creditbank-employer-"));
let badges; // credentials of the learner with records of every category
let receipt;
let clr;

// What the learner downloaded and hands over.
before(async () => {
  const learner = await visitor();
  await learner.signIn("all");
  const read = async (path) => {
    const response = await learner.context.request.get(path);
    assert.ok(response.ok(), `${path}: ${response.status()}`);
    return response;
  };
  const { records } = await (await read("/v1/me/records?page_size=50")).json();
  const leaves = records.map((it) => it.leaf_index).sort((a, b) => a - b);
  badges = [];
  for (const leaf of leaves) badges.push(await (await read(`/v1/me/records/${leaf}/credential`)).text());
  receipt = await (await read(`/v1/me/records/${leaves[0]}/receipt`)).text();
  const { csrf_token: csrf } = await (await read("/v1/me")).json();
  const headers = { "x-csrf-token": csrf };
  const answer = await learner.context.request.post("/v1/me/clr", { data: { leaf_indexes: leaves }, headers });
  clr = JSON.stringify((await answer.json()).credential);
  await learner.end();
});

after(async () => {
  await close();
  rmSync(folder, { recursive: true, force: true });
});

function fileOf(text, name = "credential.json") {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function check(page, text, name) {
  await page.evaluate(() => document.getElementById("verify-result").replaceChildren());
  await page.setInputFiles("#verify-file", fileOf(text, name));
  await page.waitForSelector("#verify-result [data-report]");
}

// The steps that are shown, by state.
async function steps(page, scope = "#verify-result > article > .steps") {
  const lines = await page.locator(`${scope} > li`).evaluateAll((all) => all.map((it) => [it.dataset.step, it.dataset.state]));
  return Object.fromEntries(lines);
}

const all = (state) => Object.fromEntries(GOOD.map((step) => [step, state]));

for (const [view, lang] of [["phone", "zh"], ["desktop", "zh"], ["elder", "zh"], ["desktop", "en"]]) {
  test(`a credential is verified step by step (${view}, ${lang})`, async () => {
    const it = await visitor({ view, lang });
    const suffix = lang === "en" ? "-en" : "";
    await it.open("/verify", `verify${suffix}`);
    it.requests.length = 0;
    await check(it.page, badges[0]);
    assert.deepEqual(await steps(it.page), { ...all("good"), institution: "info" });
    assert.deepEqual(it.requests, [`${world.address}/checkpoint`], "nothing but the checkpoint was asked for");
    await it.look(`verify-good${suffix}`);
    await it.end();
  });
}

test("records of every category verify, and are shown as their institution signed them", async () => {
  const it = await visitor({ view: "desktop" });
  await it.open("/verify");
  assert.ok(badges.length >= 9);
  for (const text of badges) {
    const { name } = JSON.parse(text);
    await check(it.page, text);
    assert.equal(await it.page.textContent("#verify-title"), name);
    assert.deepEqual(await steps(it.page), { ...all("good"), institution: "info" }, name);
  }
  it.well("every category");
  await it.end();
});

test("a changed credential shows nothing but that its signature is wrong", async () => {
  const it = await visitor();
  await it.open("/verify");
  const document = JSON.parse(badges[0]);
  document.name = "博士学位";
  await check(it.page, JSON.stringify(document));
  assert.deepEqual(await steps(it.page), { signature: "bad" });
  assert.ok(!(await it.page.textContent("#verify-result")).includes("博士学位"));
  await it.look("verify-bad");
  await it.end();
});

test("without a network everything holds but the state of the log", async () => {
  const it = await visitor();
  await it.open("/verify");
  it.expect(/ERR_INTERNET_DISCONNECTED/);
  await it.context.setOffline(true);
  await check(it.page, badges[0]);
  assert.deepEqual(await steps(it.page), { ...all("good"), current: "unknown", institution: "info" });
  await it.look("verify-offline");
  await it.end();
});

test("the status is asked for only when the visitor wants it, and as a whole list", async () => {
  const it = await visitor();
  await it.open("/verify");
  await check(it.page, badges[0]);
  it.requests.length = 0;
  await it.page.click(".status button");
  await it.page.waitForSelector("[data-step=status]");
  assert.equal((await steps(it.page)).status, "good");
  assert.deepEqual(it.requests, [`${world.address}/v1/status/revocation/0`]);
  await it.look("verify-status");
  await it.end();
});

test("every credential in a comprehensive record is checked", async () => {
  const it = await visitor();
  await it.open("/verify");
  await check(it.page, clr);
  assert.deepEqual(await steps(it.page), { issuer: "good", signature: "good", period: "good", members: "good" });
  const members = it.page.locator("#verify-result details");
  assert.equal(await members.count(), badges.length);
  await it.look("verify-clr");
  await members.first().locator("summary").click();
  assert.deepEqual(await steps(it.page, "#verify-result details[open] .steps"), { ...all("good"), institution: "info" });
  await it.page.click(".status button");
  await it.page.waitForFunction((count) => document.querySelectorAll("[data-step=status]").length === count, badges.length);
  await it.look("verify-clr-open");
  await it.end();
});

// What the code of a transcript says of a set: made here by its description, from what the credentials bring.
function sealOf(texts) {
  const records = texts.map((text) => {
    const receipt = JSON.parse(text).evidence.find((it) => it.genre === "creditbank-receipt").id.split(",")[1];
    const opening = JSON.parse(text).evidence.find((it) => it.genre === "creditbank-opening").id.split(",")[1];
    const index = Number(/^index (\d+)$/m.exec(Buffer.from(receipt, "base64").toString())[1]);
    const commitment = createHash("sha256").update("creditbank/payload/v1\n").update(Buffer.from(opening, "base64")).digest();
    return { index, commitment };
  });
  records.sort((one, other) => one.index - other.index);
  const digest = createHash("sha256").update("creditbank/set/v1\n");
  const leaves = [];
  let before = 0;
  for (const { index, commitment } of records) {
    const place = Buffer.alloc(8);
    place.writeBigUInt64BE(BigInt(index));
    digest.update(place).update(commitment);
    let rest = index - before;
    for (; rest >= 128; rest = Math.floor(rest / 128)) leaves.push((rest % 128) + 128);
    leaves.push(rest);
    before = index;
  }
  return `${digest.digest("base64url")}.${Buffer.from(leaves).toString("base64url")}`;
}

test("the code of a transcript leads to the page that holds files against the paper", async () => {
  const learner = await visitor();
  await learner.signIn("all");
  const pdf = await (await learner.context.request.get("/archive/transcript.pdf?lang=zh")).body();
  await learner.end();
  const links = [...pdf.toString("latin1").matchAll(/\/URI ?\(([^)]*\/verify#set=[^)]*)\)/g)].map((it) => it[1]);
  const seals = badges.map((it) => sealOf([it]));
  assert.deepEqual(links.map((it) => it.split("#set=")[1]).sort(), seals.toSorted(), "a set a category, as its records say");

  const it = await visitor();
  await it.open(`/verify#set=${sealOf(badges.slice(0, 2))}`);
  await it.page.waitForSelector("#verify-set");
  await it.look("verify-set");
  const compared = async (text) => {
    await check(it.page, text);
    return (await steps(it.page)).set;
  };
  assert.equal(await compared(badges[0]), "unknown", "one of two is missing");
  assert.equal(await compared(badges[1]), "good", "files come one by one");
  await it.look("verify-set-good");
  await it.page.goto(links.find((link) => link.endsWith(seals[2])));
  await it.page.waitForSelector("#verify-set");
  assert.equal(await compared(badges[0]), "unknown", "another record than that on paper");
  assert.equal(await compared(clr), "good", "the whole archive has it too");
  await it.end();

  const forged = await visitor();
  await forged.open(`/verify#set=${sealOf([badges[0]]).replace(/^./, (first) => (first === "A" ? "B" : "A"))}`);
  await check(forged.page, badges[0]);
  assert.equal((await steps(forged.page)).set, "bad");
  assert.equal(await forged.page.getAttribute("#verify-result > article", "data-report"), "bad");
  await forged.page.goto("/verify");
  await forged.page.goto("/verify#set=half");
  await forged.page.waitForSelector("#verify-result [role=alert]");
  await forged.end();
});

test("a receipt proves a record without telling what it says", async () => {
  const it = await visitor();
  await it.open("/verify");
  await check(it.page, receipt, "receipt.txt");
  assert.deepEqual(await steps(it.page), { checkpoint: "good", inclusion: "good", current: "good", institution: "info" });
  await it.look("verify-receipt");
  await check(it.page, receipt.replace(/^index \d+$/m, "index 1"), "receipt.txt");
  assert.equal((await steps(it.page)).inclusion, "bad");
  await it.end();
});

test("a credential is pasted and verified with the keyboard alone", async () => {
  const it = await visitor({ view: "desktop" });
  await it.open("/verify");
  await it.tabTo("#verify-on summary");
  await it.page.keyboard.press("Enter");
  await it.tabTo("#verify-text");
  await it.page.keyboard.insertText(`\n  ${badges[0]}  `);
  await it.tabTo("#verify-paste button");
  await it.page.keyboard.press("Enter");
  await it.page.waitForSelector("#verify-result [data-report=good]");
  assert.ok(await it.page.evaluate(() => document.activeElement.id === "verify-title"), "the result is what is read next");
  await it.tabTo(".status button");
  await it.page.keyboard.press("Enter");
  await it.page.waitForSelector("[data-step=status][data-state=good]");
  it.well("keyboard");
  await it.end();
});

test("what is no credential is said to be none", async () => {
  const it = await visitor();
  await it.open("/verify");
  for (const [text, name] of [["hello", "a.txt"], ["{}", "b.json"], ["<script>alert(1)</script>", "c.html"]]) {
    await check(it.page, text, name);
    assert.deepEqual(await steps(it.page), { file: "bad" });
  }
  await it.page.setInputFiles("#verify-file", { name: "d.pdf", mimeType: "application/pdf", buffer: Buffer.from([0x25, 0xff]) });
  await it.page.waitForSelector("#verify-result [role=alert]");
  await it.look("verify-none");
  await it.end();
});

test("a name that is a script is shown as text", async () => {
  const it = await visitor();
  await it.open("/verify");
  const name = "<img src=x onerror=alert(1)>";
  const document = { ...JSON.parse(badges[0]), issuer: name };
  await check(it.page, JSON.stringify(document));
  assert.ok((await it.page.textContent("#verify-result")).includes(name));
  assert.equal(await it.page.locator("#verify-result img").count(), 0);
  it.well("script");
  await it.end();
});

test("another bank's credential is judged with a key that the visitor brings, and not before", async () => {
  const it = await visitor();
  const { did } = await (await it.context.request.get("/v1/issuer")).json();
  await it.page.route("**/verify", async (route) => {
    const response = await route.fetch();
    const other = "did:key:z6MkvDqGT54cXesYGvABpF1UapVNwjCqRcafi4Px6Thv5T3Z";
    await route.fulfill({ response, body: (await response.text()).replaceAll(did, other) });
  });
  await it.open("/verify");
  await check(it.page, badges[0]);
  assert.deepEqual(await steps(it.page), { issuer: "unknown" });
  await it.look("verify-stranger");
  await it.page.fill("#verify-did", did);
  await it.page.click("#verify-keys button");
  await it.page.waitForFunction(() => document.querySelector("#verify-result [data-step=signature]") !== null);
  const found = await steps(it.page);
  assert.deepEqual([found.signature, found.commitment, found.checkpoint], ["good", "good", "unknown"]);
  await it.look("verify-given");
  await it.end();
});

test("the offline page verifies from a disk", async () => {
  const it = await visitor({ view: "desktop" });
  await it.open("/verify");
  const [download] = await Promise.all([it.page.waitForEvent("download"), it.page.click("a[download]")]);
  const path = join(folder, "offline.html");
  await download.saveAs(path);
  assert.ok(readFileSync(path, "utf8").includes("Content-Security-Policy"));
  await it.page.goto(pathToFileURL(path).href);
  it.requests.length = 0;
  await check(it.page, badges[0]);
  assert.deepEqual(await steps(it.page), { ...all("good"), institution: "info" });
  assert.deepEqual(it.requests, [`${world.address}/checkpoint`]);
  await it.look("verify-saved");
  it.expect(/ERR_INTERNET_DISCONNECTED/);
  await it.context.setOffline(true);
  await check(it.page, badges[0]);
  assert.deepEqual(await steps(it.page), { ...all("good"), current: "unknown", institution: "info" });
  it.well("saved, offline");
  await it.end();
});

test("a browser that cannot check signatures says so", async () => {
  const it = await visitor();
  await it.page.addInitScript(() => {
    SubtleCrypto.prototype.importKey = () => Promise.reject(new DOMException("Unrecognized name.", "NotSupportedError"));
  });
  await it.open("/verify");
  await it.page.waitForSelector("#verify-off");
  assert.ok(await it.page.isVisible("#verify-off"));
  assert.ok(!(await it.page.isVisible("#verify-file")));
  await it.look("verify-old-browser");
  await it.end();
  const plain = await visitor({ javaScript: false });
  await plain.open("/verify", "verify-no-script");
  assert.ok(await plain.page.isVisible("#verify-off"));
  await plain.end();
});
