// The side that has the file: it opens the room, offers a connection to everyone who comes, and sends.
import { Card } from './card.js';
import { kNonsense } from './checks.js';
import { digestOf } from './hash.js';
import { Peer } from './peer.js';
import { Sending } from './sending.js';
import { Room, iceServers } from './signaling.js';
import { notice } from './view.js';

class Receiver {
  peerId = null; // nobody is there

  constructor(card) {
    this.card = card;
  }

  // Begins anew with whoever has this id now.
  connect(peerId, { room, servers, source }) {
    const { card } = this;
    this.peer?.close();
    this.peerId = peerId;
    card.reset('offer');
    card.state('Connecting', 'active');
    this.peer = new Peer({
      iceServers: servers,
      send: (kind, data) => room.send(peerId, kind, data),
      listener: {
        step: (name, note) => card.step(name, note),
        channel: (channel) => this.send(channel, source),
        failed: () => this.connect(peerId, { room, servers, source }),
      },
    });
    this.peer.offer();
  }

  send(channel, source) {
    const { card } = this;
    const { size } = source.file;
    let begun = false;
    new Sending(channel, source, {
      progress: (bytes) => {
        if (!begun) card.begin(bytes, size);
        begun = true;
        card.state('Sending', 'active');
        card.progress(bytes);
      },
      done: async (sha256) => {
        const same = card.compare(await source.digest, sha256);
        card.state(same ? 'Received' : 'Damaged on the way', same ? 'done' : 'bad');
      },
      unkept: () => this.end('The receiver cannot keep the file'),
      failed: (error) => this.end(`The file cannot be read: ${error.message}`),
      senseless: () => this.end(kNonsense),
    });
  }

  end(content) {
    this.peer.close();
    this.card.pause();
    this.card.state(content, 'bad');
  }

  leave() {
    this.peer.close();
    this.peerId = null;
    this.card.pause();
    if (!['done', 'bad'].includes(this.card.kind)) this.card.state('Away; it may come back', 'waiting');
  }
}

export async function send(roomName, file) {
  const source = { file, digest: digestOf(file) };
  source.digest.catch((error) => notice(`The file cannot be read: ${error.message}`));
  const servers = await iceServers();
  const receivers = [new Receiver(new Card('Receiver 1'))];
  const { card } = receivers[0];
  card.state('Opening the room', 'active');
  const find = (peerId) => receivers.find((each) => each.peerId === peerId);

  // Who comes takes the card of one that went before it had everything, if there is one.
  const arrive = (peerId) => {
    if (find(peerId)) return;
    let receiver = receivers.find((each) => each.peerId === null && each.card.kind !== 'done');
    if (!receiver) {
      receiver = new Receiver(new Card(`Receiver ${receivers.length + 1}`));
      receivers.push(receiver);
    }
    receiver.connect(peerId, { room, servers, source });
  };
  const leaveAll = () => receivers.forEach((each) => each.peerId !== null && each.leave());

  const room = new Room(roomName, {
    sending: true,
    listener: {
      created: () => card.step('room'),
      joined: () => {
        notice('');
        card.step('join');
        if (card.kind === 'active') card.state('Waiting for a receiver', 'waiting');
      },
      refused: (message, seconds) => notice(trouble(message, seconds)),
      lost: () => {
        notice('The server is out of reach. Trying again …');
        leaveAll();
      },
      arrived: arrive,
      left: (peerId) => find(peerId)?.leave(),
      offer: () => {}, // of another sender, who is mistaken
      answer: (peerId, answer) => find(peerId)?.peer.takeAnswer(answer),
      candidate: (peerId, candidate) => find(peerId)?.peer.takeCandidate(candidate),
    },
  });
  await room.enter();
}

export const trouble = (message, seconds) =>
  seconds === null ? message : `${message} Trying again in ${seconds} s.`;
