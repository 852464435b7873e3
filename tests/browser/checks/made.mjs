// A made-up bank: signs credentials, keeps a log of a few leaves, and writes receipts, all with node's own cryptography and
// none of the code under test.

import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { gzipSync } from "node:zlib";

export const ORIGIN = "bank.example/log";
export const NOW = Date.parse("2026-11-20T04:00:00Z");
const BASE = "https://bank.example";
const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

const sha = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

export function base58(bytes) {
  let number = BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
  let text = "";
  for (; number > 0n; number /= 58n) text = ALPHABET[Number(number % 58n)] + text;
  // A byte 0 in front is a digit of its own: one signature in 256 begins so.
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return `z${ALPHABET[0].repeat(zeros < 0 ? bytes.length : zeros)}${text}`;
}

export function pair() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = Buffer.from(publicKey.export({ format: "jwk" }).x, "base64url");
  const did = `did:key:${base58(Buffer.concat([Buffer.from([0xed, 1]), raw]))}`;
  return { raw, did, sign: (bytes) => sign(null, bytes, privateKey) };
}

export function vkeyOf(name, key) {
  const typed = Buffer.concat([Buffer.from([1]), key.raw]);
  return `${name}+${sha(`${name}\n`, typed).subarray(0, 4).toString("hex")}+${typed.toString("base64")}`;
}

// JCS by another route than the code under test: a copy with sorted members, then JSON.stringify.
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, sorted(value[name])]));
}

export function signed(document, key, change = {}) {
  const method = `${key.did}#${key.did.slice("did:key:".length)}`;
  const options = {
    "@context": document["@context"],
    type: "DataIntegrityProof",
    cryptosuite: "eddsa-jcs-2022",
    created: "2026-11-20T02:03:04Z",
    verificationMethod: method,
    proofPurpose: "assertionMethod",
    ...change,
  };
  const hash = (value) => sha(JSON.stringify(sorted(value)));
  const proofValue = base58(key.sign(Buffer.concat([hash(options), hash(document)])));
  const other = { ...options, cryptosuite: "eddsa-rdfc-2022", proofValue: "z1" };
  return { ...document, proof: [other, { ...options, proofValue }] };
}

// ---- protobuf -------------------------------------------------------------------------------------------------------

function varint(number) {
  const bytes = [];
  for (let rest = BigInt(number); ; rest >>= 7n) {
    const low = Number(rest & 0x7fn);
    if (rest < 0x80n) return Buffer.from([...bytes, low]);
    bytes.push(low | 0x80);
  }
}

// Fields as [number, value]: numbers as varints, everything else behind its length.
export function message(...fields) {
  const encode = ([number, value]) => {
    if (typeof value === "number") return Buffer.concat([varint(number * 8), varint(value)]);
    const bytes = Buffer.from(value);
    return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
  };
  return Buffer.concat(fields.map(encode));
}

// ---- the log --------------------------------------------------------------------------------------------------------

const leafHash = (leaf) => sha(Buffer.from([0]), leaf);
const nodeHash = (left, right) => sha(Buffer.from([1]), left, right);

// RFC 6962 as it is written there: by recursion.
function split(count) {
  let width = 1;
  while (width * 2 < count) width *= 2;
  return width;
}

function root(leaves) {
  if (leaves.length === 1) return leafHash(leaves[0]);
  const at = split(leaves.length);
  return nodeHash(root(leaves.slice(0, at)), root(leaves.slice(at)));
}

function path(index, leaves) {
  if (leaves.length === 1) return [];
  const at = split(leaves.length);
  if (index < at) return [...path(index, leaves.slice(0, at)), root(leaves.slice(at))];
  return [...path(index - at, leaves.slice(at)), root(leaves.slice(0, at))];
}

export function checkpoint(leaves, key, { origin = ORIGIN, name = ORIGIN, size = leaves.length } = {}) {
  const text = `${origin}\n${size}\n${root(leaves).toString("base64")}\n`;
  const id = Buffer.from(vkeyOf(name, key).split("+")[1], "hex");
  const line = (signer, bytes) => `— ${signer} ${bytes.toString("base64")}\n`;
  const stranger = line("witness.example", Buffer.from("0123456789abcdef"));
  return `${text}\n${stranger}${line(name, Buffer.concat([id, key.sign(Buffer.from(text))]))}`;
}

export function receipt(index, leaves, key, note = checkpoint(leaves, key)) {
  const hashes = path(index, leaves).map((hash) => `${hash.toString("base64")}\n`);
  return `c2sp.org/tlog-proof@v1\nextra ${leaves[index].toString("base64")}\nindex ${index}\n${hashes.join("")}\n${note}`;
}

// ---- a record and its credential ------------------------------------------------------------------------------------

const LEARNER = "1234567890123456";
const SALT = Buffer.alloc(32, 5);

export function payload({ content = 3, learner = LEARNER, name = "国画", credits = 250 } = {}) {
  const grade = message([2, 2]);
  const outcome = message([1, message([1, "C-1"], [2, name])], [3, credits], [4, 4825], [5, grade], [6, "2026-06-30"]);
  const inner = content === 4 ? message([1, outcome], [2, "更正"]) : outcome;
  return message([1, 1], [2, learner], [content, inner]);
}

function leafOf(opened, issuer = "fudan-continuing") {
  const commitment = sha("creditbank/payload/v1\n", SALT, opened);
  const envelope = message([1, 1], [2, issuer], [3, Buffer.alloc(16, 7)], [4, 1], [5, commitment]);
  const attestation = message([1, Buffer.alloc(32, 9)], [2, 1], [3, 1], [6, Buffer.alloc(64)]);
  return message([1, 1], [2, envelope], [3, attestation], [4, Date.parse("2026-07-01T08:09:10Z")]);
}

// A whole world: keys, a log of seven leaves of which the fourth is the record, and the unsigned credential of it.
export function world(opened = payload()) {
  const [bank, log] = [pair(), pair()];
  const leaves = Array.from({ length: 7 }, (_, i) => (i === 3 ? leafOf(opened) : leafOf(Buffer.from(`leaf ${i}`))));
  const text = receipt(3, leaves, log);
  const known = { name: "示例学分银行", did: bank.did, vkey: vkeyOf(ORIGIN, log), base: BASE, given: false };
  return { bank, log, leaves, receipt: text, known, opened, document: badge(bank.did, text, opened) };
}

const data = (kind, bytes) => `data:${kind};base64,${Buffer.from(bytes).toString("base64")}`;

export function evidence(text, opened) {
  return [
    { id: data("text/plain", text), type: ["Evidence"], genre: "creditbank-receipt" },
    { id: data("application/octet-stream", Buffer.concat([SALT, opened])), type: ["Evidence"], genre: "creditbank-opening" },
  ];
}

function badge(did, text, opened) {
  const urn = `urn:creditbank:${ORIGIN}`;
  const salt = "6b580d371dfa2b114593385f594a9105";
  const identityHash = `sha256$${sha(LEARNER, salt).toString("hex")}`;
  return {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
    id: `${urn}:credential:3`,
    type: ["VerifiableCredential", "OpenBadgeCredential"],
    name: "国画",
    issuer: { id: did, type: ["Profile"], name: "示例学分银行" },
    validFrom: "2026-07-01T08:09:10Z",
    awardedDate: "2026-06-30T00:00:00+08:00",
    credentialSubject: {
      type: ["AchievementSubject"],
      identifier: [{ type: "IdentityObject", hashed: true, identityHash, identityType: "accountId", salt }],
      activityEndDate: "2026-06-30T00:00:00+08:00",
      creditsEarned: 2.5,
      achievement: {
        id: `${urn}:achievement:fudan-continuing:3`,
        name: "国画",
        creator: { id: `${urn}:institution:fudan-continuing`, type: ["Profile"], name: "复旦大学继续教育学院" },
      },
      result: [
        { type: ["Result"], resultDescription: `${urn}:result:3:grade`, value: "良好" },
        { type: ["Result"], resultDescription: `${urn}:result:3:hours`, value: "48.25" },
      ],
    },
    credentialStatus: {
      id: `${BASE}/v1/status/revocation/0#3`,
      type: "BitstringStatusListEntry",
      statusPurpose: "revocation",
      statusListIndex: "3",
      statusListCredential: `${BASE}/v1/status/revocation/0`,
    },
    evidence: evidence(text, opened),
  };
}

export function clr(did, members) {
  return {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"],
    id: `urn:creditbank:${ORIGIN}:clr:1`,
    type: ["VerifiableCredential", "ClrCredential"],
    name: "学习成果记录",
    issuer: { id: did, type: ["Profile"], name: "示例学分银行" },
    validFrom: "2026-07-01T08:09:10Z",
    awardedDate: "2026-07-01T08:09:10Z",
    credentialSubject: { type: ["ClrSubject"], verifiableCredential: members },
  };
}

export function statusList(did, set, change = {}) {
  const bits = Buffer.alloc(16384);
  for (const bit of set) bits[bit >> 3] |= 0x80 >> (bit & 7);
  const id = `${BASE}/v1/status/revocation/0`;
  return {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    id,
    type: ["VerifiableCredential", "BitstringStatusListCredential"],
    issuer: did,
    validFrom: "2026-11-20T03:58:00Z",
    validUntil: "2026-11-20T04:08:00Z",
    credentialSubject: {
      id: `${id}#list`,
      type: "BitstringStatusList",
      statusPurpose: "revocation",
      encodedList: `u${gzipSync(bits).toString("base64url")}`,
    },
    ...change,
  };
}
