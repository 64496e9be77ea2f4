// Which places are tried, which are left out, and how one is shown to a reader.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { kHostd } from '../lib/hostd.mjs';
import { Random } from '../lib/random.mjs';

// Places at which a library that we cannot change does not survive the failure, or loses something.
// `caller` is the module that makes the failing call, `through` a function on the way.
const kExcluded = [
  // libuv calls abort() when epoll_ctl() fails in its loop, or where it tries whether a descriptor can
  // be watched.
  { kind: 'watch', caller: /^libuv/ },
  // libwebsockets neither closes nor frees a connection whose handle of libuv finds no memory. (It asks
  // hostd for that, which passes the call on and leaves no frame.)
  { kind: 'memory', caller: /^libwebsockets-evlib_uv/ },
  // hiredis 0.14 calls abort() where these functions fail, and does not look whether it has the memory
  // to note a subscription, to look up that of a message, or for an empty buffer behind its first write.
  { kind: 'memory', caller: /^libhiredis/, through: /\bhi_(\w*alloc|strdup)\b/ },
  { kind: 'memory', caller: /^libhiredis/, through: /Subscription::State::send_subscribe/ },
  { kind: 'memory', caller: /^libhiredis/, through: /: sdsnewlen .*\n.*: redisProcessCallbacks / },
  { kind: 'memory', caller: /^libhiredis/, through: /: sdsnewlen .*\n.*: redisBufferWrite / },
];

// `look`: also at functions on the way, which takes a while; without it sites of that module are.
function isExcluded(site, { look }) {
  const caller = site.frames.map((frame) => frame.module).find((name) => name !== 'libc.so.6');
  return kExcluded.some(
    (each) =>
      each.kind === site.kind &&
      each.caller.test(caller) &&
      (!each.through || !look || each.through.test(show(site))),
  );
}

// Those of `sites` at which nothing may fail by chance.
export const toSpare = (sites) => sites.filter((site) => isExcluded(site, { look: false }));

// FAULTS=all tries all places instead of a sample; the sample is drawn by a seed that is printed, and
// can be given as FAULTS_SEED.
export const kSeed = Number(process.env.FAULTS_SEED ?? Math.floor(Math.random() * 2 ** 32));

export function sample(sites, count) {
  const random = new Random(kSeed);
  const left = [...sites];
  const most = process.env.FAULTS === 'all' ? left.length : Math.min(count, left.length);
  const drawn = Array.from({ length: most }, () => left.splice(random.below(left.length), 1).pop());
  return drawn.filter((site) => !isExcluded(site, { look: true }));
}

const kRoots = [path.dirname(kHostd), path.join(path.dirname(kHostd), '../capi')];

function fileOf(module) {
  if (module === 'program') return kHostd;
  const own = kRoots.map((root) => path.join(root, module)).find(existsSync);
  if (own) return own;
  const known = execFileSync('ldconfig', ['-p'], { encoding: 'utf8' });
  return known.split('\n').find((line) => line.trim().startsWith(`${module} `))?.split('=> ')[1];
}

// The calls that lead to a site, innermost first.
export function show({ kind, hash, frames }) {
  const lines = [];
  for (const module of new Set(frames.map((frame) => frame.module))) {
    const file = fileOf(module);
    const own = frames.flatMap((frame, index) => (frame.module === module ? index : []));
    const addresses = own.map((index) => `0x${(frames[index].offset - 1).toString(16)}`);
    const places = file
      ? execFileSync('addr2line', ['-Cfpse', file, ...addresses], { encoding: 'utf8' }).split('\n')
      : [];
    own.forEach((index, i) => {
      lines[index] = `    ${module}: ${(places[i] ?? '??').slice(0, 200)}`;
    });
  }
  return [`${kind}, site ${hash}`, ...lines].join('\n');
}
