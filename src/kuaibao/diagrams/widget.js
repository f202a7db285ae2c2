// The notebook's gallery: cards to choose from, handles to drag; Python lays out, this only shows.
const WORDS = {
  en: {
    layout: "layout {n}", holds: "all constraints hold", violated: "violated by {v}",
    back: "All layouts", free: "Let go of all pins", pins: "{n} pinned",
    how: "Drag a handle, or reach it by Tab and move it by the arrow keys; Delete lets it go.",
  },
  zh: {
    layout: "布局 {n}", holds: "约束全部满足", violated: "违反 {v}",
    back: "全部布局", free: "松开所有固定点", pins: "已固定 {n} 个",
    how: "拖动圆点，或用 Tab 键选中后以方向键移动；Delete 键松开。",
  },
};
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const SVG = "http://www.w3.org/2000/svg";

function render({ model, el }) {
  const words = WORDS[navigator.language.startsWith("zh") ? "zh" : "en"];
  const say = (key, values = {}) => words[key].replace(/\{(\w)\}/g, (_, name) => values[name]);
  const made = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const picture = (svg) =>
    // our own renderer's text: parsed as XML, so that nothing of it can run
    document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true);
  const judged = ({ violation }) =>
    violation !== null && violation < 0.1
      ? words.holds
      : say("violated", { v: violation === null ? "∞" : Number(violation.toPrecision(3)) });

  let pins = {};
  let dragging = null; // the name of the handle under the pointer
  let isAsking = false;
  let isWaiting = false;

  const gallery = made("div", { className: "k-cards" });
  const stage = made("div", { className: "k-stage" });
  const told = made("p", { className: "k-told", role: "status" });
  const back = made("button", { type: "button", textContent: words.back });
  const free = made("button", { type: "button", textContent: words.free });
  const how = made("p", { className: "k-told", textContent: words.how });
  const editor = made("div", {}, made("div", {}, back, " ", free), how, stage, told);
  el.classList.add("k-widget");
  el.append(gallery, editor);

  function again() {
    if (isAsking) {
      isWaiting = true;
      return;
    }
    isAsking = true;
    model.send({ kind: "again", pins });
  }

  function place(circle, handle) {
    const [width, height] = model.get("canvas");
    const isPinned = handle.name in pins;
    const [x, y] = dragging === handle.name ? pins[handle.name] : [handle.x, handle.y];
    circle.setAttribute("cx", width / 2 + x);
    circle.setAttribute("cy", height / 2 - y);
    circle.setAttribute("class", isPinned ? "k-handle k-pinned" : "k-handle");
  }

  function grip(handle) {
    const circle = document.createElementNS(SVG, "circle");
    const [width, height] = model.get("canvas");
    circle.dataset.name = handle.name;
    circle.setAttribute("r", width / 70);
    circle.setAttribute("tabindex", "0");
    circle.setAttribute("role", "button");
    circle.setAttribute("aria-label", handle.name.replaceAll("`", ""));
    place(circle, handle);
    circle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      circle.setPointerCapture(event.pointerId);
      dragging = handle.name;
      pins[handle.name] ??= [handle.x, handle.y];
    });
    circle.addEventListener("pointermove", (event) => {
      if (dragging !== handle.name) return;
      const matrix = circle.ownerSVGElement.getScreenCTM().inverse();
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
      pins[handle.name] = [point.x - width / 2, height / 2 - point.y];
      place(circle, handle);
      again();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      circle.addEventListener(end, () => {
        dragging = null;
        again();
      });
    }
    circle.addEventListener("keydown", (event) => {
      const now = model.get("current").handles.find((one) => one.name === handle.name);
      if (event.key === "Delete" || event.key === "Backspace") {
        delete pins[handle.name];
      } else if (event.key in STEPS) {
        const [x, y] = pins[handle.name] ?? [now.x, now.y];
        const size = event.shiftKey ? 25 : 5;
        const [right, up] = STEPS[event.key];
        pins[handle.name] = [x + size * right, y + size * up];
      } else {
        return;
      }
      event.preventDefault();
      again();
    });
    return circle;
  }

  function show() {
    const layout = model.get("current");
    const isOpen = Boolean(layout.svg);
    gallery.hidden = isOpen;
    editor.hidden = !isOpen;
    if (!isOpen) return;
    if (!isAsking) pins = { ...model.get("pins") };
    let layer = stage.querySelector(".k-handles");
    if (!layer) {
      layer = document.createElementNS(SVG, "svg");
      layer.setAttribute("viewBox", `0 0 ${model.get("canvas").join(" ")}`);
      layer.classList.add("k-handles");
      layer.append(...layout.handles.map(grip));
      stage.replaceChildren(picture(layout.svg), layer);
    } else {
      stage.firstElementChild.replaceWith(picture(layout.svg));
      layout.handles.forEach((handle, k) => place(layer.children[k], handle));
    }
    told.textContent = `${judged(layout)} · ${say("pins", { n: Object.keys(pins).length })}`;
  }

  function answered() {
    show();
    isAsking = false;
    if (isWaiting) {
      isWaiting = false;
      again();
    }
  }

  function fill() {
    gallery.replaceChildren(...model.get("cards").map((layout, k) => {
      const name = say("layout", { n: k + 1 });
      const caption = made("span", {}, made("b", { textContent: name }), ` · ${judged(layout)}`);
      const card = made("button", { type: "button", className: "k-card" }, picture(layout.svg), caption);
      card.addEventListener("click", () => {
        stage.replaceChildren();
        model.send({ kind: "pick", number: k });
      });
      return card;
    }));
  }

  back.addEventListener("click", () => model.send({ kind: "back" }));
  free.addEventListener("click", () => {
    pins = {};
    again();
  });
  model.on("change:cards", fill);
  model.on("change:turn", answered);
  fill();
  show();
  return () => {
    model.off("change:cards", fill);
    model.off("change:turn", answered);
  };
}

export default { render };
