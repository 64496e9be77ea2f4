// Receives a file over one data channel after another, until it is there; sending.js tells what is said.
//
// What has come is kept by a worker, which outlives the channels of this page and, where it can write
// to a disk, the page.

// The listener hears:
//   began(file, have, lasting)    which file it is, how much of it is here already, and whether that
//                                 outlives this page
//   progress(bytes)
//   done(blob, sha256, expected)  the same digest, unless something went wrong
//   failed(message)
export class Receiving {
  constructor(room, listener) {
    this.room = room;
    this.listener = listener;
    this.turn = 0; // counts channels
    this.worker = new Worker('keeper.js', { type: 'module' });
    this.worker.onmessage = ({ data }) => this.onKept(data);
    this.worker.onerror = (event) => listener.failed(event.message);
  }

  // Takes what comes over this channel, and nothing more from the one before.
  use(channel) {
    if (this.channel) this.channel.onmessage = null;
    this.channel = channel;
    this.turn += 1;
    channel.onmessage = ({ data }) => {
      if (typeof data === 'string') this.take(JSON.parse(data));
      else this.worker.postMessage({ chunk: data }, [data]);
    };
  }

  take({ file, sha256 }) {
    if (file) {
      this.file = file;
      this.worker.postMessage({ open: { room: this.room, file }, turn: this.turn });
    }
    if (sha256) this.worker.postMessage({ finish: sha256 });
  }

  onKept({ turn, opened, lasting, have, done, failed }) {
    if (failed) {
      this.listener.failed(failed);
    } else if (turn !== this.turn) {
      // It is about what came over the channel before.
    } else if (opened !== undefined) {
      this.listener.began(this.file, opened, lasting);
      this.say({ have: opened });
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
