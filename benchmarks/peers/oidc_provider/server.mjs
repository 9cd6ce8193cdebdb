// node-oidc-provider in memory, or on DynamoDB where BENCH_TABLE names a table: a client's own tokens, refresh and keys.
// It has no passwords, so sessions are made here and their refresh tokens left in the file BENCH_TOKENS.
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import Provider from 'oidc-provider';
import { dynamoAdapter } from './dynamodb.mjs';

const port = Number(process.env.BENCH_PORT);
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
const resource = 'urn:bench:api';
const provider = new Provider(`http://127.0.0.1:${port}`, {
  adapter: process.env.BENCH_TABLE ? await dynamoAdapter(process.env.BENCH_TABLE) : undefined,
  clients: [{ client_id: 'bench', client_secret: 'not-a-secret-but-long-enough',
    grant_types: ['client_credentials', 'authorization_code', 'refresh_token'], response_types: ['code'],
    redirect_uris: ['https://bench.example.com/callback'], id_token_signed_response_alg: 'ES256' }],
  jwks: { keys: [{ ...key, use: 'sig', alg: 'ES256' }] },
  scopes: ['offline_access', 'api'],
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  // As Keyturn: each refresh token is used once, and an access token is a JWT signed with ES256.
  rotateRefreshToken: true,
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: 'api', accessTokenTTL: 300, accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } } }),
    },
  },
});

provider.on('server_error', (_, error) => console.error(error));

async function session(number) {
  const client = await provider.Client.find('bench');
  const accountId = `person${number}`;
  const grant = new provider.Grant({ accountId, clientId: 'bench' });
  grant.addOIDCScope('offline_access');
  grant.addResourceScope(resource, 'api');
  const grantId = await grant.save();
  const token = new provider.RefreshToken({ accountId, client, grantId, resource, scope: 'offline_access api',
    gty: 'authorization_code', rotations: 0 });
  return token.save();
}

const tokens = [];
for (let number = 0; number < Number(process.env.BENCH_SESSIONS); number += 1) tokens.push(await session(number));
writeFileSync(process.env.BENCH_TOKENS, JSON.stringify(tokens));
provider.listen(port, '127.0.0.1');
