// Reads and writes of sockets that give up at once, give a part, or find the connection gone.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { kSeed, sample, show } from './sites.mjs';
import { Subject } from './subject.mjs';

const kAgain = 11; // EAGAIN
const kReset = 104; // ECONNRESET
const kPart = 0;
const kSample = 7;

describe(`transfers (FAULTS_SEED=${kSeed})`, { concurrency: true }, () => {
  for (const [what, fault] of [
    ['are told to try again, every other time', { error: kAgain, period: 2 }],
    ['get through a piece at a time', { error: kPart }],
    ['find the connection reset', { error: kReset, limit: 1 }],
  ]) {
    test(what, async () => {
      const subject = await Subject.start();
      const sites = await subject.census();
      const transfers = sites.filter(({ kind }) => ['receive', 'send'].includes(kind));
      assert.ok(transfers.length > 10, `${transfers.length} places`);
      for (const site of sample(transfers, kSample)) {
        const rule = { kinds: [site.kind], site: site.hash, ...fault };
        assert.deepEqual(await subject.trial(rule), [], `${show(site)}\n${subject.report}`);
      }
      await subject.stop();
    });
  }
});
