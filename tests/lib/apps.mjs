// The programs of tests/apps and capi/examples that serve, built beside the hostd under test.
import path from 'node:path';
import { kHostd } from './hostd.mjs';
import { start } from './process.mjs';
import { within } from './wait.mjs';

export const appPath = (name) => path.resolve(path.dirname(kHostd), '../tests/apps', name);

// Starts one and waits until it listens, on a free port: { port, url, stop() }.
export const startApp = (name, args = []) => startProgram(appPath(name), args);

// Engine.IO alone: a heartbeat of 300 and 200 ms, 1,000,000 bytes at most, echoes all.
export const startEngineioEcho = async (...args) => ({
  ...(await startApp('engineio_echo', args)),
  path: '/engine.io/',
});

// The same with a heartbeat that no test lives to see, for all that is not about it; and where a test
// says so with a limit of packets within so many seconds.
export const startPatientEcho = (...packetsAndWindow) =>
  startEngineioEcho('25000', '20000', ...packetsAndWindow);

// Socket.IO by the public header: the same timings, namespaces "/" and "/custom".
export const startProtocolApp = () =>
  startProgram(path.resolve(path.dirname(kHostd), '../capi/protocol_app'));

async function startProgram(file, args = []) {
  const name = path.basename(file);
  const child = start(file, ['0', ...args]);
  const listening = new Promise((resolve, reject) => {
    child.stdout.on('data', () => {
      const match = /^listening on (?:http:\/\/localhost:|port )(\d+)/m.exec(child.output.stdout);
      if (match) resolve(Number(match[1]));
    });
    child.exited.then(() => reject(new Error(child.output.stderr)), reject);
  });
  const port = await within(listening, name);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGTERM');
      const { code, signal } = await within(child.exited, `end of ${name}`);
      if (code !== 0) throw new Error(`${name} ended (${code ?? signal}): ${child.output.stderr}`);
    },
  };
}
