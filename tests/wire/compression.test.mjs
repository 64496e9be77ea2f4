// gzip of long-polling answers: who gets it, and who does not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { startApp } from '../lib/apps.mjs';
import { get, request } from '../lib/http.mjs';
import { RawConnection } from '../lib/raw.mjs';

const kPolling = '/engine.io/?EIO=4&transport=polling';
const kThreshold = 1024;

let server;
before(async () => {
  server = await startApp('engineio_echo');
});
after(() => server.stop());

// The path of a new session for which an answer of `size` bytes waits: the echo of a message.
async function waitingAnswer(size) {
  const opened = await get(server, kPolling);
  const path = `${kPolling}&sid=${JSON.parse(opened.text.slice(1)).sid}`;
  const body = `4${'é'.repeat((size - 1) / 2)}`.padEnd(size - Math.floor((size - 1) / 2), 'x');
  assert.equal(Buffer.byteLength(body), size);
  const headers = { 'Content-Type': 'text/plain;charset=UTF-8' };
  assert.equal((await request(server, 'POST', path, { body, headers })).text, 'ok');
  return { path, body };
}

for (const accepted of ['gzip', 'gzip, deflate, br', 'br;q=1, *;q=0.1', 'deflate,GZIP;q=0.001']) {
  test(`an answer of 1024 bytes to Accept-Encoding: ${accepted}`, async () => {
    const { path, body } = await waitingAnswer(kThreshold);
    const answer = await get(server, path, { 'Accept-Encoding': accepted });
    assert.equal(answer.headers['content-encoding'], 'gzip');
    assert.match(answer.headers.vary, /\bAccept-Encoding\b/);
    assert.equal(answer.headers['content-type'], 'text/plain; charset=UTF-8');
    assert.equal(Number(answer.headers['content-length']), answer.bytes.length);
    assert.ok(answer.bytes.length < kThreshold / 2);
    assert.equal(gunzipSync(answer.bytes).toString(), body);
  });
}

function assertPlain({ headers, text }, body) {
  assert.equal(headers['content-encoding'], undefined);
  assert.ok(!/accept-encoding/i.test(headers.vary ?? ''));
  assert.equal(text, body);
}

for (const refused of [undefined, '', 'identity', 'deflate, br', 'gzip;q=0', '*, gzip;q=0.000']) {
  test(`an answer of 1024 bytes to Accept-Encoding: ${refused}`, async () => {
    const { path, body } = await waitingAnswer(kThreshold);
    const headers = refused === undefined ? {} : { 'Accept-Encoding': refused };
    assertPlain(await get(server, path, headers), body);
  });
}

test('a smaller answer stays as it is', async () => {
  const { path, body } = await waitingAnswer(kThreshold - 1);
  assertPlain(await get(server, path, { 'Accept-Encoding': 'gzip' }), body);
});

test('a poll that waits is answered compressed, too', async () => {
  const opened = await get(server, kPolling);
  const path = `${kPolling}&sid=${JSON.parse(opened.text.slice(1)).sid}`;
  const poll = get(server, path, { 'Accept-Encoding': 'gzip' });
  const body = `4${'x'.repeat(200000)}`;
  await request(server, 'POST', path, { body, headers: { 'Content-Type': 'text/plain' } });
  const packets = [];
  const read = ({ bytes, headers }) =>
    packets.push(
      ...(headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes)
        .toString()
        .split('\x1e'),
    );
  for (let answer = await poll; ; answer = await get(server, path, { 'Accept-Encoding': 'gzip' })) {
    read(answer);
    if (packets.some((packet) => packet.startsWith('4'))) {
      assert.equal(answer.headers['content-encoding'], 'gzip');
      break;
    }
  }
  assert.ok(packets.includes(body));
});

test('behind a compressed answer the connection goes on', async () => {
  const { path, body } = await waitingAnswer(kThreshold);
  const connection = await RawConnection.open(server.port);
  connection.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n`);
  const head = await connection.read((buffer) => {
    const end = buffer.indexOf('\r\n\r\n');
    return end < 0 ? null : { value: buffer.toString('latin1', 0, end), length: end + 4 };
  }, 'head');
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)[1]);
  const coded = await connection.read(
    (buffer) => (buffer.length < length ? null : { value: buffer.subarray(0, length), length }),
    'body',
  );
  assert.equal(gunzipSync(coded).toString(), body);
  connection.write('GET /engine.io/?EIO=4&transport=x HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.equal((await connection.answer()).status, 400);
  connection.close();
});
