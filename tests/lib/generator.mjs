// The load generator as a child process: LOAD, or build/tests/bench/load.
import { fileURLToPath } from 'node:url';
import { pause } from './pinned.mjs';
import { start } from './process.mjs';

const kLoad =
  process.env.LOAD || fileURLToPath(new URL('../../build/tests/bench/load', import.meta.url));

export class Generator {
  // `server`: { port }, { peerPort } if the second of each pair connects elsewhere, { tls } if it speaks
  // that. `scenarios` as on its command line. It reports each `report` seconds.
  static start(server, scenarios, { seconds = 1e6, report = 5, cpu } = {}) {
    const { port, peerPort = port, tls } = server;
    const flags = ['--port', port, '--peer-port', peerPort, '--tls', tls ? 1 : 0];
    flags.push('--seconds', seconds, '--report', report);
    const pin = cpu === undefined ? [] : ['taskset', '-c', String(cpu)];
    const [command, ...args] = [...pin, kLoad, ...flags.map(String), ...scenarios];
    return new Generator(start(command, args, { stdin: 'pipe' }));
  }

  constructor(child) {
    this.child = child;
    child.ref(); // start() lets a program end before its children
    this.pid = child.pid;
    this.report = null; // the last
    this.rest = '';
    child.stdout.on('data', (text) => this.read(text));
    this.exited = child.exited;
  }

  read(text) {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop();
    for (const line of lines) {
      this.report = JSON.parse(line);
      this.child.output.stdout = ''; // all of them are not needed
    }
  }

  // The last report's figures by scenario; { } before the first.
  get scenarios() {
    return this.report?.scenarios ?? {};
  }

  scale(factor) {
    this.child.stdin.write(`scale ${factor.toFixed(4)}\n`);
  }

  // The figures of the next report.
  async reported() {
    const { report } = this;
    while (this.report === report) {
      if (this.child.exitCode !== null) throw new Error(this.child.output.stderr);
      await pause(1);
    }
    return this.scenarios;
  }

  // What went wrong until the last report.
  get errors() {
    return Object.entries(this.scenarios).flatMap(([name, figures]) =>
      Object.entries(figures.errors).map(([kind, times]) => `${name}: ${kind} (${times} times)`),
    );
  }

  // Lets what is under way come to its end. Gives what went wrong.
  async end() {
    if (this.child.exitCode === null) this.child.stdin.write('end\n');
    const { code, signal } = await this.exited;
    const { errors } = this;
    if (code !== 0 && errors.length === 0) {
      errors.push(`the load generator ended with ${code ?? signal}: ${this.child.output.stderr}`);
    }
    return errors;
  }
}
