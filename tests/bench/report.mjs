// The tables: a row for each server, a column for each figure, the medians of all rounds.
import { table } from '../lib/pinned.mjs';

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const digits = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
const percent = (share) => `${(share * 100).toFixed(0)} %`;

const figure = (title, key, show) => ({ title, cell: (of) => show(median(of(key))) });
const spread = (key) => ({
  title: '±',
  cell: (of) => percent((Math.max(...of(key)) - Math.min(...of(key))) / 2 / median(of(key))),
});
const ratio = (key) => ({
  title: '/ first',
  cell: (of, ofFirst) => (median(of(key)) / median(ofFirst(key))).toFixed(2),
});
const fixed = (places) => (value) => value.toFixed(places);

export const costColumns = [
  figure('µs', 'cost', digits),
  spread('cost'),
  ratio('cost'),
  figure('a second', 'rate', fixed(0)),
  figure('CPU', 'busy', percent),
  figure('p50 µs', 'p50', String),
  figure('Redis µs', 'redis', fixed(0)),
  figure('trips', 'trips', fixed(1)),
];

export const memoryColumns = [
  figure('kB each', 'each', digits),
  ratio('each'),
  figure('from', 'few', String),
  figure('MB', 'before', fixed(1)),
  figure('to', 'many', String),
  figure('MB', 'after', fixed(1)),
];

// `results`: by the name of the row, what each round came to. The first is what the others are compared
// with.
export function resultTable(name, columns, results) {
  const reader = (rounds) => (key) => rounds.map((each) => each[key]);
  const first = reader([...results.values()][0]);
  return table([
    [name, ...columns.map(({ title }) => title)],
    ...[...results].map(([row, rounds]) => [
      row,
      ...columns.map(({ cell }) => cell(reader(rounds), first)),
    ]),
  ]);
}
