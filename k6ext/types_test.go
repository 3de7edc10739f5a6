package k6ext

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// k6Types stands in for @types/k6, which there is no package manager for: what the examples use.
const k6Types = `
declare module 'k6' {
  export function check<T>(value: T, sets: Record<string, (value: T) => boolean>, tags?: object): boolean;
  export function sleep(seconds: number): void;
}
declare const __ENV: Record<string, string>;
declare const console: { log(...what: unknown[]): void };
`

// wrong must not compile, once for each line.
var wrong = []string{
	`new Client({});`,
	`new Client({ baseURL: 'http://x', modelName: 'm' });`,
	`new Client({ baseURL: 'http://x' }).chat({ messages: [{ role: 'robot', content: '' }] });`,
	`const x: number = new Client({ baseURL: 'http://x' }).chat({ messages: [] }).ttft;`,
	`const o: Outcome = 'fine';`,
	`const r: number = recovery()[0].ttr;`,
	`configureRecovery({ hold: true });`,
	`new Faults({ url: 'http://x', token: 't' });`,
	`const l: ArrivalsScenario = { executor: ARRIVALS, rate: '1/s', duration: '1s', client: { baseURL: 'http://x' } };`,
	`const m: ArrivalsScenario['mix'] = [{ weight: 3 }];`,
	`const h: ArrivalsScenario['cancel'] = { share: 0.5, after: '1s', afterTokens: 4 };`,
	`const d: ArrivalsScenario['promptTokens'] = { dist: 'pareto', mean: 4 };`,
	`const l: ArrivalsScenario = { executor: ARRIVALS, rate: '1/s', duration: '1s', process: 'bursty', client: { baseURL: 'http://x', model: 'm' } };`,
	`const l: ArrivalsScenario = { executor: ARRIVALS, rate: '1/s', duration: '1s', stages: [{ for: '1s', to: 3 }], client: { baseURL: 'http://x', model: 'm' } };`,
	`const l: ArrivalsScenario = { executor: ARRIVALS, duration: '1s', process: 'trace', trace: { format: 'azure' }, client: { baseURL: 'http://x', model: 'm' } };`,
	`const t: TimelineScenario = { executor: ARRIVALS, url: '', tokenEnv: '', duration: 1, steps: [] };`,
}

const imports = `import { ARRIVALS, Client, Faults, configureRecovery, recovery } from 'k6/x/brownout';
import type { ArrivalsScenario, Outcome, TimelineScenario } from 'k6/x/brownout';
`

func TestTypes(t *testing.T) {
	tsc, err := exec.LookPath("tsc")
	if err != nil {
		t.Skip("no TypeScript compiler here (Debian: apt-get install node-typescript)")
	}
	types, err := filepath.Abs("index.d.ts")
	require.NoError(t, err)
	examples, err := filepath.Glob("examples/*.js")
	require.NoError(t, err)
	require.Len(t, examples, 4)
	dir := t.TempDir()
	k6 := filepath.Join(dir, "k6.d.ts")
	require.NoError(t, os.WriteFile(k6, []byte(k6Types), 0o600))
	compile := func(files ...string) (string, error) {
		args := []string{"--noEmit", "--strict", "--allowJs", "--checkJs", "--target", "es2020", "--module", "es2020",
			"--moduleResolution", "node", "--lib", "es2020", "--typeRoots", filepath.Join(dir, "none"), k6, types}
		out, err := exec.CommandContext(t.Context(), tsc, append(args, files...)...).CombinedOutput()
		return string(out), err
	}
	for i, e := range examples {
		examples[i], err = filepath.Abs(e)
		require.NoError(t, err)
	}
	out, err := compile(examples...)
	require.NoError(t, err, "%s", out)

	// The negative control: a compiler that accepts everything would have passed.
	files := make([]string, len(wrong))
	for i, code := range wrong {
		files[i] = filepath.Join(dir, string(rune('a'+i))+".ts")
		require.NoError(t, os.WriteFile(files[i], []byte(imports+code+"\n"), 0o600))
	}
	out, err = compile(files...)
	require.Error(t, err)
	for i, file := range files {
		assert.Regexp(t, `(?m)`+filepath.Base(file)+`\(3,\d+\): error`, out, "%s", wrong[i])
	}
}

// Every name that the module exports is in the types.
func TestTypesNameEveryExport(t *testing.T) {
	types, err := os.ReadFile("index.d.ts")
	require.NoError(t, err)
	o := trial{
		load: readableLoad("http://127.0.0.1:1", "10ms"),
		script: `import * as b from 'k6/x/brownout';
			console.log('exports ' + Object.keys(b).sort().join(' '));
			export default function () {}`,
	}.run(t)
	require.Contains(t, o.text, "exports ARRIVALS Client Faults TIMELINE configureRecovery ", o.text)
	for _, want := range []string{"const ARRIVALS", "const TIMELINE", "class Client", "class Faults", "function recovery(", "function configureRecovery("} {
		assert.Contains(t, string(types), "export "+want)
	}
}
