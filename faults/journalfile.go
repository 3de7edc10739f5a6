package faults

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode/utf8"
)

// Bounds of a journal.
const (
	MaxJournalLine = 64 << 10  // bytes, newline included
	maxText        = 4 << 10   // bytes of one free text (reason, evidence, error)
	maxJournal     = 256 << 20 // bytes that ReadJournal is willing to look at
)

// Journal is the append-only record of what a holder did: JSON Lines, each line on the disk before
// Append returns. One process writes a journal at a time.
type Journal struct {
	mu   sync.Mutex
	file *os.File
}

// OpenJournal opens or creates the file. What an earlier writer left of a torn last line is cut off:
// that line was never acknowledged.
func OpenJournal(path string) (*Journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the fault journal, choose another file: %w", err)
	}
	if err := cutTornLine(file); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("cannot repair the fault journal %s, choose another file: %w", path, err)
	}
	return &Journal{file: file}, nil
}

func cutTornLine(file *os.File) error {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return err
	}
	tail := make([]byte, min(size, MaxJournalLine))
	if _, err := file.ReadAt(tail, size-int64(len(tail))); err != nil {
		return err
	}
	keep := bytes.LastIndexByte(tail, '\n') + 1
	if keep == 0 && size > int64(len(tail)) {
		return errors.New("its last line is longer than any journal line")
	}
	if err := file.Truncate(size - int64(len(tail)-keep)); err != nil {
		return err
	}
	_, err = file.Seek(0, io.SeekEnd)
	return err
}

// Append writes one line and waits until it is on the disk. Texts too long are cut with an ellipsis.
func (j *Journal) Append(e Entry) error {
	e.Reason, e.Evidence, e.Error = clip(e.Reason), clip(e.Evidence), clip(e.Error)
	e.Run, e.Actor = clip(e.Run), clip(e.Actor)
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("cannot write the fault journal: %w", err)
	}
	line = append(line, '\n')
	if len(line) > MaxJournalLine {
		return fmt.Errorf("cannot write the fault journal: the line of fault %s has %d bytes, at most %d are allowed; narrow its selector", e.ID, len(line), MaxJournalLine)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.Write(line); err != nil {
		return fmt.Errorf("cannot write the fault journal: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("cannot write the fault journal: %w", err)
	}
	return nil
}

// Close ends writing.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file.Close()
}

func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	cut := maxText
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// ReadJournalFile reads a whole journal, which may still be written to. limit > 0 keeps the newest
// so many entries.
func ReadJournalFile(path string, limit int) ([]Entry, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the fault journal: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > maxJournal {
		return nil, fmt.Errorf("the fault journal %s has %d MiB, at most %d are read: move it away", path, info.Size()>>20, maxJournal>>20)
	}
	return ReadJournal(file, limit)
}

// ReadJournal reads JSON Lines. A torn last line is left out, any other line that is no entry is an
// error with its number. limit > 0 keeps the newest so many entries.
func ReadJournal(r io.Reader, limit int) ([]Entry, error) {
	lines := bufio.NewScanner(io.LimitReader(r, maxJournal))
	lines.Buffer(make([]byte, 0, 4<<10), MaxJournalLine)
	lines.Split(wholeLines)
	entries := []Entry{}
	number := 0
	for lines.Scan() {
		number++
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		var e Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("fault journal, line %d is no journal entry (%w): was the file edited?", number, err)
		}
		entries = append(entries, e)
		if limit > 0 && len(entries) >= 2*limit { // amortised: one copy per limit entries
			entries = append(entries[:0], entries[len(entries)-limit:]...)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("fault journal, line %d cannot be read: %w", number+1, err)
	}
	if limit > 0 && len(entries) > limit {
		entries = entries[len(entries)-limit:]
	}
	return entries, nil
}

// wholeLines yields lines that end in a newline and drops what follows the last one: a line is
// written in one piece, so one without its end was torn by a crash or is being written now.
func wholeLines(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF {
		return len(data), nil, nil
	}
	return 0, nil, nil
}
