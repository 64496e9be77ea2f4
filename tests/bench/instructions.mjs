// Compares the instructions that hostd takes with the committed ones. See README.md.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { table } from '../lib/pinned.mjs';
import { committed, complaint, countInstructions, kCommitted } from './callgrind.mjs';

const { values } = parseArgs({ options: { update: { type: 'boolean', default: false } } });

// Children are not waited for otherwise (see process.mjs).
setInterval(() => {}, 1000);

const counted = await countInstructions();
const before = committed();
const percent = (name) => (((counted[name] - before[name]) / before[name]) * 100).toFixed(1);
const rows = [['', 'instructions', 'committed', 'more by']];
for (const name of Object.keys(counted)) {
  rows.push([name, String(counted[name]), String(before[name]), `${percent(name)} %`]);
}
console.log(table(rows));

if (values.update) {
  writeFileSync(kCommitted, `${JSON.stringify(counted, null, 2)}\n`);
  process.exit(0);
}
const complaints = Object.keys(counted)
  .map((name) => complaint(name, counted[name], before[name]))
  .filter((text) => text);
for (const text of complaints) console.error(text);
process.exit(complaints.length > 0 ? 1 : 0);
