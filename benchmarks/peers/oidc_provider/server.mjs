// node-oidc-provider in memory: a client's own tokens, introspection and keys; it has no passwords.
import Provider from 'oidc-provider';

const port = Number(process.env.BENCH_PORT);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: 'bench', client_secret: 'not-a-secret-but-long-enough', grant_types: ['client_credentials'],
    redirect_uris: [], response_types: [] }],
  features: { clientCredentials: { enabled: true }, introspection: { enabled: true }, devInteractions: { enabled: false } },
});
provider.listen(port, '127.0.0.1');
