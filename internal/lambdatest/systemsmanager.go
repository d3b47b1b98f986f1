package lambdatest

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// SystemsManager is the Parameter Store of AWS Systems Manager with PutParameter
// and GetParameter, as its API reference describes them (2026-11).
type SystemsManager struct {
	URL string

	server     *http.Server
	mu         sync.Mutex
	parameters map[string]Parameter
	down       bool
	calls      map[string]int
}

// Parameter is one that is stored.
type Parameter struct {
	Type    string // such as SecureString
	Value   string
	Version int
}

// StartSystemsManager runs one for the length of the test.
func StartSystemsManager(t testing.TB) *SystemsManager {
	t.Helper()
	s, err := NewSystemsManager("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// NewSystemsManager runs one on an address, until Close.
func NewSystemsManager(addr string) (*SystemsManager, error) {
	s := &SystemsManager{parameters: map[string]Parameter{}, calls: map[string]int{}}
	var err error
	s.URL, s.server, err = serveOn(addr, s.serve)
	return s, err
}

// Close ends it.
func (s *SystemsManager) Close() { _ = s.server.Close() }

// SetDown makes every call fail from now on, or answers again.
func (s *SystemsManager) SetDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Set stores a SecureString, whether there is one or not.
func (s *SystemsManager) Set(name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parameters[name] = Parameter{"SecureString", value, s.parameters[name].Version + 1}
}

// Parameters are those that are stored, by their names.
func (s *SystemsManager) Parameters() map[string]Parameter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.parameters)
}

// Count is how often an operation was asked for, such as PutParameter.
func (s *SystemsManager) Count(operation string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[operation]
}

// parameterRequest is the body of either operation.
type parameterRequest struct {
	Name, Value, Type         string
	Overwrite, WithDecryption bool
}

func (s *SystemsManager) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "AmazonSSM.")
	s.calls[operation]++
	var in parameterRequest
	err := json.NewDecoder(r.Body).Decode(&in)
	switch {
	case s.down:
		fail(w, http.StatusInternalServerError, "InternalServerError", "An error occurred on the server side.")
	case !strings.Contains(r.Header.Get("Authorization"), "/ssm/aws4_request"):
		fail(w, http.StatusBadRequest, "MissingAuthenticationTokenException", "Missing Authentication Token")
	case err != nil:
		fail(w, http.StatusBadRequest, "SerializationException", "")
	case operation == "PutParameter":
		s.put(w, in)
	case operation == "GetParameter":
		s.get(w, in)
	default:
		fail(w, http.StatusBadRequest, "UnknownOperationException", "")
	}
}

func (s *SystemsManager) put(w http.ResponseWriter, in parameterRequest) {
	old, there := s.parameters[in.Name]
	switch {
	case !strings.HasPrefix(in.Name, "/") || in.Value == "" || in.Type == "":
		fail(w, http.StatusBadRequest, "ValidationException", "1 validation error detected")
	case there && !in.Overwrite:
		fail(w, http.StatusBadRequest, "ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	default:
		s.parameters[in.Name] = Parameter{in.Type, in.Value, old.Version + 1}
		_ = json.NewEncoder(w).Encode(map[string]any{"Version": old.Version + 1, "Tier": "Standard"})
	}
}

// get shows a SecureString only to who asks for it to be decrypted.
func (s *SystemsManager) get(w http.ResponseWriter, in parameterRequest) {
	p, there := s.parameters[in.Name]
	if !there {
		fail(w, http.StatusBadRequest, "ParameterNotFound", "")
		return
	}
	value := p.Value
	if p.Type == "SecureString" && !in.WithDecryption {
		value = base64.StdEncoding.EncodeToString([]byte("encrypted"))
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"Parameter": map[string]any{
		"Name": in.Name, "Type": p.Type, "Value": value, "Version": p.Version,
	}})
}

// fail answers as AWS's JSON services refuse a call.
func fail(w http.ResponseWriter, status int, kind, message string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": kind, "message": message})
}
