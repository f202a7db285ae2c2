// Runs trio files through @penrose/core and prints one JSON object a line: counts, energies, times.
//
//   cd SOMEWHERE && npm install @penrose/core@4.0.0-alpha.5 jsdom
//   node run.mjs SOMEWHERE [--layouts N] a.trio.json ...
//
// Texts are measured by a stand-in (half an em a character): Node has no canvas. Counts of inputs,
// constraints and objectives do not depend on it; energies do where texts take part.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, ...rest] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const { JSDOM } = require("jsdom");
const { window } = new JSDOM("<!doctype html><body></body>");
globalThis.window = window;
globalThis.document = window.document;
window.HTMLCanvasElement.prototype.getContext = () => ({
  font: "12px sans-serif",
  measureText(text) {
    const size = parseFloat(/([\d.]+)px/.exec(this.font)?.[1] ?? "12");
    return {
      actualBoundingBoxLeft: 0,
      actualBoundingBoxRight: 0.55 * size * text.length,
      actualBoundingBoxAscent: 0.73 * size,
      actualBoundingBoxDescent: 0.2 * size,
    };
  },
});
const core = await import(
  pathToFileURL(join(folder, "node_modules/@penrose/core/dist/index.js")).href
);

let layouts = 1;
const trios = [];
for (let i = 0; i < rest.length; i++) {
  if (rest[i] === "--layouts") layouts = Number(rest[++i]);
  else trios.push(rest[i]);
}
const read = (trio, name) => readFileSync(join(dirname(trio), name), "utf8");

for (const path of trios) {
  const out = { program: path, ok: false };
  try {
    const trio = JSON.parse(readFileSync(path, "utf8"));
    const cpu0 = process.cpuUsage();
    const compiled = await core.compile({
      substance: read(path, trio.substance),
      style: trio.style.map((one) => read(path, one)).join("\n"),
      domain: read(path, trio.domain),
      variation: trio.variation ?? "",
      excludeWarnings: trio.excludeWarnings ?? [],
    });
    const cpu1 = process.cpuUsage(cpu0);
    out.compile_ms = (cpu1.user + cpu1.system) / 1000;
    if (compiled.isErr()) throw Error(core.showError(compiled.error));
    const state = compiled.value;
    out.inputs = state.varyingValues.length;
    out.constraints = state.constrFns.length;
    out.objectives = state.objFns.length;
    out.shapes = state.shapes.length;
    out.warnings = [...new Set(state.warnings.map((one) => one.tag))].sort();
    const start = process.cpuUsage();
    const done = [];
    let failed = 0;
    let why = "";
    for (let k = 0; k < layouts; k++) {
      const first = layouts > 1 ? core.resample({ ...state, variation: `s${k}` }) : state;
      const laidOut = core.optimize(first);
      if (laidOut.isOk()) done.push(laidOut.value);
      else {
        failed += 1;
        why = core.showError(laidOut.error);
      }
    }
    const spent = process.cpuUsage(start);
    out.layout_ms = (spent.user + spent.system) / 1000 / layouts;
    out.failed = failed;
    const terms = done.map((one) => core.evalFns(one));
    out.energies = terms.map(({ objEngs }) => objEngs.reduce((a, b) => a + b, 0));
    out.violations = terms.map(({ constrEngs }) => Math.max(0, ...constrEngs));
    out.energy = out.energies[0];
    out.violation = out.violations[0];
    if (!done.length) throw Error(why);
    out.ok = true;
  } catch (error) {
    out.error = String(error.message ?? error).slice(0, 2000);
  }
  console.log(JSON.stringify(out));
}
process.exit(0);
