// Ports for servers whose port must be known before they start.
import net from 'node:net';

// A free port that no outgoing connection is given (those are from 32768), so that it is free again when
// its server comes back. Nobody else is given it until this process ends: it holds an abstract name, as
// free_port() of redis_server.cpp does.
export async function freePort() {
  for (;;) {
    const port = 10000 + Math.floor(Math.random() * 20000);
    const reservation = await listen({ path: `\0signalbox-port-${port}` });
    if (reservation === undefined) continue;
    const server = await listen({ port, host: '127.0.0.1' });
    if (server !== undefined) {
      await new Promise((resolve) => server.close(resolve));
      reservation.unref();
      return port;
    }
    reservation.close();
  }
}

// Gives nothing when somebody else listens there.
function listen(where) {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(where, () => resolve(server));
  });
}
