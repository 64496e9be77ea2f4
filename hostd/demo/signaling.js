// The way to the others: a room on the server, and what its members send each other there.

const kTryAgain = 15; // seconds; a name that does not exist counts as a guess: see limits.guess_count

async function create(roomId) {
  const answer = await fetch('/api/create_room', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ roomId }),
  });
  const { success, message, error } = await answer.json();
  return success ? null : (error ?? message);
}

// A member of a room, who comes back by itself whenever the connection is lost. The listener hears:
//   created()                     the room is there
//   joined()                      this page is in it
//   refused(message, seconds)     it is not, and tries again after so long
//   lost()                        the server is out of reach
//   arrived(peer)                 somebody is there, whom a sender may offer to
//   left(peer)
//   offer(peer, data), answer(peer, data), candidate(peer, data)
export class Room {
  constructor(name, { sending, listener }) {
    this.name = name;
    this.sending = sending;
    this.listener = listener;
    this.refusals = 0; // one after the other
  }

  async enter() {
    const path = await (await fetch('/socketio-path')).text();
    await import(`${path}socket.io.js`); // a script of the old kind: it leaves `io` behind
    this.socket = globalThis.io({ path });
    const on = (event, handler) => this.socket.on(event, handler);
    on('connect', () => this.join());
    on('disconnect', () => this.listener.lost());
    on('connect_error', (error) => this.socket.active || this.listener.refused(error.message, null));
    on('joinResponse', (response) => this.onResponse(response));
    on('ready', ({ peerId }) => this.listener.arrived(peerId));
    on('recipient-ready', ({ peerId }) => this.listener.arrived(peerId));
    on('initiator-online', () => this.sending || this.announce());
    on('peer-disconnected', ({ peerId }) => this.listener.left(peerId));
    on('offer', ({ peerId, offer }) => this.listener.offer(peerId, offer));
    on('answer', ({ peerId, answer }) => this.listener.answer(peerId, answer));
    on('ice-candidate', ({ peerId, candidate }) => this.listener.candidate(peerId, candidate));
  }

  // A sender makes the room first, also when it comes back: the server may have lost it.
  async join() {
    clearTimeout(this.retry);
    const { id } = this.socket;
    const trouble = this.sending ? await create(this.name).catch(String) : null;
    if (this.socket.id !== id) return; // lost meanwhile: the next connection joins
    if (trouble) {
      this.onResponse({ success: false, message: trouble });
      return;
    }
    if (this.sending) this.listener.created();
    this.socket.emit('join', { roomId: this.name });
  }

  onResponse({ success, message }) {
    if (!success) {
      // The server counts what it refuses, too: of many at one address some get in if they come apart.
      this.refusals += 1;
      const least = Number(/Try again in (\d+)s/.exec(message)?.[1] ?? kTryAgain);
      const seconds = Math.ceil(least * (1 + Math.random() * (this.refusals - 1)));
      this.listener.refused(message, seconds);
      this.retry = setTimeout(() => this.join(), seconds * 1000);
      return;
    }
    this.refusals = 0;
    this.listener.joined();
    if (this.sending) this.announce();
  }

  // Tells the others that this page is there: receivers say the same to a sender then.
  announce() {
    const { name: roomId, socket } = this;
    if (this.sending) socket.emit('initiator-online', { roomId });
    else socket.emit('recipient-ready', { roomId, peerId: socket.id });
  }

  // `kind`: offer, answer or candidate.
  send(peerId, kind, data) {
    const event = kind === 'candidate' ? 'ice-candidate' : kind;
    this.socket.emit(event, { peerId, from: this.socket.id, [kind]: data });
  }
}
