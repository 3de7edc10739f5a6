// Open-loop load without a line of JavaScript per request: requests are due by their plan alone, so
// a slow server makes none of them later.
//
//   brownout serve --preset chat-8b &
//   brownout k6 run k6ext/examples/arrivals.js
import { ARRIVALS } from 'k6/x/brownout';

/** @type {import('k6/x/brownout').ArrivalsScenario} */
const load = {
  executor: ARRIVALS,
  rate: __ENV.RATE || '20/s',
  duration: __ENV.DURATION || '5s',
  promptTokens: { dist: 'lognormal', mean: 128, spread: 0.5, max: 1024 },
  outputTokens: 32,
  drain: '15s',
  client: {
    baseURL: __ENV.BROWNOUT_URL || 'http://127.0.0.1:8000',
    model: __ENV.BROWNOUT_MODEL || 'llama-3.1-8b',
    limits: { ttft: '5s', maxGap: '5s', e2e: '15s' },
  },
};

export const options = {
  scenarios: { load },
  thresholds: {
    brownout_goodput: ['rate>0.9'],
    brownout_ttft: ['p(95)<5000'],
    'brownout_requests{outcome:ok}': ['count>10'],
    'brownout_requests{outcome:truncated}': ['count==0'],
  },
};

export default function () {}
