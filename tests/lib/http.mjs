// Plain HTTP requests, one connection each, with nothing added that the test did not ask for.
import http from 'node:http';
import https from 'node:https';
import { speaksTls, trust } from './tls.mjs';
import { within } from './wait.mjs';

// Gives { status, headers, bytes, text, json }; json is undefined when the body is not JSON.
export function request(server, method, path, { body, headers = {}, signal } = {}) {
  const answer = new Promise((resolve, reject) => {
    const { port } = server;
    const call = (speaksTls(port) ? https : http).request(
      { host: '127.0.0.1', port, method, path, headers, signal, agent: false, ...trust(port) },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString();
          resolve({
            status: response.statusCode,
            headers: response.headers,
            bytes,
            text,
            json: parse(text),
          });
        });
      },
    );
    call.on('error', reject);
    call.end(body);
  });
  return within(answer, `answer to ${method} ${path.slice(0, 100)}`);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const get = (server, path, headers) => request(server, 'GET', path, { headers });

// POSTs a value as JSON; a string is sent as it is.
export function post(server, path, value, headers = {}) {
  const body = typeof value === 'string' ? value : JSON.stringify(value);
  const all = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  };
  return request(server, 'POST', path, { body, headers: all });
}
