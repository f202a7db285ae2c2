// Prompt in, text out: presets, streaming, alternatives of each token, two settings side by side.

import { get, stream } from "/console/api.js";
import { el, field, notice } from "/console/dom.js";
import { fewShotPrompt, presets } from "/console/presets.js";
import { t } from "/console/words.js";

const SAVED = "kuaibao.saved";
const defaults = { model: "", max_tokens: 64, temperature: 0.8, top_p: 1, stop: "" };

function fromLink() {
  const match = location.hash.match(/^#play\/(.+)$/);
  if (!match) return null;
  try {
    const bytes = Uint8Array.from(atob(match[1].replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    const state = JSON.parse(new TextDecoder().decode(bytes));
    return typeof state.prompt === "string" && Array.isArray(state.settings) ? state : null;
  } catch {
    return null;
  }
}

function toLink(state) {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  const code = btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  return `${location.origin}/console#play/${code}`;
}

const saved = () => JSON.parse(localStorage.getItem(SAVED) || "{}");

export async function playground(main) {
  const models = (await get("/v1/models")).data.map((model) => model.id);
  const state = fromLink() || { prompt: "", settings: [{ ...defaults, model: models[0] }] };
  const prompt = el("textarea", { id: "prompt", rows: 9, "aria-label": t("play.prompt"), value: state.prompt, spellcheck: "false" });
  const panes = el("div", { class: "panes two" });
  const few = el("div", {});
  let columns = state.settings.slice(0, 2).map((settings) => column(settings, models));
  let running = null;

  const current = () => ({ prompt: prompt.value, settings: columns.map((c) => c.read()) });
  const preset = el("select", { id: "preset", onchange: () => choosePreset(preset.value) });
  const run = el("button", { type: "button", class: "strong", id: "run", onclick: toggle }, t("play.run"));
  const compare = el("button", { type: "button", id: "compare", onclick: () => {
    columns = columns.length === 1 ? [columns[0], column(columns[0].read(), models)] : [columns[0]];
    compare.textContent = t(columns.length === 1 ? "play.compare" : "play.single");
    panes.replaceChildren(...columns.map((c) => c.element));
  } }, t(columns.length === 1 ? "play.compare" : "play.single"));

  function fillPresets() {
    preset.replaceChildren(
      ...Object.keys(presets).map((name) => el("option", { value: name }, t(`preset.${name}`))),
      ...Object.keys(saved()).map((name) => el("option", { value: `saved:${name}` }, `★ ${name}`)));
  }

  function choosePreset(name) {
    few.replaceChildren();
    if (name.startsWith("saved:")) {
      const kept = saved()[name.slice(6)];
      prompt.value = kept.prompt;
      columns.forEach((c, i) => c.write(kept.settings[i] || kept.settings[0]));
      return;
    }
    const { prompt: text, ...settings } = presets[name];
    prompt.value = text;
    columns.forEach((c) => c.write(settings));
    if (name === "few") few.replaceChildren(fewShotTable((text) => { prompt.value = text; prompt.focus(); }));
  }

  async function toggle() {
    if (running) return running.abort();
    running = new AbortController();
    run.textContent = t("play.stop_run");
    try {
      await Promise.all(columns.map((c) => c.complete(prompt.value, running.signal)));
    } catch (error) {
      if (error.name !== "AbortError") notice(error.message);
    } finally {
      running = null;
      run.textContent = t("play.run");
    }
  }

  fillPresets();
  prompt.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) toggle();
  });
  panes.replaceChildren(...columns.map((c) => c.element));
  main.replaceChildren(
    el("h1", {}, t("tab.play")),
    el("div", { class: "row" }, field(t("play.preset"), preset),
      el("button", { type: "button", onclick: () => {
        const name = window.prompt(t("play.save"), "");
        if (!name) return;
        localStorage.setItem(SAVED, JSON.stringify({ ...saved(), [name]: current() }));
        fillPresets();
        notice(t("play.saved"));
      } }, t("play.save")),
      el("button", { type: "button", id: "share", onclick: async () => {
        const link = toLink(current());
        history.replaceState(null, "", link);
        await navigator.clipboard?.writeText(link).catch(() => {});
        notice(t("play.shared"));
      } }, t("play.share")), compare),
    few,
    field(t("play.prompt"), prompt),
    el("div", { class: "row" }, run, el("span", { class: "soft" }, t("play.hint"))),
    panes);
}

/** One set of settings with its output. */
function column(start, models) {
  const input = (name, attributes) => el("input", { type: "number", name, ...attributes });
  const controls = {
    model: el("select", { name: "model" }, models.map((name) => el("option", { value: name }, name))),
    max_tokens: input("max_tokens", { min: 1, max: 4096 }),
    temperature: input("temperature", { min: 0, max: 2, step: 0.1 }),
    top_p: input("top_p", { min: 0, max: 1, step: 0.05 }),
    stop: el("input", { name: "stop", size: 6 }),
  };
  const labels = { model: "play.model", max_tokens: "play.tokens", temperature: "play.temperature", top_p: "play.top_p", stop: "play.stop" };
  const output = el("div", { class: "output", "aria-live": "polite", "aria-label": t("play.output") });
  const usage = el("p", { class: "soft" });

  function write(settings) {
    for (const [name, control] of Object.entries(controls)) {
      if (settings[name] === undefined || (name === "model" && !models.includes(settings[name]))) continue;
      control.value = name === "stop" ? settings[name].replace(/\n/g, "\\n") : settings[name];
    }
  }

  function read() {
    const number = (name) => Number(controls[name].value);
    return { model: controls.model.value, max_tokens: number("max_tokens"), temperature: number("temperature"),
      top_p: number("top_p"), stop: controls.stop.value.replace(/\\n/g, "\n") };
  }

  async function complete(prompt, signal) {
    const { stop, ...settings } = read();
    output.replaceChildren();
    usage.textContent = "";
    const started = performance.now();
    const body = { ...settings, prompt, logprobs: 5, stream_options: { include_usage: true } };
    if (stop) body.stop = [stop];
    for await (const chunk of stream("/v1/completions", body, signal)) {
      for (const choice of chunk.choices) output.append(...tokens(choice));
      if (chunk.usage) {
        usage.textContent = t("play.usage", { prompt: chunk.usage.prompt_tokens, completion: chunk.usage.completion_tokens,
          seconds: ((performance.now() - started) / 1000).toFixed(1) });
      }
    }
  }

  write({ ...defaults, ...start });
  const element = el("section", { class: "card" },
    el("div", { class: "row" }, Object.entries(controls).map(([name, control]) => field(t(labels[name]), control))), output, usage);
  return { element, read, write, complete };
}

/** A piece of a stream as tokens that show what else was weighed. */
function tokens(choice) {
  const names = choice.logprobs?.tokens || [];
  if (names.length !== 1) return [choice.text]; // several tokens make one character: no part of it is text
  const top = Object.entries(choice.logprobs.top_logprobs?.[0] || {}).sort((a, b) => b[1] - a[1]);
  const lines = top.map(([name, logprob]) => [JSON.stringify(name), 100 * Math.exp(logprob)]);
  return [el("span", { class: "token", tabindex: 0 }, choice.text,
    el("span", { class: "alternatives", role: "tooltip" },
      lines.map(([name, percent], i) => `${i ? "\n" : ""}${percent.toFixed(1).padStart(5)} %  ${name}`)))];
}

function fewShotTable(use) {
  const instruction = el("input", { size: 60 });
  const input = el("input", { size: 60 });
  const rows = el("div", {});
  const add = () => rows.append(el("div", { class: "row" }, field(t("play.example_in"), el("input", { size: 28 })), field(t("play.example_out"), el("input", { size: 28 }))));
  add();
  add();
  const build = () => {
    const pairs = [...rows.children].map((row) => [...row.querySelectorAll("input")].map((one) => one.value));
    use(fewShotPrompt(instruction.value, pairs, input.value));
  };
  return el("section", { class: "card" }, el("h2", {}, t("play.examples")), field(t("play.instruction"), instruction), rows, field(t("play.task"), input),
    el("div", { class: "row" }, el("button", { type: "button", onclick: add }, t("play.add")), el("button", { type: "button", class: "strong", onclick: build }, t("play.build"))));
}
