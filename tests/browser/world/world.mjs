// A bank with people in it: institutions, a published rule set, learners with records of every category, and the processes
// that serve them. Everything lives in one temporary folder and ends with `end`.

import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

import { Server, run } from "./process.mjs";
import { INSTITUTIONS, LEARNERS, outcomes, PROJECTS, REVIEWERS, RULES, students } from "./people.mjs";

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
    const { program, folder, learners, address, bank, year } = this;
    return { program, folder, learners, address, bank, year, environment: this.environment };
  }

  async begin() {
    await this.startBank();
    await this.register();
    await this.publish();
    await this.admit();
    await this.deposit();
    await this.publishYearbook();
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

  // The shipped set, but for community classes: a panel decides on those.
  async publish() {
    cpSync(join(REPOSITORY, "deploy/rules", RULES), join(this.folder, "rules"), { recursive: true });
    const file = join(this.folder, "rules/classes.toml");
    const decided = readFileSync(file, "utf8").replace(/(id = "community-class"\n(?:.+\n)*?review = )"none"/, '$1"catalogued"');
    writeFileSync(file, decided.replace("automatic = true", "automatic = false"));
    await this.call("rules publish rules --language zh --key bank/operator.key");
  }

  async admit() {
    for (const { institution, id, title, category, standard } of PROJECTS) {
      const what = `--title ${title} --category ${category} --rules ${RULES} --standard ${standard}`;
      await this.call(`standard propose ${id} ${what} --key keys/${institution}.key`);
      for (const reviewer of REVIEWERS.slice(0, 1)) {
        await this.call(`standard review ${institution} ${id} --approve --key keys/${reviewer}.key`);
      }
      await this.call(`standard decide ${institution} ${id} --admit --key bank/operator.key`);
    }
  }

  async deposit() {
    const rows = outcomes(new Date()).map((row) => `${JSON.stringify(row)}\n`);
    writeFileSync(join(this.folder, "outcomes.ndjson"), rows.join(""));
    await this.call("import outcomes.ndjson --keys keys --quiet").catch((error) => {
      throw new Error(`${error.message}${readFileSync(join(this.folder, "outcomes.rejects.ndjson"), "utf8")}`);
    });
    for (const [who, { number, name }] of Object.entries(LEARNERS)) {
      const [code] = (await this.call(`learner enrol ${number} --name ${name} --key keys/college.key`)).split(/\s/);
      this.learners[who] = { code, name, number };
    }
  }

  async publishYearbook() {
    this.year = new Date().getFullYear() - 1;
    const rows = students(this.year).map((row) => `${JSON.stringify(row)}\n`);
    writeFileSync(join(this.folder, "students.ndjson"), rows.join(""));
    await this.call("import students.ndjson --keys keys --quiet");
    const residents = ['source = "示例人口普查"', `dated = ${this.year}-11-01`, "[residents]", "total = 24000", "310104 = 9000"];
    writeFileSync(join(this.folder, "residents.toml"), residents.join("\n"));
    await this.call(`stats publish ${this.year} --population residents.toml --key bank/operator.key`);
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
