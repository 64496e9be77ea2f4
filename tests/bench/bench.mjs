// Compares hostd with the floor and with its peers. See README.md.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { kLoadCpu, kServerCpu } from '../lib/pinned.mjs';
import { measureCurves } from './curves.mjs';
import { draw } from './picture.mjs';
import { resultTable } from './report.mjs';
import { kScenarios } from './scenarios.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    picture: { type: 'string' },
  },
});
const kRounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const kMeasuredSeconds = values.quick ? 1 : 2;
const kPrograms = (
  values.only ?? (values.quick ? 'floor,hostd,node' : 'floor,hostd,node,bun')
).split(',');
const isWanted = (server) => kPrograms.includes(server.split('-')[0]);

// Children are not waited for otherwise (see process.mjs).
setInterval(() => {}, 1000);

async function compare(name, scenario) {
  const rows = scenario.rows.filter(({ server }) => isWanted(server));
  if (rows.length === 0) return;
  const results = new Map(rows.map((row) => [row.name, []]));
  for (let round = 0; round < (scenario.rounds ?? kRounds); ++round) {
    for (const row of rows) {
      results.get(row.name).push(await scenario.measure(row, scenario, kMeasuredSeconds));
    }
  }
  console.log(`${resultTable(name, scenario.columns, results)}\n`);
}

const unknown = positionals.filter((name) => !(name in kScenarios));
if (unknown.length > 0) throw new Error(`no scenario ${unknown}: ${Object.keys(kScenarios)}`);
for (const [name, scenario] of Object.entries(kScenarios)) {
  const asked = positionals.includes(name);
  const usual = positionals.length === 0 && (!values.quick || scenario.quick !== false);
  if (asked || usual) await compare(name, scenario);
}
if (values.picture) writeFileSync(values.picture, draw(await measureCurves(isWanted)));
console.log(`servers on CPU ${kServerCpu}, load and Redis on CPU ${kLoadCpu}`);
process.exit(0);
