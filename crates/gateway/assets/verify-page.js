// The verification page: takes a file, a text or a picture of a code, and shows what verify.js finds, step by step.
//
// What a file says is only ever put into text nodes. Words come with the page, in its language.
"use strict";

const SIGNS = { good: "✓", bad: "✕", unknown: "?", info: "i" };
const FACTS = ["kind", "institution", "date", "credits", "hours", "grade", "level"];
const STRANGERS = ["issuer-unknown", "log-other"];

const at = (id) => document.getElementById(id);
const app = at("verify");
const words = JSON.parse(app.dataset.words);
const known = { ...JSON.parse(app.dataset.bank), given: false };
let last = null; // the text that was examined last, for another try with a key given by hand
let seal = null; // of the set on paper whose code led here
let found = new Map(); // what was verified here of it: commitments by leaf
let turn = 0; // a slow check does not overwrite the result of a later one

// ---- What is asked of the network -----------------------------------------------------------------------------------

async function fetchText(path) {
  const response = await fetch(app.dataset.base + path, { cache: "no-store", credentials: "omit" });
  if (!response.ok) throw new Error("no answer");
  return response.text();
}

// Each address is asked once for one report.
function environment() {
  const asked = new Map();
  const once = (path) => {
    if (!asked.has(path)) asked.set(path, fetchText(path));
    return asked.get(path);
  };
  return { now: () => Date.now(), current: () => once("/checkpoint"), list: once };
}

// ---- Showing --------------------------------------------------------------------------------------------------------

function say(word, values = {}) {
  const put = (text, [name, value]) => text.replaceAll(`{${name}}`, () => value);
  return Object.entries(values).reduce(put, words[word] ?? word);
}

function make(tag, { text, ...attributes } = {}, children = []) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function lineItem({ step, state, word, values }) {
  const head = [
    make("span", { class: "sign", text: SIGNS[state], "aria-hidden": "true" }),
    make("strong", { text: say(`step-${step}`) }),
    make("span", { class: "state", text: say(`state-${state}`) }),
  ];
  const parts = [make("p", { class: "step" }, head), make("p", { class: "why", text: say(word, values) })];
  return make("li", { class: state, "data-step": step, "data-state": state }, parts);
}

function factList(facts) {
  const pair = (name) => [make("dt", { text: say(`fact-${name}`) }), make("dd", { text: facts[name] })];
  return make("dl", { class: "facts" }, FACTS.filter((name) => facts[name]).flatMap(pair));
}

// The sentence above all steps; in a list of members also the word beside the name.
function paintVerdict(box, state, word) {
  const note = box.querySelector(".verdict");
  note.className = `verdict ${{ good: "note", unknown: "note warn", bad: "note bad" }[state]}`;
  note.textContent = say(`verdict-${word}`);
  box.querySelector(":scope > summary .state")?.replaceChildren(say(`state-${state}`));
  box.dataset.report = state;
}

function reportBox(report, tag, head) {
  const parts = [head, make("p", { class: "verdict" })];
  if (report.facts) parts.push(factList(report.facts));
  parts.push(make("ol", { class: "steps" }, report.lines.map(lineItem)));
  const box = make(tag, tag === "article" ? { class: "card" } : {}, parts);
  paintVerdict(box, verdict(report), verdictWord(report));
  return box;
}

function verdictWord(report) {
  if (report.lines.some((it) => STRANGERS.includes(it.word))) return "stranger";
  const state = verdict(report);
  return report.kind === "receipt" && state === "good" ? "receipt" : state;
}

function memberBox(report) {
  const name = make("span", { text: report.facts?.name ?? say("member") });
  return reportBox(report, "details", make("summary", {}, [name, make("span", { class: "state" })]));
}

function show(report, bank) {
  const title = report.facts?.name ?? say(`kind-${report.kind}`);
  const heading = make("h2", { id: "verify-title", tabindex: "-1", text: title });
  const article = reportBox(report, "article", heading);
  const boxes = report.members.map(memberBox);
  if (boxes.length > 0) article.append(make("h3", { text: say("member-list") }), ...boxes);
  const credentials = report.kind === "clr" ? report.members : [report];
  if (credentials.every((it) => it.document)) {
    article.append(statusPart(credentials, report.kind === "clr" ? boxes : [article], article, bank));
  }
  at("verify-result").replaceChildren(article);
  at("verify-keys").hidden = !report.lines.some((it) => STRANGERS.includes(it.word));
  heading.focus();
}

function complain(word) {
  turn += 1;
  at("verify-result").replaceChildren(make("p", { class: "note warn", role: "alert", text: say(word) }));
}

// ---- Whether it was revoked -----------------------------------------------------------------------------------------

// Asking the bank is the visitor's decision, and only this page's bank can be asked here.
function statusPart(reports, boxes, article, bank) {
  if (bank.given) return make("p", { class: "note", text: say("status-foreign") });
  const button = make("button", { type: "button", text: say("status-ask") });
  const part = make("div", { class: "status" }, [make("p", { text: say("status-why") }), button]);
  button.addEventListener("click", async () => {
    button.disabled = true;
    const env = environment();
    const asked = reports.map((it) => line("status", () => checkStatus(it.document, bank, env)));
    const found = await Promise.all(asked);
    found.forEach((it, i) => showStatus(it, boxes[i]));
    showAllStatus(found, article);
    if (found.some((it) => it.state === "unknown")) button.disabled = false;
    else part.remove();
  });
  return part;
}

function showStatus(found, box) {
  const steps = box.querySelector(".steps");
  steps.querySelector(":scope > [data-step=status]")?.remove();
  steps.append(lineItem(found));
  // What is revoked holds no longer, however well it is signed.
  if (found.state === "bad") paintVerdict(box, "bad", "bad");
  if (found.state === "good" && box.dataset.report === "good") paintVerdict(box, "good", "all");
}

function showAllStatus(found, article) {
  const states = found.map((it) => it.state);
  if (states.includes("bad")) paintVerdict(article, "bad", "bad");
  else if (!states.includes("unknown") && article.dataset.report === "good") paintVerdict(article, "good", "all");
  const verdictNote = article.querySelector(".verdict");
  verdictNote.tabIndex = -1;
  verdictNote.focus();
}

// ---- Taking -----------------------------------------------------------------------------------------------------------

async function run(text, bank = known) {
  const mine = ++turn;
  last = text;
  at("verify-result").replaceChildren(make("p", { text: say("busy") }));
  // Around a pasted text there may be blanks; the text of a receipt ends with one end of line.
  const report = await examine(`${text.trim()}\n`, bank, environment());
  if (mine !== turn) return;
  if (seal && report.document) await compare(report);
  show(report, bank);
}

// Holds what was verified, in this file and those before, against the paper.
async function compare(report) {
  for (const it of [report, ...report.members]) {
    if (it.record && verdict(it) !== "bad") found.set(it.record.index, it.record.commitment);
  }
  report.lines.push(await line("set", () => checkSet(seal, found)));
}

// A code on a transcript leads here with #set=…: the page waits for the file of these records.
function awaitSet() {
  const text = new URLSearchParams(location.hash.slice(1)).get("set");
  [seal, found] = [null, new Map()];
  if (text === null) return;
  try {
    seal = readSeal(text);
  } catch {
    return complain("set-form");
  }
  const { leaves } = seal;
  const values = { count: leaves.length, index: leaves[0], last: leaves[leaves.length - 1] };
  const parts = [make("p", {}, [make("strong", { text: say("set-wait", values) })]), make("p", { text: say("set-file") })];
  at("verify-result").replaceChildren(make("div", { class: "note", id: "verify-set" }, parts));
}

async function runFile(file) {
  if (file.size > FILE_BYTES_MAX) return complain("too-large");
  if (file.type.startsWith("image/")) return runPicture(file);
  let text;
  try {
    text = textOf(new Uint8Array(await file.arrayBuffer()));
  } catch {
    return complain("not-text");
  }
  return run(text);
}

// What a code holds is a link to this site, or a whole file; nobody is led elsewhere by it.
function runScanned(text) {
  if (text.startsWith("{") || text.startsWith("c2sp.org/")) return run(text);
  if (!text.startsWith(`${known.base}/`)) return complain(text.startsWith("CB1.") ? "scan-code" : "scan-other");
  const link = make("a", { class: "button", href: text, text: say("scan-open") });
  at("verify-result").replaceChildren(make("p", { text: say("scan-link") }), make("p", {}, [link]));
  return link.focus();
}

async function runPicture(file) {
  if (!("BarcodeDetector" in window)) return complain("scan-none");
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  const [found] = await detector.detect(await createImageBitmap(file)).catch(() => []);
  return found ? runScanned(found.rawValue) : complain("scan-nothing");
}

function endScan() {
  const video = at("verify-video");
  video.srcObject?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
  at("verify-camera").hidden = true;
}

async function scan() {
  const video = at("verify-video");
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    return complain("scan-camera");
  }
  at("verify-camera").hidden = false;
  await video.play();
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  while (video.srcObject) {
    const [found] = await detector.detect(video).catch(() => []);
    if (found && video.srcObject) {
      endScan();
      return runScanned(found.rawValue);
    }
    await new Promise(requestAnimationFrame);
  }
}

// A page of this site leads here with #from=/path: the file is fetched from this site, and only from here.
async function runLinked() {
  const path = new URLSearchParams(location.hash.slice(1)).get("from");
  if (path === null) return;
  const address = new URL(path, location.origin);
  if (address.origin !== location.origin) return complain("scan-other");
  let text;
  try {
    const response = await fetch(address, { credentials: "same-origin" });
    if (!response.ok) throw new Error("no answer");
    text = await response.text();
  } catch {
    return complain("link-unreachable");
  }
  return run(text);
}

async function follow() {
  awaitSet();
  await runLinked();
}

// ---- Beginning ------------------------------------------------------------------------------------------------------

function listen() {
  at("verify-file").addEventListener("change", ({ target }) => {
    const [file] = target.files;
    if (file) runFile(file);
    target.value = ""; // the same file may be chosen again
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file) runFile(file);
  });
  at("verify-paste").addEventListener("submit", (event) => {
    event.preventDefault();
    run(at("verify-text").value);
  });
  at("verify-keys").addEventListener("submit", (event) => {
    event.preventDefault();
    const [did, vkey] = [at("verify-did").value.trim(), at("verify-vkey").value.trim()];
    if (last !== null) run(last, { name: "", did, vkey, given: true });
  });
  if ("BarcodeDetector" in window && navigator.mediaDevices && location.protocol !== "file:") {
    at("verify-scan").hidden = false;
    at("verify-scan").addEventListener("click", scan);
    at("verify-scan-end").addEventListener("click", endScan);
  }
}

// The page says that it needs a newer browser until it is seen that this one will do.
async function begin() {
  const can = await canVerify();
  at("verify-off").hidden = can;
  at("verify-on").hidden = !can;
  if (!can) return;
  listen();
  window.addEventListener("hashchange", follow);
  await follow();
}

begin();
