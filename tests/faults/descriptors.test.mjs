// Descriptors that the system refuses, and connections that it fails to give. What happens under a
// real limit is in tests/wire/shutdown.test.mjs.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RawConnection } from '../lib/raw.mjs';
import { sample, show } from './sites.mjs';
import { Subject } from './subject.mjs';

const kNoMemory = 12; // ENOMEM
const kTooManyOfSystem = 23; // ENFILE
const kTooMany = 24; // EMFILE
const kAborted = 103; // ECONNABORTED
const kNoBuffers = 105; // ENOBUFS

const kErrors = {
  accept: [kTooMany, kTooManyOfSystem, kAborted, kNoMemory, kNoBuffers],
  descriptor: [kTooMany],
  connect: [kNoMemory],
  watch: [kNoMemory],
};

const kWindowMs = 300;
const kMostAttempts = 50; // of a few a time, and a rest of 100 ms between

describe('the system refuses', { concurrency: true }, () => {
  for (const [name, error] of Object.entries({ EMFILE: kTooMany, ENFILE: kTooManyOfSystem })) {
    test(`every connection, ${name}: it does not spin, and serves afterwards`, async () => {
      const subject = await Subject.start();
      for (const round of ['first', 'second']) {
        subject.page.arm({ kinds: ['accept', 'descriptor'], error });
        const connection = await RawConnection.open(subject.hostd.port);
        assert.deepEqual(await subject.busyLoops(kWindowMs), []);
        const attempts = subject.page.disarm();
        assert.ok(attempts > 0 && attempts < kMostAttempts, `${attempts} attempts`);
        connection.write('GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
        assert.equal((await connection.answer())?.status, 200, 'who waited is served');
        connection.close();
        assert.equal(await subject.perform(), undefined);
        if (round === 'first') await subject.settle(); // some memory is taken once, and kept
      }
      assert.deepEqual(await subject.atRest(), []);
      await subject.stop();
    });
  }

  test('a descriptor or a connection, once at each place', async () => {
    const subject = await Subject.start({}, { loseRedis: true });
    const sites = (await subject.census()).filter(({ kind }) => kErrors[kind]);
    for (const site of sample(sites, sites.length)) {
      for (const error of kErrors[site.kind]) {
        const rule = { kinds: [site.kind], error, site: site.hash, limit: 1 };
        assert.deepEqual(await subject.trial(rule), [], `${show(site)}\n${subject.report}`);
      }
    }
    await subject.stop();
  });
});
