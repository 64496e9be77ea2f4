// What is compared. Each row of a scenario is a server and what it is asked for: a load, or pairs that
// are measured once all of them have met, beside a crowd of idle clients perhaps. The first row is what
// the others are compared with. `of` and `counts` tell which of the load's figures is counted; `quick`
// whether it belongs to --quick.
import { measureCost, measureMemory } from './measure.mjs';
import { costColumns, memoryColumns } from './report.mjs';

const kMost = ['floor', 'hostd', 'node'];
const kEverything = [...kMost, 'bun'];
const kPaced = { pairs: { count: 200, messages: 100 } };
// What Socket.IO can carry across two nodes.
const kSlow = { pairs: { count: 200, messages: 20 } };
const kFull = { pairs: { count: 200, messages: 0 } };
const kCrowd = { count: 15_000, ramp: 3000 };

const rows = (what, servers = kEverything) =>
  servers.map((server) => ({ name: server, server, ...what }));

const cost = (compared, { of = 'relay', ...more } = {}) => ({
  measure: measureCost,
  columns: costColumns,
  of,
  rows: compared,
  ...more,
});

export const kScenarios = {
  relay: cost(rows(kPaced)),
  full: cost(rows(kFull, kMost), { quick: false }),
  latency: cost(rows({ pairs: { count: 1, messages: 0 } }, kMost)),
  session: cost(rows({ load: 'session:count=20,ramp=1e6,ending=0' }), {
    of: 'session',
    counts: 'finished',
  }),
  connect: cost(rows({ load: 'connect:count=50,ramp=1e6' }), { of: 'connect' }),
  check: cost(rows({ load: 'check:count=50' }, kMost), { of: 'check', quick: false }),
  polling: cost(rows({ pairs: { count: 100, messages: 0, polling: 1 } }, ['hostd', 'node']), {
    quick: false,
  }),
  cluster: cost(rows(kSlow, ['hostd', 'hostd-cluster', 'node', 'node-cluster'])),
  workers: cost(rows(kPaced, ['hostd', 'hostd-workers'])),
  'workers-full': cost(rows(kFull, ['hostd', 'hostd-workers']), { quick: false }),
  tls: cost(rows(kPaced, ['hostd', 'hostd-tls'])),
  crowd: cost(
    [
      { name: 'floor', server: 'floor', ...kPaced },
      { name: 'floor + crowd', server: 'floor', ...kPaced, crowd: kCrowd },
      { name: 'hostd + crowd', server: 'hostd', ...kPaced, crowd: kCrowd },
    ],
    { quick: false },
  ),
  memory: {
    measure: measureMemory,
    columns: memoryColumns,
    rows: [
      { name: 'floor', server: 'floor', few: 5000, many: 19_000, ramp: 3000 },
      { name: 'hostd', server: 'hostd', few: 5000, many: 19_000, ramp: 3000 },
      { name: 'node', server: 'node', few: 2000, many: 8000, ramp: 500 },
    ],
    rounds: 1,
    quick: false,
  },
};
