// The gallery's page: cards to choose from, handles to drag, one request in flight at a time.
const script = document.querySelector("script[data-program]");
const program = script.dataset.program;
const words = JSON.parse(document.getElementById("words").textContent);
const at = (id) => document.getElementById(id);
const say = (key, values = {}) =>
  words[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));

let canvas = [0, 0];
let current = null; // the layout in the editor
let pins = {};
let isAsking = false;
let isWaiting = false;

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const answer = await fetch(program + path, options);
  const document_ = await answer.json();
  if (!answer.ok) throw new Error(document_.text ?? answer.statusText);
  at("error").hidden = true;
  return document_;
}

function fail(error) {
  at("error").textContent = `${words.failed}\n${error.message}`;
  at("error").hidden = false;
}

function judged(layout) {
  const holds = layout.violation !== null && layout.violation < 0.1;
  const first = holds ? words.holds : say("violated", { value: short(layout.violation) });
  return `${first}, ${say("energy", { value: short(layout.energy) })}`;
}

function short(value) {
  return value === null ? "∞" : Number(value.toPrecision(4)).toString();
}

function picture(svg) {
  // our own renderer's text: parsed as XML, so that nothing of it can run
  const parsed = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  return document.importNode(parsed, true);
}

async function load() {
  at("status").textContent = words.working;
  const form = new FormData(at("ask"));
  const query = new URLSearchParams({ n: form.get("n"), seed: form.get("seed") });
  try {
    const made = await ask(`/layouts?${query}`);
    canvas = made.canvas;
    const cards = made.layouts.map((layout, k) => card(layout, say("layout", { number: k + 1 })));
    if (made.baked) {
      const name = made.baked.is_same ? words.baked : words.baked_changed;
      cards.unshift(card(made.baked, name, true));
    }
    at("gallery").replaceChildren(...cards);
    at("status").textContent = say("shown", { shown: made.layouts.length, tried: made.tried });
  } catch (error) {
    at("status").textContent = "";
    fail(error);
  }
}

function card(layout, name, isBaked = false) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = isBaked ? "card baked" : "card";
  const title = document.createElement("b");
  title.textContent = name;
  const caption = document.createElement("span");
  caption.append(title, ` · ${judged(layout)}`);
  button.append(picture(layout.svg), caption);
  button.setAttribute("aria-label", `${name}, ${judged(layout)}`);
  button.addEventListener("click", () => open(layout, name));
  return button;
}

function open(layout, name) {
  pins = { ...(layout.pins ?? {}) };
  at("chosen").textContent = name;
  at("gallery").hidden = true;
  at("editor").hidden = false;
  show(layout);
  at("chosen").focus();
}

function close() {
  at("editor").hidden = true;
  at("gallery").hidden = false;
  load().then(() => at("gallery").querySelector("button")?.focus());
}

function show(layout) {
  current = layout;
  const focused = document.activeElement?.dataset?.name;
  const drawn = picture(layout.svg);
  const layer = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  layer.setAttribute("viewBox", `0 0 ${canvas[0]} ${canvas[1]}`);
  layer.classList.add("handles");
  for (const handle of layout.handles) layer.append(grip(handle));
  const old = at("stage").querySelector(".handles");
  if (old && dragging) {
    // keep the layer that holds the pointer; move its grips only
    for (const handle of layout.handles) place(find(old, handle.name), handle);
    at("stage").firstElementChild.replaceWith(drawn);
  } else {
    at("stage").replaceChildren(drawn, layer);
    if (focused) find(layer, focused)?.focus();
  }
  const count = Object.keys(pins).length;
  const took = layout.ms === undefined ? "" : ` · ${say("took", { ms: layout.ms })}`;
  at("judged").textContent = `${judged(layout)} · ${say("pins", { count })}${took}`;
  URL.revokeObjectURL(at("download").href);
  at("download").href = URL.createObjectURL(new Blob([layout.svg], { type: "image/svg+xml" }));
}

function find(layer, name) {
  return [...layer.children].find((one) => one.dataset.name === name);
}

function grip(handle) {
  const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  circle.dataset.name = handle.name;
  circle.setAttribute("r", canvas[0] / 70);
  circle.setAttribute("tabindex", "0");
  circle.setAttribute("role", "button");
  place(circle, handle);
  circle.addEventListener("pointerdown", (event) => grab(event, circle, handle));
  circle.addEventListener("keydown", (event) => press(event, handle.name));
  return circle;
}

function place(circle, handle) {
  if (!circle) return;
  const isPinned = handle.name in pins;
  const [x, y] = isPinned && dragging === handle.name ? pins[handle.name] : [handle.x, handle.y];
  circle.setAttribute("cx", canvas[0] / 2 + x);
  circle.setAttribute("cy", canvas[1] / 2 - y);
  circle.setAttribute("class", isPinned ? "handle pinned" : "handle");
  const state = isPinned ? words.pinned : words.loose;
  circle.setAttribute("aria-label", say("handle", { name: handle.name.replaceAll("`", ""), state }));
}

let dragging = null;

function grab(event, circle, handle) {
  event.preventDefault();
  circle.focus();
  dragging = handle.name;
  circle.setPointerCapture(event.pointerId);
  const move = (moved) => {
    const matrix = circle.ownerSVGElement.getScreenCTM().inverse();
    const point = new DOMPoint(moved.clientX, moved.clientY).matrixTransform(matrix);
    pins[handle.name] = [point.x - canvas[0] / 2, canvas[1] / 2 - point.y];
    circle.setAttribute("cx", point.x);
    circle.setAttribute("cy", point.y);
    circle.setAttribute("class", "handle pinned");
    again();
  };
  const drop = () => {
    circle.removeEventListener("pointermove", move);
    dragging = null;
    again();
  };
  circle.addEventListener("pointermove", move);
  circle.addEventListener("pointerup", drop, { once: true });
  circle.addEventListener("pointercancel", drop, { once: true });
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

function press(event, name) {
  if (event.key === "Delete" || event.key === "Backspace") {
    delete pins[name];
  } else if (event.key in STEPS) {
    const handle = current.handles.find((one) => one.name === name);
    const [x, y] = pins[name] ?? [handle.x, handle.y];
    const size = event.shiftKey ? 25 : 5;
    pins[name] = [x + size * STEPS[event.key][0], y + size * STEPS[event.key][1]];
  } else {
    return;
  }
  event.preventDefault();
  again();
}

async function again() {
  if (isAsking) {
    isWaiting = true;
    return;
  }
  isAsking = true;
  try {
    do {
      isWaiting = false;
      show(await ask("/again", { inputs: current.inputs, pins }));
    } while (isWaiting);
  } catch (error) {
    fail(error);
  } finally {
    isAsking = false;
  }
}

at("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  at("editor").hidden = true;
  at("gallery").hidden = false;
  load();
});
at("close").addEventListener("click", close);
at("free").addEventListener("click", () => {
  pins = {};
  again();
});
at("bake")?.addEventListener("click", async () => {
  try {
    const kept = await ask("/bake", { inputs: current.inputs, pins });
    at("judged").textContent = say("baked_as", kept);
  } catch (error) {
    fail(error);
  }
});
at("unbake")?.addEventListener("click", async () => {
  try {
    await ask("/unbake", {});
    at("judged").textContent = words.unbaked;
  } catch (error) {
    fail(error);
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !at("editor").hidden) close();
});
load();
