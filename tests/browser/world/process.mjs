// Commands that end, and servers that are ended by their own pid.

import { execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const READY_MS = 60_000;
const END_MS = 15_000;

// Runs a command to its end and gives what it printed; a failure says what was run.
export async function run(program, words, options) {
  try {
    const { stdout } = await promisify(execFile)(program, words, { ...options, maxBuffer: 16 << 20 });
    return stdout;
  } catch (error) {
    throw new Error(`creditbank ${words.join(" ")}\n${error.stdout ?? ""}${error.stderr ?? error.message}`);
  }
}

// A server that says "ready name=address …" on its first line.
export class Server {
  // Resolves when it is ready; what it says on stderr is kept, and shown if it ends before.
  static async start(program, words, options) {
    const child = spawn(program, words, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    const server = new Server(child);
    child.stderr.on("data", (bytes) => (server.errors = (server.errors + bytes).slice(-20_000)));
    const ready = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${words[0]} is not ready\n${server.errors}`)), READY_MS);
      child.on("error", reject);
      child.on("exit", (code) => reject(new Error(`${words[0]} ended with ${code}\n${server.errors}`)));
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (!line.startsWith("ready")) return;
        clearTimeout(timer);
        resolve(Object.fromEntries(line.split(" ").slice(1).map((word) => word.split("="))));
      });
    });
    try {
      server.said = await ready;
    } catch (error) {
      await server.end();
      throw error;
    }
    return server;
  }

  constructor(child) {
    this.child = child;
    this.errors = "";
    this.said = {};
    this.gone = new Promise((resolve) => child.on("exit", resolve));
  }

  async end() {
    if (this.child.pid === undefined || this.child.exitCode !== null) return;
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), END_MS);
    await this.gone;
    clearTimeout(timer);
  }
}
