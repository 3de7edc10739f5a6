// Chats from JavaScript: one at a time, and several at once. k6's own executors are closed loops
// (or do not tell when an iteration was due), so use arrivals.js to measure under a fixed load.
//
//   brownout serve --preset chat-8b &
//   brownout k6 run k6ext/examples/chat.js
import { check } from 'k6';
import { Client } from 'k6/x/brownout';

const client = new Client({
  baseURL: __ENV.BROWNOUT_URL || 'http://127.0.0.1:8000',
  model: __ENV.BROWNOUT_MODEL || 'llama-3.1-8b',
  timeouts: { ttft: '10s', total: '30s' },
  limits: { ttft: '5s', e2e: '20s' },
});

export const options = {
  scenarios: {
    users: { executor: 'per-vu-iterations', vus: 2, iterations: 3, maxDuration: '1m' },
  },
  thresholds: {
    checks: ['rate==1'],
    brownout_goodput: ['rate>0.9'],
    brownout_ttft: ['p(95)<5000'],
    'brownout_requests{class:short}': ['count>0'],
  },
};

/** @param {string} content */
function question(content) {
  return { messages: [{ role: /** @type {const} */ ('user'), content }], max_tokens: 16 };
}

export default async function () {
  const answer = client.chat(question('What is a brownout?'), { tags: { class: 'short' } });
  check(answer, {
    'answered': (a) => a.outcome === 'ok',
    'with text': (a) => a.text.length > 0,
    'with tokens': (a) => a.tokens.output > 0 && a.ttft !== null,
  });

  const both = await Promise.all([client.chatAsync(question('One?')), client.chatAsync(question('Two?'))]);
  check(both, { 'both answered': (all) => all.every((a) => a.ok) });
}
