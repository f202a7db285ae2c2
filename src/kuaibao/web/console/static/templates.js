// Few-shot templates: versions, examples, what was measured, choosing and using them.

import { get, post } from "/console/api.js";
import { el, field, notice, table, when } from "/console/dom.js";
import { t } from "/console/words.js";

const PATH = "/v1/kuaibao/templates";
const METRICS = ["exact", "rouge_l", "likelihood"];

const number = (value) => value.toFixed(3);
const figure = (one) => `${number(one.mean)} [${number(one.low)}, ${number(one.high)}] · ${one.n}`;
const chosen = ({ template }) => t("shots.shown", { n: template.selection.n_example, of: template.examples.length, how: t(`shots.${template.selection.how}`) });

export async function templates(main) {
  const listed = (await get(PATH)).data;
  const detail = el("div", {});
  const open = async (name, version) => detail.replaceChildren(await sheet(name, version, open));
  const heads = [[t("col.name")], [t("shots.version"), "number"], [t("shots.examples")], [""]];
  const rows = listed.map((one) => [one.name, one.version, chosen(one),
    el("button", { type: "button", "aria-label": `${t("apps.open")} ${one.name}`, onclick: () => open(one.name) }, t("apps.open"))]);
  const name = el("input", { pattern: "[a-z0-9][a-z0-9._\\-]*", maxlength: 80, required: true });
  const fresh = el("form", { class: "row", onsubmit: async (event) => {
    event.preventDefault();
    await post(PATH, { name: name.value, template: { examples: [] } });
    await templates(main);
    main.querySelector(`[aria-label$=" ${name.value}"]`)?.click();
  } }, field(t("shots.new"), name), el("button", {}, t("shots.make")));
  main.replaceChildren(el("h1", {}, t("shots.title")), el("p", { class: "soft" }, t("shots.about")), table(heads, rows), fresh, detail);
}

async function sheet(name, version, open) {
  const stored = await get(`${PATH}/${name}${version === undefined ? "" : `?version=${version}`}`);
  const { template } = stored;
  const instruction = el("textarea", { rows: 2, value: template.instruction });
  const examples = el("textarea", { rows: 8, spellcheck: "false", value: asLines(template.examples) });
  const versions = el("select", { onchange: () => open(name, Number(versions.value)) }, stored.versions.map((one) => el("option", { value: one, selected: one === stored.version }, one)));
  const keep = async () => {
    const kept = await post(PATH, { name, template: { ...template, instruction: instruction.value, examples: fromLines(examples.value), selection: { how: "nearest" } } });
    notice(t("shots.kept", { n: kept.version }));
    await open(name);
  };
  return el("section", { class: "card" }, el("h2", {}, `${name} · `, chosen(stored)),
    el("div", { class: "row" }, field(t("shots.version"), versions)), template.note && el("p", { class: "soft" }, template.note),
    field(t("play.instruction"), instruction), field(t("shots.pairs"), examples),
    el("div", { class: "row" }, el("button", { type: "button", onclick: keep }, t("shots.keep"))),
    await trial(stored, open), reports(stored));
}

async function trial(stored, open) {
  const models = (await get("/v1/models")).data;
  const model = el("select", {}, models.map((one) => el("option", { value: one.id }, one.id)));
  const metric = el("select", {}, METRICS.map((one) => el("option", { value: one }, t(`shots.${one}`))));
  const tasks = el("textarea", { rows: 5, spellcheck: "false" });
  const question = el("textarea", { rows: 2 });
  const output = el("div", { class: "output", role: "status" });
  const path = `${PATH}/${stored.name}`;
  const order = () => ({ model: model.value, metric: metric.value, tasks: fromLines(tasks.value), version: stored.version });
  const act = (word, run, strong) => el("button", { type: "button", class: strong && "strong", onclick: async () => { output.textContent = t("shots.working"); await run(); } }, t(word));
  return el("div", {}, el("h3", {}, t("shots.try")), el("div", { class: "row" }, field(t("play.model"), model), field(t("shots.metric"), metric)),
    field(t("play.task"), question),
    el("div", { class: "row" }, act("play.run", async () => {
      const answer = await post(`${path}/complete`, { model: model.value, input: question.value, version: stored.version });
      output.textContent = answer.output;
    }, true)), output,
    field(t("shots.tasks"), tasks),
    el("div", { class: "row" }, act("shots.evaluate", async () => {
      const report = await post(`${path}/evaluate`, order());
      output.textContent = figure(report);
      await open(stored.name, stored.version);
    }), act("shots.choose", async () => {
      await post(`${path}/choose`, order());
      await open(stored.name);
    })));
}

function reports(stored) {
  if (!stored.reports.length) return "";
  const heads = [[t("col.at")], [t("shots.version"), "number"], [t("play.model")], [t("shots.metric")], [t("shots.result")], [t("shots.without")]];
  const rows = stored.reports.map((one) => {
    const measured = one.kind === "choice" ? one.test : one;
    return [when(one.at), one.version, one.model, t(`shots.${measured.metric}`), figure(measured), one.kind === "choice" ? figure(one.zero_shot) : ""];
  });
  return el("div", {}, el("h3", {}, t("shots.reports")), table(heads, rows));
}

/** Examples as lines `input → output`, and back. */
const asLines = (pairs) => pairs.map((one) => `${one.input} → ${one.output}`).join("\n");

function fromLines(text) {
  return text.split("\n").filter((line) => line.includes("→")).map((line) => {
    const at = line.lastIndexOf("→");
    return { input: line.slice(0, at).trim(), output: line.slice(at + 1).trim() };
  });
}
