// JSON Web Tokens made by hand (RFC 7515), so that tests can also make those that must be refused.
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';

export const kSecret = 'a secret of thirty-two bytes or more';

export function rsaKeys(bits = 2048) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: bits,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return { publicKey, privateKey };
}

const kSigners = {
  none: () => '',
  HS256: (text, key) => createHmac('sha256', key).update(text).digest('base64url'),
  HS384: (text, key) => createHmac('sha384', key).update(text).digest('base64url'),
  RS256: (text, key) => sign('sha256', Buffer.from(text), key).toString('base64url'),
  RS512: (text, key) => sign('sha512', Buffer.from(text), key).toString('base64url'),
};

// `header` is added to, or replaces, what the algorithm gives.
export function token(claims, { alg = 'HS256', key = kSecret, header = {} } = {}) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg, typ: 'JWT', ...header })}.${part(claims)}`;
  return `${text}.${kSigners[alg](text, key)}`;
}

export const now = () => Math.floor(Date.now() / 1000);
export const claimsFor = (room, seconds = 60) => ({ room, exp: now() + seconds });
