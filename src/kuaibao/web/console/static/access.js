// Who may use the models, and for what: applying, reviewing, keys.

import { get, key, post, remove } from "/console/api.js";
import { el, field, notice, table, when } from "/console/dom.js";
import { t } from "/console/words.js";

const HOUSE = "/v1/kuaibao";
const QUESTIONS = { purpose: "apply.purpose", audience: "apply.audience", output_seen_by: "apply.seen", human_in_the_loop: "apply.human" };

const state = (name) => el("span", { class: `state ${name}` }, t(`state.${name}`));
const stateOf = (application) => (application.is_killed ? "killed" : application.status);

export async function apply(main) {
  const answers = Object.fromEntries(Object.keys(QUESTIONS).map((name) => [name, el("textarea", { name, rows: 3, required: true, maxlength: 4000 })]));
  const person = el("input", { name: "person", required: true, maxlength: 100, autocomplete: "name" });
  const email = el("input", { name: "email", type: "email", maxlength: 200, autocomplete: "email" });
  const name = el("input", { name: "name", required: true, maxlength: 200 });
  const volume = el("input", { name: "volume", type: "number", min: 0, value: 10000 });
  const result = el("div", { role: "status" });
  const form = el("form", { onsubmit: async (event) => {
    event.preventDefault();
    const written = Object.fromEntries(Object.entries(answers).map(([question, box]) => [question, box.value]));
    const filed = await post(`${HOUSE}/sign-up`, { person: person.value, email: email.value, name: name.value,
      expected_tokens_per_day: Number(volume.value) || 0, ...written });
    key.set(filed.secret);
    result.replaceChildren(secretCard(t("apply.done", { id: filed.application_id }), filed.secret));
    form.reset();
    result.scrollIntoView();
  } },
  el("div", { class: "row" }, field(t("apply.person"), person), field(t("apply.email"), email), field(t("apply.name"), name), field(t("apply.volume"), volume)),
  Object.entries(QUESTIONS).map(([question, word]) => field(t(word), answers[question])),
  el("div", { class: "row" }, el("button", { class: "strong" }, t("apply.send"))));
  main.replaceChildren(el("h1", {}, t("apply.title")), el("p", { class: "soft" }, t("apply.about")), form, result);
}

function secretCard(text, secret) {
  return el("div", { class: "card" }, el("p", {}, text), el("p", {}, el("code", { class: "secret" }, secret)), el("p", { class: "soft" }, t("key.secret")));
}

export async function applications(main) {
  const listed = (await get(`${HOUSE}/applications`)).data;
  const detail = el("div", {});
  const open = async (id) => detail.replaceChildren(await dossier(id, () => open(id)));
  const heads = [[t("col.id"), "number"], [t("col.name")], [t("col.state")], [t("col.made")], [t("col.expires")], [""]];
  const rows = listed.map((a) => [a.application_id, a.name, state(stateOf(a)), when(a.created_at), a.expires_at ? when(a.expires_at) : t("never"),
    el("button", { type: "button", onclick: () => open(a.application_id), "aria-label": `${t("apps.open")} ${a.name}` }, t("apps.open"))]);
  main.replaceChildren(el("h1", {}, t("apps.title")), listed.length ? table(heads, rows) : el("p", {}, t("apps.none")), detail);
  if (listed.length === 1) await open(listed[0].application_id);
}

async function dossier(id, again) {
  const path = `${HOUSE}/applications/${id}`;
  const application = await get(path);
  const box = el("textarea", { rows: 3, maxlength: 4000, "aria-label": t("apps.reasons") });
  const exceptions = el("input", { size: 40, maxlength: 4000 });
  const days = el("input", { type: "number", min: 1 });
  const limits = Object.fromEntries(Object.entries(application.ceilings).map(([name, value]) => [name, el("input", { type: "number", min: 0, step: "any", value })]));
  const policy = el("textarea", { rows: 6, "aria-label": t("apps.policy"), value: JSON.stringify(application.policy, null, 1), spellcheck: "false" });
  const act = (text, send, strong) => el("button", { type: "button", class: strong && "strong", onclick: async () => { await send(); await again(); } }, text);
  const decide = (status) => post(`${path}/decision`, {
    status, reasons: box.value, exceptions: exceptions.value, policy: JSON.parse(policy.value),
    ceilings: Object.fromEntries(Object.entries(limits).map(([name, input]) => [name, Number(input.value)])),
    expires_at: days.value ? Date.now() / 1000 + 86400 * Number(days.value) : null });
  const label = el("input", { maxlength: 200 });
  const made = el("div", {});
  const review = await isReviewer() && [
    el("h2", {}, t("tab.review")), field(t("apps.reasons"), box), field(t("apps.exceptions"), exceptions), field(t("apps.expires"), days),
    el("h3", {}, t("apps.limits")), el("div", { class: "row" }, Object.entries(limits).map(([name, input]) => field(name, input))), field(t("apps.policy"), policy),
    el("div", { class: "row" }, act(t("apps.approve"), () => decide("approved"), true), act(t("apps.question"), () => post(`${path}/question`, { text: box.value })),
      act(t("apps.refuse"), () => decide("refused")), act(t("apps.suspend"), () => decide("suspended")),
      act(t(application.is_killed ? "apps.revive" : "apps.kill"), () => post(`${path}/switch`, { is_killed: !application.is_killed })))];
  const answer = el("textarea", { rows: 2, maxlength: 4000, "aria-label": t("apps.answer") });
  return el("section", { class: "card" },
    el("h2", {}, `${application.application_id} · ${application.name} · `, state(stateOf(application))),
    el("dl", {}, Object.entries(QUESTIONS).map(([name, word]) => [el("dt", {}, t(word)), el("dd", {}, application.form[name])])),
    el("h2", {}, t("apps.history")),
    el("dl", {}, application.events.map((event) => [el("dt", {}, when(event.at)), el("dd", {}, [event.actor, event.kind || event.action, event.text].filter(Boolean).join(" · "))])),
    application.status === "questions" && [field(t("apps.answer"), answer), act(t("apps.send"), () => post(`${path}/answer`, { text: answer.value }), true)],
    el("div", { class: "row" }, field(t("apps.label"), label), el("button", { type: "button", onclick: async () => {
      const fresh = await post(`${path}/keys`, { label: label.value });
      made.replaceChildren(secretCard(fresh.prefix, fresh.secret));
    } }, t("apps.new_key"))), made,
    review || "");
}

/** Whether the key may review: only then are held texts shown to it. */
export async function isReviewer() {
  try {
    await get(`${HOUSE}/held`);
    return true;
  } catch {
    return false;
  }
}

export async function keys(main) {
  const listed = (await get(`${HOUSE}/keys`)).data;
  const now = Date.now() / 1000;
  const live = (one) => !one.revoked_at && !(one.expires_at && one.expires_at < now);
  const heads = [[t("col.prefix")], [t("apps.label")], [t("col.state")], [t("col.scopes")], [t("col.made")], [t("col.used")], [t("col.expires")], [""]];
  const made = el("div", { role: "status" });
  const rows = listed.map((one) => [el("code", {}, `${one.prefix}…`), one.label, state(live(one) ? "active" : "revoked"), one.scopes.join(", "), when(one.created_at), when(one.last_used_at),
    one.expires_at ? when(one.expires_at) : t("never"),
    live(one) ? el("div", { class: "row" },
      el("button", { type: "button", onclick: async () => {
        const fresh = await post(`${HOUSE}/keys/${one.key_id}/rotate`);
        await keys(main);
        main.append(secretCard(t("keys.rotated"), fresh.secret));
      } }, t("keys.rotate")),
      el("button", { type: "button", onclick: async () => {
        if (!confirm(t("keys.sure"))) return;
        await remove(`${HOUSE}/keys/${one.key_id}`);
        notice(t("state.revoked"));
        await keys(main);
      } }, t("keys.revoke"))) : ""]);
  main.replaceChildren(el("h1", {}, t("keys.title")), table(heads, rows), made);
}
