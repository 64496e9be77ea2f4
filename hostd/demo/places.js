// Where a worker keeps a file that is being received: on the disk of the origin (OPFS), which outlives
// the page, or else in memory. The disk needs a secure context (https, or localhost), free space, and
// that no other page of this browser receives in the same room.

const kOtherPage = 3000; // ms; a page that is being reloaded lets go of its room in that time
const kPart = 16 * 1024 * 1024;

class OnDisk {
  lasting = true;

  constructor(directory, handle, access) {
    this.directory = directory;
    this.handle = handle;
    this.access = access;
  }

  get size() {
    return this.access.getSize();
  }

  read(at, length) {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, this.access.read(bytes, { at }));
  }

  write(bytes, at) {
    if (this.access.write(bytes, { at }) !== bytes.length) throw new Error('The disk is full.');
  }

  async blob() {
    this.access.flush();
    return this.handle.getFile();
  }

  discard() {
    this.access.truncate(0);
    this.close();
  }

  close() {
    this.access.close();
  }
}

class InMemory {
  lasting = false;
  size = 0;
  whole = new Blob();
  parts = [];
  partsSize = 0;

  // Many small pieces become one that the browser may put elsewhere than into this page's memory.
  write(bytes) {
    this.parts.push(bytes);
    this.partsSize += bytes.length;
    if (this.partsSize >= kPart) this.gather();
  }

  gather() {
    this.whole = new Blob([this.whole, ...this.parts]);
    this.parts = [];
    this.partsSize = 0;
  }

  async blob() {
    this.gather();
    return this.whole;
  }

  discard() {}

  close() {}
}

// Holds the room for as long as this worker lives. Rejects when another page keeps it.
const holdRoom = (room) =>
  new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(kOtherPage);
    const forEver = new Promise(() => {});
    navigator.locks
      .request(room, { signal }, () => {
        resolve();
        return forEver;
      })
      .catch(reject);
  });

// Files of rooms that no page is in are of no use to anybody.
async function sweep(root, ownRoom) {
  for await (const room of root.keys()) {
    if (room === ownRoom) continue;
    await navigator.locks.request(room, { ifAvailable: true }, (lock) =>
      lock ? root.removeEntry(room, { recursive: true }) : null,
    );
  }
}

let heldRoom;

async function openOnDisk(room, name, size) {
  if (heldRoom !== room) await holdRoom(room);
  heldRoom = room;
  const root = await navigator.storage.getDirectory();
  await sweep(root, room);
  const directory = await root.getDirectoryHandle(room, { create: true });
  for await (const other of directory.keys()) {
    if (other !== name) await directory.removeEntry(other);
  }
  const handle = await directory.getFileHandle(name, { create: true });
  const access = await handle.createSyncAccessHandle();
  const { quota, usage } = await navigator.storage.estimate();
  if (quota - usage < size - access.getSize()) {
    access.close();
    throw new Error('There is not enough space.');
  }
  return new OnDisk(directory, handle, access);
}

export async function openPlace(room, name, size) {
  try {
    return await openOnDisk(room, name, size);
  } catch (error) {
    console.info(`kept in memory: ${error}`);
    return new InMemory();
  }
}
