// The instructions that hostd takes, compared with the committed ones. See README.md.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { committed, complaint, countInstructions, kScenarios } from './callgrind.mjs';

describe('instructions', () => {
  let counted;
  before(async () => {
    counted = await countInstructions();
  });
  for (const name of Object.keys(kScenarios)) {
    test(`${name}: not many more than committed`, () => {
      assert.equal(complaint(name, counted[name], committed()[name]), undefined);
    });
  }
});
