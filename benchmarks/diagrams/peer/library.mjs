// Evaluates entries of @penrose/core's library: one JSON question a line in, one answer a line out.
//
//   node library.mjs FOLDER questions.jsonl
//
// A question: {"kind": "constraint" | "objective" | "function", "name": ..., "args": [...]}; a shape
// is {"shape": "Circle", "props": {"r": {"tag": "FloatV", "contents": 3}, ...}}. An answer:
// {"value": [numbers, flattened]} or {"error": text}. FOLDER holds node_modules (see run.mjs).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const require = createRequire(join(folder, "package.json"));
const { JSDOM } = require("jsdom");
const { window } = new JSDOM("<!doctype html><body></body>");
globalThis.window = window;
globalThis.document = window.document;
const inside = (file) =>
  import(pathToFileURL(join(folder, "node_modules/@penrose/core/dist", file)).href);
const core = await inside("index.js");
const { compile } = await inside("engine/Autodiff.js");
const entries = {
  constraint: core.constrDict,
  objective: core.objDict,
  function: core.compDict,
};

const revive = (given) => {
  if (Array.isArray(given)) return given.map(revive);
  if (given === null || typeof given !== "object") return given;
  if (!("shape" in given))
    return Object.fromEntries(Object.entries(given).map(([k, v]) => [k, revive(v)]));
  const shape = { shapeType: given.shape, passthrough: new Map() };
  for (const [name, value] of Object.entries(given.props)) shape[name] = revive(value);
  return shape;
};
const isScalar = (x) =>
  typeof x === "number" || (x !== null && typeof x === "object" && "tag" in x && !("contents" in x));
const flatten = (value, out) => {
  if (Array.isArray(value)) for (const one of value) flatten(one, out);
  else if (isScalar(value)) out.push(value);
  else if (value !== null && typeof value === "object") flatten(value.contents, out);
  return out;
};

for (const line of readFileSync(process.argv[3], "utf8").trim().split("\n")) {
  const question = JSON.parse(line);
  const answer = {};
  try {
    const entry = entries[question.kind][question.name];
    const result = entry.body(
      ...(question.kind === "function" ? [{ makeInput: () => core.variable(0.3) }] : []),
      ...question.args.map(revive),
    );
    const value = result !== null && typeof result === "object" && "warnings" in result ? result.value : result;
    const scalars = flatten(value, []);
    const numbers = (await compile(scalars))((input) => input.val ?? 0.3);
    answer.value = numbers.map((x) => (Number.isFinite(x) ? x : String(x)));
  } catch (error) {
    answer.error = String(error.message ?? error).slice(0, 300);
  }
  console.log(JSON.stringify(answer));
}
process.exit(0);
