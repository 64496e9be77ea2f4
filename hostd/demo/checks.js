// What makes sense of what the other side says on a channel. It may be anybody who knows the link.

export const kNonsense = 'The other side sent something that makes no sense';

const kNameLength = 255; // characters, the most that file systems take
const kFallback = 'file';

export function check(makesSense) {
  if (!makesSense) throw new Error(kNonsense);
}

// What a text on the channel says: an object, of which nothing more is known.
export function messageFrom(text) {
  const message = JSON.parse(text);
  check(typeof message === 'object' && message !== null);
  return message;
}

export const isSize = (value) => Number.isSafeInteger(value) && value >= 0;
export const isDigest = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);

// Without what could lead into another folder, break the line, or turn letters around ("gpj.exe" that
// reads "exe.jpg").
function cleanName(name) {
  const letters = [...name.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}/\\]/gu, '')];
  const cut = letters.slice(0, kNameLength).join('');
  return /^[\s.]*$/u.test(cut) ? kFallback : cut;
}

export function fileFrom(file) {
  check(typeof file === 'object' && file !== null);
  const { name, size, modified } = file;
  check(typeof name === 'string' && isSize(size) && Number.isSafeInteger(modified));
  return { name: cleanName(name), size, modified };
}
