// Sends a file over a data channel.
//
// Texts on the channel are JSON. The sender begins with {file: {name, size, modified}}; the receiver
// says {have: bytes}, first to tell where to go on, and there also {receiver: id}, which it keeps over
// reloads, then whenever it has kept more; the bytes follow in binary messages, and behind them
// {sha256}. The receiver ends with {sha256} of what it has, or with {failed: true} when it cannot keep
// the file.
import { check, isDigest, isSize, messageFrom } from './checks.js';
import { isId } from './ids.js';

const kChunk = 64 * 1024; // every browser takes messages of that size
const kBlock = 16 * kChunk; // read at a time
const kHighWater = 1024 * 1024; // of what the browser has yet to send
const kWindow = 16 * 1024 * 1024; // of what the receiver has yet to keep: its disk may be slow

// The listener hears:
//   named(id)         which receiver it is
//   progress(bytes)   that the receiver has
//   done(sha256)      of what it has
//   unkept()          it cannot keep the file
//   failed(error)     the file cannot be read
//   senseless()       it does not keep to the above
export class Sending {
  constructor(channel, source, listener) {
    this.channel = channel;
    this.source = source;
    this.listener = listener;
    this.kept = null; // by the receiver; null: it has not said where to begin
    this.isDone = false;
    this.wake = () => {};
    channel.bufferedAmountLowThreshold = kHighWater / 4;
    channel.onbufferedamountlow = () => this.wake();
    channel.onclose = () => this.wake();
    channel.onmessage = ({ data }) => {
      try {
        this.take(messageFrom(data));
      } catch {
        channel.onmessage = null;
        listener.senseless();
      }
    };
    const { name, size, lastModified } = source.file;
    this.say({ file: { name, size, modified: lastModified } });
  }

  say(message) {
    this.channel.send(JSON.stringify(message));
  }

  take({ have, receiver, sha256, failed }) {
    const first = this.kept === null;
    if (failed) {
      this.listener.unkept();
    } else if (sha256 !== undefined) {
      check(!first && !this.isDone && isDigest(sha256));
      this.isDone = true;
      this.listener.done(sha256);
    } else {
      check(isSize(have) && have >= this.kept && have <= this.source.file.size);
      this.kept = have;
      if (first) this.begin(have, receiver);
      this.listener.progress(have);
      this.wake();
    }
  }

  begin(have, receiver) {
    check(isId(receiver));
    this.listener.named(receiver);
    this.run(have).catch((error) => this.open && this.listener.failed(error));
  }

  async run(from) {
    const { file, digest } = this.source;
    for (let at = from; at < file.size; at += kBlock) {
      const block = await file.slice(at, at + kBlock).arrayBuffer();
      for (let begin = 0; begin < block.byteLength; begin += kChunk) {
        await this.roomFor(at + begin);
        if (!this.open) return;
        this.channel.send(block.slice(begin, begin + kChunk));
      }
    }
    const sha256 = await digest;
    if (this.open) this.say({ sha256 });
  }

  // Until what comes at this offset may be sent, or the channel is closed.
  async roomFor(offset) {
    while (
      this.open &&
      (this.channel.bufferedAmount > kHighWater || offset - this.kept > kWindow)
    ) {
      await new Promise((resolve) => {
        this.wake = resolve;
      });
    }
  }

  get open() {
    return this.channel.readyState === 'open';
  }
}
