// The programs of tests/apps, built beside the hostd under test.
import path from 'node:path';
import { kHostd } from './hostd.mjs';
import { start } from './process.mjs';
import { within } from './wait.mjs';

export const appPath = (name) => path.resolve(path.dirname(kHostd), '../tests/apps', name);

// Starts one and waits until it listens, on a free port: { port, stop() }.
export async function startApp(name, args = []) {
  const child = start(appPath(name), ['0', ...args]);
  const listening = new Promise((resolve, reject) => {
    child.stdout.on('data', () => {
      const match = /^listening on http:\/\/localhost:(\d+)\//m.exec(child.output.stdout);
      if (match) resolve(Number(match[1]));
    });
    child.exited.then(() => reject(new Error(child.output.stderr)), reject);
  });
  return {
    port: await within(listening, name),
    async stop() {
      child.kill('SIGTERM');
      const { code, signal } = await within(child.exited, `end of ${name}`);
      if (code !== 0) throw new Error(`${name} ended (${code ?? signal}): ${child.output.stderr}`);
    },
  };
}
