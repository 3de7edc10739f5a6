package jsonfile

import (
	"io"
	"os"
	"path/filepath"
)

// Find reads the file at path, or the file of that name in the folder at path, and says which it was. It reads at
// most one byte more than most, so that Check sees that a file is too long. read is false when the file could not
// even be opened.
func Find(path, name string, most int) (text []byte, file string, read bool, err error) {
	file = path
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		file = filepath.Join(path, name)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, file, false, err
	}
	defer f.Close()
	text, err = io.ReadAll(io.LimitReader(f, int64(most)+1))
	return text, file, true, err
}
