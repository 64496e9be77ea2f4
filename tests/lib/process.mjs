// Child processes and temporary directories that never outlive the test process: the kernel kills the
// children when it dies (setpriv --pdeathsig), the exit handler when it ends.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';

const children = new Set();
const directories = new Set();

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

// Nor does a connection that a failed test has left open keep its file, and all others, waiting: an
// unreferenced timer goes off only where something else keeps the process.
const kPatienceMs = 20_000;
if (process.env.NODE_TEST_CONTEXT) {
  after(() => {
    const leave = () => {
      console.error('something was left open behind the tests');
      process.exit(1);
    };
    setTimeout(leave, kPatienceMs).unref();
  });
}

// Starts a program. `child.exited` settles with { code, signal }; `child.output.stdout` and
// `.stderr` hold what it printed so far. With `stdin` 'pipe' it reads what child.stdin is given.
export function start(command, args, { env = process.env, stdin = 'ignore' } = {}) {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
    env,
    stdio: [stdin, 'pipe', 'pipe'],
  });
  // A test file that failed before it could end its children must end all the same.
  child.unref();
  child.stdin?.unref();
  child.stdout.unref();
  child.stderr.unref();
  children.add(child);
  child.output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      child.output[name] += text;
    });
  }
  child.exited = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      children.delete(child);
      resolve({ code, signal });
    });
  });
  return child;
}

export function temporaryDirectory() {
  const directory = mkdtempSync(path.join(tmpdir(), 'signalbox-test-'));
  directories.add(directory);
  return directory;
}

export function removeDirectory(directory) {
  rmSync(directory, { recursive: true, force: true });
  directories.delete(directory);
}
