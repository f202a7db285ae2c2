// Budgets by month: what is used of them, alerts, and setting one.

import { get, post, remove } from "/console/api.js";
import { el, field, table, when } from "/console/dom.js";
import { t } from "/console/words.js";

const PATH = "/v1/kuaibao/budgets";
const SCOPES = ["key", "application", "person"];

export async function budgets() {
  const section = el("section", { id: "budgets" });
  await fill(section);
  return section;
}

async function fill(section) {
  const { data, alerts, currency } = await get(PATH);
  const unit = (one) => (one.unit === "money" ? currency : t("unit"));
  const heads = [[t("budget.of")], [t("budget.used"), "number"], [t("budget.amount"), "number"], [t("budget.share"), "number"], [t("budget.hard")], [""]];
  const rows = data.map((one) => [`${t(`usage.${one.scope}`)} ${one.subject_id}`, one.used.toLocaleString(), `${one.amount.toLocaleString()} ${unit(one)}`,
    el("span", { class: one.share >= 1 ? "state refused" : one.share >= 0.8 ? "state questions" : "" }, `${Math.round(100 * one.share)} %`), one.is_hard ? t("budget.ends") : "",
    el("button", { type: "button", "aria-label": `${t("budget.remove")} ${one.scope} ${one.subject_id}`, onclick: async () => { await remove(`${PATH}/${one.budget_id}`); await fill(section); } }, t("budget.remove"))]);
  const told = alerts.map((one) => el("li", {}, t("budget.alert", { when: when(one.at), threshold: one.threshold, of: `${t(`usage.${one.scope}`)} ${one.subject_id}`, month: one.month })));
  section.replaceChildren(el("h2", {}, t("budget.title")), el("p", { class: "soft" }, t("budget.about")),
    rows.length ? table(heads, rows) : el("p", {}, t("budget.none")),
    told.length ? el("ul", { class: "alerts", role: "status" }, told) : "", form(section));
}

function form(section) {
  const scope = el("select", {}, SCOPES.map((name) => el("option", { value: name }, t(`usage.${name}`))));
  const subject = el("input", { type: "number", min: 1, required: true });
  const amount = el("input", { type: "number", min: 0, step: "any", required: true });
  const unit = el("select", {}, ["money", "tokens"].map((name) => el("option", { value: name }, t(`budget.${name}`))));
  const email = el("input", { type: "email", maxlength: 200 });
  const hard = el("input", { type: "checkbox" });
  return el("form", { class: "row", onsubmit: async (event) => {
    event.preventDefault();
    await post(PATH, { scope: scope.value, subject_id: Number(subject.value), amount: Number(amount.value), unit: unit.value, email: email.value, is_hard: hard.checked });
    await fill(section);
  } }, field(t("budget.of"), scope), field(t("col.id"), subject), field(t("budget.amount"), amount), field(t("budget.unit"), unit), field(t("budget.email"), email),
  field(t("budget.hard"), hard), el("button", {}, t("budget.set")));
}
