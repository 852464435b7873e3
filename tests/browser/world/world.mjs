// A bank with people in it: institutions, a published rule set, learners with records of every category, and the processes
// that serve them. Everything lives in one temporary folder and ends with `end`.

import { copyFileSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

import { Server, run } from "./process.mjs";
import { elder, INSTITUTIONS, MADE, RULES } from "./people.mjs";

const REPOSITORY = join(import.meta.dirname, "../../..");

export class World {
  constructor(program, folder) {
    this.program = program;
    this.folder = folder;
    this.servers = [];
    this.learners = {};
  }

  // What the tests are told.
  told() {
    const { program, folder, learners, address, bank } = this;
    return { program, folder, learners, address, bank, environment: this.environment };
  }

  async begin() {
    await this.startBank();
    await this.register();
    await this.deposit();
    await this.publish();
    await this.startGateway();
  }

  async end() {
    for (const server of this.servers.reverse()) await server.end();
    this.servers = [];
  }

  call(line, more = {}) {
    const environment = { ...process.env, ...this.environment, ...more };
    return run(this.program, typeof line === "string" ? line.split(" ") : line, { cwd: this.folder, env: environment });
  }

  async serve(words) {
    const environment = { ...process.env, ...this.environment };
    const server = await Server.start(this.program, words, { cwd: this.folder, env: environment });
    this.servers.push(server);
    return server;
  }

  async startBank() {
    await this.call("init bank --origin browser.example/log --test-regions");
    const server = await this.serve("serve bank --grpc 127.0.0.1:0 --http 127.0.0.1:0".split(" "));
    this.bank = { grpc: `http://${server.said.grpc}`, http: `http://${server.said.http}` };
    this.environment = { CREDITBANK_SERVER: this.bank.grpc, CREDITBANK_BANK: "bank/bank.pub" };
  }

  async register() {
    writeFileSync(join(this.folder, "institutions.csv"), INSTITUTIONS);
    await this.call("institution register --file institutions.csv --keys keys --key bank/operator.key");
  }

  // One learner with records of every category, one of seventy with a few, and one for whom others act.
  async deposit() {
    for (const category of MADE.categories) {
      const file = `${category}.csv`;
      const { institution, rows, seed } = MADE;
      await this.call(`sample --category ${category} --institution ${institution} --rows ${rows} --seed ${seed} --output ${file}`);
      await this.call(`import ${file} --keys keys --quiet`);
    }
    writeFileSync(join(this.folder, "elder.ndjson"), elder(new Date()));
    await this.call("import elder.ndjson --keys keys --quiet");
    for (const [name, { number, called }] of Object.entries(MADE.learners)) {
      const words = ["learner", "enrol", number, "--name", called, "--key", `keys/${MADE.institution}.key`];
      const [code] = (await this.call(words)).split(/\s/);
      this.learners[name] = { code, name: called, number };
    }
  }

  async publish() {
    for (const set of RULES) {
      cpSync(join(REPOSITORY, "deploy/rules", set), join(this.folder, "rules", set), { recursive: true });
      await this.call(`rules publish rules/${set} --language zh --key bank/operator.key`);
    }
  }

  // The port is known before, because links and cookies follow the address.
  async startGateway() {
    const folder = join(this.folder, "gateway");
    mkdirSync(folder);
    copyFileSync(join(this.folder, "keys/web.key"), join(folder, "gateway.key"));
    const port = await freePort();
    this.address = `http://127.0.0.1:${port}`;
    const settings = [
      `listen = "127.0.0.1:${port}"`,
      `bank_url = "${this.bank.grpc}"`,
      `log_url = "${this.bank.http}"`,
      'bank = "../bank/bank.pub"',
      'key = "gateway.key"',
      'agent_key = "../keys/window.key"',
      'session_key = "session.key"',
      "client_requests_a_minute = 100000",
    ];
    writeFileSync(join(folder, "gateway.toml"), `${settings.join("\n")}\n`);
    await this.serve(["gateway", "gateway/gateway.toml", "--development-login"]);
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
