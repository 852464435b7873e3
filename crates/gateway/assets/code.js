// Keeps a learner code fresh while its page is looked at, and says how long it lives. Without this script the page has a
// button for the same.
"use strict";
(() => {
  const FRESH_AFTER_MS = 45000, AGAIN_MS = 10000;
  const shown = document.getElementById("shown"), form = document.getElementById("fresh");
  if (!shown || !form) return;
  const qr = document.getElementById("qr"), left = document.getElementById("left"), text = document.getElementById("text");
  let made = performance.now(), lives = Number(shown.dataset.leftMs), asking = false, notBefore = 0;

  function put(code) {
    qr.setAttribute("viewBox", `0 0 ${code.side} ${code.side}`);
    qr.querySelector("path").setAttribute("d", code.path);
    text.textContent = code.code;
    made = performance.now();
    lives = code.left_ms;
  }

  async function ask() {
    asking = true;
    try {
      const body = new URLSearchParams(new FormData(form));
      const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" } });
      const kind = answer.headers.get("content-type") || "";
      if (answer.ok && kind.startsWith("application/json")) put(await answer.json());
      else if (answer.redirected || answer.status === 403) location.reload();
      else notBefore = performance.now() + Math.max(AGAIN_MS, 1000 * Number(answer.headers.get("retry-after")));
    } catch {
      notBefore = performance.now() + AGAIN_MS;
    }
    asking = false;
  }

  function tick() {
    const now = performance.now(), remains = made + lives - now;
    qr.classList.toggle("gone", remains <= 0);
    left.textContent = remains > 0 ? shown.dataset.left.replace("{n}", String(Math.ceil(remains / 1000)))
      : asking ? shown.dataset.waiting : shown.dataset.gone;
    const due = now - made >= Math.min(FRESH_AFTER_MS, lives) && now >= notBefore;
    if (due && !asking && document.visibilityState === "visible") ask();
  }

  async function stayAwake() {
    try {
      if (document.visibilityState === "visible") await navigator.wakeLock.request("screen");
    } catch { /* The screen may go dark: the code comes again. */ }
  }

  document.addEventListener("visibilitychange", () => { tick(); stayAwake(); });
  setInterval(tick, 1000);
  tick();
  stayAwake();
})();
