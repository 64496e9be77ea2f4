// Memory that runs out, at one place or now and then. It costs at most the request or the session that
// it runs out for.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Random } from '../lib/random.mjs';
import { kSeed, sample, show, toSpare } from './sites.mjs';
import { Subject } from './subject.mjs';

const kNoMemory = 12; // ENOMEM
const kSample = 16;
const kPlays = 6;
const rule = (more) => ({ kinds: ['memory'], error: kNoMemory, ...more });

async function tryPlaces(options) {
  const subject = await Subject.start({}, options);
  const sites = (await subject.census()).filter(({ kind }) => kind === 'memory');
  assert.ok(sites.length > 300, `${sites.length} places`);
  for (const site of sample(sites, kSample)) {
    const complaints = await subject.trial(rule({ site: site.hash, limit: 1 }));
    assert.deepEqual(complaints, [], `${show(site)}\n${subject.report}`);
  }
  await subject.stop();
}

describe(`memory runs out (FAULTS_SEED=${kSeed})`, { concurrency: true }, () => {
  test('at each place, once', () => tryPlaces());

  test('at each place while Redis is found again, once', () => tryPlaces({ loseRedis: true }));

  test('now and then', async () => {
    const subject = await Subject.start();
    subject.page.spare(toSpare(await subject.census()));
    const random = new Random(kSeed);
    for (let i = 0; i < kPlays; i++) {
      const given = rule({ chance: 0.002, seed: random.below(2 ** 32) });
      const complaints = await subject.trial(given);
      assert.deepEqual(complaints, [], `${JSON.stringify(given)}\n${subject.report}`);
    }
    await subject.stop();
  });
});
