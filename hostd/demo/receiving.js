// Receives a file over one data channel after another, until it is there; sending.js tells what is said.
//
// What has come is kept by a worker, which outlives the channels of this page and, where it can write
// to a disk, the page.
import { check, fileFrom, isDigest, messageFrom } from './checks.js';

// The listener hears:
//   began(file, have, lasting)    which file it is, how much of it is here already, and whether that
//                                 outlives this page
//   progress(bytes)
//   done(blob, sha256, expected)  the same digest, unless something went wrong
//   failed(message)               it cannot be kept
//   senseless()                   the other side does not keep to what sending.js tells
export class Receiving {
  constructor(room, id, listener) {
    this.room = room;
    this.id = id; // which the sender tells receivers apart by
    this.listener = listener;
    this.turn = 0; // counts channels
  }

  // Takes what comes over this channel, and nothing more from the one before.
  use(channel) {
    if (this.channel) this.channel.onmessage = null;
    this.channel = channel;
    this.turn += 1;
    this.file = null; // it has not said which
    this.missing = null; // bytes that may come; null: it has not been told where to begin
    channel.onmessage = ({ data }) => {
      try {
        if (typeof data === 'string') this.take(messageFrom(data));
        else this.keep(data);
      } catch {
        channel.onmessage = null;
        this.turn += 1; // what the worker has to say of it is of no interest
        this.listener.senseless();
      }
    };
  }

  take({ file, sha256 }) {
    if (file !== undefined) {
      check(!this.file);
      this.file = fileFrom(file);
      this.start();
      this.worker.postMessage({ open: { room: this.room, file: this.file }, turn: this.turn });
    } else {
      check(this.missing === 0 && isDigest(sha256));
      this.missing = null; // nothing more may come
      this.worker.postMessage({ finish: sha256 });
    }
  }

  keep(chunk) {
    check(this.missing !== null && chunk.byteLength <= this.missing);
    this.missing -= chunk.byteLength;
    this.worker.postMessage({ chunk }, [chunk]);
  }

  start() {
    if (this.worker) return;
    this.worker = new Worker('keeper.js', { type: 'module' });
    this.worker.onmessage = ({ data }) => this.onKept(data);
    this.worker.onerror = (event) => this.fail(event.message);
  }

  // The other side is told, and the next channel has a new worker.
  fail(message) {
    this.worker.terminate();
    this.worker = null;
    this.channel.onmessage = null;
    this.say({ failed: true });
    this.channel.close();
    this.listener.failed(message);
  }

  onKept({ turn, opened, lasting, have, done, failed }) {
    if (failed) {
      this.fail(failed);
    } else if (turn !== this.turn) {
      // It is about what came over the channel before.
    } else if (opened !== undefined) {
      this.missing = this.file.size - opened;
      this.listener.began(this.file, opened, lasting);
      this.say({ have: opened, receiver: this.id });
    } else if (done) {
      this.say({ sha256: done.sha256 });
      this.listener.done(done.blob, done.sha256, done.expected);
    } else {
      this.listener.progress(have);
      this.say({ have });
    }
  }

  say(message) {
    if (this.channel.readyState === 'open') this.channel.send(JSON.stringify(message));
  }
}
