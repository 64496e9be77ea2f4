// The side that gets the file: it enters the room of the link and takes what it is offered.
import { Card } from './card.js';
import { kNonsense } from './checks.js';
import { bytesText } from './figures.js';
import { unaided } from './ice.js';
import { newId } from './ids.js';
import { Peer } from './peer.js';
import { Receiving } from './receiving.js';
import { trouble } from './sender.js';
import { Room } from './signaling.js';
import { head, notice } from './view.js';

const kFleeting = 'Do not reload this page: without https, or with another page of this browser receiving the same file, it would begin anew.';

// Which receiver this is, also after a reload. A copy of the tab, which has the same history, is another.
function ownId() {
  const isReload = performance.getEntriesByType('navigation')[0]?.type === 'reload';
  const id = (isReload && history.state?.receiver) || newId();
  history.replaceState({ receiver: id }, '');
  return id;
}

export async function receive(roomName) {
  head('Receive a file', 'Straight from the other browser to this one.');
  const card = new Card('From the sender');
  card.state('Entering the room', 'active');
  let peer;
  let sender; // whose offer has been taken; until it goes, nobody else's is
  let isIgnoring = false; // somebody else has offered meanwhile
  const senseless = new Set(); // whose offers are never taken again

  const receiving = new Receiving(roomName, ownId(), {
    began: (file, have, lasting) => {
      head(file.name, `${bytesText(file.size)}, straight from the other browser to this one.`);
      notice(lasting ? '' : kFleeting);
      card.begin(have, file.size);
      card.state(have > 0 ? 'Going on' : 'Receiving', 'active');
    },
    progress: (bytes) => card.progress(bytes),
    done: (blob, sha256, expected) => {
      const same = card.compare(sha256, expected);
      card.state(same ? 'Received' : 'Damaged on the way', same ? 'done' : 'bad');
      if (!same) return;
      notice('');
      card.offerFile(blob, receiving.file.name);
    },
    failed: (message) => {
      card.pause();
      card.state(`It cannot be kept: ${message}`, 'bad');
    },
    senseless: () => {
      senseless.add(sender);
      release(null);
      card.state(kNonsense, 'bad');
    },
  });

  const connect = (peerId, offer) => {
    if (senseless.has(peerId)) return;
    if (sender !== undefined && peerId !== sender) {
      isIgnoring = true;
      return;
    }
    peer?.close();
    sender = peerId;
    card.reset('offer');
    if (card.kind !== 'done') card.state('Connecting', 'active');
    peer = new Peer({
      send: (kind, data) => room.send(peerId, kind, data),
      listener: {
        unaided: (why) => notice(unaided(why)),
        step: (name, note) => card.step(name, note),
        channel: (channel) => receiving.use(channel),
        closed: gone,
        failed: () => release('There is no way to the sender', 'bad'), // who offers again
      },
    });
    peer.takeOffer(offer);
  };

  // There is no sender any more. Whoever has been ignored may be the one that is waited for.
  const release = (content, kind = 'waiting') => {
    peer?.close();
    sender = undefined;
    card.pause();
    if (content && card.kind !== 'done') card.state(content, kind);
    if (isIgnoring) room.announce();
    isIgnoring = false;
  };

  // What went wrong says more than that nobody is there now.
  const gone = () => release(card.kind === 'bad' ? null : 'The sender has gone; it may come back');

  const room = new Room(roomName, {
    sending: false,
    listener: {
      joined: () => {
        notice('');
        card.step('join');
        release('Waiting for the sender');
      },
      refused: (message, seconds) => notice(trouble(message, seconds)),
      lost: () => {
        isIgnoring = false;
        release('The server is out of reach. Trying again …');
      },
      arrived: () => {}, // another receiver, or the sender, who will offer
      left: (peerId) => peerId === sender && gone(),
      offer: connect,
      answer: () => {},
      candidate: (peerId, candidate) => peerId === sender && peer.takeCandidate(candidate),
    },
  });
  await room.enter();
}
