(() => {
  "use strict";
  const root = document.documentElement;
  const words = JSON.parse(document.getElementById("words").textContent);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const articles = all("article");
  const search = document.getElementById("search");
  const found = document.getElementById("found");
  const help = document.getElementById("help");
  root.classList.add("js");

  // Theme: system, light, dark; remembered where the browser lets a page remember.
  const themes = ["system", "light", "dark"];
  const themeButton = document.getElementById("theme");
  const store = {
    get() { try { return localStorage.getItem("kuaibao-theme"); } catch { return null; } },
    set(value) { try { localStorage.setItem("kuaibao-theme", value); } catch { /* private window */ } },
  };
  let theme = themes.includes(store.get()) ? store.get() : "system";
  const paint = () => {
    if (theme === "system") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", theme);
    themeButton.textContent = { system: "◐", light: "☀", dark: "☾" }[theme];
    themeButton.setAttribute("aria-label", words.theme + words.colon + words["theme_" + theme]);
    themeButton.title = themeButton.getAttribute("aria-label");
  };
  const turnTheme = () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    store.set(theme);
    paint();
  };
  paint();
  themeButton.addEventListener("click", turnTheme);

  // Search: every word must occur; substring matching finds Chinese words of any length.
  const fold = (text) => text.normalize("NFKC").toLowerCase();
  const isRead = (node) => !node.parentElement.closest(".note, .evidence");
  const textNodes = (article) => {
    const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
    const nodes = [];
    while (walker.nextNode()) if (isRead(walker.currentNode)) nodes.push(walker.currentNode);
    return nodes;
  };
  const texts = articles.map((article) => fold(textNodes(article).map((node) => node.data).join("")).replaceAll("\u2060", ""));
  const marks = () => {
    if (!("highlights" in CSS)) return;
    CSS.highlights.delete("found");
    const terms = fold(search.value).split(/\s+/).filter(Boolean);
    if (!terms.length) return;
    const ranges = [];
    for (const article of articles) {
      if (article.hidden) continue;
      for (const node of textNodes(article)) {
        const text = node.data.toLowerCase();
        if (text.length !== node.data.length) continue;
        for (const term of terms) {
          for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + term.length)) {
            const range = new Range();
            range.setStart(node, at);
            range.setEnd(node, at + term.length);
            ranges.push(range);
          }
        }
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  };
  const filter = () => {
    const terms = fold(search.value).split(/\s+/).filter(Boolean);
    let count = 0;
    articles.forEach((article, i) => {
      article.hidden = !terms.every((term) => texts[i].includes(term));
      if (!article.hidden) count += 1;
      for (const link of all(`a[href="#${article.id}"]`)) {
        const row = link.closest(".toc li");
        if (row) row.hidden = article.hidden;
      }
    });
    for (const section of all("section.part")) section.hidden = !section.querySelector("article:not([hidden])");
    document.getElementById("front").hidden = terms.length > 0;
    found.textContent = !terms.length ? "" : count === 0 ? words.results_none
      : count === 1 ? words.results_one : words.results_many.replace("{count}", count);
    marks();
  };
  search.addEventListener("input", filter);
  document.getElementById("search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    step(1, true);
  });

  // Items: j and k walk through those that are shown.
  const step = (by, fromStart = false) => {
    const shown = articles.filter((article) => !article.hidden);
    if (!shown.length) return;
    const here = fromStart ? -1 : shown.indexOf(document.activeElement.closest("article"));
    let next = here + by;
    if (here < 0) {
      const line = 90;
      next = shown.findIndex((article) => article.getBoundingClientRect().top > line);
      if (fromStart || next < 0) next = fromStart ? 0 : shown.length - 1;
      else if (by < 0) next = Math.max(0, next - 1);
    }
    const target = shown[Math.min(shown.length - 1, Math.max(0, next))];
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "start" });
  };

  // Evidence: a mark opens the sentence of the source; e opens or closes all of them.
  const marksOf = all(".evidence");
  const setOpen = (button, open) => button.setAttribute("aria-expanded", String(open));
  const isOpen = (button) => button.getAttribute("aria-expanded") === "true";
  for (const button of marksOf) button.addEventListener("click", () => setOpen(button, !isOpen(button)));
  const turnEvidence = () => {
    const here = document.activeElement.closest("article");
    const mine = here ? all(".evidence", here) : marksOf;
    const open = !mine.some(isOpen);
    for (const button of mine) setOpen(button, open);
  };
  for (const sentence of all(".sentence.has")) {
    sentence.addEventListener("mouseleave", () => sentence.classList.remove("dismissed"));
  }

  document.getElementById("help-button").addEventListener("click", () => help.showModal());
  const actions = {
    j: () => step(1),
    k: () => step(-1),
    "/": () => { search.focus(); search.select(); },
    "?": () => help.showModal(),
    e: turnEvidence,
    t: turnTheme,
    o: () => document.activeElement.closest("article")?.querySelector("h3 a[href^='http']")?.click(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && !help.open) {
      if (search.value) { search.value = ""; filter(); }
      if (document.activeElement === search) search.blur();
      for (const button of marksOf) setOpen(button, false);
      for (const sentence of all(".sentence.has:hover, .sentence.has:focus-within")) sentence.classList.add("dismissed");
      return;
    }
    if (help.open || event.target.closest("input, textarea, select, [contenteditable]")) return;
    const action = actions[event.key];
    if (action) { event.preventDefault(); action(); }
  });

  // The side table of contents follows the reader.
  const side = new Map(all(".side a").map((link) => [link.getAttribute("href").slice(1), link]));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of side.values()) link.removeAttribute("aria-current");
      side.get(entry.target.id)?.setAttribute("aria-current", "location");
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  for (const section of all("section.part")) watcher.observe(section);
})();
