// What hostd takes of the processor, in instructions, which do not depend on what else the machine does:
// hostd runs under callgrind, and one client or pair keeps it busy, so that each turn of its loop has one
// thing to do.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Generator } from '../lib/generator.mjs';
import { startServer } from '../lib/hostd.mjs';
import { removeDirectory, temporaryDirectory } from '../lib/process.mjs';

// The load, what of its figures is counted, and how many of that at least, whatever time they take: the two
// connections that messages need have a small share of each.
export const kScenarios = {
  session: { load: 'session:count=1,ending=0', counts: 'finished', least: 50 },
  connect: { load: 'connect:count=1', counts: 'received', least: 300 },
  polling: { load: 'relay:count=1,messages=0,polling=1', counts: 'received', least: 1000 },
  relay: { load: 'relay:count=1,messages=0', counts: 'received', least: 10000 },
};
// A machine with much else to do lets Redis wait.
const kOptions = { 'redis.command_timeout': 30000 };

export const kTolerance = 0.05;
export const kCommitted = new URL('instructions.json', import.meta.url);
export const committed = () => JSON.parse(readFileSync(kCommitted, 'utf8'));

class Callgrind {
  static async start() {
    const directory = temporaryDirectory();
    const output = path.join(directory, 'callgrind');
    const under = ['valgrind', '--tool=callgrind', `--callgrind-out-file=${output}`];
    return new Callgrind(directory, output, await startServer(kOptions, { under }));
  }

  constructor(directory, output, server) {
    Object.assign(this, { directory, output, server, dumps: 0 });
  }

  // The instructions since it was asked last.
  taken() {
    execFileSync('vgdb', [`--pid=${this.server.hostd.pid}`, 'dump'], { stdio: 'pipe' });
    const dump = readFileSync(`${this.output}.${++this.dumps}`, 'utf8');
    return Number(/^totals: (\d+)$/m.exec(dump)[1]);
  }

  // The instructions for each that the scenario counts.
  async measure({ load, counts, least }) {
    this.taken();
    const generator = Generator.start(this.server, [load], { report: 1 });
    const count = () => Object.values(generator.scenarios)[0]?.[counts];
    const enough = new Promise((resolve) => {
      generator.child.stdout.on('data', () => count() >= least && resolve());
    });
    await Promise.race([enough, generator.exited]);
    const errors = await generator.end();
    if (errors.length > 0) throw new Error(errors.join('; '));
    return Math.round(this.taken() / count());
  }

  async stop() {
    await this.server.stop();
    removeDirectory(this.directory);
  }
}

// The instructions by scenario.
export async function countInstructions() {
  const callgrind = await Callgrind.start();
  await callgrind.measure(kScenarios.session); // what is done once is done
  const counted = {};
  for (const [name, scenario] of Object.entries(kScenarios)) {
    counted[name] = await callgrind.measure(scenario);
  }
  await callgrind.stop();
  return counted;
}

// What is wrong with a count; nothing when it is at most as far above the committed one as it may be.
export function complaint(name, measured, before) {
  const allowed = Math.floor(before * (1 + kTolerance));
  if (measured <= allowed) return undefined;
  const above = ((measured / before - 1) * 100).toFixed(1);
  return (
    `${name} takes ${measured} instructions, ${above} % above the committed ${before}; ` +
    `${allowed} are allowed. If what they buy is worth it: tests/bench/instructions --update`
  );
}
