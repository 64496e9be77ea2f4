// Draws two charts as one SVG, one above the other: the cost of a relay against idle connections, and
// latency against load. It follows the reader's choice of light or dark.

const kWidth = 760;
const kChart = { left: 84, right: 110, top: 48, height: 250, below: 62 };
const kPlotWidth = kWidth - kChart.left - kChart.right;
const kRowHeight = kChart.top + kChart.height + kChart.below;
const kNames = ['floor', 'hostd', 'node'];

const kStyle = `
  svg { font: 13px system-ui, sans-serif }
  .paper { fill: #ffffff } .ink { fill: #1f2328 } .faint { fill: #59636e }
  .grid { stroke: #d1d9e0 } .line { fill: none; stroke-width: 2 } .dashed { stroke-dasharray: 5 4 }
  .title { font-size: 15px; font-weight: 600 } .end { text-anchor: end } .middle { text-anchor: middle }
  .line.floor { stroke: #6e7781 } .line.hostd { stroke: #0969da } .line.node { stroke: #bc4c00 }
  .dot.floor { fill: #6e7781 } .dot.hostd { fill: #0969da } .dot.node { fill: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } .ink { fill: #f0f6fc } .faint { fill: #9198a1 } .grid { stroke: #3d444d }
    .line.floor { stroke: #9198a1 } .line.hostd { stroke: #4493f8 } .line.node { stroke: #f0883e }
    .dot.floor { fill: #9198a1 } .dot.hostd { fill: #4493f8 } .dot.node { fill: #f0883e }
  }`;

// Both give where a value stands, from 0 to 1, and the values that are named on the axis.
function linear(most, step) {
  const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step);
  return { at: (value) => value / most, ticks };
}

function logarithmic(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const steps = [];
  for (let power = 10 ** Math.floor(Math.log10(low)); power <= high * 10; power *= 10) {
    steps.push(power, 2 * power, 5 * power);
  }
  const first = steps.findLast((step) => step <= low);
  const last = steps.find((step) => step >= high);
  const span = Math.log(last / first);
  const ticks = steps.filter((step) => first <= step && step <= last);
  return { at: (value) => Math.log(value / first) / span, ticks };
}

const short = (value) => (value >= 1000 ? `${value / 1000}k` : String(value));
const microseconds = (value) => `${value} µs`;
function duration(value) {
  if (value >= 1e6) return `${value / 1e6} s`;
  return value >= 1e3 ? `${value / 1e3} ms` : microseconds(value);
}
const text = (x, y, classes, words, more = '') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" class="${classes}" ${more}>${words}</text>`;

// `lines`: { name, style, label, points: [x, y] }
function chart(row, { title, xTitle, yTitle, yUnit, x, y, lines }) {
  const top = row * kRowHeight + kChart.top;
  const bottom = top + kChart.height;
  const across = (value) => kChart.left + x.at(value) * kPlotWidth;
  const up = (value) => bottom - y.at(value) * kChart.height;
  const out = [text(kChart.left, top - 20, 'ink title', title)];
  for (const tick of y.ticks) {
    const [left, right, at] = [kChart.left, kChart.left + kPlotWidth, up(tick)];
    out.push(`<path class="grid" d="M${left} ${at.toFixed(1)}H${right}"/>`);
    out.push(text(left - 8, at + 4, 'faint end', yUnit(tick)));
  }
  for (const tick of x.ticks)
    out.push(text(across(tick), bottom + 20, 'faint middle', short(tick)));
  out.push(text(kChart.left + kPlotWidth / 2, bottom + 42, 'ink middle', xTitle));
  const [labelX, labelY] = [18, top + kChart.height / 2];
  out.push(
    text(labelX, labelY, 'ink middle', yTitle, `transform="rotate(-90 ${labelX} ${labelY})"`),
  );
  let taken = -Infinity; // the lowest label yet
  const byHeight = lines
    .filter(({ points }) => points.length > 0)
    .sort((a, b) => up(a.points.at(-1)[1]) - up(b.points.at(-1)[1]));
  for (const { name, style, label, points } of byHeight) {
    const places = points.map(([px, py]) => `${across(px).toFixed(1)},${up(py).toFixed(1)}`);
    out.push(`<polyline class="line ${name} ${style}" points="${places.join(' ')}"/>`);
    for (const place of places) {
      const [cx, cy] = place.split(',');
      out.push(`<circle class="dot ${name}" r="3" cx="${cx}" cy="${cy}"/>`);
    }
    const [lastX, lastY] = points.at(-1);
    taken = Math.max(up(lastY) + 4, taken + 15);
    out.push(text(across(lastX) + 8, taken, `dot ${name}`, label));
  }
  return out.join('\n');
}

// `curves`: see curves.mjs.
export function draw(curves) {
  const names = kNames.filter((name) => name in curves);
  const costs = names.map((name) => ({
    name,
    style: '',
    label: name,
    points: curves[name].cost,
  }));
  const latencies = names.flatMap((name) => [
    {
      name,
      style: '',
      label: `${name} p50`,
      points: curves[name].latency.map(([rate, p50]) => [rate, p50]),
    },
    {
      name,
      style: 'dashed',
      label: `${name} p99`,
      points: curves[name].latency.map(([rate, , p99]) => [rate, p99]),
    },
  ]);
  const values = (lines, axis) => lines.flatMap(({ points }) => points.map((each) => each[axis]));
  const charts = [
    chart(0, {
      title: 'What a relayed message costs',
      xTitle: 'idle connections beside 200 pairs with 4,000 messages a second',
      yTitle: 'CPU of the server',
      yUnit: microseconds,
      x: linear(Math.max(...values(costs, 0), 1), 3000),
      y: logarithmic(values(costs, 1)),
      lines: costs,
    }),
    chart(1, {
      title: 'How long it takes',
      xTitle: 'messages a second, of 200 pairs',
      yTitle: 'latency',
      yUnit: duration,
      x: logarithmic(values(latencies, 0)),
      y: logarithmic(values(latencies, 1)),
      lines: latencies,
    }),
  ];
  const height = kRowHeight * charts.length;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${kWidth} ${height}">
<style>${kStyle}
</style>
<rect class="paper" width="${kWidth}" height="${height}"/>
${charts.join('\n')}
</svg>
`;
}
