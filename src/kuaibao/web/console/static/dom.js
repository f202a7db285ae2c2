// Elements without markup strings: text from outside can never become HTML.

export function el(name, attributes = {}, ...children) {
  const svg = ["svg", "rect", "text", "title"].includes(name) && attributes.svg;
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "svg" || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => ![undefined, null, false, ""].includes(child)));
  return element;
}

export const field = (label, input) => el("label", {}, el("span", {}, label), input);

export function table(heads, rows) {
  return el("div", { class: "wide" },
    el("table", {},
      el("thead", {}, el("tr", {}, heads.map(([text, kind]) => el("th", { scope: "col", class: kind }, text)))),
      el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((cell, i) => el("td", { class: heads[i][1] }, cell)))))));
}

export function notice(text) {
  const line = el("p", {}, text);
  document.getElementById("notice").append(line);
  setTimeout(() => line.remove(), 9000);
}

/** Bars of a small plot: [[label, value]…]. */
export function bars(data, unit) {
  const most = Math.max(1, ...data.map(([, value]) => value));
  const width = 100 / Math.max(24, data.length); // few bars stay slim
  return el("svg", { svg: true, class: "bars", viewBox: "0 0 600 140", role: "img", preserveAspectRatio: "none",
    "aria-label": data.map(([label, value]) => `${label}: ${value} ${unit}`).join(", ") },
    data.map(([label, value], i) => el("rect", { svg: true, x: (i * width + width * 0.12) * 6, width: width * 0.76 * 6,
      y: 130 - 122 * value / most, height: Math.max(1, 122 * value / most) }, el("title", { svg: true }, `${label}: ${value.toLocaleString()} ${unit}`))));
}

export const when = (seconds) => (seconds ? new Date(seconds * 1000).toLocaleString() : "—");
