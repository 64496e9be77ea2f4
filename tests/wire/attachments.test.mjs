// Attachments that come late, never, or are too many bytes, on both transports.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { meet } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { kBinary, RawPolling, RawWebSocket } from '../lib/raw.mjs';

let server;
let hasty; // with a heartbeat that can be awaited, and not be met by who sends much
before(async () => {
  server = await startServer();
  hasty = await startServer({ 'engineio.ping_interval': 200, 'engineio.ping_timeout': 1500 });
});
after(() => Promise.all([server.stop(), hasty.stop()]));

// One that sends by hand: `text` and `binary` send a packet, `take` gives the next one.
class WebSocketSender {
  static async connect(server) {
    const sender = new WebSocketSender();
    sender.ws = await RawWebSocket.connect(server);
    sender.id = sender.ws.id;
    return sender;
  }
  text(packet) {
    this.ws.send(packet);
  }
  binary(bytes) {
    this.ws.sendFrame({ opcode: kBinary, payload: bytes });
  }
  take() {
    return this.ws.takeText();
  }
  async ended() {
    await this.ws.closeCode();
  }
  leave() {
    this.ws.close();
  }
}

class PollingSender {
  static async connect(server) {
    const sender = new PollingSender();
    sender.polling = await RawPolling.connect(server);
    sender.id = sender.polling.id;
    return sender;
  }
  text(packet) {
    return this.polling.post(packet);
  }
  binary(bytes) {
    return this.polling.post(`b${bytes.toString('base64')}`);
  }
  take() {
    return this.polling.take();
  }
  async ended() {
    for (let packet = await this.take(); packet !== '1'; packet = await this.take());
  }
  leave() {
    return this.polling.post('1');
  }
}

for (const [name, Sender] of [
  ['WebSocket', WebSocketSender],
  ['polling', PollingSender],
]) {
  // A sender in a room with two more, and the head of an offer of two attachments to the first.
  const setUp = async (server) => {
    const {
      roomId,
      peers: [receiver, other],
      close,
    } = await meet(server, 2);
    const sender = await Sender.connect(server);
    await sender.text(`42["join",{"roomId":"${roomId}"}]`);
    assert.deepEqual(await receiver.take('ready'), { peerId: sender.id });
    assert.deepEqual(await other.take('ready'), { peerId: sender.id });
    const placeholder = (num) => ({ _placeholder: true, num });
    const payload = { peerId: receiver.id, offer: [placeholder(0), placeholder(1)] };
    return { sender, receiver, other, close, head: `452-${JSON.stringify(['offer', payload])}` };
  };

  const answerPings = async (sender, count) => {
    for (let pings = 0; pings < count;) {
      if ((await sender.take()) !== '2') continue;
      await sender.text('3');
      pings++;
    }
  };

  test(`by ${name} an event waits for its attachments as long as the heartbeat goes on`, async () => {
    const { sender, receiver, other, close, head } = await setUp(hasty);
    await sender.text(head);
    await answerPings(sender, 1);
    await sender.binary(Buffer.from('one'));
    await answerPings(sender, 2);
    await receiver.receivesOnlyFrom(other);
    await sender.binary(Buffer.from('two'));
    const { offer } = await receiver.take('offer');
    assert.deepEqual(
      offer.map((part) => Buffer.from(part).toString()),
      ['one', 'two'],
    );
    await sender.leave();
    await close();
  });

  test(`by ${name} attachments that never come leave nothing when the client goes`, async () => {
    const { sender, receiver, other, close, head } = await setUp(server);
    await sender.text(head);
    await sender.binary(Buffer.from('one'));
    await sender.leave();
    for (const peer of [receiver, other]) {
      assert.deepEqual(await peer.take('peer-disconnected'), { peerId: sender.id });
    }
    await receiver.receivesOnlyFrom(other);
    await close();
  });

  test(`by ${name} attachments that never come do not hold off the ping timeout`, async () => {
    const { sender, receiver, other, close, head } = await setUp(hasty);
    await sender.text(head);
    await sender.binary(Buffer.from('one'));
    await sender.ended();
    assert.deepEqual(await receiver.take('peer-disconnected'), { peerId: sender.id });
    await other.take('peer-disconnected');
    await receiver.receivesOnlyFrom(other);
    await close();
  });

  test(`by ${name} another packet in place of an attachment closes the session`, async () => {
    for (const packet of ['42["offer",{}]', '41']) {
      const { sender, receiver, other, close, head } = await setUp(server);
      await sender.text(head);
      await sender.binary(Buffer.from('one'));
      await sender.text(packet);
      await sender.ended();
      assert.deepEqual(await receiver.take('peer-disconnected'), { peerId: sender.id });
      await other.take('peer-disconnected');
      await receiver.receivesOnlyFrom(other);
      await close();
    }
  });

  test(`by ${name} the attachments of one event may not exceed maxPayload together`, async () => {
    const { sender, receiver, other, close, head } = await setUp(server);
    await sender.text(head);
    await sender.binary(Buffer.alloc(600000));
    await sender.binary(Buffer.alloc(600000));
    await sender.ended();
    assert.deepEqual(await receiver.take('peer-disconnected'), { peerId: sender.id });
    await other.take('peer-disconnected');
    await receiver.receivesOnlyFrom(other);
    await close();
  });
}
