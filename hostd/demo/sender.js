// The side that has the file: it opens the room, offers a connection to everyone who comes, and sends.
import { digestOf } from './hash.js';
import { Recipients } from './recipients.js';
import { Room } from './signaling.js';
import { notice } from './view.js';

export async function send(roomName, file) {
  const source = { file, digest: digestOf(file) };
  source.digest.catch((error) => notice(`The file cannot be read: ${error.message}`));
  const recipients = new Recipients({
    send: (...message) => room.send(...message),
    announce: () => room.announce(),
    source,
  });
  recipients.card.state('Opening the room', 'active');

  const room = new Room(roomName, {
    sending: true,
    listener: {
      created: () => recipients.card.step('room'),
      joined: () => {
        const { card } = recipients;
        notice('');
        card.step('join');
        if (card.kind === 'active') card.state('Waiting for a receiver', 'waiting');
      },
      refused: (message, seconds) => notice(trouble(message, seconds)),
      lost: () => {
        notice('The server is out of reach. Trying again …');
        recipients.leaveAll();
      },
      arrived: (peerId) => recipients.arrive(peerId),
      left: (peerId) => {
        const recipient = recipients.find(peerId);
        if (recipient) recipients.leave(recipient);
      },
      offer: () => {}, // of another sender, who is mistaken
      answer: (peerId, answer) => {
        const recipient = recipients.find(peerId);
        if (recipient) recipient.takeAnswer(answer);
        else recipients.arrive(peerId); // too late for the offer that it answers
      },
      candidate: (peerId, candidate) => recipients.find(peerId)?.takeCandidate(candidate),
    },
  });
  await room.enter();
}

export const trouble = (message, seconds) =>
  seconds === null ? message : `${message} Trying again in ${seconds} s.`;
