// A real coturn of the test's own, on loopback, that takes credentials made with a shared secret.
import path from 'node:path';
import { freePort } from './ports.mjs';
import { removeDirectory, start, temporaryDirectory } from './process.mjs';
import { within } from './wait.mjs';

// Gives { urls, log, stop() }.
export async function startCoturn({ secret }) {
  const port = await freePort();
  const directory = temporaryDirectory();
  const child = start('turnserver', [
    '-n', // no file of the machine's
    '--listening-ip=127.0.0.1',
    `--listening-port=${port}`,
    '--relay-ip=127.0.0.1',
    '--allow-loopback-peers',
    '--realm=signalbox',
    '--use-auth-secret',
    `--static-auth-secret=${secret}`,
    '--no-cli',
    '--no-tls',
    '--no-dtls',
    '--no-rfc5780',
    '--verbose',
    '--log-file=stdout',
    `--userdb=${path.join(directory, 'users')}`,
    `--pidfile=${path.join(directory, 'pid')}`,
  ]);
  const ready = new Promise((resolve, reject) => {
    child.stdout.on('data', () => /Total General servers/.test(child.output.stdout) && resolve());
    child.exited.then(() => reject(new Error(`coturn ended: ${child.output.stdout}`)), reject);
  });
  await within(ready, 'coturn', { detail: () => child.output.stdout.slice(-1000) });
  return {
    urls: ['udp', 'tcp'].map((transport) => `turn:127.0.0.1:${port}?transport=${transport}`),
    get log() {
      return child.output.stdout;
    },
    async stop() {
      child.kill('SIGKILL');
      await within(child.exited, 'end of coturn');
      removeDirectory(directory);
    },
  };
}
