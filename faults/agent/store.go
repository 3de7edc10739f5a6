package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// record is one undo state file: what the next holder needs when this one dies.
type record struct {
	ID      string    `json:"id"`
	Fault   string    `json:"fault"`
	Driver  string    `json:"driver"`
	Targets []string  `json:"targets"`
	Run     string    `json:"run,omitempty"`
	Actor   string    `json:"actor,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	At      time.Time `json:"at"`
	Armed   bool      `json:"armed"`          // false: the driver was about to arm
	Undo    []byte    `json:"undo,omitempty"` // the driver's own
}

// store is a directory with one file a fault. Its lock keeps a second holder from clearing the
// faults of a living one.
type store struct {
	dir  string
	lock *os.File
}

func openStore(dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the fault state directory, choose another: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot use the fault state directory, choose another: %w", err)
	}
	if err := lockFile(lock); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("another fault holder uses the state directory %s (%w): stop it or choose another directory", dir, err)
	}
	return &store{dir: dir, lock: lock}, nil
}

func (s *store) close() { _ = s.lock.Close() }

func (s *store) path(id string) string { return filepath.Join(s.dir, id+".json") }

// save writes the file whole or not at all, and waits until it is on the disk.
func (s *store) save(r record) error {
	data, err := json.Marshal(r)
	if err == nil {
		err = writeSynced(s.path(r.ID)+".new", data)
	}
	if err == nil {
		err = os.Rename(s.path(r.ID)+".new", s.path(r.ID))
	}
	if err == nil {
		err = s.sync()
	}
	if err != nil {
		return fmt.Errorf("cannot keep the undo state of fault %s, so it is not injected: %w", r.ID, err)
	}
	return nil
}

func (s *store) remove(id string) error {
	if err := os.Remove(s.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.sync()
}

func (s *store) sync() error {
	dir, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func (s *store) load() ([]record, error) {
	names, err := filepath.Glob(filepath.Join(s.dir, "f-*.json"))
	if err != nil {
		return nil, fmt.Errorf("cannot list the fault state directory %s: %w", s.dir, err)
	}
	records := make([]record, 0, len(names))
	for _, name := range names {
		r, err := readRecord(name)
		if err != nil {
			return nil, fmt.Errorf("%s is no undo state (%w): see that its fault is gone, then delete the file", name, err)
		}
		records = append(records, r)
	}
	return records, nil
}

func readRecord(name string) (record, error) {
	var r record
	data, err := os.ReadFile(name)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, err
	}
	if !regexp.MustCompile(`^f-[0-9a-f]{12}$`).MatchString(r.ID) || r.ID+".json" != filepath.Base(name) {
		return r, fmt.Errorf("it is of fault %q", r.ID)
	}
	return r, nil
}

func writeSynced(name string, data []byte) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Sync(), file.Close())
}
