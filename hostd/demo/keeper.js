// A worker that keeps what is received and computes its SHA-256 meanwhile.
//
//   {open: {room, file}, turn}  →  {opened: bytes that are here already, lasting}
//   {chunk}                     →  {have: bytes}
//   {finish: expected}          →  {done: {blob, sha256, expected}}
// and {failed: message}, once, when it cannot go on. All that it says bears the turn of the last `open`.
import { check } from './checks.js';
import { bytesToHex } from './lib/noble/utils.js';
import { sha256 } from './lib/noble/sha2.js';
import { openPlace } from './places.js';

const kBlock = 1024 * 1024;

let key; // which file it is
let place; // where it is kept
let size = 0; // that it has when it is whole
let hash; // of what has been kept
let have = 0;
let turn;

const tell = (message) => postMessage({ ...message, turn });
const utf8 = (text) => new TextEncoder().encode(text);

async function open({ room, file }, ofTurn) {
  turn = ofTurn;
  const wanted = bytesToHex(sha256(utf8(JSON.stringify([room, file]))));
  if (wanted !== key) {
    place?.close();
    key = wanted;
    size = file.size;
    place = await openPlace(room, key, size);
    hash = sha256.create();
    have = 0;
    for (const kept = Math.min(place.size, size); have < kept; ) {
      const block = place.read(have, Math.min(kBlock, kept - have));
      hash.update(block);
      have += block.length;
    }
  }
  tell({ opened: have, lasting: place.lasting });
}

function keep(chunk) {
  const bytes = new Uint8Array(chunk);
  check(bytes.length <= size - have);
  place.write(bytes, have);
  hash.update(bytes);
  have += bytes.length;
  tell({ have });
}

async function finish(expected) {
  const digest = bytesToHex(hash.clone().digest());
  const blob = await place.blob();
  tell({ done: { blob, sha256: digest, expected } });
  if (digest === expected) return;
  place.discard(); // the next try begins anew
  key = undefined;
}

let work = Promise.resolve(); // one after the other, as they come
onmessage = ({ data }) => {
  work = work
    .then(() => {
      if (data.open) return open(data.open, data.turn);
      if (data.chunk) return keep(data.chunk);
      return finish(data.finish);
    })
    .catch((error) => {
      tell({ failed: error.message });
      close();
    });
};
