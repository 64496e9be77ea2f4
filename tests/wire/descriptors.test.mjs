// limits.connections against the descriptors that the system allows: the log warns of what cannot be,
// and what it calls enough is enough.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startHostd } from '../lib/hostd.mjs';
import { temporaryDirectory } from '../lib/process.mjs';
import { RawWebSocket } from '../lib/raw.mjs';
import { startRedis } from '../lib/redis.mjs';
import { makeCertificate, tlsOptions } from '../lib/tls.mjs';

let redis;
before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

const serve = (options) =>
  startHostd({ 'redis.url': redis.url, ...options }, { shell: 'ulimit -n 300' });
const warning = (connections) =>
  new RegExp(`limits.connections" wanted=${connections} descriptors=300 .* enough_for=(\\d+)`);

for (const [kind, tls, least] of [
  ['', { 'tls.cert': null, 'tls.key': null }, 100],
  [' with TLS', tlsOptions(makeCertificate()), 33],
]) {
  for (const workers of [1, 4]) {
    test(`as many connections as the log calls enough are served${kind}, workers: ${workers}`, async () => {
      const greedy = await serve({ ...tls, workers, 'limits.connections': 301 });
      const line = await greedy.logged(warning(301));
      assert.equal(/descriptors_a_connection=3/.test(line), kind !== '');
      await greedy.stop();
      assert.equal(greedy.log.match(/limits\.connections/g).length, 1);

      const most = Number(warning(301).exec(line)[1]);
      assert.ok(most >= least, `${most}`);
      const modest = await serve({ ...tls, workers, 'limits.connections': most });
      const held = [];
      for (let i = 0; i < most; i++) held.push(await RawWebSocket.connect(modest));
      await assert.rejects(RawWebSocket.connect(modest));
      for (const ws of held) ws.close();
      await modest.stop();
      assert.doesNotMatch(modest.log, /limits\.connections/);
    });
  }
}

test('a limit that changes while it serves is compared, too', async () => {
  const file = path.join(temporaryDirectory(), 'descriptors.toml');
  writeFileSync(file, 'limits.connections = 10\n');
  const hostd = await serve({ config: file });
  writeFileSync(file, 'limits.connections = 1000\n');
  hostd.child.kill('SIGHUP');
  await hostd.logged(warning(1000));
  await hostd.stop();
  rmSync(file);
});
