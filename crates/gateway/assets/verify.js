// Checks a credential or a receipt in the visitor's own browser.
//
// Nothing of the file leaves the page. The one request made unasked is for the log's current checkpoint; the status list
// is fetched when the visitor asks for it, and is the list of 131,072 records, so it does not tell which one is looked at.
// Everything but those two works without a network, and in a page that was saved. This file knows nothing of a page and also
// runs under node; verify-page.js shows what it finds.
"use strict";

const SKEW_MS = 5 * 60 * 1000; // clocks of visitors are wrong by so much
const FILE_BYTES_MAX = 8 << 20;
const DEPTH_MAX = 64;
const MEMBERS_MAX = 100;
const PATH_HASHES_MAX = 64;
const LIST_BITS = 131072; // leaves of one status list
const SET_RECORDS_MAX = 50; // of a set on paper
const LIST_BYTES_MAX = 1 << 20;
const RECEIPT_BEGINS = "c2sp.org/tlog-proof@v1\n";

// ---- What a check answers -------------------------------------------------------------------------------------------

// It does not hold. `word` names the sentence that says why; `values` are put into it.
class Refused extends Error {
  constructor(word, values = {}) {
    super(word);
    this.word = word;
    this.values = values;
  }
}

// It could not be checked.
class Unknown extends Refused {}

// Runs one check, which returns [word, values]. Whatever it throws, it does not hold.
async function line(step, check) {
  try {
    const [word, values = {}] = await check();
    return { step, state: "good", word, values };
  } catch (error) {
    if (!(error instanceof Refused)) return { step, state: "bad", word: "malformed", values: {} };
    const state = error instanceof Unknown ? "unknown" : "bad";
    return { step, state, word: error.word, values: error.values };
  }
}

function need(holds, word, values) {
  if (!holds) throw new Refused(word, values);
}

// ---- Bytes ----------------------------------------------------------------------------------------------------------

const utf8 = (text) => new TextEncoder().encode(text);
const textOf = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const same = (one, other) => hex(one) === hex(other);

function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concat(...parts)));
}

// Standard base64, in its one spelling.
function base64(text) {
  need(/^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0, "base64");
  const raw = atob(text);
  need(btoa(raw) === text, "base64");
  return Uint8Array.from(raw, (char) => char.charCodeAt(0));
}

function base64url(text) {
  const plain = text.replace(/-/g, "+").replace(/_/g, "/");
  return base64(plain.padEnd(Math.ceil(plain.length / 4) * 4, "="));
}

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

// Multibase base58-btc of exactly `length` bytes.
function base58(text, length) {
  need(typeof text === "string" && text.startsWith("z") && text.length <= 2 * length, "base58");
  let number = 0n;
  for (const char of text.slice(1)) {
    const digit = BASE58.indexOf(char);
    need(digit >= 0, "base58");
    number = number * 58n + BigInt(digit);
  }
  const zeros = /^1*/.exec(text.slice(1))[0].length;
  const digits = number === 0n ? "" : number.toString(16);
  const bytes = (digits.length % 2 ? `0${digits}` : digits).match(/../g) || [];
  need(zeros + bytes.length === length, "base58");
  return Uint8Array.from([...Array(zeros).fill(0), ...bytes.map((pair) => parseInt(pair, 16))]);
}

// ---- JSON -----------------------------------------------------------------------------------------------------------

// JSON.parse takes the last of two members of one name; another reader may take the first. Such a text is refused, and so
// are numbers that are not finite and surrogates without a partner, which have no canonical form.
function parseJson(text) {
  need(text.length <= FILE_BYTES_MAX, "too-large");
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refused("not-json");
  }
  refuseDuplicates(text);
  refuseUncanonical(value);
  return value;
}

// Goes through the tokens of a text that is JSON: a string before a colon is the name of a member.
function refuseDuplicates(text) {
  const open = [];
  const tokens = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}[\]]/g;
  for (const [token, string, colon] of text.matchAll(tokens)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(null);
    else if (token === "}" || token === "]") open.pop();
    else if (colon !== undefined) {
      const names = open[open.length - 1];
      const name = JSON.parse(string);
      need(!names.has(name), "duplicate", { name });
      names.add(name);
    }
    need(open.length <= DEPTH_MAX, "too-deep");
  }
}

function refuseUncanonical(value) {
  if (typeof value === "number") need(Number.isFinite(value), "number");
  else if (typeof value === "string") need(!/\p{Surrogate}/u.test(value), "surrogate");
  else if (value !== null && typeof value === "object") {
    Object.keys(value).forEach(refuseUncanonical);
    Object.values(value).forEach(refuseUncanonical);
  }
}

// RFC 8785 (JCS): members sorted by UTF-16 code units; numbers and strings as JSON.stringify writes them.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

// ---- Ed25519 --------------------------------------------------------------------------------------------------------

async function verifyEd25519(key, signature, message) {
  if (signature.length !== 64) return false;
  const imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, message);
}

// Whether this browser can check such signatures: it is given one that holds (RFC 8032, the first test) and one that does
// not.
async function canVerify() {
  const bytes = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
  const key = bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  const signature = bytes(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  );
  try {
    return (await verifyEd25519(key, signature, utf8(""))) && !(await verifyEd25519(key, signature, utf8("x")));
  } catch {
    return false;
  }
}

// The key of a did:key: multicodec 0xed01 and 32 bytes.
function keyOfDid(did) {
  need(typeof did === "string" && did.startsWith("did:key:z"), "did");
  const bytes = base58(did.slice("did:key:".length), 34);
  need(bytes[0] === 0xed && bytes[1] === 0x01, "did");
  return bytes.slice(2);
}

// ---- Time -----------------------------------------------------------------------------------------------------------

function moment(text) {
  need(typeof text === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text), "time");
  const ms = Date.parse(text);
  need(Number.isFinite(ms), "time");
  return ms;
}

// A moment at the time of China.
const chinaTime = (ms) => new Date(ms + 8 * 3600 * 1000).toISOString().slice(0, 16).replace("T", " ");

// ---- The proof of a credential (W3C Data Integrity, eddsa-jcs-2022) --------------------------------------------------

async function verifyProof(document, did, nowMs) {
  const { proof: proofs, ...unsigned } = document;
  const list = (Array.isArray(proofs) ? proofs : [proofs]).filter((it) => it?.cryptosuite === "eddsa-jcs-2022");
  need(list.length === 1, "proof-missing");
  const { proofValue, ...options } = list[0];
  need(options.type === "DataIntegrityProof", "proof-type");
  need(options.proofPurpose === "assertionMethod", "proof-purpose");
  need(options.verificationMethod === `${did}#${did.slice("did:key:".length)}`, "proof-method");
  need(moment(options.created) <= nowMs + SKEW_MS, "proof-future");
  need(options.expires === undefined || moment(options.expires) > nowMs, "proof-expired");
  need(canonical(options["@context"]) === canonical(unsigned["@context"]), "proof-context");
  const signed = concat(await sha256(utf8(canonical(options))), await sha256(utf8(canonical(unsigned))));
  need(await verifyEd25519(keyOfDid(did), base58(proofValue, 64), signed), "signature-wrong");
  return ["signature-good", { time: chinaTime(moment(options.created)) }];
}

function issuerOf(document) {
  const did = typeof document.issuer === "string" ? document.issuer : document.issuer?.id;
  need(typeof did === "string", "issuer-missing");
  return did;
}

function checkIssuer(document, bank) {
  const did = issuerOf(document);
  if (did !== bank.did && !bank.dids?.includes(did)) throw new Unknown("issuer-unknown", { did });
  return [bank.given ? "issuer-given" : "issuer-known", { name: bank.name }];
}

function checkPeriod(document, nowMs) {
  const from = moment(document.validFrom);
  need(from <= nowMs + SKEW_MS, "period-before", { time: chinaTime(from) });
  if (document.validUntil === undefined) return ["period-open", { time: chinaTime(from) }];
  const until = moment(document.validUntil);
  need(until > nowMs, "period-over", { time: chinaTime(until) });
  return ["period-until", { time: chinaTime(until) }];
}

// ---- The log: C2SP signed notes, checkpoints and tlog-proofs; RFC 6962 ------------------------------------------------

// `name+hash+base64(0x01 ‖ key)`; the hash is the key id that signature lines carry.
async function parseVkey(vkey) {
  const [, name, id, key] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(vkey) || [];
  need(name !== undefined, "vkey");
  const bytes = base64(key);
  need(bytes.length === 33 && bytes[0] === 1, "vkey");
  need(hex((await sha256(utf8(`${name}\n`), bytes)).slice(0, 4)) === id, "vkey");
  return { name, id, key: bytes.slice(1) };
}

function decimalNumber(text) {
  need(/^(0|[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text)), "checkpoint-form");
  return Number(text);
}

// The three lines of a checkpoint, of which nothing is verified yet.
function readCheckpoint(note) {
  const blank = note.lastIndexOf("\n\n");
  need(blank > 0 && note.endsWith("\n") && !/[\0-\x09\x0b-\x1f]/.test(note), "checkpoint-form");
  const text = note.slice(0, blank + 1);
  const [origin, size, root, ...rest] = text.slice(0, -1).split("\n");
  need(origin && root && !rest.includes(""), "checkpoint-form");
  const hash = base64(root);
  need(hash.length === 32, "checkpoint-form");
  const lines = note.slice(blank + 2, -1).split("\n");
  return { text, origin, size: decimalNumber(size), root: hash, lines };
}

// A key of the log signed this checkpoint, and signs checkpoints of this size. A key is `vkey first-last`, newest first.
async function verifyCheckpoint(checkpoint, bank) {
  let fault;
  for (const line of bank.vkeys?.length ? bank.vkeys : [bank.vkey]) {
    const [vkey, sizes] = line.split(" ");
    try {
      await verifySignature(checkpoint, vkey);
      need(isWithin(sizes, checkpoint.size), "checkpoint-replaced", { size: checkpoint.size });
      return;
    } catch (error) {
      if (fault === undefined || fault.word === "checkpoint-unsigned") fault = error;
    }
  }
  throw fault;
}

function isWithin(sizes, size) {
  if (sizes === undefined) return true;
  const [, first, last] = /^(\d+)-(\d*)$/.exec(sizes) || [];
  return first !== undefined && Number(first) <= size && (last === "" || size <= Number(last));
}

// Every line under the key's name and id holds, and there is one.
async function verifySignature(checkpoint, vkey) {
  const { name, id, key } = await parseVkey(vkey);
  need(checkpoint.origin === name, "checkpoint-origin", { origin: checkpoint.origin });
  let found = false;
  for (const text of checkpoint.lines) {
    const [, signer, encoded] = /^— (\S+) (\S+)$/.exec(text) || [];
    need(signer !== undefined, "checkpoint-form");
    const bytes = base64(encoded);
    if (signer !== name || hex(bytes.slice(0, 4)) !== id) continue;
    need(await verifyEd25519(key, bytes.slice(4), utf8(checkpoint.text)), "checkpoint-wrong");
    found = true;
  }
  need(found, "checkpoint-unsigned");
}

// A receipt: header, the leaf, its index, hashes up to the root, an empty line, the checkpoint.
function readReceipt(text) {
  need(text.startsWith(RECEIPT_BEGINS), "receipt-form");
  const blank = text.indexOf("\n\n");
  need(blank > 0, "receipt-form");
  const [, extra, index, ...path] = text.slice(0, blank).split("\n");
  need(extra?.startsWith("extra ") && index?.startsWith("index ") && path.length <= PATH_HASHES_MAX, "receipt-form");
  const hashes = path.map(base64);
  need(hashes.every((hash) => hash.length === 32), "receipt-form");
  return {
    leaf: base64(extra.slice("extra ".length)),
    index: decimalNumber(index.slice("index ".length)),
    path: hashes,
    checkpoint: readCheckpoint(text.slice(blank + 2)),
  };
}

// RFC 9162 §2.1.3.2: the hashes lead from the leaf to the root of the checkpoint.
async function checkInclusion({ leaf, index, path, checkpoint }) {
  need(index < checkpoint.size, "inclusion-outside");
  let [node, last] = [BigInt(index), BigInt(checkpoint.size) - 1n];
  let hash = await sha256([0], leaf);
  for (const sibling of path) {
    need(last > 0n, "inclusion-wrong");
    if (node & 1n || node === last) {
      hash = await sha256([1], sibling, hash);
      while (!(node & 1n) && node > 0n) [node, last] = [node >> 1n, last >> 1n];
    } else {
      hash = await sha256([1], hash, sibling);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  need(last === 0n && same(hash, checkpoint.root), "inclusion-wrong");
  return ["inclusion-good", { index, size: checkpoint.size }];
}

// ---- Records: the few fields of record.proto and outcome.proto that are read here -------------------------------------

// A message as a map from field number to values; canonical messages have their fields in ascending order.
function readMessage(bytes) {
  const message = new Map();
  let [at, before] = [0, 0];
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; shift < 64n; shift += 7n) {
      need(at < bytes.length, "record-form");
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(value);
    }
    throw new Refused("record-form");
  };
  while (at < bytes.length) {
    const tag = varint();
    const [number, wire] = [Math.floor(tag / 8), tag % 8];
    need((wire === 0 || wire === 2) && number >= before && number > 0, "record-form");
    before = number;
    let value = varint();
    if (wire === 2) {
      need(at + value <= bytes.length, "record-form");
      value = bytes.subarray(at, (at += value));
    }
    message.set(number, [...(message.get(number) || []), value]);
  }
  return message;
}

// The one value of a field, or what its absence means.
function field(message, number, absent) {
  const values = message.get(number) || [absent];
  need(values.length === 1, "record-form");
  need(values[0] === undefined || absent === undefined || typeof values[0] === typeof absent, "record-form");
  return values[0];
}

const NOTHING = new Uint8Array();
const messageIn = (message, number) => readMessage(field(message, number, NOTHING));
const textIn = (message, number) => textOf(field(message, number, NOTHING));

function readLeaf(bytes) {
  const leaf = readMessage(bytes);
  const [envelope, attestation] = [messageIn(leaf, 2), messageIn(leaf, 3)];
  need(field(leaf, 1, 0) === 1 && field(envelope, 1, 0) === 1, "record-form");
  return {
    issuer: textIn(envelope, 2),
    kind: field(envelope, 4, 0),
    commitment: field(envelope, 5, NOTHING),
    keyId: field(attestation, 1, NOTHING),
    depositedAt: field(leaf, 4, 0),
  };
}

// The outcome of a payload: its own, or that of an amendment or of a transfer from another bank.
function readPayload(bytes) {
  const payload = readMessage(bytes);
  need(field(payload, 1, 0) === 1, "record-form");
  let outcome;
  if (payload.has(3)) outcome = messageIn(payload, 3);
  else if (payload.has(5)) throw new Refused("record-form");
  else if (payload.has(4)) outcome = messageIn(messageIn(payload, 4), 1);
  else if (payload.has(22)) outcome = messageIn(messageIn(payload, 22), 8);
  need(outcome !== undefined, "record-form");
  return {
    learner: textIn(payload, 2),
    from: payload.has(22) ? textIn(messageIn(payload, 22), 3) : null,
    name: textIn(messageIn(outcome, 1), 2),
    credits: hundredths(field(outcome, 3)),
    hours: hundredths(field(outcome, 4)),
    grade: outcome.has(5) ? gradeText(messageIn(outcome, 5)) : undefined,
    completed: `${textIn(outcome, 6)}T${textIn(outcome, 20) || "00:00:00"}+08:00`,
  };
}

// 250 is "2.5".
function hundredths(amount) {
  if (amount === undefined) return undefined;
  need(Number.isSafeInteger(amount), "record-form");
  const part = String(amount % 100).padStart(2, "0").replace(/0+$/, "");
  return part ? `${Math.floor(amount / 100)}.${part}` : String(amount / 100);
}

// As a credential writes it.
function gradeText(grade) {
  if (grade.has(2)) return [, "优秀", "良好", "中等", "及格", "不及格"][field(grade, 2)];
  if (grade.has(3)) return [, "合格", "不合格"][field(grade, 3)];
  if (!grade.has(4)) return hundredths(field(grade, 1, 0));
  const points = messageIn(grade, 4);
  return `${hundredths(field(points, 2, 0))} (${textIn(points, 1)})`;
}

// ---- What a credential proves beyond its signature ------------------------------------------------------------------

const DATA = { "creditbank-receipt": "data:text/plain;base64,", "creditbank-opening": "data:application/octet-stream;base64," };

function evidenceOf(document, genre) {
  const list = Array.isArray(document.evidence) ? document.evidence : [];
  const found = list.filter((it) => it?.genre === genre);
  if (found.length === 0) throw new Unknown("evidence-missing");
  need(found.length === 1 && typeof found[0].id === "string" && found[0].id.startsWith(DATA[genre]), "evidence-form");
  return base64(found[0].id.slice(DATA[genre].length));
}

// SHA-256("creditbank/payload/v1\n" ‖ salt ‖ payload) stands in the leaf.
async function checkCommitment(opening, leaf) {
  need(opening.length > 32, "evidence-form");
  need(same(await sha256(utf8("creditbank/payload/v1\n"), opening), leaf.commitment), "commitment-wrong");
  return ["commitment-good"];
}

const urnPart = (part) =>
  encodeURIComponent(part)
    .replace(/%2F/g, "/")
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

// The credential says of the record what its institution signed.
function checkContent(document, receipt, leaf, payload) {
  const { credentialSubject: subject, credentialStatus: status } = document;
  const origin = `urn:creditbank:${urnPart(receipt.checkpoint.origin)}`;
  const list = `/v1/status/revocation/${Math.floor(receipt.index / LIST_BITS)}`;
  const credits = subject.creditsEarned === undefined ? undefined : String(subject.creditsEarned);
  const said = [
    ["record", document.id, `${origin}:credential:${receipt.index}`],
    ["name", document.name, payload.name],
    ["name", subject.achievement.name, payload.name],
    ["institution", subject.achievement.creator.id, `${origin}:institution:${urnPart(payload.from ?? leaf.issuer)}`],
    ["credits", credits, payload.credits],
    ["hours", resultOf(subject, "hours"), payload.hours],
    ["grade", resultOf(subject, "grade"), payload.grade],
    ["date", subject.activityEndDate, payload.completed],
    ["date", document.awardedDate, payload.completed],
    ["status", status.statusListIndex, String(receipt.index % LIST_BITS)],
    ["status", new URL(status.statusListCredential).pathname, list],
  ];
  const other = said.find(([, one, another]) => one !== another);
  need(other === undefined, `content-${other?.[0]}`);
  return ["content-good"];
}

function resultOf(subject, part) {
  const results = Array.isArray(subject.result) ? subject.result : [];
  return results.find((it) => it.resultDescription.endsWith(`:${part}`))?.value;
}

// The salted hash of the learner code. After two archives of one person were merged, an old record has the old code.
async function checkLearner(document, payload) {
  const identity = document.credentialSubject.identifier[0];
  const hash = `sha256$${hex(await sha256(utf8(payload.learner + identity.salt)))}`;
  if (hash !== identity.identityHash) throw new Unknown("learner-other");
  return ["learner-good", { digits: payload.learner.slice(-4) }];
}

async function checkCheckpoint(receipt, bank) {
  if (!bank.vkey) throw new Unknown("log-unknown");
  await verifyCheckpoint(receipt.checkpoint, bank);
  return ["checkpoint-good", { origin: receipt.checkpoint.origin, size: receipt.checkpoint.size }];
}

// The log as it is now has not become shorter, and is no other log of the same size.
async function checkCurrent(receipt, bank, env) {
  if (bank.given || !bank.vkey) throw new Unknown("current-foreign");
  let note;
  try {
    note = await env.current();
  } catch {
    throw new Unknown("current-unreachable");
  }
  let current;
  try {
    current = readCheckpoint(note);
    await verifyCheckpoint(current, bank);
  } catch {
    throw new Refused("current-wrong");
  }
  const then = receipt.checkpoint;
  need(current.size >= then.size, "current-shorter", { size: current.size });
  need(current.size > then.size || same(current.root, then.root), "current-other");
  return ["current-good", { size: current.size }];
}

// Who signed the record in the first place. The key itself is public in the log, not in the file: this is for information.
function institutionLine(leaf) {
  const values = { id: leaf.issuer, key: hex(leaf.keyId).slice(0, 16), time: chinaTime(leaf.depositedAt) };
  return { step: "institution", state: "info", word: "institution", values };
}

// A part of the file that later checks need; what is thrown where it is missing or malformed is thrown by each of them.
function part(read) {
  try {
    const value = read();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

async function evidenceLines(document, bank, env) {
  const receipt = part(() => readReceipt(textOf(evidenceOf(document, "creditbank-receipt"))));
  const leaf = part(() => readLeaf(receipt().leaf));
  const opening = part(() => evidenceOf(document, "creditbank-opening"));
  const payload = part(() => readPayload(opening().slice(32)));
  const lines = await Promise.all([
    line("checkpoint", () => checkCheckpoint(receipt(), bank)),
    line("inclusion", () => checkInclusion(receipt())),
    line("commitment", () => checkCommitment(opening(), leaf())),
    line("content", () => checkContent(document, receipt(), leaf(), payload())),
    line("learner", () => checkLearner(document, payload())),
    line("current", () => checkCurrent(receipt(), bank, env)),
  ]);
  const institution = await line("institution", () => [leaf().issuer]);
  return institution.state === "good" ? [...lines, institutionLine(leaf())] : lines;
}

// Place and commitment of the record that a credential is about; nothing where it brings no evidence.
function recordOf(document) {
  try {
    const receipt = readReceipt(textOf(evidenceOf(document, "creditbank-receipt")));
    return { index: receipt.index, commitment: readLeaf(receipt.leaf).commitment };
  } catch {
    return null;
  }
}

// ---- A set of records on paper ----------------------------------------------------------------------------------------

// What the code on a transcript says of its set: a digest and, behind a dot, the leaves, each less the one before.
function readSeal(text) {
  need(/^[\w-]{43}\.[\w-]+$/.test(text), "set-form");
  const [digest, packed] = text.split(".").map(base64url);
  const leaves = [];
  let [leaf, factor] = [0, 1];
  for (const byte of packed) {
    leaf += (byte & 0x7f) * factor;
    factor *= 128;
    need(leaf <= Number.MAX_SAFE_INTEGER && leaves.length < SET_RECORDS_MAX, "set-form");
    if (byte & 0x80) continue;
    need(leaves.length === 0 || leaf > leaves[leaves.length - 1], "set-form");
    leaves.push(leaf);
    factor = 1;
  }
  need(leaves.length > 0 && !(packed[packed.length - 1] & 0x80), "set-form");
  return { digest, leaves };
}

// `found` has the commitments of records that were verified here, by leaf: all of the set are among them, and unchanged.
async function checkSet({ digest, leaves }, found) {
  const missing = leaves.filter((it) => !found.has(it));
  if (missing.length > 0) throw new Unknown("set-missing", { count: missing.length, index: missing[0] });
  const parts = leaves.flatMap((it) => [bigEndian(it), found.get(it)]);
  need(same(await sha256(utf8("creditbank/set/v1\n"), ...parts), digest), "set-other");
  return ["set-good", { count: leaves.length }];
}

function bigEndian(number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number));
  return bytes;
}

// ---- A file ---------------------------------------------------------------------------------------------------------

// Reports on a text: { kind, facts, lines, members, document }. `bank` is { name, did, vkey, given }, with
// `dids` and `vkeys` where keys were replaced; `env` has now() in
// milliseconds and current(), which fetches the log's checkpoint once.
async function examine(text, bank, env) {
  if (text.startsWith("c2sp.org/tlog-proof@")) return examineReceipt(text, bank, env);
  let document;
  const file = await line("file", () => {
    document = parseJson(text);
    need(document !== null && typeof document === "object" && kindOf(document) !== null, "file-other");
    return ["file-good"];
  });
  return file.state === "good" ? examineCredential(document, bank, env) : reportOf("file", [file]);
}

const reportOf = (kind, lines, more = {}) => ({ kind, facts: null, members: [], document: null, lines, ...more });

function kindOf(document) {
  const types = Array.isArray(document.type) ? document.type : [];
  if (!types.includes("VerifiableCredential")) return null;
  if (types.includes("OpenBadgeCredential")) return "badge";
  return types.includes("ClrCredential") ? "clr" : null;
}

// Where the issuer is not known, or the signature is wrong, nothing else is told.
async function examineCredential(document, bank, env) {
  const kind = kindOf(document);
  const issuer = await line("issuer", () => checkIssuer(document, bank));
  if (issuer.state !== "good") return reportOf(kind, [issuer]);
  const signature = await line("signature", () => verifyProof(document, issuerOf(document), env.now()));
  if (signature.state !== "good") return reportOf(kind, [signature]);
  const lines = [issuer, signature, await line("period", () => checkPeriod(document, env.now()))];
  if (kind === "badge") {
    lines.push(...(await evidenceLines(document, bank, env)));
    return reportOf(kind, lines, { facts: factsOf(document), document, record: recordOf(document) });
  }
  const inside = document.credentialSubject?.verifiableCredential;
  const members = [];
  lines.push(
    await line("members", async () => {
      need(Array.isArray(inside) && inside.length > 0 && inside.length <= MEMBERS_MAX, "members-form");
      need(inside.every((it) => it !== null && typeof it === "object" && kindOf(it) === "badge"), "members-form");
      for (const it of inside) members.push(await examineCredential(it, bank, env));
      const bad = members.filter((it) => verdict(it) === "bad").length;
      need(bad === 0, "members-bad", { bad, count: inside.length });
      return ["members-good", { count: inside.length }];
    }),
  );
  return reportOf(kind, lines, { facts: factsOf(document), members, document });
}

// A receipt proves that the record is in the log; what the record says stays with whoever has its opening.
async function examineReceipt(text, bank, env) {
  let receipt, leaf;
  const file = await line("file", () => {
    need(text.length <= FILE_BYTES_MAX, "too-large");
    receipt = readReceipt(text);
    leaf = readLeaf(receipt.leaf);
    return ["file-good"];
  });
  if (file.state !== "good") return reportOf("receipt", [file]);
  const checkpoint = await line("checkpoint", () => {
    const known = bank.vkey && bank.vkey.startsWith(`${receipt.checkpoint.origin}+`);
    if (!known) throw new Unknown("log-other", { origin: receipt.checkpoint.origin });
    return checkCheckpoint(receipt, bank);
  });
  if (checkpoint.state !== "good") return reportOf("receipt", [checkpoint]);
  const lines = [
    checkpoint,
    await line("inclusion", () => checkInclusion(receipt)),
    await line("current", () => checkCurrent(receipt, bank, env)),
    institutionLine(leaf),
  ];
  return reportOf("receipt", lines);
}

// What is shown of a credential whose signature holds.
function factsOf(document) {
  const subject = document.credentialSubject ?? {};
  const shown = (value) => (typeof value === "string" || typeof value === "number" ? String(value) : undefined);
  const facts = {
    name: shown(document.name),
    kind: shown(subject.achievement?.description),
    institution: shown(subject.achievement?.creator?.name),
    date: shown(document.awardedDate)?.slice(0, 10),
    credits: shown(subject.creditsEarned),
  };
  const results = Array.isArray(subject.result) ? subject.result : [];
  for (const result of results) {
    const name = /:(hours|grade|level)$/.exec(result?.resultDescription)?.[1];
    if (name) facts[name] = shown(result.value);
  }
  return facts;
}

function verdict(report) {
  const states = report.lines.map((it) => it.state).concat(report.members.map(verdict));
  return ["bad", "unknown"].find((it) => states.includes(it)) ?? "good";
}

// ---- Status (W3C Bitstring Status List) -----------------------------------------------------------------------------

// Where the list of a credential is, on this bank's site.
function statusPath(document) {
  const { pathname } = new URL(document.credentialStatus.statusListCredential);
  need(/^\/v1\/status\/revocation\/(0|[1-9]\d*)$/.test(pathname), "status-form");
  return pathname;
}

async function checkStatus(document, bank, env) {
  const path = statusPath(document);
  let text;
  try {
    text = await env.list(path);
  } catch {
    throw new Unknown("status-unreachable");
  }
  const list = parseJson(text);
  const { type, statusPurpose, encodedList } = list.credentialSubject ?? {};
  need(issuerOf(list) === bank.did, "status-wrong");
  const [, made] = await verifyProof(list, bank.did, env.now()).catch(() => need(false, "status-wrong"));
  need(list.type.includes("BitstringStatusListCredential") && type === "BitstringStatusList", "status-wrong");
  need(statusPurpose === "revocation" && new URL(list.id).pathname === path, "status-wrong");
  need(moment(list.validFrom) <= env.now() + SKEW_MS && moment(list.validUntil) > env.now() - SKEW_MS, "status-old");
  if (typeof DecompressionStream === "undefined") throw new Unknown("status-browser");
  const bits = await expand(encodedList);
  const index = decimalNumber(document.credentialStatus.statusListIndex);
  need(index < bits.length * 8, "status-form");
  need(!(bits[Math.floor(index / 8)] & (0x80 >> index % 8)), "status-revoked");
  return ["status-good", made];
}

// Multibase base64url of the gzipped bits; bit 0 is the highest of the first byte.
async function expand(encoded) {
  need(/^u[\w-]*$/.test(encoded), "status-form");
  const packed = base64url(encoded.slice(1));
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  let bits = NOTHING;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bits;
    bits = concat(bits, value);
    need(bits.length <= LIST_BYTES_MAX, "too-large");
  }
}

if (typeof module === "object") {
  module.exports = { examine, line, readSeal, checkSet, checkStatus, verdict, parseJson, canonical, canVerify, base58, base64 };
}
