// Compares what Redis holds with the sockets that are really there.

export async function allKeys(redis) {
  const keys = new Set();
  let cursor = '0';
  do {
    const [next, page] = await redis.command('SCAN', cursor, 'COUNT', 1000);
    for (const key of page) keys.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...keys];
}

const pairs = (flat) =>
  flat.flatMap((_, index) => (index % 2 === 0 ? [[flat[index], flat[index + 1]]] : []));

// Everything that ought to live and does so without end.
export async function immortal(redis) {
  const keys = await allKeys(redis);
  const ttls = await redis.pipeline(keys.map((key) => ['TTL', key]));
  return keys.filter((_, index) => ttls[index] === -1).map((key) => `${key} has no TTL`);
}

// Complaints about rooms, sockets, the indexes of nodes and their registry. `bound`: a map from the id of
// each socket that is in a room to that room. `nodes`: how many nodes live.
export async function redisComplaints(redis, bound, nodes) {
  const complaints = [];
  const differ = (what, found, expected) => {
    for (const entry of found) if (!expected.has(entry)) complaints.push(`${what}: ghost ${entry}`);
    for (const entry of expected)
      if (!found.has(entry)) complaints.push(`${what}: missing ${entry}`);
  };
  const keys = await allKeys(redis);
  const matching = (pattern) => keys.flatMap((key) => pattern.exec(key)?.slice(0, 2) ?? []);
  const each = (pattern, command) => {
    const flat = pairs(matching(pattern));
    return redis
      .pipeline(flat.map(([key]) => command(key)))
      .then((answers) => answers.map((answer, index) => [flat[index][1], answer]));
  };

  const expected = new Set([...bound].map(([id, room]) => `${id} in ${room}`));
  const rooms = await each(/^room:(.*):sockets$/, (key) => ['SMEMBERS', key]);
  differ(
    'rooms',
    new Set(rooms.flatMap(([room, ids]) => ids.map((id) => `${id} in ${room}`))),
    expected,
  );
  const sockets = await each(/^socket:(.*)$/, (key) => ['GET', key]);
  differ('sockets', new Set(sockets.map(([id, room]) => `${id} in ${room}`)), expected);
  const created = await each(/^room:(.*)$/, (key) =>
    key.endsWith(':sockets') ? ['ECHO', '1'] : ['HEXISTS', key, 'created_at'],
  );
  const exist = new Set(created.filter(([, answer]) => answer === 1).map(([room]) => room));
  for (const room of new Set(bound.values()))
    if (!exist.has(room)) complaints.push(`room ${room} does not exist`);

  const index = await each(/^signalbox:node:\{(.*)\}:sockets$/, (key) => ['HGETALL', key]);
  const indexed = index.flatMap(([node, flat]) =>
    pairs(flat).map(
      ([id, room]) => `${id} in ${room}${id.startsWith(node) ? '' : ` under ${node}`}`,
    ),
  );
  differ('node indexes', new Set(indexed), expected);
  for (const key of keys) if (/:left$/.test(key)) complaints.push(`${key}: a clean-up under way`);

  const registered = new Set(
    keys.includes('signalbox:{nodes}')
      ? await redis.command('ZRANGE', 'signalbox:{nodes}', 0, -1)
      : [],
  );
  if (registered.size !== nodes)
    complaints.push(`${registered.size} nodes registered (${[...registered]}), ${nodes} live`);
  for (const id of bound.keys())
    if (!registered.has(id.slice(0, 4))) complaints.push(`the node of ${id} is not registered`);
  for (const id of registered)
    if (!keys.includes(`signalbox:{nodes}:${id}`))
      complaints.push(`node ${id} holds no registration`);
  return complaints;
}
