// TLS for tests: certificates of their own, and which ports speak it with which.
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { temporaryDirectory } from './process.mjs';

// Makes a certificate for this machine that signs itself, and its key: { cert, key }, two files.
export function makeCertificate({ name = 'localhost', kind = 'ec' } = {}) {
  const directory = temporaryDirectory();
  const [cert, key] = ['cert.pem', 'key.pem'].map((file) => path.join(directory, file));
  const kinds = { ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], rsa: ['rsa:2048'] };
  const first = ['req', '-x509', '-newkey', ...kinds[kind], '-nodes', '-subj', `/CN=${name}`];
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const files = ['-keyout', key, '-out', cert, '-days', '2'];
  execFileSync('openssl', [...first, ...names, ...files], { stdio: 'pipe' });
  return { cert, key };
}

// Gives it an end in the past.
export function endCertificate({ cert, key }) {
  const directory = path.dirname(cert);
  const config = path.join(directory, 'ca.cnf');
  writeFileSync(path.join(directory, 'index'), '');
  writeFileSync(
    config,
    `[ca]\ndefault_ca = own\n[own]\ndatabase = ${directory}/index\nnew_certs_dir = ${directory}\n` +
      'rand_serial = yes\ndefault_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n',
  );
  const ask = ['req', '-new', '-key', key, '-subj', '/CN=localhost', '-out', `${cert}.csr`];
  execFileSync('openssl', ask, { stdio: 'pipe' });
  const sign = ['ca', '-batch', '-notext', '-selfsign', '-config', config, '-keyfile', key];
  const dates = ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z'];
  const files = ['-in', `${cert}.csr`, '-out', cert];
  execFileSync('openssl', [...sign, ...dates, ...files], { stdio: 'pipe' });
  return { cert, key };
}

// SHA-256 of its public key, in base64: what a browser may be told to trust.
export function publicKeyDigest({ cert }) {
  const { publicKey } = new X509Certificate(readFileSync(cert));
  const key = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

// The options of a hostd that shows it.
export const tlsOptions = ({ cert, key }) => ({ 'tls.cert': cert, 'tls.key': key });

const trusted = new Map(); // by port

// Clients of this port are to speak TLS, and to trust the certificate in that file.
export const expectTls = (port, cert) => trusted.set(port, readFileSync(cert, 'utf8'));
export const speaksTls = (port) => trusted.has(port);

// What a client of the port has to trust, in the words of Node.
export const trust = (port) => (speaksTls(port) ? { ca: trusted.get(port) } : {});

// Speaks TLS on a connected socket; rejects when that fails. `settings` are those of tls.connect.
export function secure(socket, port, settings = {}) {
  return new Promise((resolve, reject) => {
    const secured = tls.connect({ socket, ...trust(port), servername: 'localhost', ...settings });
    secured.once('secureConnect', () => resolve(secured)).once('error', reject);
    socket.once('close', () => reject(new Error('closed before the handshake was done')));
  });
}
