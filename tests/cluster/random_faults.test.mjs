// A few random sequences of faults, with a fresh seed each time. `node tests/cluster/random_faults.mjs`
// runs more of them, or one again.
import { test } from 'node:test';
import { figureMessages, printFiguresAtEnd } from '../lib/figures.mjs';
import { describe, planOf, run } from './faults.mjs';

printFiguresAtEnd();

const first = Math.floor(Math.random() * 1e9);
for (let seed = first; seed < first + 3; seed++) {
  test(`random faults, seed ${seed}`, async (t) => {
    t.diagnostic(`seed ${seed}: ${describe(planOf(seed))}`);
    figureMessages(`seed ${seed}`, await run(seed));
  });
}
