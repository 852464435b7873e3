// The checks of the verification page, under node: what is right holds, and whatever is changed is found at its step.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

import * as made from "./made.mjs";

const root = new URL("../../../", import.meta.url);
const require = createRequire(import.meta.url);
const checks = require(fileURLToPath(new URL("crates/gateway/assets/verify.js", root)));

const environment = (it, more = {}) => ({
  now: () => made.NOW,
  current: async () => made.checkpoint(it.leaves, it.log),
  ...more,
});

const examine = (text, it, more) => checks.examine(text, it.known, environment(it, more));

// What is not good, as "step: word".
const faults = (report) => report.lines.filter((it) => !["good", "info"].includes(it.state)).map((it) => `${it.step}: ${it.word}`);

function changed(value, change) {
  const copy = structuredClone(value);
  return change(copy) ?? copy;
}

test("a credential and its receipt hold", async () => {
  const it = made.world();
  const text = JSON.stringify(made.signed(it.document, it.bank));
  const report = await examine(text, it);
  assert.deepEqual(faults(report), []);
  assert.equal(checks.verdict(report), "good");
  const steps = report.lines.map((line) => line.step);
  assert.deepEqual(steps, [
    "issuer", "signature", "period", "checkpoint", "inclusion", "commitment", "content", "learner", "current", "institution",
  ]);
  assert.equal(report.facts.grade, "良好");
  const alone = await examine(it.receipt, it);
  assert.deepEqual(faults(alone), []);
  assert.equal(alone.kind, "receipt");
});

test("an amendment's credential holds", async () => {
  const it = made.world(made.payload({ content: 4 }));
  const report = await examine(JSON.stringify(made.signed(it.document, it.bank)), it);
  assert.deepEqual(faults(report), []);
});

test("without a network everything holds but what needs it", async () => {
  const it = made.world();
  const text = JSON.stringify(made.signed(it.document, it.bank));
  const report = await examine(text, it, { current: () => Promise.reject(new Error("offline")) });
  assert.deepEqual(faults(report), ["current: current-unreachable"]);
  assert.equal(checks.verdict(report), "unknown");
});

// Changed after it was signed: the signature fails, and nothing else is told.
const AFTER = [
  ["a name", (it) => void (it.name = "油画")],
  ["credits", (it) => void (it.credentialSubject.creditsEarned = 25)],
  ["a member more", (it) => void (it.x = 1)],
  ["a member less", (it) => void delete it.validFrom],
  ["the order of contexts", (it) => void (it["@context"] = [...it["@context"]].reverse()), "proof-context"],
  ["the receipt", (it) => void (it.evidence[0].id += "AAAA")],
  ["the day it was signed", (it) => void (it.proof[1].created = "2026-11-20T02:03:05Z")],
  ["an option more", (it) => void (it.proof[1].domain = "x")],
  ["the signature", (it) => void (it.proof[1].proofValue = it.proof[1].proofValue.replace(/.$/, (c) => (c === "2" ? "3" : "2")))],
  ["no proof", (it) => void delete it.proof, "proof-missing"],
  ["the other suite alone", (it) => void it.proof.pop(), "proof-missing"],
  ["a proof twice", (it) => void it.proof.push(it.proof[1]), "proof-missing"],
  ["a short signature", (it) => void (it.proof[1].proofValue = "z1"), "base58"],
  ["no base58", (it) => void (it.proof[1].proofValue = `z${"0".repeat(80)}`), "base58"],
];

for (const [what, change, word = "signature-wrong"] of AFTER) {
  test(`after signing, ${what}: ${word}`, async () => {
    const it = made.world();
    const document = changed(made.signed(it.document, it.bank), change);
    const report = await examine(JSON.stringify(document), it);
    assert.deepEqual(faults(report), [`signature: ${word}`]);
    assert.equal(report.lines.length, 1);
    assert.equal(report.facts, null);
  });
}

// Signed by the bank's key and yet not to be taken as a proof.
const OPTIONS = [
  ["for signing in", { proofPurpose: "authentication" }, "proof-purpose"],
  ["of another type", { type: "Ed25519Signature2020" }, "proof-type"],
  ["in the future", { created: "2026-11-20T05:00:00Z" }, "proof-future"],
  ["expired", { expires: "2026-11-20T03:00:00Z" }, "proof-expired"],
  ["at no time", { created: "yesterday" }, "time"],
  ["by a key of another name", { verificationMethod: "did:key:z6Mk#z6Mk" }, "proof-method"],
  ["without contexts", { "@context": undefined }, "proof-context"],
];

for (const [what, options, word] of OPTIONS) {
  test(`a proof ${what}: ${word}`, async () => {
    const it = made.world();
    const report = await examine(JSON.stringify(made.signed(it.document, it.bank, options)), it);
    assert.deepEqual(faults(report), [`signature: ${word}`]);
  });
}

// The bank signed what its evidence does not bear out.
const SIGNED = [
  ["another name", (it) => void (it.name = "油画"), "content: content-name"],
  ["another achievement", (it) => void (it.credentialSubject.achievement.name = "油画"), "content: content-name"],
  ["more credits", (it) => void (it.credentialSubject.creditsEarned = 2.51), "content: content-credits"],
  ["no credits", (it) => void delete it.credentialSubject.creditsEarned, "content: content-credits"],
  ["other hours", (it) => void (it.credentialSubject.result[1].value = "48.3"), "content: content-hours"],
  ["another grade", (it) => void (it.credentialSubject.result[0].value = "优秀"), "content: content-grade"],
  ["another day", (it) => void (it.awardedDate = "2026-06-29T00:00:00+08:00"), "content: content-date"],
  ["another record", (it) => void (it.id = it.id.replace(/3$/, "4")), "content: content-record"],
  ["another institution", (it) => void (it.credentialSubject.achievement.creator.id += "x"), "content: content-institution"],
  ["another status", (it) => void (it.credentialStatus.statusListIndex = "4"), "content: content-status"],
  ["another learner", (it) => void (it.credentialSubject.identifier[0].salt = "00"), "learner: learner-other"],
  ["an end that is past", (it) => void (it.validUntil = "2026-11-01T00:00:00Z"), "period: period-over"],
  ["a beginning to come", (it) => void (it.validFrom = "2026-12-01T00:00:00Z"), "period: period-before"],
];

for (const [what, change, fault] of SIGNED) {
  test(`signed with ${what}: ${fault}`, async () => {
    const it = made.world();
    const document = changed(it.document, change);
    const report = await examine(JSON.stringify(made.signed(document, it.bank)), it);
    assert.deepEqual(faults(report), [fault]);
  });
}

test("a credential without evidence leaves what it would prove unchecked", async () => {
  const it = made.world();
  const document = changed(it.document, (copy) => void delete copy.evidence);
  const report = await examine(JSON.stringify(made.signed(document, it.bank)), it);
  assert.deepEqual(new Set(faults(report).map((fault) => fault.split(": ")[1])), new Set(["evidence-missing"]));
  assert.equal(checks.verdict(report), "unknown");
});

test("another payload than the one in the log is found", async () => {
  const it = made.world();
  const document = changed(it.document, (copy) => void (copy.evidence = made.evidence(it.receipt, made.payload({ name: "油画" }))));
  document.name = document.credentialSubject.achievement.name = "油画";
  const report = await examine(JSON.stringify(made.signed(document, it.bank)), it);
  assert.deepEqual(faults(report), ["commitment: commitment-wrong"]);
});

// Receipts: each change is found at its step.
const lines = (text, change) => changed(text.split("\n"), change).join("\n");
const RECEIPTS = [
  ["another leaf", (it) => lines(it.receipt, (all) => void (all[1] = `extra ${it.leaves[2].toString("base64")}`)), ["inclusion: inclusion-wrong"]],
  ["another place", (it) => lines(it.receipt, (all) => void (all[2] = "index 2")), ["inclusion: inclusion-wrong"]],
  ["a place beyond the log", (it) => lines(it.receipt, (all) => void (all[2] = "index 7")), ["inclusion: inclusion-outside"]],
  ["a hash less", (it) => lines(it.receipt, (all) => void all.splice(3, 1)), ["inclusion: inclusion-wrong"]],
  ["a hash more", (it) => lines(it.receipt, (all) => void all.splice(3, 0, all[3])), ["inclusion: inclusion-wrong"]],
  ["hashes in another order", (it) => lines(it.receipt, (all) => void all.splice(3, 2, all[4], all[3])), ["inclusion: inclusion-wrong"]],
  ["an index with a zero in front", (it) => it.receipt.replace("index 3", "index 03"), ["file: checkpoint-form"]],
  ["a short hash", (it) => lines(it.receipt, (all) => void (all[3] = "AAAA")), ["file: receipt-form"]],
  ["base64 in another spelling", (it) => lines(it.receipt, (all) => void (all[3] = all[3].replace(/.=$/, (c) => (c[0] === "B" ? "C=" : "B=")))), ["file: base64"]],
  ["no leaf", (it) => lines(it.receipt, (all) => void all.splice(1, 1)), ["file: receipt-form"]],
  ["a leaf that is none", (it) => lines(it.receipt, (all) => void (all[1] = "extra AAAA")), ["file: record-form"]],
  ["another version", (it) => it.receipt.replace("@v1", "@v2"), ["file: receipt-form"]],
  ["a larger size", (it) => it.receipt.replace("\n7\n", "\n8\n"), ["checkpoint: checkpoint-wrong"]],
  ["a control character", (it) => `${it.receipt.slice(0, -1)}\r\n`, ["file: checkpoint-form"]],
  ["no end", (it) => it.receipt.slice(0, -1), ["file: checkpoint-form"]],
  ["nobody's signature", (it) => lines(it.receipt, (all) => void all.splice(-2, 1)), ["checkpoint: checkpoint-unsigned"]],
  ["another signer", (it) => made.receipt(3, it.leaves, made.pair()), ["checkpoint: checkpoint-unsigned"]],
  ["another log", (it) => made.receipt(3, it.leaves, it.log, made.checkpoint(it.leaves, it.log, { origin: "x.example", name: "x.example" })), ["checkpoint: log-other"]],
  ["another log under this key", (it) => made.receipt(3, it.leaves, it.log, made.checkpoint(it.leaves, it.log, { origin: "x.example" })), ["checkpoint: log-other"]],
];

for (const [what, change, expected] of RECEIPTS) {
  test(`a receipt with ${what}: ${expected}`, async () => {
    const it = made.world();
    assert.deepEqual(faults(await examine(change(it), it)), expected);
  });
}

test("every place in logs of every small size is proved, and no other", async () => {
  const it = made.world();
  for (let size = 1; size <= 9; size += 1) {
    const leaves = Array.from({ length: size }, () => it.leaves[3]).map((leaf, i) => Buffer.concat([leaf, made.message([9, i])]));
    for (let index = 0; index < size; index += 1) {
      const text = made.receipt(index, leaves, it.log);
      const current = async () => made.checkpoint(leaves, it.log);
      assert.deepEqual(faults(await examine(text, it, { current })), [], `${index} of ${size}`);
      for (let other = 0; other < size; other += 1) {
        if (other === index) continue;
        const moved = text.replace(`index ${index}`, `index ${other}`);
        assert.deepEqual(faults(await examine(moved, it, { current })), ["inclusion: inclusion-wrong"]);
      }
    }
  }
});

// What the log shows today.
const CURRENT = [
  ["it has grown", (it) => made.checkpoint([...it.leaves, it.leaves[0]], it.log), []],
  ["it was cut", (it) => made.checkpoint(it.leaves.slice(0, 6), it.log), ["current: current-shorter"]],
  ["it was rewritten", (it) => made.checkpoint([...it.leaves].reverse(), it.log), ["current: current-other"]],
  ["it is signed by somebody else", (it) => made.checkpoint(it.leaves, made.pair()), ["current: current-wrong"]],
  ["it is a page of errors", () => "<html>502</html>", ["current: current-wrong"]],
];

for (const [what, note, expected] of CURRENT) {
  test(`of the log today, ${what}`, async () => {
    const it = made.world();
    assert.deepEqual(faults(await examine(it.receipt, it, { current: async () => note(it) })), expected);
  });
}

// Texts that are read in two ways, or in none.
const TEXTS = [
  ["a name twice", (text) => text.replace('"name":', '"name":"油画","name":'), "file: duplicate"],
  ["a name twice, once escaped", (text) => text.replace('"name":', '"n\\u0061me":"油画","name":'), "file: duplicate"],
  ["half a surrogate pair", (text) => text.replace("国画", "\\ud800"), "file: surrogate"],
  ["an infinite number", (text) => text.replace("2.5", "1e999"), "file: number"],
  ["a comma too many", (text) => text.replace(/}$/, ",}"), "file: not-json"],
  ["another type", (text) => text.replace("OpenBadgeCredential", "Diploma"), "file: file-other"],
  ["nothing but a number", () => "1", "file: file-other"],
  ["nothing", () => "", "file: not-json"],
  ["too many levels", () => `${"[".repeat(100)}${"]".repeat(100)}`, "file: too-deep"],
];

for (const [what, change, fault] of TEXTS) {
  test(`a text with ${what}: ${fault}`, async () => {
    const it = made.world();
    const text = change(JSON.stringify(made.signed(it.document, it.bank)));
    assert.deepEqual(faults(await examine(text, it)), [fault]);
  });
}

test("an issuer that the page does not know is not judged, and is with a key given by hand", async () => {
  const [it, other] = [made.world(), made.world()];
  const text = JSON.stringify(made.signed(other.document, other.bank));
  const report = await examine(text, it);
  assert.deepEqual(faults(report), ["issuer: issuer-unknown"]);
  assert.equal(report.facts, null);
  const given = { name: "", did: other.bank.did, vkey: "", given: true };
  assert.deepEqual(faults(await checks.examine(text, given, environment(it))), ["checkpoint: log-unknown", "current: current-foreign"]);
  const both = { ...given, vkey: other.known.vkey };
  assert.deepEqual(faults(await checks.examine(text, both, environment(it))), ["current: current-foreign"]);
  const mistyped = { ...given, vkey: other.known.vkey.replace(/\+[0-9a-f]/, (c) => (c === "+0" ? "+1" : "+0")) };
  assert.deepEqual(faults(await checks.examine(text, mistyped, environment(it))), ["checkpoint: vkey", "current: current-foreign"]);
});

test("what replaced keys have signed holds, and no more than that", async () => {
  const [it, bank, log] = [made.world(), made.pair(), made.pair()];
  const text = JSON.stringify(made.signed(it.document, it.bank));
  const vkey = made.vkeyOf(it.known.vkey.split("+")[0], log);
  const known = { ...it.known, did: bank.did, dids: [it.bank.did], vkey };
  const judged = async (old, more = {}) => {
    const vkeys = [`${vkey} 7-`, ...(old ? [`${it.known.vkey} ${old}`] : [])];
    return faults(await checks.examine(text, { ...known, vkeys, ...more }, environment({ ...it, log })));
  };
  assert.deepEqual(await judged("0-7"), []);
  for (const old of ["0-6", "withdrawn", "8-"]) {
    assert.deepEqual(await judged(old), ["checkpoint: checkpoint-replaced"], old);
  }
  assert.deepEqual(await judged(""), ["checkpoint: checkpoint-unsigned"]);
  assert.deepEqual(await judged("0-7", { dids: [] }), ["issuer: issuer-unknown"]);
});

test("a stranger who names the bank as issuer is found", async () => {
  const it = made.world();
  const stranger = { ...made.pair(), did: it.bank.did };
  const report = await examine(JSON.stringify(made.signed(it.document, stranger)), it);
  assert.deepEqual(faults(report), ["signature: signature-wrong"]);
});

test("every member of a comprehensive record is checked", async () => {
  const it = made.world();
  const member = made.signed(it.document, it.bank);
  const whole = (members) => JSON.stringify(made.signed(made.clr(it.bank.did, members), it.bank));
  const good = await examine(whole([member, member]), it);
  assert.deepEqual([checks.verdict(good), good.members.length], ["good", 2]);
  const bad = await examine(whole([member, { ...member, name: "油画" }]), it);
  assert.deepEqual(faults(bad), ["members: members-bad"]);
  assert.deepEqual(faults(bad.members[1]), ["signature: signature-wrong"]);
  assert.equal(checks.verdict(bad), "bad");
  const none = await examine(whole([]), it);
  assert.deepEqual(faults(none), ["members: members-form"]);
  const nested = await examine(whole([made.signed(made.clr(it.bank.did, [member]), it.bank)]), it);
  assert.deepEqual(faults(nested), ["members: members-form"]);
});

const STATUS = [
  ["not in the list", (it) => made.signed(made.statusList(it.bank.did, [2, 4, 131071]), it.bank), "good: status-good"],
  ["revoked", (it) => made.signed(made.statusList(it.bank.did, [3]), it.bank), "bad: status-revoked"],
  ["of a list signed by a stranger", (it) => made.signed(made.statusList(it.bank.did, []), made.pair()), "bad: status-wrong"],
  ["of another bank's list", (it) => made.signed(made.statusList("did:key:z1", []), it.bank), "bad: status-wrong"],
  ["of a list changed since", (it) => ({ ...made.signed(made.statusList(it.bank.did, []), it.bank), ttl: 1 }), "bad: status-wrong"],
  ["of an old list", (it) => made.signed(made.statusList(it.bank.did, [], { validUntil: "2026-11-20T03:00:00Z" }), it.bank), "bad: status-old"],
  ["of another list", (it) => made.signed(made.statusList(it.bank.did, [], { id: "https://bank.example/v1/status/revocation/1" }), it.bank), "bad: status-wrong"],
  ["of a list for another purpose", (it) => made.signed(purpose(made.statusList(it.bank.did, [])), it.bank), "bad: status-wrong"],
];

const purpose = (list) => ({ ...list, credentialSubject: { ...list.credentialSubject, statusPurpose: "refresh" } });

for (const [what, list, expected] of STATUS) {
  test(`a credential is ${what}: ${expected}`, async () => {
    const it = made.world();
    const asked = [];
    const answer = async (path) => {
      asked.push(path);
      return JSON.stringify(list(it));
    };
    const found = await checks.line("status", () => checks.checkStatus(it.document, it.known, environment(it, { list: answer })));
    assert.equal(`${found.state}: ${found.word}`, expected);
    assert.deepEqual(asked, ["/v1/status/revocation/0"], "the whole list, and nothing of the record");
  });
}

test("what the bank's own program signs holds here", async () => {
  const folder = new URL("crates/credential/tests/data/", root);
  const read = (name) => readFileSync(new URL(name, folder), "utf8");
  const did = JSON.parse(read("clr.json")).issuer.id;
  const known = { name: "", did, vkey: "", given: false };
  const env = { now: () => Date.parse("2026-11-21T00:00:00Z"), current: () => Promise.reject(new Error("offline")) };
  const categories = ["community-course", "degree-course", "dual-track", "elder-course", "humanities-walk",
    "self-study-exam", "skill-certificate", "training", "venue-learning"];
  for (const name of categories) {
    const text = read(`badge-${name}.json`);
    const report = await checks.examine(text, known, env);
    assert.equal(report.lines.find((it) => it.step === "signature").state, "good", name);
    const spoiled = await checks.examine(text.replace("2026", "2025"), known, env);
    assert.equal(spoiled.lines.find((it) => it.step === "signature").state, "bad", name);
  }
  const whole = await checks.examine(read("clr.json"), known, env);
  assert.equal(whole.lines.find((it) => it.step === "signature").state, "good");
  assert.ok(whole.members.every((it) => it.lines.find((line) => line.step === "signature").state === "good"));
  const credential = { credentialStatus: { statusListIndex: "7", statusListCredential: "https://bank.example/v1/status/revocation/1" } };
  const status = { ...env, now: () => Date.parse("2026-11-20T02:04:00Z"), list: async () => read("status-list.json") };
  const revoked = await checks.line("status", () => checks.checkStatus(credential, known, status));
  assert.equal(revoked.word, "status-revoked");
  credential.credentialStatus.statusListIndex = "9";
  const standing = await checks.line("status", () => checks.checkStatus(credential, known, status));
  assert.equal(standing.word, "status-good");
});
