// `helm test`: what does the server at HOST PORT show for a certificate? Its authority is the API server's to know.
import { checkServerIdentity, connect } from 'node:tls';

const [host, port] = process.argv.slice(1);
const socket = connect({ host, port, rejectUnauthorized: false, timeout: 10_000 });
socket.once('secureConnect', () => {
  const certificate = socket.getPeerCertificate();
  const fault = checkServerIdentity(host, certificate);
  const isExpired = Date.parse(certificate.valid_to) < Date.now();
  console.log(`${host}:${port} answers: ${fault?.message ?? `valid until ${certificate.valid_to}`}`);
  process.exit(fault === undefined && !isExpired ? 0 : 1);
});
socket.once('timeout', () => socket.destroy(new Error('no answer within 10 s')));
socket.once('error', (error) => {
  console.log(`${host}:${port}: ${error.message}`);
  process.exit(1);
});
