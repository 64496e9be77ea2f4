// Runs random sequences of faults and checks after each that nothing is wrong.
//
//   node tests/cluster/random_faults.mjs [--seed S] [--count N]
//
// The seeds are S, S + 1, …; without --seed a fresh one. Each line tells the seed, so that
// `--seed S --count 1` chooses the same faults again.
import { parseArgs } from 'node:util';
import { describe, planOf, run } from './faults.mjs';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, count: { type: 'string', default: '1' } },
});
const first = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const failed = [];
for (let seed = first; seed < first + Number(values.count); seed++) {
  console.log(`seed ${seed}: ${describe(planOf(seed))}`);
  try {
    const { sent, lost, healed, lasted } = await run(seed);
    const [a, b] = [lasted, healed].map(Math.round);
    console.log(`  sound ${b} ms after ${a} ms of faults; ${sent} messages, ${lost} lost`);
  } catch (error) {
    failed.push(seed);
    console.log(`  FAILED\n${error.message}`);
  }
}
console.log(failed.length === 0 ? `all ${values.count} sound` : `failed: ${failed.join(' ')}`);
process.exit(failed.length === 0 ? 0 : 1);
