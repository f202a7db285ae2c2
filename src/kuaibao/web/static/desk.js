// Keys, order by dragging, live updates, texts that survive a crash. No framework; htmx does the rest.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const csrf = $('meta[name="csrf"]')?.content ?? "";
const said = document.body.dataset;

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = csrf;
});

// ---- small helpers of forms ------------------------------------------------------------------
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

function grow(area) {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + 2}px`;
}
document.addEventListener("input", (event) => {
  if (event.target.matches("[data-grow]")) grow(event.target);
});
$$("[data-grow]").forEach(grow);
window.addEventListener("resize", () => $$("[data-grow]").forEach(grow));

const wide = window.matchMedia("(min-width: 60rem)");
const more = $("details.more");
const fold = () => { if (more) more.open = wide.matches; };
wide.addEventListener("change", fold);
fold();

document.addEventListener("click", (event) => {
  for (const open of $$("details.drop[open], details.more[open]")) {
    if (open === more && wide.matches) continue;
    if (!open.contains(event.target)) open.open = false;
  }
  if (event.target.closest("[data-help]")) $("#help").showModal();
});

// ---- keys ------------------------------------------------------------------------------------
const rows = () => $$("[data-row]").filter((row) => row.offsetParent !== null);
let current = null;

function choose(row, focus = true) {
  $$("[data-row].chosen").forEach((one) => one.classList.remove("chosen"));
  current = row;
  if (!row) return;
  row.classList.add("chosen");
  if (focus) row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  let at = all.indexOf(current);
  if (at < 0 && lastIndex >= 0) at = Math.min(lastIndex, all.length) - (by > 0 ? 1 : 0);
  choose(all[Math.max(0, Math.min(all.length - 1, at + by))]);
}

let lastIndex = -1;
document.addEventListener("htmx:beforeSwap", (event) => {
  const row = event.detail.target?.closest?.("[data-row]");
  if (row) lastIndex = rows().indexOf(row);
});
document.addEventListener("htmx:afterSettle", () => {
  $$("[data-grow]").forEach(grow);
  // The new row takes over the mark; htmx has put its classes as the server sent them.
  if (current?.isConnected) choose(current, false);
  else if (current && lastIndex >= 0) choose(rows()[Math.min(lastIndex, rows().length - 1)]);
});

const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;
let going = false;

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s" && $("#editor")) {
    event.preventDefault();
    $("#editor").submit();
    return;
  }
  if (event.key === "Escape" && isTyping(event.target)) { event.target.blur(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || $("dialog[open]")) return;
  if (going) {
    going = false;
    const link = $(`[data-go="${CSS.escape(event.key)}"]`);
    if (link) { event.preventDefault(); location.href = link.href; }
    return;
  }
  const key = event.key;
  const does = (name) => {
    const button = current && $(`[data-does="${name}"]`, current);
    if (button) { event.preventDefault(); button.click(); }
  };
  if (key === "j") step(1);
  else if (key === "k") step(-1);
  else if (key === "Enter" && current && event.target === current && current.dataset.open) location.href = current.dataset.open;
  else if (key === "o" && current?.dataset.open) location.href = current.dataset.open;
  else if (key === "p" || key === "x" || key === "u") does(key);
  else if (key === "m") ($('[data-does="m"]', $(".sentences li.lit") ?? document))?.click();
  else if (key === "[" || key === "]") move(current, key === "[" ? -1 : 1);
  else if (key === "e" && $("#editor")) { event.preventDefault(); ($("#editor .body") ?? $("#editor textarea")).focus(); }
  else if (key === "/" && $("[data-search]")) { event.preventDefault(); $("[data-search]").focus(); }
  else if (key === "?") $("#help").showModal();
  else if (key === "L") $('[data-key="L"]')?.click();
  else if (key === "g") { going = true; setTimeout(() => { going = false; }, 1500); }
});
document.addEventListener("focusin", (event) => {
  const row = event.target.closest("[data-row]");
  if (row && row !== current) choose(row, false);
});

// ---- evidence: a sentence lights up what it stands on ----------------------------------------
function light(pair, on) {
  for (const number of (pair.dataset.evidence || "").split(",")) {
    if (number) $(`#s-${number}`)?.classList.toggle("lit", on);
  }
}
for (const [over, out] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
  document.addEventListener(over, (event) => { const pair = event.target.closest?.(".pairs > li"); if (pair) light(pair, true); });
  document.addEventListener(out, (event) => { const pair = event.target.closest?.(".pairs > li"); if (pair) light(pair, false); });
}

// ---- order by dragging and by keys -----------------------------------------------------------
const board = $("[data-order]");
let dragged = null;

function move(row, by) {
  if (!board || !row?.dataset.pieceId || !row.draggable) return;
  const other = by < 0 ? row.previousElementSibling : row.nextElementSibling;
  if (!other?.dataset.pieceId) return;
  if (by < 0) other.before(row); else other.after(row);
  row.focus();
  saveOrder();
}

async function saveOrder() {
  const order = $$("[data-piece-id]", board).map((row) => row.dataset.pieceId).join(",");
  const body = new URLSearchParams({ order, known: board.dataset.known });
  const answer = await fetch(board.dataset.order, {
    method: "POST", body, headers: { "X-CSRF-Token": csrf, "HX-Request": "true" },
  });
  if (answer.ok) { board.dataset.known = order; return; }
  toast(new DOMParser().parseFromString(await answer.text(), "text/html").body.textContent.trim(), true);
}

if (board) {
  board.addEventListener("click", (event) => {
    const row = event.target.closest("[data-piece-id]");
    if (event.target.closest("[data-up]")) move(row, -1);
    if (event.target.closest("[data-down]")) move(row, 1);
  });
  board.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-piece-id]");
    dragged?.classList.add("dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged?.dataset.pieceId ?? "");
  });
  board.addEventListener("dragover", (event) => {
    const over = event.target.closest("[data-piece-id]");
    if (!dragged || !over || over === dragged || over.parentElement !== dragged.parentElement) return;
    event.preventDefault();
    const box = over.getBoundingClientRect();
    if (event.clientY < box.top + box.height / 2) over.before(dragged); else over.after(dragged);
  });
  board.addEventListener("drop", (event) => event.preventDefault());
  board.addEventListener("dragend", () => {
    dragged?.classList.remove("dragged");
    if (dragged) saveOrder();
    dragged = null;
  });
}

// ---- what was typed survives a crash of browser, network or server ------------------------------
const editor = $("#editor");
if (editor) {
  const key = `kuaibao-${editor.dataset.stash}`;
  const base = editor.elements.base_revision.value;
  const values = () => $$("textarea", editor).map((area) => area.value);
  const first = JSON.stringify(values());
  let timer = 0;
  const keep = () => {
    const now = JSON.stringify(values());
    if (now === first) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify({ base, values: values() }));
  };
  editor.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(keep, 400); });
  window.addEventListener("pagehide", keep);
  const saved = new URLSearchParams(location.search).get("saved");
  const isConflict = $(".conflict") !== null;
  if (saved || isConflict) localStorage.removeItem(key);
  const kept = localStorage.getItem(key);
  if (kept && kept !== JSON.stringify({ base, values: values() })) offer(JSON.parse(kept));
  function offer(stash) {
    const note = document.createElement("p");
    note.className = "said";
    note.append(`${said.saidRestore} `);
    const yes = Object.assign(document.createElement("button"), { type: "button", textContent: said.saidRestoreYes });
    const no = Object.assign(document.createElement("button"), { type: "button", textContent: said.saidRestoreNo, className: "quiet" });
    yes.onclick = () => {
      $$("textarea", editor).forEach((area, n) => { area.value = stash.values[n] ?? area.value; grow(area); });
      editor.elements.base_revision.value = stash.base;
      note.remove();
      editor.dispatchEvent(new Event("input", { bubbles: true }));
    };
    no.onclick = () => { localStorage.removeItem(key); note.remove(); };
    note.append(yes, " ", no);
    editor.before(note);
  }
}

// ---- live ------------------------------------------------------------------------------------
function toast(text, reload = false) {
  const note = document.createElement("p");
  note.className = "toast";
  note.textContent = `${text} `;
  if (reload) {
    const again = Object.assign(document.createElement("button"), { type: "button", textContent: said.saidReload });
    again.onclick = () => location.reload();
    note.append(again);
  }
  $("#toasts").append(note);
  setTimeout(() => note.remove(), 12000);
}
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) if (node.nodeType === 1) setTimeout(() => node.remove(), 12000);
}).observe($("#toasts"), { childList: true });

let refreshing = 0;
async function refresh() {
  refreshing = 0;
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  if ($("[data-publishing]") && !$("[data-publishing]", page)) { location.reload(); return; }
  const bell = $("#bell", page);
  if (bell && $("#bell")) $("#bell").replaceWith(bell);
  const area = $("[data-live-area]");
  const fresh = area && $("[data-live-area]", page);
  if (!fresh || area.contains(document.activeElement) && isTyping(document.activeElement)) return;
  if (dragged || $("details.drop[open]", area)) return;
  if (fresh.innerHTML === area.innerHTML) return;
  const chosen = current?.id || current?.dataset.pieceId;
  location.pathname.startsWith("/issues/") ? toast(said.saidStale, true) : area.replaceWith(fresh);
  htmx.process(document.body);
  const again = chosen && (document.getElementById(chosen) ?? $(`[data-piece-id="${chosen}"]`));
  if (again) choose(again, false);
}

if (document.body.dataset.live && window.EventSource) {
  const stream = new EventSource(document.body.dataset.live);
  const piece = $("[data-piece]");
  stream.addEventListener("ready", () => {
    // What came meanwhile: while the stream was down, or between the page and its stream.
    if (said.stream === "lost" || $("[data-publishing]")) refreshing ||= setTimeout(refresh, 700);
    said.stream = "open";
  });
  stream.addEventListener("error", () => { if (said.stream) said.stream = "lost"; });
  stream.onmessage = (event) => {
    const news = JSON.parse(event.data);
    if (piece && String(news.piece) === piece.dataset.piece && ["write", "restore_text", "machine_draft"].includes(news.action)) {
      const note = $("#changed");
      note.textContent = said.saidChanged;
      note.hidden = false;
    }
    if (news.action === "published" && location.pathname === `/issues/${news.issue}`) { location.reload(); return; }
    // One's own step is on the page already; a list that jumps away under the hand can't be undone.
    if (news.action !== "notify" && String(news.by) === said.person) return;
    if (!refreshing) refreshing = setTimeout(refresh, 700);
  };
  window.addEventListener("pagehide", () => stream.close());
}
