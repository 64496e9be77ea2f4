// The side that gets the file: it enters the room of the link and takes what it is offered.
import { Card } from './card.js';
import { kNonsense } from './checks.js';
import { bytesText } from './figures.js';
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
  let sender;

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
    failed: (message) => end(`It cannot be kept: ${message}`),
    senseless: () => {
      peer.close();
      sender = undefined;
      end(kNonsense);
    },
  });

  const end = (content) => {
    card.pause();
    card.state(content, 'bad');
  };

  const connect = (peerId, offer) => {
    peer?.close();
    sender = peerId;
    card.reset('offer');
    peer = new Peer({
      send: (kind, data) => room.send(peerId, kind, data),
      listener: {
        step: (name, note) => card.step(name, note),
        channel: (channel) => receiving.use(channel),
        closed: () => {}, // its going is told by the room
        failed: () => card.state('There is no way to the sender', 'bad'), // who offers again
      },
    });
    peer.takeOffer(offer);
  };

  const wait = (content) => {
    peer?.close();
    sender = undefined;
    card.pause();
    if (card.kind !== 'done') card.state(content, 'waiting');
  };

  const room = new Room(roomName, {
    sending: false,
    listener: {
      joined: () => {
        notice('');
        card.step('join');
        wait('Waiting for the sender');
      },
      refused: (message, seconds) => notice(trouble(message, seconds)),
      lost: () => wait('The server is out of reach. Trying again …'),
      arrived: () => {}, // another receiver, or the sender, who will offer
      left: (peerId) => peerId === sender && wait('The sender has gone; it may come back'),
      offer: connect,
      answer: () => {},
      candidate: (peerId, candidate) => peerId === sender && peer.takeCandidate(candidate),
    },
  });
  await room.enter();
}
