// Fails, so that the runner can be seen to notice.
import assert from 'node:assert';
import test from 'node:test';

test('fails', () => assert.fail());
