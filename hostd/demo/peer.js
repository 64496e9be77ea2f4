// One direct connection to another page: offer, answer and candidates until a channel is open.
//
// The listener hears:
//   step(name, note)    how far it has got: offer, answer, candidates (note: how many), connected
//   channel(channel)    a data channel is open
//   failed()            there is no way to the other side, or there is none any more

export class Peer {
  // `send(kind, data)` passes a message to the other side.
  constructor({ iceServers, send, listener }) {
    this.send = send;
    this.listener = listener;
    this.work = Promise.resolve(); // what comes is taken one after the other
    this.candidates = 0;
    const connection = new RTCPeerConnection({ iceServers });
    this.connection = connection;
    connection.onicecandidate = ({ candidate }) => {
      if (candidate) send('candidate', candidate);
    };
    connection.ondatachannel = ({ channel }) => this.use(channel);
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === 'connected') listener.step('connected');
      if (connection.connectionState === 'failed') listener.failed();
    };
  }

  use(channel) {
    channel.binaryType = 'arraybuffer';
    if (channel.readyState === 'open') this.listener.channel(channel);
    else channel.onopen = () => this.listener.channel(channel);
  }

  offer() {
    this.later(async () => {
      this.use(this.connection.createDataChannel('file'));
      await this.connection.setLocalDescription();
      this.send('offer', this.connection.localDescription);
      this.listener.step('offer');
    });
  }

  takeOffer(offer) {
    this.later(async () => {
      this.listener.step('offer');
      await this.connection.setRemoteDescription(offer);
      await this.connection.setLocalDescription();
      this.send('answer', this.connection.localDescription);
      this.listener.step('answer');
    });
  }

  takeAnswer(answer) {
    this.later(async () => {
      await this.connection.setRemoteDescription(answer);
      this.listener.step('answer');
    });
  }

  takeCandidate(candidate) {
    this.later(async () => {
      await this.connection.addIceCandidate(candidate);
      this.candidates += 1;
      this.listener.step('candidates', this.candidates);
    });
  }

  later(task) {
    this.work = this.work.then(task).catch((error) => {
      if (this.connection.signalingState === 'closed') return;
      console.error(error);
      this.listener.failed();
    });
  }

  close() {
    this.connection.close();
  }
}
