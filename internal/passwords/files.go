package passwords

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/trunkhook/trunkhook/provision"
)

// Files keeps each password in a file of its own, which only its owner can read. It
// is a provision.Passwords for one machine.
type Files struct{ folder string }

var _ provision.Passwords = (*Files)(nil)

// NewFiles keeps passwords in a folder, which is made when it is needed.
func NewFiles(folder string) *Files { return &Files{folder} }

// Keep implements provision.Passwords.
func (f *Files) Keep(_ context.Context, trunkName, userName, password string) (kept, at string, err error) {
	at = filepath.Join(f.folder, trunkName+"-"+userName)
	if err := os.MkdirAll(f.folder, 0o700); err != nil {
		return "", "", fmt.Errorf("the folder of passwords: %w", err)
	}
	if err := f.write(at, password); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", "", err
	}
	content, err := os.ReadFile(at) //nolint:gosec // below our own folder
	switch {
	case err != nil:
		return "", "", err
	case len(content) == 0:
		return "", "", fmt.Errorf("%s is empty", at)
	}
	return string(content), at, nil
}

// write makes the file, whole or not at all, unless there is one.
func (f *Files) write(name, password string) error {
	draft, err := os.CreateTemp(f.folder, ".draft-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(draft.Name()) }()
	_, err = draft.WriteString(password)
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	return os.Link(draft.Name(), name)
}
