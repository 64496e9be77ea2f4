// A worker: a file → {sha256}, or {failed: message}.
import { bytesToHex } from './lib/noble/utils.js';
import { sha256 } from './lib/noble/sha2.js';

const kBlock = 4 * 1024 * 1024;

onmessage = async ({ data: file }) => {
  try {
    const hash = sha256.create();
    for (let at = 0; at < file.size; at += kBlock) {
      hash.update(new Uint8Array(await file.slice(at, at + kBlock).arrayBuffer()));
    }
    postMessage({ sha256: bytesToHex(hash.digest()) });
  } catch (error) {
    postMessage({ failed: error.message });
  }
};
