// Clears what a learner showed, and scans with the camera where the browser can. The desk works without this script.
"use strict";
(() => {
  const CLEAR_AFTER_MS = 300000;
  const presented = document.getElementById("presented");
  if (presented) {
    let idle, leaving = false;
    const clear = () => { presented.replaceChildren(); location.replace(presented.dataset.next); };
    const stay = () => { clearTimeout(idle); idle = setTimeout(clear, CLEAR_AFTER_MS); };
    for (const sign of ["pointermove", "pointerdown", "keydown", "scroll"]) addEventListener(sign, stay, { passive: true });
    addEventListener("pagehide", () => { leaving = true; presented.replaceChildren(); });
    document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden" && !leaving) clear(); });
    stay();
  }

  const camera = document.getElementById("camera"), view = document.getElementById("view"), code = document.getElementById("code");
  if (!camera || !("BarcodeDetector" in window) || !navigator.mediaDevices) return;
  const button = camera.querySelector("button"), start = button.textContent, stop = button.dataset.stop;
  let stream = null;
  function end() {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    view.hidden = true;
    button.textContent = start;
  }
  async function look(detector) {
    if (!stream) return;
    const found = await detector.detect(view).catch(() => []);
    if (stream && found.length > 0) {
      code.value = found[0].rawValue;
      end();
      if (code.value.startsWith("CB1.")) code.form.requestSubmit();
      return;
    }
    setTimeout(look, 200, detector);
  }
  camera.hidden = false;
  button.addEventListener("click", async () => {
    if (stream) return end();
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch { return; }
    view.srcObject = stream;
    view.hidden = false;
    button.textContent = stop;
    await view.play();
    look(new BarcodeDetector({ formats: ["qr_code"] }));
  });
  addEventListener("pagehide", end);
})();
