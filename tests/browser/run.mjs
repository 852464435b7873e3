// Runs the pages in a real browser: starts a bank with learners, a gateway and desks, then one test file after the other.
//
//   node run.mjs PROGRAM MODULES OUTPUT [NAME…]
//
// PROGRAM is the creditbank binary, MODULES the folder with node_modules, OUTPUT where screenshots go. Only test files whose
// name contains a NAME are run, if any is given. `cargo xtask browser` does all this.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { World } from "./world/world.mjs";

const CONCURRENCY = 2;

const [program, modules, output, ...names] = process.argv.slice(2);
const here = import.meta.dirname;
const files = ["checks", "personas"]
  .flatMap((folder) => readdirSync(join(here, folder)).map((name) => join(here, folder, name)))
  .filter((file) => file.endsWith(".test.mjs") && (names.length === 0 || names.some((name) => file.includes(name))));
if (files.length === 0) throw new Error(`no test file is named like ${names.join(" or ")}`);

const folder = mkdtempSync(join(tmpdir(), "creditbank-browser-"));
mkdirSync(output, { recursive: true });
const world = new World(resolve(program), folder);
let code = 1;
try {
  if (files.some((file) => file.includes("/personas/"))) await world.begin();
  const told = join(folder, "world.json");
  writeFileSync(told, JSON.stringify(world.told()));
  const environment = {
    ...process.env,
    CREDITBANK_WORLD: told,
    CREDITBANK_NODE_MODULES: resolve(modules),
    CREDITBANK_SCREENS: resolve(output),
  };
  const options = ["--test", `--test-concurrency=${CONCURRENCY}`, "--test-reporter=spec", ...files];
  const tests = spawn(process.execPath, options, { env: environment, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => tests.kill(signal));
  code = await new Promise((done) => tests.on("exit", (status) => done(status ?? 1)));
} catch (error) {
  console.error(error.message);
} finally {
  await world.end();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = code;
