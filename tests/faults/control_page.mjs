// The test's side of control_page.h: makes the shim fail calls, and reads what it has seen.
import { closeSync, ftruncateSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

const kFrames = 14;
const kSites = 8192;
const kModules = 32;
const kModuleName = 64;

const kLiveBlocks = 8;
const kLiveBytes = 16;
const kCensus = 24;
const kLost = 28;
const kRule = 32;
const kRuleBytes = 56;
const kSparedAt = kRule + kRuleBytes;
const kSpared = 64;
const kModulesAt = kSparedAt + 8 * kSpared;
const kSitesAt = kModulesAt + kModules * kModuleName;
const kSiteBytes = 24 + 8 * kFrames;
const kBytes = kSitesAt + kSites * kSiteBytes;

export const kKinds = ['memory', 'receive', 'send', 'accept', 'descriptor', 'connect', 'watch'];

export class ControlPage {
  constructor(path) {
    this.path = path;
    this.fd = openSync(path, 'w+');
    ftruncateSync(this.fd, kBytes);
  }

  close() {
    closeSync(this.fd);
  }

  // Lets calls fail from now on: `kinds`, an array of them; `error`, an errno, or 0 for a part of the
  // bytes; and what else control_page.h says.
  arm({ kinds, error, site = 0n, skip = 0, period = 1, limit = 0, chance = 0, seed = 1 }) {
    const bytes = Buffer.alloc(kRuleBytes);
    bytes.writeBigUInt64LE(site, 0);
    bytes.writeInt32LE(error, 12);
    bytes.writeUInt32LE(skip, 16);
    bytes.writeUInt32LE(period, 20);
    bytes.writeUInt32LE(limit, 24);
    bytes.writeUInt32LE(Math.floor(chance * 0xffffffff), 28);
    bytes.writeBigUInt64LE(BigInt(seed), 32);
    this.write(kRule, bytes);
    const mask = kinds.reduce((sum, kind) => sum | (1 << kKinds.indexOf(kind)), 0);
    bytes.writeUInt32LE(mask, 8);
    this.write(kRule + 8, bytes.subarray(8, 12)); // last, and so at once
  }

  // Lets nothing fail at these sites.
  spare(sites) {
    if (sites.length >= kSpared) throw new Error(`too many sites to spare: ${sites.length}`);
    const bytes = Buffer.alloc(8 * kSpared);
    sites.forEach(({ hash }, index) => bytes.writeBigUInt64LE(hash, 8 * index));
    this.write(kSparedAt, bytes);
  }

  // Lets nothing fail any more. Gives how many calls have failed.
  disarm() {
    this.write(kRule + 8, Buffer.alloc(4));
    return this.injected;
  }

  get injected() {
    return Number(this.read(kRule + 48, 8).readBigUInt64LE());
  }

  set census(on) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(on ? 1 : 0);
    this.write(kCensus, bytes);
  }

  get live() {
    const bytes = this.read(kLiveBlocks, 16);
    return {
      blocks: Number(bytes.readBigInt64LE(0)),
      bytes: Number(bytes.readBigInt64LE(kLiveBytes - kLiveBlocks)),
    };
  }

  // All sites that a census has seen: { hash, kind, calls, frames: [{ module, offset }] }, innermost
  // first.
  sites() {
    const bytes = readFileSync(this.path);
    if (bytes.readUInt32LE(kLost) > 0) throw new Error('the page has room for too few sites');
    const module = (index) => {
      const at = kModulesAt + index * kModuleName;
      return bytes.toString('latin1', at, bytes.indexOf(0, at));
    };
    const sites = [];
    for (let at = kSitesAt; at < kBytes; at += kSiteBytes) {
      const hash = bytes.readBigUInt64LE(at);
      if (hash === 0n) continue;
      const frames = [];
      for (let i = 0; i < bytes.readUInt32LE(at + 16); i++) {
        const frame = at + 24 + 8 * i;
        frames.push({
          module: module(bytes.readUInt32LE(frame)),
          offset: bytes.readUInt32LE(frame + 4),
        });
      }
      sites.push({
        hash,
        kind: kKinds[bytes.readUInt32LE(at + 8)],
        calls: bytes.readUInt32LE(at + 12),
        frames,
      });
    }
    return sites.sort((a, b) => (a.hash < b.hash ? -1 : 1));
  }

  read(at, length) {
    const bytes = Buffer.alloc(length);
    readSync(this.fd, bytes, 0, length, at);
    return bytes;
  }

  write(at, bytes) {
    writeSync(this.fd, bytes, 0, bytes.length, at);
  }
}
