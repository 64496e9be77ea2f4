// tests/apps/host_app: an engine whose host does what a test tells it.
import assert from 'node:assert/strict';
import { appPath } from './apps.mjs';
import { Peer } from './clients.mjs';
import { start } from './process.mjs';
import { Inbox, within } from './wait.mjs';

// Calls to make inside a callback: script(['accept', '$ticket'], ...). kTell makes none, so that
// the test decides; null registers no handler.
const line = (words, separator) => words.map((word) => word ?? '(null)').join(separator);
export const script = (...calls) => calls.map((words) => line(words, '\x1f')).join('\x1e');
export const kTell = '';
export const kAccept = script(['accept', '$ticket']);
// The call that declares a namespace whose host is asked who may connect.
export const asking = (name, connecting = kTell) => [
  'add_namespace',
  name,
  connecting,
  kTell,
  kTell,
  null,
];

export class HostApp {
  // Creates the engine with these options (`creating` and `joining` are scripts), makes the calls
  // of `setup` and starts it on a free port. Without signaling unless told otherwise.
  static async start(options = {}, ...setup) {
    const all = {
      'listen.host': '127.0.0.1',
      'listen.port': 0,
      'signaling.enabled': false,
      ...options,
    };
    const host = new HostApp(start(appPath('host_app'), [], { stdin: 'pipe' }));
    await host.call('create', ...Object.entries(all).map(([name, value]) => `${name}=${value}`));
    for (const words of setup) await host.call(...words);
    await host.call('start');
    host.port = (await host.take('started')).port;
    host.url = `http://127.0.0.1:${host.port}`;
    return host;
  }

  constructor(child) {
    this.child = child;
    this.results = new Inbox('the host, as results');
    this.told = new Inbox('the host');
    let rest = '';
    child.stdout.on('data', (data) => {
      const lines = (rest + data).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        const [what, news] = JSON.parse(line);
        if (what === 'result') this.results.push(news);
        else this.told.push({ what, ...news });
      }
    });
  }

  // What a call returns: { code, text }. One at a time.
  async attempt(...words) {
    this.child.stdin.write(`${line(words, '\t')}\n`);
    const crashed = this.child.exited.then(({ code, signal }) => {
      throw new Error(`the host ended (${code ?? signal}): ${this.child.output.stderr}`);
    });
    return Promise.race([this.results.take(() => true, `result of ${words[0]}`), crashed]);
  }

  async call(...words) {
    assert.deepEqual(await this.attempt(...words), { code: 0, text: '' }, words.join(' '));
  }

  // The next that the host was told by this callback, perhaps of this socket.
  async take(what, matches = {}) {
    const names = Object.keys(matches);
    return this.told.take(
      (news) => news.what === what && names.every((name) => news[name] === matches[name]),
      `${what} ${JSON.stringify(matches)}`,
    );
  }

  // What is there already of a kind, without waiting.
  has(what) {
    return this.told.messages.filter((news) => news.what === what);
  }

  // A client that is in, as the host knows.
  async connect(namespace = '/', options = {}) {
    const peer = await Peer.connect(this, { namespace, ...options });
    await this.take('connected', { socket: peer.id });
    return peer;
  }

  // Ends connected clients, one after the other; gives what the host was told last of the last.
  async bye(...peers) {
    let told;
    for (const peer of peers) {
      const { id } = peer;
      await peer.close();
      told = await this.take('disconnected', { socket: id });
    }
    return told;
  }

  // Drops what was told and not taken.
  forget() {
    this.told.messages.length = 0;
  }

  // Ends the engine and the program: not stopped by the rule of callbacks, a sanitizer or a hang.
  async stop() {
    this.child.stdin.end();
    const end = await within(this.child.exited, 'end of the host');
    assert.deepEqual(end, { code: 0, signal: null }, this.child.output.stderr);
  }
}

// A test with a host of its own, which ends with it.
export async function withHost(options, setup, use) {
  const host = await HostApp.start(options, ...setup);
  try {
    await use(host);
  } finally {
    await host.stop();
  }
}
