// Figures that the tests of one file measured, printed as a table when they are through.
import { after } from 'node:test';

const rows = [];

export const figure = (scenario, what, value) => rows.push([scenario, what, String(value)]);

export const ms = (value) => `${Math.round(value)} ms`;

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0
    ? NaN
    : sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

// What became of the messages of a load; see Record.messages().
export function figureMessages(scenario, { sent, lost, healed, informed }) {
  figure(scenario, 'messages sent, lost', `${sent}, ${lost}`);
  figure(scenario, 'then Redis right, all told after', `${ms(healed)}, ${ms(healed + informed)}`);
}

export function printFigures() {
  const width = (column) => Math.max(...rows.map((row) => row[column].length));
  const [first, second] = [width(0), width(1)];
  for (const [scenario, what, value] of rows)
    console.log(`${scenario.padEnd(first)}  ${what.padEnd(second)}  ${value}`);
}

export const printFiguresAtEnd = () => after(() => rows.length > 0 && printFigures());
