package lambdatest

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
)

// SecretsManager is AWS Secrets Manager with GetSecretValue.
type SecretsManager struct {
	URL string

	server  *http.Server
	mu      sync.Mutex
	secrets map[string]string
	down    bool
	fetches int
}

// StartSecretsManager runs one for the length of the test.
func StartSecretsManager(t testing.TB) *SecretsManager {
	t.Helper()
	s, err := NewSecretsManager("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// NewSecretsManager runs one on an address, until Close.
func NewSecretsManager(addr string) (*SecretsManager, error) {
	s := &SecretsManager{secrets: map[string]string{}}
	var err error
	s.URL, s.server, err = serveOn(addr, s.serve)
	return s, err
}

// Close ends it.
func (s *SecretsManager) Close() { _ = s.server.Close() }

// Set stores a secret.
func (s *SecretsManager) Set(id, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[id] = value
}

// SetDown makes every call fail from now on, or answers again.
func (s *SecretsManager) SetDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Fetches is how often a secret was asked for.
func (s *SecretsManager) Fetches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetches
}

func (s *SecretsManager) serve(w http.ResponseWriter, r *http.Request) {
	var in struct{ SecretId string } // AWS spells it so
	if r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" || json.NewDecoder(r.Body).Decode(&in) != nil {
		http.Error(w, `{"__type":"InvalidRequestException"}`, http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetches++
	value, known := s.secrets[in.SecretId]
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	switch {
	case s.down:
		http.Error(w, `{"__type":"InternalServiceError"}`, http.StatusInternalServerError)
	case !known:
		http.Error(w, `{"__type":"ResourceNotFoundException"}`, http.StatusBadRequest)
	default:
		_ = json.NewEncoder(w).Encode(map[string]string{"Name": in.SecretId, "SecretString": value, "VersionId": "1"})
	}
}
