// One receiver, as the sender sees it: its card, and one attempt to connect to it after the other.
import { Card } from './card.js';
import { kNonsense } from './checks.js';
import { unaided } from './ice.js';
import { Peer } from './peer.js';
import { Sending } from './sending.js';
import { notice } from './view.js';

const kFirstWait = 1000; // ms before the next attempt; each is twice the one before
const kLongestWait = 30_000;

// The listener hears named(recipient, id), what its page calls itself, and silent(recipient): it did not
// answer.
export class Recipient {
  id = null; // what the page calls itself that this card is of; null: it has not said so
  peerId = null; // who is there; null: nobody
  isNamed = false; // who is there has said that it is `id`
  isOver = false; // who is there gets no other attempt
  failures = 0; // one after the other
  retry = null;

  constructor(title, { send, source, listener }) {
    this.card = new Card(title);
    this.send = send;
    this.source = source;
    this.listener = listener;
  }

  come(peerId) {
    this.peerId = peerId;
    this.isNamed = false;
    this.isOver = false;
    this.failures = 0;
    this.connect();
  }

  connect() {
    this.stop();
    this.card.reset('offer');
    this.card.state('Connecting', 'active');
    const { peerId } = this;
    const peer = new Peer({
      send: (kind, data) => this.send(peerId, kind, data),
      listener: {
        unaided: (trouble) => notice(unaided(trouble)),
        step: (name, note) => this.card.step(name, note),
        channel: (channel) => this.transfer(channel),
        closed: () => this.pause(),
        failed: () => (peer.isAnswered ? this.connectLater() : this.listener.silent(this)),
      },
    });
    this.peer = peer;
    peer.offer();
  }

  connectLater() {
    this.stop();
    const wait = this.schedule();
    this.card.pause();
    this.card.state(`Not connected. Trying again in ${wait / 1000} s`, 'waiting');
  }

  schedule() {
    const wait = Math.min(kLongestWait, kFirstWait * 2 ** this.failures);
    this.failures += 1;
    this.retry = setTimeout(() => this.connect(), wait);
    return wait;
  }

  // It says once more that it is there. Another offer goes to it, unless it answers the last one soon.
  again() {
    if (!this.isOver && !this.retry && !this.peer?.isAnswered) this.schedule();
  }

  takeAnswer(answer) {
    this.peer?.takeAnswer(answer);
    if (this.peer?.isAnswered) this.unschedule();
  }

  takeCandidate(candidate) {
    this.peer?.takeCandidate(candidate);
  }

  transfer(channel) {
    const { source } = this;
    let begun = false;
    this.failures = 0;
    notice('');
    new Sending(channel, source, {
      named: (id) => this.listener.named(this, id),
      progress: (bytes) => {
        if (!begun) this.card.begin(bytes, source.file.size);
        begun = true;
        this.card.state('Sending', 'active');
        this.card.progress(bytes);
      },
      done: async (sha256) => {
        const same = this.card.compare(await source.digest, sha256);
        this.card.state(same ? 'Received' : 'Damaged on the way', same ? 'done' : 'bad');
      },
      unkept: () => this.end('The receiver cannot keep the file'),
      failed: (error) => this.end(`The file cannot be read: ${error.message}`),
      senseless: () => this.end(kNonsense),
    });
  }

  // Its card and its name become those of `other`, and the other way round.
  swap(other) {
    [this.card, other.card] = [other.card, this.card];
    [this.id, other.id] = [other.id, this.id];
  }

  pause() {
    this.stop();
    this.card.pause();
    if (!this.isSettled) this.card.state('Away; it may come back', 'waiting');
  }

  leave() {
    this.pause();
    this.peerId = null;
  }

  end(content) {
    this.stop();
    this.isOver = true;
    this.card.pause();
    this.card.state(content, 'bad');
  }

  stop() {
    this.unschedule();
    this.peer?.close();
    this.peer = null;
  }

  unschedule() {
    clearTimeout(this.retry);
    this.retry = null;
  }

  get isOpen() {
    return this.peer?.channel?.readyState === 'open';
  }

  // Its card tells how it has ended.
  get isSettled() {
    return ['done', 'bad'].includes(this.card.kind);
  }
}
