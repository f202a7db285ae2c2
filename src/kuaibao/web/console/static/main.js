// Which page is open, in which language, with which key.

import { applications, apply, isReviewer, keys } from "/console/access.js";
import { key } from "/console/api.js";
import { audit, review, rules, usage } from "/console/books.js";
import { el, notice } from "/console/dom.js";
import { playground } from "/console/playground.js";
import { templates } from "/console/templates.js";
import { isChinese, switchLanguage, t } from "/console/words.js";

const PAGES = { play: playground, templates, apply, applications, keys, usage, review, audit, rules };
const OPEN_TO_ALL = new Set(["apply", "rules"]);
const FOR_REVIEWERS = new Set(["review", "audit"]);
const main = document.getElementById("main");
const dialog = document.getElementById("key-dialog");
let mayReview = false;
let turn = 0;

const page = () => {
  const name = location.hash.slice(1).split("/")[0];
  return name in PAGES ? name : key.get() ? "play" : "apply";
};

function frame() {
  document.documentElement.lang = isChinese() ? "zh-CN" : "en";
  document.title = t("title");
  const language = document.getElementById("language");
  language.textContent = isChinese() ? "English" : "中文";
  language.lang = isChinese() ? "en" : "zh";
  document.getElementById("key-button").textContent = t(key.get() ? "key.change" : "key.set");
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = t(element.dataset.word);
  const names = Object.keys(PAGES).filter((name) => mayReview || !FOR_REVIEWERS.has(name));
  document.getElementById("tabs").replaceChildren(...names.map((name) =>
    el("a", { href: `#${name}`, "aria-current": name === page() && "page" }, t(`tab.${name}`))));
}

async function show() {
  frame();
  const mine = ++turn; // a page that was slow to load must not replace a newer one
  if (!key.get() && !OPEN_TO_ALL.has(page())) {
    main.replaceChildren(el("h1", {}, t(`tab.${page()}`)), el("p", {}, t("key.first")));
    return;
  }
  const sheet = el("div", {});
  try {
    await PAGES[page()](sheet);
  } catch (error) {
    sheet.replaceChildren(el("h1", {}, t(`tab.${page()}`)), el("p", { role: "alert" }, error.message));
  }
  if (mine === turn) main.replaceChildren(sheet);
}

async function useKey(value) {
  key.set(value.trim());
  const before = turn;
  mayReview = key.get() !== "" && (await isReviewer());
  if (turn === before) await show();
  else frame(); // a page was opened meanwhile, with this key: it stays, and what is typed into it
}

document.getElementById("language").addEventListener("click", () => { switchLanguage(); show(); });
document.getElementById("key-button").addEventListener("click", () => dialog.showModal());
document.getElementById("apply-link").addEventListener("click", () => dialog.close("cancel"));
dialog.addEventListener("close", () => {
  const box = document.getElementById("key");
  if (dialog.returnValue === "use") useKey(box.value);
  box.value = "";
});
window.addEventListener("hashchange", () => show());
window.addEventListener("unhandledrejection", (event) => { notice(event.reason?.message || String(event.reason)); event.preventDefault(); });
useKey(key.get());
