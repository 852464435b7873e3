// A desk: `creditbank desk serve` with somebody's key, and the browser of whoever sits there.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after } from "node:test";

import { visitor, world } from "./browser.mjs";

const READY_MS = 30_000;

// Opens the desk of an institution, a reviewer, a window or the operator by the address that it prints; the process ends with
// the test file.
export async function desk(key, view = "desktop") {
  const options = { cwd: world.folder, env: { ...process.env, ...world.environment }, stdio: ["ignore", "pipe", "pipe"] };
  const child = spawn(world.program, ["desk", "serve", "--key", key], options);
  after(() => child.kill("SIGTERM"));
  let errors = "";
  child.stderr.on("data", (bytes) => (errors += bytes));
  const address = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the desk is not ready\n${errors}`)), READY_MS);
    child.on("exit", (code) => reject(new Error(`the desk ended with ${code}\n${errors}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const found = line.match(/http:\/\/\S+/);
      if (!found) return;
      clearTimeout(timer);
      resolve(found[0]);
    });
  });
  const staff = await visitor({ view, base: new URL(address).origin });
  await staff.page.goto(address);
  return { staff, address };
}
