// better-auth on SQLite, its hash replaced by argon2id with our parameters (its own scrypt is dearer).
import { createServer } from 'node:http';
import { hash, verify } from '@node-rs/argon2';
import Database from 'better-sqlite3';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';

const port = Number(process.env.BENCH_PORT);
const parameters = { memoryCost: 19456, timeCost: 2, parallelism: 1 };
const database = new Database(process.env.BENCH_DATABASE);
database.pragma('journal_mode = WAL');
const options = {
  database,
  baseURL: `http://127.0.0.1:${port}`,
  secret: 'not-a-secret-but-long-enough-to-be-one',
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  emailAndPassword: {
    enabled: true,
    password: {
      hash: (password) => hash(password, parameters),
      verify: ({ hash: stored, password }) => verify(stored, password),
    },
  },
};
const auth = betterAuth(options);
await (await getMigrations(options)).runMigrations();
createServer(toNodeHandler(auth)).listen(port, '127.0.0.1');
