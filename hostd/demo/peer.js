// One attempt to connect directly to another page: offer, answer and candidates until a channel is open.
//
// What is passed bears the id of the attempt, which the offer gives: what comes late, of an attempt
// before, is about a connection that is not there any more.
//
// The listener hears, until close():
//   unaided(trouble)    the server names no relays
//   step(name, note)    how far it has got: offer, answer, candidates (note: how many), connected
//   channel(channel)    the data channel is open
//   closed()            the other side has closed it
//   failed()            there is no way to the other side, or there is none any more
import { iceServers } from './ice.js';
import { newId } from './ids.js';

const kPatience = 30_000; // ms until there is a channel

export class Peer {
  isAnswered = false;
  isClosed = false;
  candidates = 0;

  // `send(kind, data)` passes a message to the other side.
  constructor({ send, listener }) {
    this.send = send;
    this.listener = listener;
    this.work = Promise.resolve(); // what comes is taken one after the other
    this.patience = setTimeout(() => this.fail(), kPatience);
    this.later(() => this.open());
  }

  async open() {
    const { servers, trouble } = await iceServers();
    if (this.isClosed) return;
    if (trouble) this.listener.unaided(trouble);
    const connection = new RTCPeerConnection({ iceServers: servers });
    this.connection = connection;
    connection.onicecandidate = ({ candidate }) => {
      if (candidate) this.pass('candidate', candidate);
    };
    connection.ondatachannel = ({ channel }) => this.use(channel);
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === 'connected') this.step('connected');
      if (connection.connectionState === 'failed') this.fail();
    };
  }

  // There is one channel, which the offer is for.
  use(channel) {
    if (this.channel) {
      channel.close();
      return;
    }
    this.channel = channel;
    channel.binaryType = 'arraybuffer';
    channel.addEventListener('close', () => this.isClosed || this.listener.closed());
    const opened = () => {
      if (this.isClosed) return;
      clearTimeout(this.patience);
      this.listener.channel(channel);
    };
    if (channel.readyState === 'open') opened();
    else channel.onopen = opened;
  }

  offer() {
    this.attempt = newId();
    this.later(async () => {
      this.use(this.connection.createDataChannel('file'));
      await this.connection.setLocalDescription();
      this.pass('offer', this.connection.localDescription);
      this.step('offer');
    });
  }

  takeOffer(offer) {
    this.attempt = offer?.attempt;
    this.later(async () => {
      this.step('offer');
      await this.connection.setRemoteDescription(offer);
      await this.connection.setLocalDescription();
      this.pass('answer', this.connection.localDescription);
      this.step('answer');
    });
  }

  takeAnswer(answer) {
    if (answer?.attempt !== this.attempt || this.isAnswered) return;
    this.isAnswered = true;
    this.later(async () => {
      await this.connection.setRemoteDescription(answer);
      this.step('answer');
    });
  }

  // One that cannot be added is of no use, and no harm: there are others.
  takeCandidate(candidate) {
    if (candidate?.attempt !== this.attempt) return;
    this.later(async () => {
      const added = this.connection.addIceCandidate(candidate).then(() => true, () => false);
      if (!(await added)) return;
      this.candidates += 1;
      this.step('candidates', this.candidates);
    });
  }

  step(name, note) {
    if (!this.isClosed) this.listener.step(name, note);
  }

  pass(kind, data) {
    if (!this.isClosed) this.send(kind, { ...data.toJSON(), attempt: this.attempt });
  }

  later(task) {
    this.work = this.work
      .then(() => this.isClosed || task())
      .catch((error) => {
        if (this.isClosed) return;
        console.info(`no connection: ${error}`);
        this.fail();
      });
  }

  fail() {
    if (this.isClosed) return;
    this.close();
    this.listener.failed();
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.patience);
    this.connection?.close();
  }
}
