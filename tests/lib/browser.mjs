// Debian's Chromium, and a static server for the page that the test loads into it.
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const kBrowser = process.env.CHROMIUM || '/usr/bin/chromium';

// The two pages are on one machine without a network: loopback is the only address they share.
const kArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--allow-loopback-in-peer-connection',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
];

// A browser with a fresh profile, which ends with it. It trusts the certificates of these keys, as
// publicKeyDigest() has them, and takes `host` for a name of this machine.
export const launchBrowser = ({ trusted = [], host } = {}) =>
  chromium.launch({
    executablePath: kBrowser,
    headless: true,
    args: [
      ...kArguments,
      `--ignore-certificate-errors-spki-list=${trusted.join(',')}`,
      ...(host ? [`--host-resolver-rules=MAP ${host} 127.0.0.1`] : []),
    ],
  });

// Serves `files`, a map of path to file URL, on a free port of 127.0.0.1.
export async function serveFiles(files) {
  const server = http.createServer(async (request, response) => {
    const file = files[request.url];
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    const type = file.href.endsWith('.js') ? 'text/javascript' : 'text/html';
    response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` });
    response.end(await readFile(fileURLToPath(file)));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref(); // a test that failed ends all the same
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(resolve);
      }),
  };
}
