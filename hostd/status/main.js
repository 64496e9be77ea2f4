// Asks for /metrics again and again, and shows what it tells.

import { draw } from './chart.js';
import { Metrics } from './metrics.js';
import { Series, kDropped } from './series.js';

const kIntervalMs = 2000;
const kMinuteMs = 60_000;
const kMostMinutes = 5; // that a chart shows
const kTurnedAway = { signalbox_refused_total: 'refused', ...kDropped };

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const orNone = (format) => (value) => (value === null ? 'none' : format(value));
const count = orNone((value) => whole.format(value));
const rate = orNone((value) => short.format(value));
const time = orNone((value) => (value < 1 ? `${short.format(value * 1000)} µs` : `${short.format(value)} ms`));
const share = orNone((value) => `${short.format(value * 100)} %`);
const megabytes = (value) => `${whole.format(value / 1e6)} MB`;

const latency = (title, key) => ({
  title,
  format: time,
  lines: [
    { key: `${key}50`, label: 'median' },
    { key: `${key}99`, label: '99 %' },
  ],
});

const kCharts = [
  { title: 'Sessions', format: count, lines: [{ key: 'sessions', label: 'open' }] },
  {
    title: 'A second',
    format: rate,
    lines: [
      { key: 'relays', label: 'relays' },
      { key: 'joins', label: 'joins' },
    ],
  },
  latency('Relay latency', 'relay'),
  latency('Join latency', 'join'),
  latency('Redis round trip', 'redis'),
  {
    title: 'Refused and dropped a second',
    format: rate,
    lines: [
      { key: 'refused', label: 'refused' },
      { key: 'dropped', label: 'dropped' },
    ],
  },
].map((chart) => ({
  ...chart,
  lines: chart.lines.map((line, i) => ({ ...line, style: `line${i + 1}` })),
}));

const kTiles = {
  Nodes: (metrics) => count(metrics.most('signalbox_nodes')),
  Sessions: (metrics) => count(metrics.sum('signalbox_sessions')),
  // One that has members at two workers is at both.
  Rooms: (metrics) => metrics.values('signalbox_rooms').map(count).join(' + '),
  'Relays a second': (_, point) => rate(point.relays),
  'Redis round trip': (_, point) => time(point.redis50),
  'CPU of a core': (_, point) => share(point.cpu),
  Memory: (metrics) => megabytes(metrics.sum('process_resident_memory_bytes')),
};

const state = document.querySelector('#state');
const tiles = document.querySelector('#tiles');
const series = new Series();

const element = (name, text, className) => {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
};

function makeChart({ title, lines }) {
  const figure = document.querySelector('#chart').content.cloneNode(true).firstElementChild;
  figure.querySelector('h2').textContent = title;
  const values = lines.map(({ label, style }) => {
    const item = element('li', `${label} `, style);
    const value = element('strong', '');
    item.append(value);
    figure.querySelector('.legend').append(item);
    return value;
  });
  document.querySelector('#charts').append(figure);
  return { figure, values };
}

const shownTiles = Object.entries(kTiles).map(([name, read]) => {
  const group = document.createElement('div');
  const value = element('dd', '');
  group.append(element('dt', name), value);
  tiles.append(group);
  return { value, read };
});
const shownCharts = kCharts.map((chart) => ({ ...chart, ...makeChart(chart) }));

function showCauses() {
  const rows = Object.entries(kTurnedAway).flatMap(([name, what]) =>
    series.causes(name).map((cause) => ({ what, ...cause })),
  );
  const some = rows.filter(({ total }) => total > 0);
  document.querySelector('#causes').hidden = some.length === 0;
  document.querySelector('#nothing').hidden = some.length > 0;
  document.querySelector('#causes tbody').replaceChildren(
    ...some.map(({ what, cause, rate: now, total }) => {
      const row = document.createElement('tr');
      const head = element('th', cause.replaceAll('_', ' '));
      head.scope = 'row';
      row.append(element('td', what), head, element('td', rate(now)), element('td', count(total)));
      return row;
    }),
  );
}

function show(metrics) {
  const point = series.add(performance.now(), metrics);
  const minutes = Math.min(kMostMinutes, Math.max(1, Math.ceil(series.age / kMinuteMs)));
  const span = minutes === 1 ? 'The last minute' : `The last ${minutes} minutes`;
  for (const { value, read } of shownTiles) value.textContent = read(metrics, point);
  for (const { figure, values, lines, format, title } of shownCharts) {
    const svg = figure.querySelector('svg');
    const { top, middle } = draw(svg, series.points, lines, minutes * kMinuteMs, format);
    figure.querySelector('.span').textContent = span;
    figure.querySelector('.top').textContent = top;
    figure.querySelector('.middle').textContent = middle;
    values.forEach((value, i) => {
      value.textContent = format(point[lines[i].key]);
    });
    const told = lines.map(({ key, label }) => `${label} ${format(point[key])}`).join(', ');
    svg.setAttribute('aria-label', `${title}: ${told}`);
  }
  showCauses();
}

// Told once, not every time: a screen reader reads it aloud.
function tell(text, bad) {
  if (state.textContent !== text) state.textContent = text;
  document.body.classList.toggle('lost', bad);
}

// Nothing: there is no answer, or none that tells.
async function ask() {
  try {
    const response = await fetch('/metrics', { signal: AbortSignal.timeout(kIntervalMs) });
    return response.ok ? await response.text() : null;
  } catch {
    return null;
  }
}

async function refresh() {
  const text = await ask();
  setTimeout(refresh, kIntervalMs);
  if (text === null) {
    tell('hostd does not answer; trying again', true);
    return;
  }
  const metrics = new Metrics(text);
  const [version] = metrics.all('signalbox_build_info');
  show(metrics);
  tell(`Live, version ${version?.labels.version}`, false);
}

refresh();
