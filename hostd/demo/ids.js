// Names that nobody finds by trying, 128 random bits: of rooms, of attempts to connect, of receivers.

export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (c) => ({ '+': '-', '/': '_' })[c] ?? '');
}

export const isId = (value) => typeof value === 'string' && /^[\w-]{22}$/.test(value);
