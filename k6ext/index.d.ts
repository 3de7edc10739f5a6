// Types of k6/x/brownout. What every name means: docs/k6.md.

declare module 'k6/x/brownout' {
  /** "30s", "1m30s", "500ms"; or a number of milliseconds. */
  export type Duration = string | number;

  /** "50/s", "300/m", "3600/h"; or a number a second. */
  export type Rate = string | number;

  /** Executor name of the native open-loop load: scenarios use `executor: ARRIVALS`. */
  export const ARRIVALS: 'brownout-arrivals';

  /** Executor name of planned faults. */
  export const TIMELINE: 'brownout-timeline';

  /** What became of a request: exactly one of these. */
  export type Outcome =
    | 'ok'
    | 'degraded'
    | 'cancelled'
    | 'refused'
    | 'reset'
    | 'http_4xx'
    | 'rate_limited'
    | 'overloaded'
    | 'http_5xx'
    | 'timeout_connect'
    | 'timeout_ttft'
    | 'timeout_stall'
    | 'timeout_total'
    | 'error_event'
    | 'truncated'
    | 'empty'
    | 'corrupt'
    | 'dropped'
    | 'unfinished';

  /** How long the client waits, from when a request was sent. */
  export interface Timeouts {
    /** For a connection [5s]. */
    connect?: Duration;
    /** For the first content [60s]. */
    ttft?: Duration;
    /** Between two chunks [30s]. */
    stall?: Duration;
    /** For the whole answer [5m]. */
    total?: Duration;
  }

  /** Limits of one request, from when it was due: past one, it is no goodput. Absent = no such limit. */
  export interface Limits {
    ttft?: Duration;
    tpot?: Duration;
    maxGap?: Duration;
    e2e?: Duration;
  }

  /** What Client and the client of an arrivals scenario have in common. */
  export interface TargetOptions {
    /** "http://127.0.0.1:8000"; /v1/chat/completions is appended. */
    baseURL: string;
    model?: string;
    /** Name of the environment variable that holds the API key. */
    keyEnv?: string;
    headers?: Record<string, string>;
    /** PEM file of a CA to trust instead of the system's. */
    caFile?: string;
    /** Merged into every request body. */
    extraBody?: Record<string, unknown>;
    /** Ask for streams [true]. */
    stream?: boolean;
    /** A stream without [DONE] is truncated, not a note [false]. */
    strict?: boolean;
    tenant?: string;
    /** Longest answer or event that is read, in bytes [4 MiB]. */
    maxBody?: number;
    timeouts?: Timeouts;
    limits?: Limits;
  }

  export interface ClientOptions extends TargetOptions {
    /** The API key itself; not beside keyEnv. */
    apiKey?: string;
  }

  export interface Message {
    role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
    content: string | Array<Record<string, unknown>> | null;
    [field: string]: unknown;
  }

  /** A chat completion as OpenAI's API takes it; any further field is sent as it is. */
  export interface ChatRequest {
    messages: Message[];
    model?: string;
    stream?: boolean;
    max_tokens?: number;
    temperature?: number;
    seed?: number;
    stop?: string | string[];
    n?: 1;
    [field: string]: unknown;
  }

  export interface ChatParams {
    /** x-request-id [a random one]. */
    id?: string;
    /** Further tags of this request's samples. */
    tags?: Record<string, string>;
  }

  /** Gaps between the content chunks of one answer, in milliseconds. */
  export interface Gaps {
    n: number;
    mean: number;
    p50: number;
    p95: number;
    p99: number;
    max: number;
  }

  /** What became of a chat. Times are milliseconds; null where there is none. */
  export interface ChatResult {
    id: string;
    /** outcome is "ok" and every limit was kept. */
    ok: boolean;
    outcome: Outcome;
    /** HTTP status; 0 without an answer. */
    status: number;
    text: string;
    /** One sentence about what was odd; "" if nothing was. */
    note: string;
    /** The limit that was passed first; "" if none was. */
    violated: '' | 'ttft' | 'tpot' | 'max_gap' | 'e2e';
    /** Due → first chunk with content. */
    ttft: number | null;
    /** (Last − first content) / (output tokens − 1). */
    tpot: number | null;
    /** Due → end of a complete answer. */
    e2e: number | null;
    itl: Gaps | null;
    tokens: { prompt: number; output: number };
    /** Where tokens come from: the server's usage, or chunks counted. */
    tokensBy: 'usage' | 'chunks';
    chunks: number;
    /** x-brownout-node of the answer; "" if the server does not tell. */
    node: string;
    /** x-brownout-attempts of the answer; 0 if the server does not tell. */
    attempts: number;
    model: string;
  }

  /** The measuring client: one request a call, never a retry. */
  export class Client {
    constructor(options: ClientOptions);
    /** Blocks until the answer is over. Throws for a wrong call only. */
    chat(request: ChatRequest, params?: ChatParams): ChatResult;
    /** The same as a promise. */
    chatAsync(request: ChatRequest, params?: ChatParams): Promise<ChatResult>;
  }

  export interface FaultsOptions {
    /** Base URL of the process that holds faults, "http://127.0.0.1:9100". */
    url: string;
    /** Name of the environment variable that holds its token. */
    tokenEnv: string;
    /** How long a fault outlives a load generator that was killed [3s]. */
    lease?: Duration;
    /** Run id for the holder's journal. */
    run?: string;
  }

  export interface InjectParams {
    /** For the holder's journal. */
    reason?: string;
    /** How long to wait for the proof [2s]. */
    proveWithin?: Duration;
  }

  /** A fault as its holder knows it. */
  export interface Held {
    id: string;
    fault: string;
    step: 'armed' | 'effective' | 'unproven' | 'renewed' | 'cleared' | 'expired' | 'clear_failed';
    targets: string[] | null;
    /** What proves that it took effect. */
    evidence: string;
    /** What proves that it is gone. */
    gone: string;
    cause: string;
    error: string;
  }

  /** Faults by hand. Each stays on until clear, the end of its duration or the end of the test. */
  export class Faults {
    constructor(options: FaultsOptions);
    /** "gpu.oom on gpu=n2/g1 for 10s"; answers when the fault is proven, or known as unproven. */
    inject(fault: string, params?: InjectParams): Held;
    /** Extends a lease; faults injected here need no call. */
    renew(id: string, lease?: Duration): Held;
    /** Answers when the fault is proven gone (step "cleared") or is not ("clear_failed"). */
    clear(id: string): Held;
    list(): Held[];
  }

  export interface RecoveryOptions {
    /** Share of good requests below which a window is out [0.9]. */
    objective?: number;
    /** Bad requests a window needs to be out [3]. */
    minBad?: number;
    /** How long it must stay good after the fault was cleared [3s]. */
    hold?: Duration;
    /** How long after clearing recovery is looked for [30s]. */
    horizon?: Duration;
    /** Count answers of a fallback as good [false]. */
    degradedIsGood?: boolean;
    /** Outcomes that are right in this test, such as "rate_limited". */
    expected?: Outcome[];
  }

  /** One fault's story. Times are milliseconds; null where there is none. */
  export interface Recovery {
    id: string;
    fault: string;
    kind: string;
    targets: string[] | null;
    state: 'absorbed' | 'recovered' | 'censored' | 'unproven';
    unrecovered: boolean;
    ttr: number | null;
    ttm: number | null;
    residual: number | null;
    outOfSLO: number;
    relapses: number;
    touched: number;
    lost: number;
    late: number;
    error: string;
  }

  /** Judges every fault of this test until now; for teardown and handleSummary. */
  export function recovery(): Recovery[];

  /** What counts as out and as recovered, for the whole test; for the init context. */
  export function configureRecovery(options: RecoveryOptions): void;

  /** A number of tokens, or a distribution of it. */
  export type Tokens =
    | number
    | {
        dist?: 'fixed' | 'uniform' | 'lognormal' | 'normal' | 'exponential';
        mean: number;
        /** uniform: half width; lognormal: sigma of the logarithm; normal: standard deviation. */
        spread?: number;
        min?: number;
        /** Distributions without an end are cut there [20 means]. */
        max?: number;
      }
    | { choices: Array<{ tokens: number; weight?: number }>; min?: number; max?: number };

  /** Prompts begin with one of a pool of shared prefixes; the rest of them is unique. */
  export interface Prefix {
    /** Of the prompt's own. In a class, 0 means none. */
    tokens: number;
    pool?: number;
    /** The k-th prefix is drawn in proportion to k^-zipf [0: all alike]. */
    zipf?: number;
  }

  /** Arrivals start conversations; the rate stays one of requests. */
  export interface Conversation {
    /** A number of turns, or a distribution of it ("tokens" in choices are turns). */
    turns: Tokens;
    /** Between the due times of two turns. */
    think: Duration | { dist?: 'fixed' | 'exponential'; mean: Duration };
  }

  /** Clients that hang up by plan: after a time from when they were due, or after so many tokens. */
  export type Cancel =
    | { share: number; after: Duration; afterTokens?: undefined }
    | { share: number; afterTokens: number; after?: undefined }
    | { share: 0 };

  /** What is sent. */
  export interface Content {
    /** [512] */
    promptTokens?: Tokens;
    /** [64] */
    outputTokens?: Tokens;
    prefix?: Prefix;
    conversation?: Conversation;
    cancel?: Cancel;
  }

  /** One kind of request of a mix. What it leaves out comes from the scenario and its client. */
  export interface LoadClass extends Content {
    class: string;
    /** Of the requests, against the sum of all [1]. */
    weight?: number;
    model?: string;
    tenant?: string;
    stream?: boolean;
    /** Name of the environment variable that holds this class's API key. */
    keyEnv?: string;
    /** In place of the client's. */
    limits?: Limits;
  }

  interface ScenarioOptions {
    startTime?: Duration;
    gracefulStop?: Duration;
    env?: Record<string, string>;
    tags?: Record<string, string>;
    /** Scenarios of one run share it [""]. */
    run?: string;
  }

  /** A change of the rate: linear within duration, at once where that is 0. After the last, the rate stays. */
  export interface Stage {
    duration: Duration;
    target: Rate;
  }

  /** Load on top of the rest. */
  export interface Spike {
    at: Duration;
    duration: Duration;
    rate: Rate;
  }

  /** Recorded requests to replay: when, and how long. */
  export interface Trace {
    file: string;
    /** [auto] */
    format?: 'auto' | 'azure' | 'mooncake' | 'burstgpt';
    /** 2: twice as fast [1]. */
    speed?: number;
    /** Where in the trace's own time the replay begins [0s]. */
    from?: Duration;
    /** Most requests [as many as fit]. */
    limit?: number;
    /** Each request is later by a draw of up to so much [0s]. */
    jitter?: Duration;
    /** A file that says something else is refused. */
    sha256?: string;
  }

  /** Native load: no VU, no JavaScript. Open loop, but for process 'closed'. */
  export interface ArrivalsScenario extends ScenarioOptions, Content {
    executor: 'brownout-arrivals';
    /** Long-run mean at the start. Required but with 'trace', 'closed' and most of like. */
    rate?: Rate;
    duration: Duration;
    /** [poisson] */
    process?: 'constant' | 'poisson' | 'gamma' | 'onoff' | 'trace' | 'closed';
    /** gamma: standard deviation of the gaps by their mean. */
    cv?: number;
    /** onoff: mean length of a burst. */
    on?: Duration;
    /** onoff: mean length of a pause. */
    off?: Duration;
    /** onoff: rate during pauses [0]. */
    floor?: Rate;
    stages?: Stage[];
    spikes?: Spike[];
    /** closed: virtual users. */
    concurrency?: number;
    /** closed: pause between an answer and the user's next request [0s]. */
    think?: Duration;
    /** trace: what is replayed. */
    trace?: Trace;
    /** A recorded load whose rate, burstiness and lengths are taken where they are not given. */
    like?: 'azure-2023-code' | 'azure-2023-conversation' | 'mooncake-conversation' | 'mooncake-synthetic';
    /** [1] */
    seed?: number;
    mix?: LoadClass[];
    /** An arrival beyond it is dropped and counts as failed [1000, or concurrency if that is more]. */
    maxInFlight?: number;
    /** How long open requests may go on after the last arrival [gracefulStop]. */
    drain?: Duration;
    client: TargetOptions & {
      model: string;
      /** The target is brownout's own simulator: compare every token [false]. */
      exact?: boolean;
    };
    /** Measure the client on a known stream before the load, for about a second [false]. */
    calibrate?: boolean;
    /** File of the brownout output, where --out names none. */
    shard?: string;
  }

  /** Planned faults. Times run from time zero of the arrivals scenario, or from the start of this one. */
  export interface TimelineScenario extends ScenarioOptions {
    executor: 'brownout-timeline';
    url: string;
    tokenEnv: string;
    duration: Duration;
    /** [3s] */
    lease?: Duration;
    steps: Array<{ at: Duration; fault: string }>;
  }
}
