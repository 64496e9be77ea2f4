// A server with bystanders: two clients in a room who talk to each other all along, whatever a test
// does to the server beside them.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { meetWitnesses } from './clients.mjs';
import { startServer } from './hostd.mjs';
import { get } from './http.mjs';
import { eventually } from './wait.mjs';

const kWitnesses = 2;

export async function startWitnessed(options) {
  const server = await startServer(options);
  const witnesses = await meetWitnesses(server);
  const descriptors = () => readdirSync(`/proc/${server.hostd.pid}/fd`).length;
  const sessions = async () =>
    (await get(server, '/health/detailed')).json.dependencies.socketio.connections;
  assert.equal(await sessions(), kWitnesses);
  const calm = descriptors();
  let harm = null;
  return {
    ...server,
    // Fails unless the witnesses are served as before and the server soon holds nothing but them:
    // no session and no connection of anyone else. From then on it always fails, at once.
    async assertUnharmed() {
      if (harm) throw new Error('harmed by an earlier test', { cause: harm });
      try {
        await witnesses.assertUnharmed();
        await eventually(async () => (await sessions()) === kWitnesses, 'only witnesses left');
        await eventually(() => descriptors() <= calm, 'the end of all other connections');
      } catch (error) {
        harm = error;
        throw error;
      }
    },
    async stop() {
      await witnesses.close();
      await server.stop();
    },
  };
}
