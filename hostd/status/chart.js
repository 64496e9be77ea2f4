// Lines over time in an SVG element that is there already; each is a key of the points.

const kWidth = 600;
const kHeight = 160;
const kNamespace = 'http://www.w3.org/2000/svg';

const make = (name, attributes) => {
  const element = document.createElementNS(kNamespace, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};

// A number above `most` that is good to read.
export function ceiling(most) {
  if (!(most > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= most);
}

// `lines`: [{ key, style }]; `span`: ms that the width stands for; `format` makes a number readable.
export function draw(svg, points, lines, span, format) {
  const values = points.flatMap((point) => lines.map(({ key }) => point[key])).filter((v) => v !== null);
  const top = ceiling(Math.max(0, ...values));
  const end = points.at(-1)?.at ?? 0;
  const x = ({ at }) => kWidth * (1 - (end - at) / span);
  const y = (value) => kHeight * (1 - value / top);
  svg.setAttribute('viewBox', `0 0 ${kWidth} ${kHeight}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  const parts = [0.5, 1].map((share) =>
    make('line', { class: 'grid', x1: 0, x2: kWidth, y1: y(top * share), y2: y(top * share) }),
  );
  for (const { key, style } of lines) {
    let path = '';
    let gap = true;
    for (const point of points) {
      if (point[key] === null) gap = true;
      else {
        path += `${gap ? 'M' : 'L'}${x(point).toFixed(1)} ${y(point[key]).toFixed(1)}`;
        gap = false;
      }
    }
    parts.push(make('path', { class: `line ${style}`, d: path }));
  }
  svg.replaceChildren(...parts);
  return { top: format(top), middle: format(top / 2) };
}
