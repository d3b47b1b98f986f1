// Package door is how an operator's tool finds the system that runs on this machine:
// a file in its folder, with where it is and a token, and what it says of itself.
package door

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Key opens the door.
type Key struct {
	URL   string `json:"url"` // of the door, such as http://127.0.0.1:8080/operator
	Token string `json:"token"`
}

// file holds the key, in the system's folder.
const file = "operator.json"

// Path is where a system with that folder keeps its key.
func Path(dir string) string { return filepath.Join(dir, file) }

// Log is the file in which a system with that folder writes its log.
func Log(dir string) string { return filepath.Join(dir, "log.jsonl") }

// Write keeps the key where only its owner can read it.
func (k Key) Write(dir string) error {
	content, err := json.Marshal(k)
	if err != nil {
		return err
	}
	draft, err := os.CreateTemp(dir, ".operator-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(draft.Name()) }()
	_, err = draft.Write(append(content, '\n'))
	if err := errors.Join(err, draft.Close()); err != nil {
		return err
	}
	return os.Rename(draft.Name(), Path(dir))
}

// Remove takes the key away, unless it is another system's by now.
func (k Key) Remove(dir string) error {
	if found, err := Find(dir); err != nil || found != k {
		return nil //nolint:nilerr // there is nothing of ours to remove
	}
	return os.Remove(Path(dir))
}

// Find reads the key in a folder.
func Find(dir string) (k Key, err error) {
	content, err := os.ReadFile(Path(dir))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return k, fmt.Errorf("no system runs with the folder %s (there is no %s): make run starts one", dir, Path(dir))
	case err != nil:
		return k, err
	}
	if json.Unmarshal(content, &k) != nil || k.URL == "" || k.Token == "" { // its error could hold the token
		return k, fmt.Errorf("%s is broken", Path(dir))
	}
	return k, nil
}

// About is what the system says of itself to who has the key.
type About struct {
	TrunkPrefix    string `json:"trunk_prefix"`
	CallsPerMinute int    `json:"calls_per_minute"` // 0 for no limit
	Passwords      string `json:"passwords"`        // the folder
	ExotelURL      string `json:"exotel_url"`       // empty for the secret's own host
	// ExotelSecret is the secret of a fake, which everybody knows; of a real account
	// there is the file that holds it instead.
	ExotelSecret     string `json:"exotel_secret,omitempty"`
	ExotelSecretFile string `json:"exotel_secret_file,omitempty"`
}

// aboutPath is below the key's URL.
const aboutPath = "/about"

// askTime bounds the question what a system is.
const askTime = 5 * time.Second

// Ask asks the system behind a key about itself.
func (k Key) Ask(ctx context.Context) (a About, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, k.URL+aboutPath, nil)
	if err != nil {
		return a, err
	}
	r.Header.Set("Authorization", "Bearer "+k.Token)
	resp, err := new(http.Client).Do(r)
	if err != nil {
		return a, fmt.Errorf("the system that made the key doesn't answer (make run starts one): %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return a, fmt.Errorf("the system refuses the key: HTTP %d", resp.StatusCode)
	}
	if json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&a) != nil { // its error could hold the secret
		return a, errors.New("what the system says of itself can't be read")
	}
	return a, nil
}

// Handler answers Ask, and leaves the rest below the door to the other handler.
func (a About) Handler(other http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != aboutPath {
			other.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(a)
	})
}
