// What stands before the nodes of a rolling restart: one address, behind it several servers. Each
// connection goes to the first of them that takes it.
import net from 'node:net';

export async function startBalancer(...servers) {
  const connections = new Set();
  const front = net.createServer((client) => {
    connections.add(client);
    client.on('error', () => {}).on('close', () => connections.delete(client));
    const pass = ([server, ...others]) => {
      if (!server) return client.destroy();
      const back = net.connect({ host: '127.0.0.1', port: server.port });
      back.once('error', () => !client.connected && pass(others));
      back.once('connect', () => {
        client.connected = true;
        client.pipe(back).pipe(client);
        back.on('error', () => {}).on('close', () => client.destroy());
        client.on('close', () => back.destroy());
      });
    };
    pass(servers);
  });
  await new Promise((resolve) => front.listen(0, '127.0.0.1', resolve));
  const { port } = front.address();
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    stop() {
      for (const connection of connections) connection.destroy();
      return new Promise((resolve) => front.close(resolve));
    },
  };
}
