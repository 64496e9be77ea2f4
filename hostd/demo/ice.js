// STUN and TURN servers that the operator recommends; without any, addresses of this machine do.

let asking = null; // the last question
let until = 0; // when to ask again

async function ask() {
  try {
    const response = await fetch('/api/ice_servers', { cache: 'no-store' });
    const { iceServers, ttl, error } = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(error ?? `HTTP ${response.status}`);
    // Half of their time: a connection renews with them what it holds at a relay.
    until = performance.now() + (ttl * 1000) / 2;
    return { servers: iceServers, trouble: null };
  } catch (error) {
    until = 0;
    return { servers: [], trouble: error.message };
  }
}

// For one connection: { servers, trouble }, where trouble is why there are none, or null.
export function iceServers() {
  if (performance.now() >= until) {
    until = Infinity; // who comes meanwhile gets the same answer
    asking = ask();
  }
  return asking;
}

export const unaided = (trouble) => `The server names no relays, so a connection may fail: ${trouble}`;
