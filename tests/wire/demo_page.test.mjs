// The page at /, as a browser's requests meet it; tests/pages uses it.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { runHostd, startHostd, startServer } from '../lib/hostd.mjs';
import { get, request } from '../lib/http.mjs';

const kClient = '/socket.io/socket.io.js';
const kHandshake = '/socket.io/?EIO=4&transport=polling';

let hostd; // with a Redis of its own
before(async () => {
  hostd = await startHostd();
});
after(() => hostd?.stop());

test('hostd with a Redis of its own serves the page', async () => {
  const { status, headers, text } = await get(hostd, '/');
  assert.equal(status, 200);
  assert.match(text, /^<!doctype html>/);
  assert.equal(headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(headers['cache-control'], 'no-cache');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['referrer-policy'], 'no-referrer');
  assert.match(headers['content-security-policy'], /^default-src 'self';/);
  assert.doesNotMatch(headers['content-security-policy'], /unsafe|http|\*/);
});

test('all that the page and its modules name is there', async () => {
  const seen = new Map();
  const visit = async (path) => {
    if (seen.has(path)) return;
    const { status, headers, text } = await get(hostd, path);
    assert.equal(status, 200, path);
    seen.set(path, headers['content-type']);
    const code = text.replace(/\/\*.*?\*\//gs, '');
    const names = code.matchAll(/(?:from|import|href=|src=|new Worker\() ?['"]([^'"]+\.\w+)['"]/g);
    for (const [, name] of names) await visit(new URL(name, new URL(path, hostd.url)).pathname);
  };
  await visit('/');
  const types = (extension) =>
    new Set([...seen].filter(([path]) => path.endsWith(extension)).map(([, type]) => type));
  assert.deepEqual(types('.js'), new Set(['text/javascript; charset=utf-8']));
  assert.deepEqual(types('.css'), new Set(['text/css; charset=utf-8']));
  assert.deepEqual(types('.svg'), new Set(['image/svg+xml']));
  for (const path of ['/keeper.js', '/hasher.js', '/places.js', '/lib/noble/_md.js']) {
    assert.ok(seen.has(path), `${path} in ${[...seen.keys()]}`);
  }
});

test('the client of Socket.IO lies where its servers have it', async () => {
  const bundle = new URL('../../hostd/demo/node_modules/socket.io-client/dist/socket.io.js', import.meta.url);
  const { status, headers, bytes } = await get(hostd, kClient);
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'text/javascript; charset=utf-8');
  assert.ok(bytes.equals(await readFile(bundle)));
  assert.match((await get(hostd, kHandshake)).text, /^0\{"sid":/);
  assert.equal((await get(hostd, `${kClient}x`)).status, 400);
});

test('what a browser has already is not sent again', async () => {
  const { headers } = await get(hostd, '/style.css');
  assert.match(headers.etag, /^"\d+"$/);
  assert.notEqual(headers.etag, (await get(hostd, '/main.js')).headers.etag);
  for (const tags of [headers.etag, `"other", W/${headers.etag}`]) {
    const again = await get(hostd, '/style.css', { 'If-None-Match': tags });
    assert.equal(again.status, 304, tags);
    assert.equal(again.text, '');
    assert.equal(again.headers.etag, headers.etag);
    assert.equal(again.headers['cache-control'], 'no-cache');
  }
  const other = await get(hostd, '/style.css', { 'If-None-Match': '"other"' });
  assert.equal(other.status, 200);
});

test('other methods and other paths', async () => {
  const whole = await get(hostd, '/main.js');
  const head = await request(hostd, 'HEAD', '/main.js');
  assert.equal(head.status, 200);
  assert.equal(head.text, '');
  assert.equal(head.headers['content-length'], whole.headers['content-length']);
  const posted = await request(hostd, 'POST', '/');
  assert.equal(posted.status, 405);
  assert.equal(posted.headers.allow, 'GET, HEAD, OPTIONS');
  for (const path of ['/no-such-file.js', '/../etc/passwd', '/main.js/', '/lib/']) {
    const { status, json } = await get(hostd, path);
    assert.equal(status, 404, path);
    assert.deepEqual(json, { error: 'Not found' });
  }
  assert.equal((await get(hostd, '/health')).json.status, 'healthy');
});

test('beside a Redis of others the page is there if asked for', async () => {
  const off = await startServer();
  try {
    assert.equal((await get(off, '/')).status, 404);
    assert.equal((await get(off, '/main.js')).status, 404);
    assert.equal((await get(off, kClient)).status, 400);
  } finally {
    await off.stop();
  }
  const on = await startServer({ 'demo.enabled': true, 'socketio.path': '/deep/io/', workers: 3 });
  try {
    assert.equal((await get(on, '/')).status, 200);
    assert.equal((await get(on, '/socketio-path')).text, '/deep/io/');
    assert.equal((await get(on, '/deep/io/socket.io.js')).status, 200);
    assert.equal((await get(on, kClient)).status, 404);
  } finally {
    await on.stop();
  }
});

test('hostd with a Redis of its own serves no page if told so', async () => {
  const off = await startHostd({ 'demo.enabled': false });
  try {
    assert.equal((await get(off, '/')).status, 404);
  } finally {
    await off.stop();
  }
});

test('the page needs rooms', async () => {
  const { code, stderr } = await runHostd({ 'demo.enabled': true, 'signaling.enabled': false });
  assert.equal(code, 2);
  assert.match(stderr, /^hostd: --demo\.enabled: option demo\.enabled: needs signaling\.enabled$/m);
});
