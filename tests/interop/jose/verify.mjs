// Verifies one access token with `jose` and prints its claims, or the library's code for why not.
// In: one JSON object on standard input, {jwks_url, token, issuer, audience, now_seconds}. The exit status is 0 either way.
import { createRemoteJWKSet, jwtVerify } from 'jose';

let text = '';
for await (const chunk of process.stdin) text += chunk;
const { jwks_url, token, issuer, audience, now_seconds } = JSON.parse(text);

let answer;
try {
  const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(jwks_url), { timeoutDuration: 5000 }), {
    issuer,
    audience,
    typ: 'at+jwt',
    algorithms: ['ES256', 'EdDSA', 'RS256'],
    requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
    currentDate: new Date(now_seconds * 1000),
  });
  answer = { claims: payload };
} catch (error) {
  if (!error.code) throw error;
  answer = { refused: error.code, claim: error.claim };
}
process.stdout.write(JSON.stringify(answer));
