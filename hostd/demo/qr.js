// A text as a QR code: dark squares on white with the margin that readers want, in both themes.
import { qrcode } from './lib/qrcode.js';

const kNamespace = 'http://www.w3.org/2000/svg';
const kMargin = 4; // modules

function element(name, attributes) {
  const made = document.createElementNS(kNamespace, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

export function qrOf(text, label) {
  const code = qrcode(0, 'M'); // as small as the text allows
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  const size = count + 2 * kMargin;
  let path = '';
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < count; column++) {
      if (code.isDark(row, column)) path += `M${column + kMargin} ${row + kMargin}h1v1h-1z`;
    }
  }
  const svg = element('svg', {
    viewBox: `0 0 ${size} ${size}`,
    role: 'img',
    'aria-label': label,
    'shape-rendering': 'crispEdges',
  });
  svg.append(
    element('rect', { width: size, height: size, fill: '#fff' }),
    element('path', { d: path, fill: '#111' }),
  );
  return svg;
}
