package faults_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/faults"
)

func TestJournalRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.jsonl")
	want := []faults.Entry{
		{At: 1, Clock: "c", Step: faults.StepArmed, ID: "f-1", Fault: "gpu.oom on gpu=a for 1s", Driver: "d", Layer: faults.LayerGPU,
			Targets: []string{"a"}, Run: "r", Actor: "me", Reason: "why\nnot", Seed: 3},
		{At: 2, Clock: "c", Step: faults.StepExpired, ID: "f-1", Targets: []string{"a"}, Cause: faults.CauseLease, Evidence: "e", Error: "x"},
	}
	for _, e := range want { // reopened for every line, as after a crash
		j, err := faults.OpenJournal(path)
		require.NoError(t, err)
		require.NoError(t, j.Append(e))
		require.NoError(t, j.Close())
	}
	got, err := faults.ReadJournalFile(path, 0)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	got, err = faults.ReadJournalFile(path, 1)
	require.NoError(t, err)
	assert.Equal(t, want[1:], got)
}

func TestJournalTornLastLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.jsonl")
	whole := `{"at_ns":1,"step":"armed","id":"f-1"}` + "\n"
	require.NoError(t, os.WriteFile(path, []byte(whole+`{"at_ns":2,"step":"eff`), 0o600))
	got, err := faults.ReadJournalFile(path, 0)
	require.NoError(t, err)
	require.Len(t, got, 1)

	j, err := faults.OpenJournal(path)
	require.NoError(t, err)
	require.NoError(t, j.Append(faults.Entry{ID: "f-2", Step: faults.StepCleared}))
	require.NoError(t, j.Close())
	got, err = faults.ReadJournalFile(path, 0)
	require.NoError(t, err)
	require.Len(t, got, 2, "the torn line is gone, the new one is whole")
	assert.Equal(t, "f-2", got[1].ID)

	require.NoError(t, os.WriteFile(path, []byte(`{"torn`), 0o600))
	j, err = faults.OpenJournal(path)
	require.NoError(t, err)
	require.NoError(t, j.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Empty(t, data, "a torn only line")
}

func TestJournalRefuses(t *testing.T) {
	_, err := faults.ReadJournal(strings.NewReader("{}\nnot json\n{}\n"), 0)
	require.ErrorContains(t, err, "line 2")
	_, err = faults.ReadJournal(strings.NewReader("{}\n"+strings.Repeat("x", faults.MaxJournalLine+1)+"\n"), 0)
	require.ErrorContains(t, err, "line 2")
	path := filepath.Join(t.TempDir(), "j.jsonl")
	require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte("x"), 2*faults.MaxJournalLine), 0o600))
	_, err = faults.OpenJournal(path)
	require.ErrorContains(t, err, "choose another file")
}

func TestJournalBoundsTexts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.jsonl")
	j, err := faults.OpenJournal(path)
	require.NoError(t, err)
	defer j.Close()
	require.NoError(t, j.Append(faults.Entry{ID: "f-1", Error: strings.Repeat("ü", 50_000)}))
	got, err := faults.ReadJournalFile(path, 0)
	require.NoError(t, err)
	assert.Less(t, len(got[0].Error), 5_000)
	assert.True(t, strings.HasSuffix(got[0].Error, "ü…"), "cut between characters")
	targets := make([]string, 10_000)
	for i := range targets {
		targets[i] = "n1/g0/x"
	}
	require.ErrorContains(t, j.Append(faults.Entry{ID: "f-1", Targets: targets}), "narrow its selector")
}

func TestJournalConcurrentWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.jsonl")
	j, err := faults.OpenJournal(path)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				assert.NoError(t, j.Append(faults.Entry{ID: "f-1", Evidence: strings.Repeat("e", 3000)}))
			}
		})
	}
	wg.Wait()
	require.NoError(t, j.Close())
	got, err := faults.ReadJournalFile(path, 0)
	require.NoError(t, err)
	assert.Len(t, got, 80)
}

func FuzzReadJournal(f *testing.F) {
	f.Add([]byte(`{"at_ns":1,"step":"armed","id":"f-1"}`+"\n"), 0)
	f.Add([]byte("{}\n\n{}\n{"), 1)
	f.Fuzz(func(t *testing.T, data []byte, limit int) {
		entries, err := faults.ReadJournal(bytes.NewReader(data), limit)
		if err != nil {
			return
		}
		var again bytes.Buffer
		for _, e := range entries {
			line, err := json.Marshal(e)
			require.NoError(t, err)
			if len(line) >= faults.MaxJournalLine {
				return // it grew past the bound by escaping
			}
			again.Write(append(line, '\n'))
		}
		back, err := faults.ReadJournal(&again, 0)
		require.NoError(t, err)
		require.Len(t, back, len(entries))
	})
}
