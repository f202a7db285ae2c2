// What was used, what waits for a person, who did what, and the rules.

import { call, get, post } from "/console/api.js";
import { budgets } from "/console/budgets.js";
import { bars, el, field, table, when } from "/console/dom.js";
import { isChinese, t } from "/console/words.js";

const HOUSE = "/v1/kuaibao";
const GROUPS = ["day", "model", "application", "key", "person", "endpoint", "end_user"];

export async function usage(main) {
  const by = el("select", { id: "by", onchange: show }, GROUPS.map((name) => el("option", { value: name }, t(`usage.${name}`))));
  const body = el("div", {});
  const csv = el("button", { type: "button", onclick: async () => {
    const blob = await (await call("GET", `${HOUSE}/usage.csv`)).blob();
    const link = el("a", { href: URL.createObjectURL(blob), download: "usage.csv" });
    link.click();
    URL.revokeObjectURL(link.href);
  } }, t("usage.csv"));

  async function show() {
    const { data, currency } = await get(`${HOUSE}/usage?by=${by.value}`);
    const total = (row) => row.n_prompt_token + row.n_completion_token;
    const heads = [[t(`usage.${by.value}`)], [t("col.requests"), "number"], [t("col.prompt"), "number"], [t("col.completion"), "number"], [`${t("col.cost")} (${currency})`, "number"]];
    const rows = data.map((row) => [row.group || "—", row.n_request.toLocaleString(), row.n_prompt_token.toLocaleString(), row.n_completion_token.toLocaleString(), row.cost.toFixed(4)]);
    body.replaceChildren(data.length ? bars(data.slice(0, 60).map((row) => [row.group, total(row)]), t("unit")) : "", table(heads, rows));
  }

  main.replaceChildren(el("h1", {}, t("usage.title")), el("div", { class: "row" }, field(t("usage.by"), by), csv), body, await budgets());
  await show();
}

export async function review(main) {
  const held = (await get(`${HOUSE}/held`)).data;
  const judge = async (id, decision) => { await post(`${HOUSE}/held/${id}`, { decision }); await review(main); };
  const cards = held.map((one) => el("section", { class: "card" },
    el("h2", {}, `${one.held_id} · ${one.check} · ${one.side}`),
    el("p", { class: "soft" }, `${when(one.at)} · ${one.reason}`),
    el("div", { class: "output" }, one.text),
    el("div", { class: "row" }, ["harmless", "misuse"].map((decision) =>
      el("button", { type: "button", onclick: () => judge(one.held_id, decision) }, t(`review.${decision}`))))));
  main.replaceChildren(el("h1", {}, t("review.title")), ...(cards.length ? cards : [el("p", {}, t("review.none"))]));
}

export async function audit(main) {
  const { data, verified } = await get(`${HOUSE}/audit`);
  const heads = [[t("col.id"), "number"], [t("col.at")], [t("col.actor")], [t("col.action")], [t("col.subject")], [""]];
  const rows = data.map((one) => [one.position, when(one.at), one.actor, one.action, one.subject, el("code", { class: "soft" }, JSON.stringify(one.details))]).reverse();
  main.replaceChildren(el("h1", {}, t("audit.title")), el("p", { class: "soft" }, t("audit.verified", { n: verified })), table(heads, rows));
}

export async function rules(main) {
  const { data, exceptions } = await get(`${HOUSE}/rules?language=${isChinese() ? "zh" : "en"}`);
  main.replaceChildren(el("h1", {}, t("rules.title")), el("p", { class: "soft" }, t("rules.about")),
    ...data.map((one) => el("section", { class: "card" },
      el("h2", {}, one.purpose, " · ", el("span", { class: `state ${one.status}` }, t(`state.${one.status}`))),
      el("p", {}, one.reasons))), ...exceptions.map((text) => el("section", { class: "card" }, el("h2", {}, t("rules.exception")), el("p", {}, text))));
}
