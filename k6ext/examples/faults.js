// A fault injected by hand while native load runs, and what users saw of it.
//
//   export BROWNOUT_ADMIN_TOKEN=a BROWNOUT_FAULT_TOKEN=b
//   brownout serve --preset chat-8b --faults &
//   brownout k6 run k6ext/examples/faults.js
import { check, sleep } from 'k6';
import { ARRIVALS, Faults, configureRecovery, recovery } from 'k6/x/brownout';

const faults = new Faults({
  url: __ENV.BROWNOUT_FAULTS || 'http://127.0.0.1:9100',
  tokenEnv: 'BROWNOUT_FAULT_TOKEN',
});

configureRecovery({ hold: '2s' });

/** @type {import('k6/x/brownout').ArrivalsScenario} */
const load = {
  executor: ARRIVALS,
  rate: '20/s',
  duration: '10s',
  promptTokens: 128,
  outputTokens: 32,
  drain: '15s',
  client: {
    baseURL: __ENV.BROWNOUT_URL || 'http://127.0.0.1:8000',
    model: __ENV.BROWNOUT_MODEL || 'llama-3.1-8b',
    limits: { ttft: '5s', e2e: '15s' },
  },
};

export const options = {
  scenarios: {
    load,
    chaos: { executor: 'per-vu-iterations', vus: 1, iterations: 1, exec: 'chaos' },
  },
  thresholds: {
    checks: ['rate==1'],
    // An absent metric passes silently in k6, so the counter stands beside the rate.
    brownout_faults: ['count==1'],
    brownout_unrecovered: ['rate==0'],
  },
};

export function chaos() {
  sleep(2);
  const fault = faults.inject('gpu.oom on gpu=n1/g0 for 8s', { reason: 'example' });
  check(fault, { 'took effect': (f) => f.step === 'effective' });
  sleep(3);
  check(faults.clear(fault.id), { 'is gone': (f) => f.step === 'cleared' });
  check(faults.list(), { 'nothing left on': (all) => all.every((f) => f.step !== 'effective') });
}

export function teardown() {
  for (const r of recovery()) {
    console.log(`${r.fault}: ${r.state}, time to recovery ${r.ttr} ms, ${r.touched} requests touched, ${r.lost} lost`);
  }
}

export default function () {}
