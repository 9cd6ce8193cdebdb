// Verifies access tokens with one library and prints, for each, its claims or the library's code for why not.
// In: a JSON object on standard input, {client, jwks_url, issuer, audience, tokens}. The exit status is 0 either way.
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';

let text = '';
for await (const chunk of process.stdin) text += chunk;
const { client, jwks_url, issuer, audience, tokens } = JSON.parse(text);

const keys = createRemoteJWKSet(new URL(jwks_url), { timeoutDuration: 5000, cooldownDuration: 60000 });

async function byJose(token) {
  const { payload } = await jwtVerify(token, keys, {
    issuer,
    audience,
    typ: 'at+jwt',
    algorithms: ['ES256', 'EdDSA', 'RS256'],
    requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
  });
  return payload;
}

async function byOauth4webapi(token) {
  const request = new Request('https://api.example/', { headers: { authorization: `Bearer ${token}` } });
  return await oauth.validateJwtAccessToken({ issuer, jwks_uri: jwks_url }, request, audience, {
    [oauth.allowInsecureRequests]: true,
  });
}

const verify = { jose: byJose, oauth4webapi: byOauth4webapi }[client];
const answers = [];
for (const token of tokens) {
  try {
    answers.push({ claims: await verify(token) });
  } catch (error) {
    if (!error.code) throw error;
    answers.push({ refused: error.claim ? `${error.code} ${error.claim}` : error.code });
  }
}
process.stdout.write(JSON.stringify(answers));
