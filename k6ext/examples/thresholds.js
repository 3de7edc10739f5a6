// Planned faults, and thresholds on how fast users were well again: exit code 0.
// With -e STRICT=1 one more threshold stands, which no server keeps: exit code 99. A server without
// its protections (serve --resilience none) fails brownout_unrecovered: 99, too.
//
//   export BROWNOUT_ADMIN_TOKEN=a BROWNOUT_FAULT_TOKEN=b
//   brownout serve --preset chat-8b --faults &
//   brownout k6 run k6ext/examples/thresholds.js
import { ARRIVALS, TIMELINE } from 'k6/x/brownout';

/** @type {import('k6/x/brownout').ArrivalsScenario} */
const load = {
  executor: ARRIVALS,
  rate: __ENV.RATE || '100/s',
  duration: '12s',
  promptTokens: 512,
  outputTokens: 64,
  drain: '15s',
  client: {
    baseURL: __ENV.BROWNOUT_URL || 'http://127.0.0.1:8000',
    model: __ENV.BROWNOUT_MODEL || 'llama-3.1-8b',
    limits: { ttft: '5s', e2e: '15s' },
  },
};

/** @type {import('k6/x/brownout').TimelineScenario} */
const faults = {
  executor: TIMELINE,
  url: __ENV.BROWNOUT_FAULTS || 'http://127.0.0.1:9100',
  tokenEnv: 'BROWNOUT_FAULT_TOKEN',
  duration: '12s',
  // The load goes on for 3 s after the fault: long enough to show that it stays good.
  steps: [{ at: '3s', fault: 'gpu.oom on gpu=n1/g0 for 5s' }],
};

/** @type {Record<string, string[]>} */
const thresholds = {
  brownout_goodput: ['rate>0.9'],
  brownout_faults: ['count==1'], // an absent metric passes silently in k6: say that there was a fault
  brownout_unrecovered: ['rate==0'],
  brownout_ttr: ['max<10000'], // no sample at all where the fault was absorbed
};
if (__ENV.STRICT) {
  thresholds.brownout_e2e = ['max<1'];
}

export const options = { scenarios: { load, faults }, thresholds };

export default function () {}
