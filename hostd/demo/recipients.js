// All receivers, as the sender sees them. Members of the room can make up as many as they like: of those
// that are not connected there is a bound, and who does not answer goes.
import { Recipient } from './recipient.js';

const kMost = 100; // that are not connected

export class Recipients {
  list = [];
  isFull = false; // somebody has been turned away

  // `send(peerId, kind, data)` passes a message on, `announce()` tells all that the sender is there.
  constructor({ send, announce, source }) {
    this.announce = announce;
    const listener = {
      named: (recipient, id) => this.name(recipient, id),
      silent: (recipient) => this.leave(recipient),
    };
    this.make = (title) => new Recipient(title, { send, source, listener });
    this.add();
  }

  // The first card, which shows how the room is entered, too.
  get card() {
    return this.list[0].card;
  }

  find(peerId) {
    return this.list.find((each) => each.peerId === peerId);
  }

  // Who comes takes the card of one that went before it had everything, if there is one.
  arrive(peerId) {
    if (typeof peerId !== 'string') return;
    const known = this.find(peerId);
    if (known) {
      known.again();
      return;
    }
    const free = this.list.find((each) => each.peerId === null && each.card.kind !== 'done');
    const recipient = free ?? this.add();
    if (recipient) recipient.come(peerId);
    else this.isFull = true;
  }

  add() {
    if (this.list.filter((each) => !each.isOpen).length >= kMost) {
      const gone = this.list.find((each) => each.peerId === null);
      if (!gone) return null;
      this.remove(gone);
    }
    let number = 1;
    while (this.list.some(({ card }) => card.title === `Receiver ${number}`)) number += 1;
    const recipient = this.make(`Receiver ${number}`);
    this.list.push(recipient);
    return recipient;
  }

  // Its page has said who it is. It may have had a card before: then it gets that one back, and who is at
  // that one, if not itself over an older connection, begins anew at the other.
  name(recipient, id) {
    const before = this.list.find((each) => each !== recipient && each.id === id);
    if (before) {
      recipient.swap(before);
      if (before.peerId === null || before.isNamed) this.leave(before);
      else before.connect();
    }
    recipient.id = id;
    recipient.isNamed = true;
    recipient.card.step('connected');
  }

  // A card that has told nothing yet is not worth keeping.
  leave(recipient) {
    recipient.leave();
    if (recipient.id === null && !recipient.isSettled) this.remove(recipient);
  }

  leaveAll() {
    for (const each of [...this.list]) if (each.peerId !== null) this.leave(each);
  }

  remove(recipient) {
    if (this.list.length === 1) {
      recipient.card.reset('offer');
      recipient.card.state('Waiting for a receiver', 'waiting');
    } else {
      this.list = this.list.filter((each) => each !== recipient);
      recipient.card.remove();
    }
    if (!this.isFull) return;
    this.isFull = false;
    this.announce(); // who has been turned away comes again
  }
}
