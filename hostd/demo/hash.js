// The SHA-256 of a file of any size, computed beside the page. Web Crypto has none that takes a file
// piece by piece, and none at all where the page came over plain http.

export const digestOf = (file) =>
  new Promise((resolve, reject) => {
    const worker = new Worker('hasher.js', { type: 'module' });
    worker.onmessage = ({ data: { sha256, failed } }) => {
      worker.terminate();
      if (failed) reject(new Error(failed));
      else resolve(sha256);
    };
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(file);
  });
