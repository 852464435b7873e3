// A learner of seventy: large print with one switch that is remembered, large targets, nothing cut off.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { close, visitor } from "../harness/browser.mjs";

const TEXT_PX_MIN = 18;
const TARGET_PX_MIN = 60;

after(close);

// What is smaller on this page than the guidelines for elders ask.
function tooSmall(page) {
  return page.evaluate(([text, target]) => {
    const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && element.offsetHeight > 1;
    const holdsText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const elements = [...document.body.querySelectorAll("*")].filter((it) => seen(it) && !it.closest(".visually-hidden, .skip, svg"));
    const small = elements.filter((it) => holdsText(it) && parseFloat(getComputedStyle(it).fontSize) < text);
    const tight = elements.filter((it) => {
      const input = it.matches("input:not([type=checkbox], [type=radio], [type=hidden]), select, textarea");
      return (input || it.matches("button, .button, summary, label.choice")) && it.getBoundingClientRect().height < target;
    });
    const told = (why) => (it) => `${why}: ${it.outerHTML.slice(0, 120)}`;
    return [...small.map(told("text")), ...tight.map(told("target"))];
  }, [TEXT_PX_MIN, TARGET_PX_MIN]);
}

const PAGES = ["/", "/sign-in", "/help", "/verify", "/archive", "/sharing", "/sharing/new", "/recognition"];

test("one switch makes everything large, and is remembered", async () => {
  const it = await visitor();
  await it.open("/");
  await it.page.click("button[name=elder]");
  await it.page.waitForSelector("html.elder");
  await it.signIn("elder");
  for (const path of PAGES.slice(1)) {
    await it.open(path);
    assert.ok(await it.page.evaluate(() => document.documentElement.classList.contains("elder")), path);
    assert.deepEqual(await tooSmall(it.page), [], path);
  }
  await it.end();
});

test("the largest print is read without moving sideways", async () => {
  const it = await visitor({ view: "elder" });
  await it.signIn("elder");
  await it.open("/archive");
  for (let presses = 0; presses < 2; presses += 1) {
    await it.page.locator("button[name=size]").last().click();
    await it.page.waitForLoadState();
  }
  assert.ok(await it.page.evaluate(() => parseFloat(getComputedStyle(document.documentElement).fontSize) >= 29.9));
  for (const path of PAGES.slice(4)) await it.open(path, `largest${path.replaceAll("/", "-")}`);
  await it.end();
});

test("pages are printed without what is for a screen alone", async () => {
  const it = await visitor({ view: "elder" });
  await it.signIn("elder");
  await it.open("/archive");
  await it.page.emulateMedia({ media: "print" });
  for (const selector of ["nav.places", "footer.site", "header.site .views"]) {
    assert.ok(!(await it.page.isVisible(selector)), selector);
  }
  await it.end();
});
